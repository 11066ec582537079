"""People from files into the registry, on both databases, and the registry's side of it."""

import json
import os
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from digest.compose.languages import nearest
from subscribers.addresses import AddressPolicy
from subscribers.errors import AddressError, LineError
from subscribers.importing import BATCH, Imported, import_people
from subscribers.model import (
    Consent,
    Evidence,
    PersonFile,
    Standing,
    Suppression,
    SuppressionReason,
)
from subscribers.preferences import Preferences, parse_cadence
from subscribers.records import read_records
from subscribers.store.registry import Registry
from subscribers.topics import parse_topics
from subscribers.transfer import Unread, read_people, to_record
from tests.support import NOW

ADA = "ada@example.org"
LATER = NOW + timedelta(days=1)
AGREED = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)

GATE = AddressPolicy(lambda: False, frozenset({"mailbox-for-a-day.example"}))


class PageContext:
    """Where files are handed in; ``told`` is the progress of the last."""

    def __init__(self, registry: Registry, folder: Path) -> None:
        self.registry = registry
        self.folder = folder
        self.told: list[tuple[int, int]] = []

    def take(
        self, content: str | bytes, now: datetime = NOW, name: str | bytes = "people"
    ) -> Imported:
        path = self.folder / os.fsdecode(name)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        self.told.clear()
        return import_people(
            self.registry,
            GATE,
            path,
            now,
            lambda done, size: self.told.append((done, size)),
            speaks=lambda tag: nearest(tag, ("de", "en")) is not None,
        )

    def take_json(self, *records: dict[str, Any], now: datetime = NOW) -> Imported:
        return self.take("\n".join(map(json.dumps, records)), now)

    def addresses(self) -> list[str]:
        return [person.address for person in self.registry.everybody()]


@pytest.fixture
def context(registry: Registry, tmp_path: Path) -> PageContext:
    return PageContext(registry, tmp_path)


def rows(count: int) -> str:
    return "email,topics\n" + "".join(f"reader{n}@example.org,agents\n" for n in range(count))


# ---- taking in -------------------------------------------------------------------------------


def test_people_come_in_with_all_that_the_file_says(context):
    done = context.take(
        "email,topics,consent,timezone,hour,cadence,locale,max_papers\n"
        "Ada@Example.org,agents;world models,2025-12-31T23:30:00Z,Europe/Oslo,17,weekly,nb,3\n"
        "bob@example.org,,,,,,,\n"
    )
    form = "CSV separated by commas, UTF-8"
    assert done == Imported(2, 0, (), form, unspoken=1, without_consent=1)
    ada, bob = context.registry.files()
    person = ada.subscriber
    assert person.address == "Ada@example.org"
    assert person.topics == parse_topics(["agents", "world models"])
    assert (person.consent, person.since) == (Consent.CONFIRMED, NOW)
    assert person.preferences.to_json() == {
        **Preferences().to_json(),
        "cadence": "weekly",
        "at": "17:00",
        "timezone": "Europe/Oslo",
        "max_papers": 3,
        "locale": "nb",
    }
    assert ada.evidence == (Evidence("confirmed", AGREED, "import of people"),)
    assert bob.subscriber.consent is Consent.PENDING
    assert bob.subscriber.preferences == Preferences()
    assert bob.evidence == (Evidence("asked", NOW, "import of people"),)
    assert len({person.public_id, bob.subscriber.public_id}) == 2
    standings = [context.registry.standing(file.subscriber.id) for file in (ada, bob)]
    assert standings == [Standing.MAY_RECEIVE, Standing.NOT_CONFIRMED]


def test_an_import_done_again_doubles_nothing_and_changes_nobody(context):
    people = "email,topics,consent\n" + f"{ADA},agents,confirmed\nbob@example.org,,\nnobody,,\n"
    context.take(people)
    before = context.registry.files()
    again = context.take(people, LATER)
    assert (again.new, again.known, len(again.unread)) == (0, 2, 1)
    assert context.registry.files() == before


def test_who_is_there_stays_as_they_are_and_the_new_come_in(context):
    ada = context.registry.add(ADA, parse_topics(["agents"]), source="operator", now=NOW)
    before = context.registry.file_of(ADA)
    changed = {"email": "ADA@example.org", "topics": ["robots"], "consent": "withdrawn", "hour": 5}
    block = {"reason": "complaint", "at": "2026-01-01"}
    done = context.take_json(
        {**changed, "suppressed": block}, {"email": "bob@example.org"}, now=LATER
    )
    assert (done.new, done.known) == (1, 1)
    assert context.registry.file_of(ADA) == before
    assert context.registry.standing(ada.id) is Standing.MAY_RECEIVE
    assert context.addresses() == [ADA, "bob@example.org"]


def test_who_left_stays_away(context):
    ada = context.registry.add(ADA, (), source="operator", now=NOW)
    context.registry.withdraw(ada.public_id, source="link", now=NOW)
    before = context.registry.file_of(ADA)
    context.take_json({"email": ADA, "consent": "confirmed"}, now=LATER)
    assert context.registry.file_of(ADA) == before
    assert context.registry.standing(ada.id) is Standing.WITHDRAWN


def test_a_blocked_address_stays_blocked_and_keeps_its_reason(context):
    context.registry.suppressions.add("ADA@example.org", SuppressionReason.COMPLAINT, now=NOW)
    block = {"reason": "hard-bounce", "at": "2026-01-01"}
    assert context.take_json({"email": ADA, "consent": "confirmed", "suppressed": block}).new == 1
    file = context.registry.file_of(ADA)
    assert file.suppression == Suppression(SuppressionReason.COMPLAINT, NOW)
    assert context.registry.standing(file.subscriber.id) is Standing.SUPPRESSED


def test_a_complaint_in_a_file_replaces_a_bounce(context):
    context.registry.suppressions.add(ADA, SuppressionReason.HARD_BOUNCE, now=NOW)
    context.take_json({"email": ADA, "suppressed": {"reason": "complaint", "at": "2026-01-01"}})
    assert context.registry.file_of(ADA).suppression.reason is SuppressionReason.COMPLAINT


def test_a_block_comes_along_with_a_new_person(context):
    block = {"reason": "complaint", "at": AGREED.isoformat()}
    context.take_json(
        {"email": "Ada@example.org", "consent": "confirmed", "suppressed": block},
        {"email": "bob@example.org", "consent": "confirmed"},
    )
    ada, bob = context.registry.files()
    assert ada.suppression == Suppression(SuppressionReason.COMPLAINT, AGREED)
    assert bob.suppression is None
    assert context.registry.standing(ada.subscriber.id) is Standing.SUPPRESSED


def test_evidence_is_kept_oldest_first(context):
    said = [
        {"event": "vouched", "at": "2025-03-01T00:00:00Z", "source": "operator"},
        {"event": "withdrawn", "at": "2025-04-01T00:00:00+02:00", "source": "link"},
        {"event": "asked", "at": "2025-05-01T00:00:00Z", "source": "form"},
    ]
    context.take_json({"email": ADA, "consent": "pending", "evidence": said})
    [file] = context.registry.files()
    assert [(item.event, item.source) for item in file.evidence] == [
        ("vouched", "operator"), ("withdrawn", "link"), ("asked", "form"),
    ]  # fmt: skip
    assert file.evidence[1].at == datetime(2025, 3, 31, 22, tzinfo=UTC)


@pytest.mark.parametrize("at", ["0001-01-01", "9999-12-31T23:59:59Z"])
def test_moments_at_the_ends_of_the_calendar_are_kept(context, at):
    assert context.take_json({"email": ADA, "consent": at}).new == 1
    assert context.registry.file_of(ADA).evidence[0].at.isoformat().startswith(at[:10])


# ---- twice in a file -------------------------------------------------------------------------


@pytest.mark.parametrize("apart", [0, BATCH], ids=["in one batch", "in two batches"])
def test_the_first_of_two_lines_about_a_mailbox_counts(context, apart):
    between = [{"email": f"reader{n}@example.org"} for n in range(apart)]
    done = context.take_json(
        {"email": "Ada@example.org", "topics": ["agents"], "consent": "withdrawn"},
        *between,
        {"email": "ada@EXAMPLE.ORG", "topics": ["robots"], "consent": "confirmed"},
    )
    assert (done.new, done.known) == (1 + apart, 1)
    person = context.registry.file_of(ADA)
    assert person.subscriber.address == "Ada@example.org"
    assert person.subscriber.topics == parse_topics(["agents"])
    assert person.subscriber.consent is Consent.WITHDRAWN
    assert [item.event for item in person.evidence] == ["withdrawn"]


def test_two_spellings_of_a_domain_are_one_mailbox(context):
    done = context.take("email\nada@b\u00fccher.example\nada@xn--bcher-kva.example\n")
    assert (done.new, done.known) == (1, 1)


# ---- what cannot be read ---------------------------------------------------------------------


def test_a_line_that_is_no_utf8_is_said_and_the_rest_is_kept(context):
    content = f"email,topics\n{ADA},caf\u00e9\nbob@example.org,".encode() + b"caf\xe9\n"
    done = context.take(content + b"\xff\xfe@example.org,\neve@example.org,x\n")
    assert done.new == 2
    assert [unread.line for unread in done.unread] == [3, 4]
    assert context.addresses() == [ADA, "eve@example.org"]
    assert json.dumps(done.to_json(), ensure_ascii=False).encode()


def test_evidence_that_is_no_utf8_is_said(context):
    line = '{"email": "a@example.org", "evidence": [{"event": "asked", "at": "2026-01-01", "source": "\u00e9"}]}'
    done = context.take(line.encode("latin-1") + b"\n" + line.encode())
    assert (done.new, [unread.line for unread in done.unread]) == (1, [1])


def test_a_header_in_another_encoding_loses_nobody(context):
    done = context.take(f"Pr\u00e9nom,email\nAda,{ADA}\n".encode("latin-1"))
    assert done.new == 1
    assert done.warnings()[0].said() == "line 1: unknown columns are ignored: Pr\\udce9nom"
    assert done.unread == ()


@pytest.mark.parametrize(
    ("encoding", "mark", "name"),
    [
        ("utf-8", "", "UTF-8"),
        ("utf-8-sig", "", "UTF-8"),
        ("utf-16", "", "UTF-16"),
        ("utf-16-be", "\ufeff", "UTF-16"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=repr)
def test_files_of_excel_are_read_in_each_encoding(context, encoding, mark, name, end):
    text = end.join(["Email Address\ttopics", f"{ADA}\tcaf\u00e9", "bob@example.org\tants", ""])
    done = context.take((mark + text).encode(encoding))
    assert done == Imported(2, 0, (), f"CSV separated by tabs, {name}", without_consent=2)
    assert context.registry.file_of(ADA).subscriber.topics == parse_topics(["caf\u00e9"])


def test_equal_faults_are_told_once():
    unread = [Unread(line, LineError("no consent")) for line in range(2, 202)]
    faults = Imported(0, 0, (*unread, Unread(300, AddressError("no address")))).faults()
    assert [(fault.code, fault.said()) for fault in faults] == [
        ("line", "line 2 and 199 more: no consent"),
        ("address", "line 300: no address"),
    ]


def test_faults_beyond_twenty_are_counted():
    unread = tuple(Unread(line, AddressError(f"{line} is no address")) for line in range(2, 102))
    faults = Imported(0, 0, unread).faults()
    assert (len(faults), faults[-1].said()) == (21, "and 80 other faults")


def test_the_balance_as_json():
    balance = Imported(2, 1, (Unread(3, LineError("no CSV")),), unspoken=1)
    assert balance.to_json(lambda sentence: sentence.message.upper()) == {
        "new": 2, "known": 1, "rejected": [{"line": 3, "code": "line", "why": "NO CSV"}], "form": "",
        "warnings": [{"code": "locale", "what": balance.warnings()[0].what.message.upper()}],
    }  # fmt: skip


def test_who_has_a_language_without_a_catalogue_is_counted(context):
    lines = "email,locale\na@x.org,nb\nb@x.org,de_AT\nc@x.org,tlh\nd@x.org,\n"
    told = context.take(lines).warnings()
    assert told[0].said().startswith("people with a locale without a catalogue: 2; they get email")
    kept = [person.preferences.locale for person in context.registry.everybody()]
    assert kept == ["nb", "de-AT", "tlh", None]


def test_who_comes_without_consent_is_counted_because_they_get_no_email(context):
    people = "email,consent\na@x.org,2025-12-01\nb@x.org,\nc@x.org,\n"
    told = "people of whom the file has no consent: 2; who is new among them is pending"
    [warning] = context.take(people).warnings()
    assert warning.said().startswith(told)
    assert context.take(people).warnings() == []  # nobody is new


def test_a_file_that_is_not_there_is_told(context):
    with pytest.raises(FileNotFoundError):
        import_people(context.registry, GATE, context.folder / "none", NOW, lambda *_: None)


@pytest.mark.parametrize("mark", [b"\xf3", b'"', "\u00fc".encode()])
def test_only_a_sign_of_ascii_separates_columns(context, mark):
    done = context.take(b"sep=" + mark + b"\nemail\nada@example.org\n")
    assert (done.new, len(done.unread)) == (0, 1)
    assert json.dumps(done.to_json(), ensure_ascii=False).encode()


def test_an_empty_file_brings_nobody(context):
    assert context.take("").new == 0
    assert context.registry.everybody() == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("x" * 200, "import of " + "x" * 54),
        ("two\nlines", "import of two?lines"),
        (b"caf\xe9", "import of caf?"),
    ],
)
def test_the_name_of_the_file_is_evidence_that_can_be_stored(context, name, source):
    assert context.take(f"email\n{ADA}\n", name=name).new == 1
    [said] = context.registry.file_of(ADA).evidence
    assert said.source == source


# ---- large files -----------------------------------------------------------------------------


def test_more_than_a_batch_comes_in_in_order(context):
    count = 2 * BATCH + 1
    done = context.take(rows(count) + "nobody,\n")
    assert (done.new, done.known) == (count, 0)
    assert [unread.line for unread in done.unread] == [count + 2]
    assert context.addresses() == [f"reader{n}@example.org" for n in range(count)]


@pytest.mark.parametrize("count", [1, BATCH, 2 * BATCH + 1])
def test_progress_is_told_and_ends_at_the_size(context, count):
    text = rows(count)
    context.take(text)
    assert context.told[-1] == (len(text), len(text))
    assert {size for _, size in context.told} == {len(text)}
    assert [done for done, _ in context.told] == sorted(done for done, _ in context.told)
    assert len(context.told) == -(-count // BATCH)


def test_a_pipe_can_be_read_though_it_has_no_size(context):
    # digest subscribers import <(zcat people.csv.gz)
    reading, write_transaction = os.pipe()

    def write() -> None:
        with os.fdopen(write_transaction, "w") as pipe:
            pipe.write(rows(BATCH + 1))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        done = import_people(
            context.registry, GATE, Path(f"/dev/fd/{reading}"), NOW, lambda *_: None
        )
    finally:
        os.close(reading)
        writer.join()
    assert done.new == BATCH + 1


# ---- the registry's side ---------------------------------------------------------------------


def test_files_hold_everything_about_everybody_in_the_order_they_came(registry):
    ada = registry.add("Ada@example.org", parse_topics(["agents"]), source="operator", now=NOW)
    bob = registry.add("bob@example.org", (), source="operator", now=LATER)
    registry.withdraw(ada.public_id, source="link", now=LATER)
    registry.suppressions.add("BOB@example.org", SuppressionReason.COMPLAINT, now=LATER)
    registry.suppressions.add("stranger@example.org", SuppressionReason.OPERATOR, now=NOW)
    expected = [
        PersonFile(
            registry.get(ada.id),
            (Evidence("vouched", NOW, "operator"), Evidence("withdrawn", LATER, "link")),
            (),
            (),
            "",
            None,
        ),
        PersonFile(
            registry.get(bob.id),
            (Evidence("vouched", LATER, "operator"),),
            (),
            (),
            "",
            Suppression(SuppressionReason.COMPLAINT, LATER),
        ),
    ]
    assert registry.files() == expected
    assert registry.file_of(" ADA@Example.org ") == expected[0]
    assert registry.file_of("bob@example.org") == expected[1]


def test_nobody_has_no_file(registry):
    assert registry.files() == []
    assert registry.file_of(ADA) is None
    with pytest.raises(AddressError):
        registry.file_of("nobody")


def test_a_block_is_lifted_once_whatever_its_letters(registry):
    ada = registry.add(ADA, (), source="operator", now=NOW)
    registry.suppressions.add(ADA, SuppressionReason.OPERATOR, now=NOW)
    registry.suppressions.add("bob@example.org", SuppressionReason.OPERATOR, now=NOW)
    assert registry.suppressions.lift("ADA@example.org")
    assert not registry.suppressions.lift(ADA)
    assert registry.standing(ada.id) is Standing.MAY_RECEIVE
    assert registry.file_of(ADA).suppression is None
    assert registry.suppressions.lift("bob@example.org"), "the other's was left alone"


def test_wishes_are_replaced_and_nothing_else(registry):
    ada = registry.add(ADA, parse_topics(["agents"]), source="operator", now=NOW)
    bob = registry.add("bob@example.org", (), source="operator", now=NOW)
    wanted = Preferences(days=parse_cadence("mon+thu"), max_papers=2, trending=False)
    changed = registry.set_preferences(ada.public_id, parse_topics(["robots"]), wanted)
    assert changed == replace(ada, topics=parse_topics(["robots"]), preferences=wanted)
    assert registry.get(ada.id) == changed
    assert registry.file_of(ADA).evidence == (Evidence("vouched", NOW, "operator"),)
    assert registry.get(bob.id) == bob
    assert registry.set_preferences("nobody", (), wanted) is None


def test_what_is_exported_makes_the_same_people_elsewhere(context, registry):
    said = [{"event": "confirmed", "at": "2025-12-31T23:30:00Z", "source": "form"}]
    block = {"reason": "hard-bounce", "at": "2026-01-01T00:00:00Z"}
    context.take_json(
        {"email": ADA, "topics": ["agents", "a;b"], "consent": "confirmed", "evidence": said},
        {"email": "bob@example.org", "paused_until": "2026-03-01", "exclusions": ["x", "y"]},
        {"email": "eve@example.org", "consent": "withdrawn", "trending": False},
        {"email": "emmy@example.org", "consent": "confirmed", "suppressed": block},
    )
    exported = [to_record(file) for file in registry.files()]
    for file in registry.files():
        registry.remove(file.subscriber.address)
        registry.suppressions.lift(file.subscriber.address)
    lines = [json.dumps(record) for record in exported]
    registry.admit(
        list(read_people(read_records(iter(lines))[1], source="again", now=LATER)), LATER
    )
    again = [to_record(file) for file in registry.files()]
    assert {record.pop("since") for record in exported} == {NOW.isoformat()}
    assert {record.pop("since") for record in again} == {LATER.isoformat()}
    assert again == exported


def test_addresses_pass_the_gate_like_all_others(context):
    people = "email\nada@example.org\nbob@mailbox-for-a-day.example\njosé@example.org\n"
    done = context.take(people)
    assert done.new == 1
    assert [unread.line for unread in done.unread] == [3, 4]
