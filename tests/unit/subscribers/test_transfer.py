"""People from and to files: what a line gives, and what becomes of the lines that give nothing."""

import csv
import io
import json
from datetime import UTC, date, datetime, time, timedelta, timezone
from io import IncrementalNewlineDecoder
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.importing import Imported
from subscribers.lifecycle import ConsentEvent
from subscribers.model import (
    Consent,
    Evidence,
    PersonFile,
    Rating,
    Subscriber,
    Suppression,
    SuppressionReason,
    Verdict,
)
from subscribers.own_papers import OwnPaper
from subscribers.preferences import Preferences
from subscribers.records import Remark, read_records
from subscribers.topics import parse_topics
from subscribers.transfer import ImportRow, Unread, read_people, to_csv_row, to_record
from tests.support import NOW
from tests.unit.subscribers.test_preferences import json_values, preferences

ADA = "ada@example.org"
AGREED = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)


def read(text: str) -> list[ImportRow | Unread | Remark]:
    """Read the people of a file with this text; its lines are split as the import splits them."""
    lines = IncrementalNewlineDecoder(None, translate=True).decode(text).split("\n")
    return list(read_people(read_records(iter(lines))[1], source="a test", now=NOW))


def one(text: str) -> ImportRow:
    [person] = read(text)
    assert isinstance(person, ImportRow), person
    return person


def why(text: str) -> str:
    [unread] = read(text)
    assert isinstance(unread, Unread), unread
    return unread.said()


def from_json(**fields: Any) -> str:
    return json.dumps({"email": ADA, **fields})


def addresses(people: list[ImportRow | Unread | Remark]) -> list[str | int]:
    """Addresses, and the numbers of the lines that cannot be read."""
    return [
        person.line if isinstance(person, Unread | Remark) else person.address for person in people
    ]


def topics(person: ImportRow) -> list[str]:
    return [topic_filter.text for topic_filter in person.topics]


# ---- the two kinds ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", [f"email\n{ADA}\n", f'{{"email": "{ADA}"}}\n', f'  {{"email": "{ADA}"}}'],
    ids=["csv", "json", "json after blanks"],
)  # fmt: skip
def test_both_kinds_are_told_apart(text):
    assert one(text).address == ADA


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=repr)
def test_lines_may_end_in_any_way(end):
    assert addresses(read(end.join(["email", ADA, "bob@example.org"]))) == [ADA, "bob@example.org"]
    people = [json.dumps({"email": address}) for address in (ADA, "nobody")]
    assert addresses(read(end.join(people))) == [ADA, 2]


def test_an_address_is_normalised():
    assert one("email\n Ada@B\u00dcCHER.example \n").address == "Ada@xn--bcher-kva.example"


def test_all_columns_but_the_address_are_optional():
    person = one(f"email\n{ADA}\n")
    assert person == ImportRow(
        address=ADA,
        topics=(),
        preferences=Preferences(),
        consent=Consent.PENDING,
        evidence=(Evidence(ConsentEvent.ASKED, NOW, "a test"),),
        ratings=(),
        papers=(),
        suppression=None,
    )
    assert one(from_json()) == person


def test_a_column_that_nobody_knows_is_said_and_the_people_are_read():
    remark, ada = read(f"email,topic,consent\n{ADA},agents,confirmed\n")
    assert (remark.line, remark.code) == (1, "unknown-columns")
    assert str(remark.what) == "unknown columns are ignored: topic"
    assert (ada.address, ada.topics, ada.consent) == (ADA, (), Consent.CONFIRMED)


def test_every_column_is_read():
    person = one(
        "Cadence, EMAIL ,topics,consent,timezone,hour,locale,max_papers\n"
        f"mon+thu,{ADA},agents;world models,2025-12-31T23:30:00Z,Europe/Oslo,17,nb,3\n"
    )
    assert person == ImportRow(
        address=ADA,
        topics=parse_topics(["agents", "world models"]),
        preferences=Preferences(
            days=frozenset({"mon", "thu"}),
            at=time(17),
            timezone="Europe/Oslo",
            locale="nb",
            max_papers=3,
        ),
        consent=Consent.CONFIRMED,
        evidence=(Evidence(ConsentEvent.CONFIRMED, AGREED, "a test"),),
        ratings=(),
        papers=(),
        suppression=None,
    )


def test_json_lines_have_the_same_names():
    typed = from_json(topics="agents; world models", hour=17, max_papers=3, colour=["green"])
    person = one(typed)
    assert topics(person) == ["agents", "world models"]
    assert person.preferences == Preferences(at=time(17), max_papers=3)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("", []),
        (" ; ;", []),
        (" agents ;; world  models; ", ["agents", "world models"]),
        (["agents", "a;b"], ["agents", "a;b"]),
        ([], []),
        (None, []),
    ],
)
def test_topics_are_a_list_or_parted_by_semicolons(typed, kept):
    assert topics(one(from_json(topics=typed))) == kept


def test_empty_cells_have_the_default():
    person = one(f"email,topics,consent,timezone,hour,cadence,locale,max_papers\n{ADA}, , ,,, ,,\n")
    assert person == one(from_json())


def test_a_short_row_has_the_default_for_the_rest():
    assert one(f"email,topics,hour\n{ADA},agents\n").preferences == Preferences()


# ---- headers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the file is empty: expected a header with the column email"),
        ("\n", "the file is empty: expected a header with the column email"),
        (f"{ADA}\n", f"the header has no column email, but: {ADA}"),
        ("Name,Age\n", "the header has no column email, but: Name, Age"),
        ("Name;Topics\n", "the header has no column email, but: Name, topics"),
        ("pr\udce9nom\n", "the header has no column email, but: pr\\udce9nom"),
    ],
)
def test_a_header_without_addresses_is_said_once(text, told):
    [unread] = read(text + "a@example.org\nb@example.org\n" * bool(text.strip()))
    assert (unread.line, unread.why.code, unread.said()) == (1, "header", told)


def test_a_header_alone_is_nobody():
    assert read("email,topics\n") == []


# ---- CSV ----------------------------------------------------------------------------------------


def test_quoted_cells_may_hold_commas_quotes_and_line_breaks():
    person = one(f'topics,email\n"agents, ""tools"";world\r\nmodels",{ADA}\r\n')
    assert topics(person) == ['agents, "tools"', "world models"]


def test_too_many_values_are_said_and_the_rest_is_kept():
    people = read(f"email,hour\n{ADA},8,9\nbob@example.org,8\n")
    assert addresses(people) == [2, "bob@example.org"]
    assert people[0].said() == "there are 3 values for 2 columns"


@pytest.mark.parametrize("empty", ["", "  ", ",", " ,", ",,,,"])
def test_empty_rows_are_passed_over_and_counted(empty):
    text = f"email,topics\n{empty}\n{ADA},\n{empty}\nnobody,\n{empty}"
    assert addresses(read(text)) == [ADA, 5]


def test_bad_rows_are_numbered_by_the_line_they_begin_on():
    people = read(
        "email,topics,hour\n"
        'nobody,"one\ntwo\nthree",\n'  # 2 to 4
        f'{ADA},"one\ntwo",\n'  # 5 and 6
        'bob@example.org,"one"two,\n'  # 7
        'eve@example.org,"one\ntwo",25\n'  # 8 and 9
        "grace@example.org,,\n"
        'emmy@example.org,"never\nclosed\n'  # 11 and 12
    )
    assert addresses(people) == [2, ADA, 7, 8, "grace@example.org", 11, 12]
    reasons = [person.said() for person in people if isinstance(person, Unread)]
    assert reasons[0].startswith("'nobody' is not an email address")
    assert reasons[1].startswith("not CSV: ")
    assert reasons[2].startswith("at: '25' is not a time of day")
    assert reasons[3] == "not CSV: a quotation mark is not closed"


def test_a_cell_beyond_all_measure_is_a_bad_row():
    people = read(f"email,topics\nx@example.org,{'x' * 200_000}\n{ADA},\n")
    assert addresses(people) == [2, ADA]


def test_stray_quotation_marks_lose_their_own_lines_only():
    lines = [f"reader{number}@example.org,robots" for number in range(400)]
    lines[50] = 'fifty@example.org,"robots'
    lines[343] = 'later@example.org,robots 5"'
    lines[344] = 'last@example.org,ro"bots"'
    people = read("email,topics\n" + "\n".join(lines))
    opened, topic = [person for person in people if isinstance(person, Unread)]
    assert (opened.line, opened.why.code) == (52, "line")
    assert opened.said() == "not CSV: a quotation mark is not closed"
    assert (topic.line, topic.said().startswith("column 9: ")) == (345, True)
    assert len(people) == 400


@pytest.mark.parametrize("apart", [1, 2, 3])
def test_nobody_between_two_stray_quotation_marks_is_lost(apart):
    lines = [f'reader{number}@example.org,"robots"' for number in range(9)]
    lines[2] = 'two@example.org,"robots'
    lines[2 + apart] = f'{apart}@example.org,robots"'
    people = read("email,topics\n" + "\n".join(lines))
    assert [person.line for person in people if isinstance(person, Unread)] == [4, 4 + apart]


@pytest.mark.parametrize(
    "text",
    [
        f"email;topics;cadence\n{ADA};agents;weekly\n",
        f"sep=;\nemail;topics;cadence\n{ADA};agents;weekly\n",
        f'"sep=|"\nemail|topics|cadence\n{ADA}|agents|weekly\n',
        f"email\ttopics\tcadence\n{ADA}\tagents\tweekly\n",
        f'"Email Address","First Name",Topics,Cadence\n{ADA},Ada,agents,weekly\n',
        f"Timestamp,E-Mail,TOPICS,cadence\n2026/02/20 8:00:00 AM,{ADA},agents,weekly\n",
        f"\n\ne-mail address;topics;cadence;\n{ADA};agents;weekly;\n",
    ],
    ids=["excel", "sep", "sep with quotes", "tabs", "mailchimp", "google forms", "empty column"],
)
def test_what_other_programs_write_is_read(text):
    person = next(person for person in read(text) if isinstance(person, ImportRow))
    assert (person.address, topics(person)) == (ADA, ["agents"])
    assert person.preferences.cadence == "weekly"


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ("email,topics,email", "email"),
        ("Email Address,E-Mail", "email"),
        ("email,hour,at", "at"),
        ("email,topics,Topics", "topics"),
    ],
)
def test_a_repeated_column_is_an_error(header, named):
    told = f"the header has several columns for {named}: keep one of each"
    [unread] = read(f"{header}\n{ADA},{ADA},8\n")
    assert (unread.line, unread.why.code, unread.said()) == (1, "header", told)


def test_unknown_columns_may_be_repeated():
    assert addresses(read(f"email,,,x,x\n{ADA},1,2,3,4\n")) == [1, ADA]


# ---- JSON lines ---------------------------------------------------------------------------------


def test_bad_lines_are_said_with_their_number_and_the_rest_is_kept():
    bad = ["[]", "5", "nonsense", '{"email": "cut off', "[" * 100_000, '{"n": ' + "9" * 5000 + "}"]
    people = read("\n".join([from_json(), "", *bad, "  ", '{"email": "bob@example.org"}', "{}"]))
    assert addresses(people) == [ADA, 3, 4, 5, 6, 7, 8, "bob@example.org", 11]
    reasons = [person.said() for person in people if isinstance(person, Unread)]
    assert reasons[:2] == ["not a JSON object"] * 2
    assert all(reason.startswith("not JSON: ") for reason in reasons[2:6])
    assert reasons[6].startswith("'' is not an email address")


@pytest.mark.parametrize("value", [{"a": 1}, 5, True])
def test_topics_of_no_fitting_kind_are_said(value):
    assert why(from_json(topics=value)) == "topics: expected a list"


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"hour": "25"}, "at: '25'"),
        ({"at": [8]}, "at: '[8]'"),
        ({"topics": ["!!"]}, "'!!'"),
        ({"topics": [f"topic {n}" for n in range(21)]}, "at most 20 topics"),
        ({"email": None}, "'' is not an email address"),
        ({"email": ["a@example.org"]}, "is not an email address"),
        ({"topics": ["a\x00b"]}, "U+0000"),
        ({"topics": ["a\ud800b"]}, "U+D800"),
        ({"topics": ["x\ud800" * 300]}, "at most 200 characters"),
        ({"email": "a\x00@example.org"}, "U+0000"),
        ({"email": "a\ud800@example.org"}, "U+D800"),
    ],
)
def test_what_is_wrong_is_named_in_text_that_can_be_printed(fields, named):
    told = why(from_json(**fields))
    assert named in told
    assert told.encode()


@pytest.mark.parametrize("odd", ["\x00", "\udce9"], ids=ascii)
def test_odd_characters_spoil_their_own_row_only(odd):
    people = read(f"email,topics\na{odd}@example.org,\n{ADA},\nb@example.org,a{odd}b\n")
    assert addresses(people) == [2, ADA, 4]


# ---- consent ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "consent", "event"),
    [
        (None, Consent.PENDING, ConsentEvent.ASKED),
        (" ", Consent.PENDING, ConsentEvent.ASKED),
        ("pending", Consent.PENDING, ConsentEvent.ASKED),
        (" confirmed ", Consent.CONFIRMED, ConsentEvent.VOUCHED),
        ("withdrawn", Consent.WITHDRAWN, ConsentEvent.WITHDRAWN),
    ],
)
def test_a_consent_by_name_has_the_import_as_evidence(typed, consent, event):
    person = one(from_json(consent=typed))
    assert person.consent is consent
    assert person.evidence == (Evidence(event, NOW, "a test"),)


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        ("2025-12-31T23:30:00Z", AGREED),
        ("2026-01-01T00:30+01:00", AGREED),
        ("2025-12-31 23:30", AGREED),  # no zone: UTC
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
    ],
)
def test_a_moment_is_consent_given_then(typed, moment):
    person = one(from_json(consent=typed))
    assert person.consent is Consent.CONFIRMED
    [said] = person.evidence
    assert (said.event, said.at, said.source) == ("confirmed", moment, "a test")
    assert said.at.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "typed",
    [
        "yes",
        "31.1.2026",
        "2026-02-30",
        "true",
        "\ud800",
        # In UTC these are before the year 1, and after the year 9999.
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:00:00-14:00",
    ],
)
def test_other_consent_is_refused_by_name(typed):
    told = why(from_json(consent=typed))
    assert told.startswith(f"consent: {typed!r} is neither a time like")
    assert told.endswith("nor one of pending, confirmed, withdrawn")


def test_evidence_is_kept_as_it_is():
    said = [
        {"event": "asked", "at": "2025-12-31T22:00:00", "source": "form"},
        {"event": "confirmed", "at": "2026-01-01T00:30:00+01:00", "source": "link"},
    ]
    person = one(from_json(consent="confirmed", evidence=said))
    assert person.consent is Consent.CONFIRMED
    assert person.evidence == (
        Evidence(ConsentEvent.ASKED, AGREED - timedelta(minutes=90), "form"),
        Evidence(ConsentEvent.CONFIRMED, AGREED, "link"),
    )


def test_a_long_source_is_cut_to_what_is_stored():
    said = {"event": "asked", "at": "2026-01-01", "source": "x" * 100}
    assert one(from_json(evidence=[said])).evidence[0].source == "x" * 64


GOOD = {"event": "asked", "at": "2026-01-01", "source": "form"}


@pytest.mark.parametrize(
    "evidence",
    [
        5,
        True,
        "asked",
        ["asked"],
        [None],
        [[]],
        [{}],
        [{**GOOD, "event": "dreamt"}],
        [{**GOOD, "event": ["asked"]}],
        [{**GOOD, "at": "once"}],
        [{**GOOD, "at": "0001-01-01T00:00:00+14:00"}],
        [{"event": "asked", "at": "2026-01-01"}],
        [{**GOOD, "source": "a\x00b"}],
        [{**GOOD, "source": "a\ud800b"}],
        [GOOD, None],
    ],
    ids=ascii,
)
def test_malformed_evidence_is_said(evidence):
    told = why(from_json(consent="confirmed", evidence=evidence))
    assert told.startswith("evidence: expected event, at and source, got ")


def test_a_block_is_read():
    blocked = {"reason": "complaint", "at": "2025-12-31T23:30:00"}
    assert one(from_json(suppressed=blocked)).suppression == Suppression(
        SuppressionReason.COMPLAINT, AGREED
    )


@pytest.mark.parametrize(
    "block",
    [
        5,
        "complaint",
        {"reason": "complaint"},
        {"reason": "mood", "at": "2026-01-01"},
        {"reason": "complaint", "at": "once"},
    ],
    ids=ascii,
)
def test_a_malformed_block_is_said(block):
    assert why(from_json(suppressed=block)).startswith("suppressed: expected reason and at, got ")


# ---- anything whatever --------------------------------------------------------------------------

names = st.sampled_from(
    "email topics consent timezone hour at cadence locale max_papers trending exclusions "
    "note_when_nothing pictures paused_until evidence suppressed since".split()
)


@given(st.lists(st.text(), max_size=6))
def test_any_lines_whatever_are_people_or_bad_lines(lines):
    for person in read("\n".join(lines)):
        assert isinstance(person, Unread)
        assert person.line >= 1
        assert person.said().encode()


odd_characters = st.text("\"',;\n\r \x00\ud800\udce9\ufeffa@.{}[]:8", max_size=8)
odd_cells = st.just(ADA) | odd_characters | st.text(max_size=8)


@given(st.lists(names, max_size=4), st.lists(st.lists(odd_cells, max_size=5), max_size=5))
def test_any_rows_whatever_never_raise(header, rows):
    text = "\n".join([",".join(["email", *header]), *(",".join(row) for row in rows)])
    for person in read(text):
        if isinstance(person, Remark):
            assert Imported(0, 0, (), remarks=(person,)).warnings()[0].said().encode()
        elif isinstance(person, Unread):
            assert person.said().encode()
            assert person.line > 1 or "column" in person.said()
        else:
            assert person.address.isascii()


@given(st.lists(st.dictionaries(names, json_values), max_size=5))
def test_any_objects_whatever_never_raise(records):
    lines = [json.dumps({"email": ADA, **record}) for record in records]
    people = read("\n".join(["{}", *lines]))
    assert len(people) == 1 + len(records)
    for number, person in enumerate(people, 1):
        if isinstance(person, Unread):
            assert person.line == number
            assert person.said().encode()
        else:
            assert person.evidence


# ---- out and in again ---------------------------------------------------------------------------

moments = st.datetimes(
    datetime(2, 1, 1),
    datetime(9998, 1, 1),
    timezones=st.integers(-12, 14).map(lambda hours: timezone(timedelta(hours=hours))),
)
sources = st.sampled_from(["operator", "form", "import of Leser\u2019innen.csv"])
clients = st.sampled_from(["", "203.0.113.7", "2001:db8::7"])
papers = st.sampled_from(["arxiv:2602.00001", "arxiv:math/0309136", "title:" + "0" * 32])
topic_texts = st.sampled_from(
    [
        "agents",
        'the "state"',
        "a, b",
        "world models",
        "C++",
        "\u5f3a",
        "-survey agents",
        "a;b",
        "a\\",
        "\\;b",
        "=SUM(A1)",
        "'=x",
        "@home",
        "'-x y",
    ]
)
files = st.builds(
    PersonFile,
    subscriber=st.builds(
        Subscriber,
        id=st.integers(1, 9),
        public_id=st.just("0" * 32),
        address=st.sampled_from(
            [
                ADA,
                "Bob+papers@example.org",
                "o'brien@xn--bcher-kva.example",
                "=cmd@example.org",
                "'=x@example.org",
                "'+x@example.org",
            ]
        ),
        topics=st.lists(topic_texts, max_size=4).map(parse_topics),
        preferences=preferences,
        consent=st.sampled_from(Consent),
        since=moments,
    ),
    evidence=st.lists(
        st.builds(Evidence, st.sampled_from(ConsentEvent), moments, sources, clients),
        min_size=1,
        max_size=3,
    ).map(tuple),
    ratings=st.lists(
        st.builds(Rating, papers, st.sampled_from(Verdict), moments),
        max_size=3,
        unique_by=lambda rating: rating.paper,
    ).map(tuple),
    papers=st.lists(
        st.builds(
            OwnPaper, papers, st.text("ab é", max_size=9), st.text("ab é", max_size=9), moments
        ),
        max_size=3,
        unique_by=lambda own: own.paper,
    ).map(tuple),
    moving_to=st.sampled_from(["", "ada@example.net"]),
    suppression=st.none() | st.builds(Suppression, st.sampled_from(SuppressionReason), moments),
)


@given(files)
def test_a_person_written_as_json_is_the_same_when_read(file):
    person = file.subscriber
    assert one(json.dumps(to_record(file))) == ImportRow(
        address=person.address,
        topics=person.topics,
        preferences=person.preferences,
        consent=person.consent,
        evidence=file.evidence,
        ratings=file.ratings,
        papers=file.papers,
        suppression=file.suppression,
    )


@given(files)
def test_a_person_written_as_csv_is_the_same_as_far_as_csv_can_hold(file):
    row = to_csv_row(file)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, row)
    writer.writeheader()
    writer.writerow(row)
    person, known = one(text.getvalue()), file.subscriber
    assert (person.address, person.topics, person.consent) == (
        known.address,
        known.topics,
        known.consent,
    )
    assert person.preferences == known.preferences
    assert not any(cell.startswith(tuple("=+-@\t\r")) for cell in row.values())


def a_file(consent: Consent, *said: Evidence) -> PersonFile:
    person = Subscriber(1, "0" * 32, ADA, (), Preferences(), consent, NOW)
    return PersonFile(person, said, (), (), "", None)


def test_csv_tells_when_consent_was_last_given():
    early, late = AGREED, AGREED + timedelta(days=3)
    said = [
        Evidence("vouched", early, "operator"),
        Evidence("asked", early, "form"),
        Evidence("confirmed", late, "link"),
        Evidence("asked", NOW, "form"),
    ]
    assert to_csv_row(a_file(Consent.CONFIRMED, *said))["consent"] == late.isoformat()
    assert to_csv_row(a_file(Consent.CONFIRMED))["consent"] == "confirmed"
    left = Evidence("withdrawn", NOW, "link")
    assert to_csv_row(a_file(Consent.WITHDRAWN, *said, left))["consent"] == "withdrawn"


def test_csv_has_no_number_where_none_is_wanted():
    assert to_csv_row(a_file(Consent.PENDING))["max_papers"] == ""


def test_a_record_says_everything():
    file = PersonFile(
        Subscriber(
            7,
            "0" * 32,
            ADA,
            parse_topics(["agents"]),
            Preferences(paused_until=date(2026, 3, 1)),
            Consent.PENDING,
            NOW,
        ),
        (
            Evidence("asked", AGREED, "form"),
            Evidence("confirmed", NOW, "link", "203.0.113.7"),
        ),
        (Rating("arxiv:2602.00001", Verdict.MUTE, NOW),),
        (OwnPaper("arxiv:2602.00002", "Ducks", "We film.", NOW),),
        "ada@example.net",
        Suppression(SuppressionReason.COMPLAINT, NOW),
    )
    assert to_record(file) == {
        "email": ADA,
        "topics": ["agents"],
        **file.subscriber.preferences.to_json(),
        "consent": "pending",
        "since": "2026-02-20T08:00:00+00:00",
        "evidence": [
            {"event": "asked", "at": "2025-12-31T23:30:00+00:00", "source": "form"},
            {
                "event": "confirmed",
                "at": "2026-02-20T08:00:00+00:00",
                "source": "link",
                "client": "203.0.113.7",
            },
        ],
        "opinions": [
            {"paper": "arxiv:2602.00001", "verdict": "mute", "at": "2026-02-20T08:00:00+00:00"}
        ],
        "papers": [
            {
                "paper": "arxiv:2602.00002",
                "title": "Ducks",
                "abstract": "We film.",
                "at": "2026-02-20T08:00:00+00:00",
            }
        ],
        "moving_to": "ada@example.net",
        "suppressed": {"reason": "complaint", "at": "2026-02-20T08:00:00+00:00"},
    }
