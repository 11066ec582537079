"""`digest subscribers …`, as an operator types it."""

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from digest.ledger.database import open_database
from subscribers.model import SuppressionReason
from subscribers.store.registry import Registry
from tests.acceptance.conftest import Done, Person

PEOPLE = """\
email,topics,consent,timezone,hour,cadence,locale,max_papers
ada@example.org,agents;world models,2025-12-31T23:30:00Z,Europe/Oslo,17,weekly,nb,3
bob@example.org,Robots,,,,,,
eve@example.org,,withdrawn,,,,,
"""


@pytest.fixture
def office(operator: Person) -> Person:
    """Three people came in from a file."""
    (operator.folder / "people.csv").write_text(PEOPLE)
    operator.digest("subscribers", "import", "people.csv")
    return operator


def listed(person: Person, *words: str) -> list[str]:
    people = person.digest_json("subscribers", "list", *words)
    return [person["address"].partition("@")[0] for person in people]


def exported(person: Person) -> list[dict[str, Any]]:
    return [json.loads(line) for line in person.digest("subscribers", "export").splitlines()]


def one_line(done: Done) -> str:
    """What a command that failed on purpose says: a single line."""
    assert done.returncode == 1
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    return line


# ---- add, list, show ---------------------------------------------------------------------------


def test_add_says_who_and_what(newcomer: Person) -> None:
    said = newcomer.digest("subscribers", "add", "Ada@EXAMPLE.org", "--topic", "agents", "3D")
    assert said == "Added Ada@example.org: agents, 3D\n"
    assert newcomer.digest("subscribers", "add", "b@example.org") == (
        "Added b@example.org: no topics, only what is trending\n"
    )


def test_list_shows_address_consent_block_and_topics(office: Person) -> None:
    office.digest("subscribers", "suppress", "eve@example.org")
    assert office.digest("subscribers", "list").splitlines() == [
        "ada@example.org  confirmed  agents, world models",
        "bob@example.org  pending  Robots",
        "eve@example.org  withdrawn  suppressed: operator  no topics, only what is trending",
    ]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ((), ["ada", "bob", "eve"]),
        (("--consent", "confirmed"), ["ada"]),
        (("--consent", "pending"), ["bob"]),
        (("--consent", "withdrawn"), ["eve"]),
        (("--topic", "robot"), ["bob"]),
        (("--topic", "WORLD"), ["ada"]),
        (("--topic", "astrology"), []),
        (("--suppressed",), ["bob", "eve"]),
        (("--suppressed", "--consent", "pending", "--topic", "robots"), ["bob"]),
        (("--suppressed", "--topic", "agents"), []),
    ],
)
def test_list_can_be_narrowed(office: Person, words: tuple[str, ...], names: list[str]) -> None:
    for blocked in ("bob@example.org", "eve@example.org", "stranger@example.org"):
        office.digest("subscribers", "suppress", blocked)
    assert listed(office, *words) == names
    shown = office.digest("subscribers", "list", *words).splitlines()
    assert [line.partition("@")[0] for line in shown] == names


def test_an_unknown_consent_is_not_understood(office: Person) -> None:
    done = office.run("subscribers", "list", "--consent", "maybe")
    assert done.returncode == 2
    assert "'maybe'" in done.stderr
    assert "withdrawn" in done.stderr


def test_show_tells_everything_that_is_stored(office: Person) -> None:
    office.digest("subscribers", "suppress", "ada@example.org")
    record = office.digest_json("subscribers", "show", "ADA@example.org")
    since, block = record.pop("since"), record.pop("suppressed")
    assert record == {
        "email": "ada@example.org",
        "topics": ["agents", "world models"],
        "cadence": "weekly",
        "at": "17:00",
        "timezone": "Europe/Oslo",
        "max_papers": 3,
        "min_papers": 1,
        "strictness": None,
        "trending": True,
        "note_when_nothing": False,
        "pictures": True,
        "translated_titles": False,
        "exclusions": [],
        "follows": [],
        "paused_until": None,
        "locale": "nb",
        "consent": "confirmed",
        "evidence": [
            {
                "event": "confirmed",
                "at": "2025-12-31T23:30:00+00:00",
                "source": "import of people.csv",
            }
        ],
        "opinions": [],
        "papers": [],
    }
    assert block["reason"] == "operator"
    lines = office.digest("subscribers", "show", "ada@example.org").splitlines()
    assert lines[:2] == ["email: ada@example.org", 'topics: ["agents", "world models"]']
    assert {"cadence: weekly", "max_papers: 3", "paused_until: null", f"since: {since}"} < {*lines}
    said = "evidence: confirmed at 2025-12-31T23:30:00+00:00, by import of people.csv"
    assert lines[-4:-1] == [said, "opinions: []", "papers: []"]


@pytest.mark.parametrize("command", ["show", "remove"])
def test_somebody_unknown_is_named_in_one_line(office: Person, command: str) -> None:
    stranger = f"{'long.' * 12}name@{'long.' * 20}example.org"
    said = one_line(office.run("subscribers", command, stranger))
    assert said == f"digest: there is no subscriber {stranger}"


@pytest.mark.parametrize("command", ["add", "show", "remove", "suppress", "unsuppress"])
def test_what_is_no_address_is_named_in_one_line(newcomer: Person, command: str) -> None:
    said = one_line(newcomer.run("subscribers", command, "nobody"))
    assert said.startswith("digest: 'nobody' is not an email address: ")


# ---- blocks ------------------------------------------------------------------------------------


def test_a_block_is_set_and_lifted(office: Person) -> None:
    said = office.digest("subscribers", "suppress", "bob@EXAMPLE.org")
    assert said == "Blocked bob@example.org: no email goes there until the block is lifted.\n"
    assert listed(office, "--suppressed") == ["bob"]
    first = office.digest_json("subscribers", "show", "bob@example.org")["suppressed"]
    office.digest("subscribers", "suppress", "BOB@example.org")
    assert office.digest_json("subscribers", "show", "bob@example.org")["suppressed"] == first
    office.digest("subscribers", "unsuppress", "Bob@example.org")
    assert listed(office, "--suppressed") == []
    said = one_line(office.run("subscribers", "unsuppress", "bob@example.org"))
    assert said == "digest: there is no block on bob@example.org"


def test_blocks_for_bounces_are_counted_and_then_lifted_together(office: Person) -> None:
    engine = open_database(f"sqlite:///{office.folder}/var/digest.sqlite3")
    blocks = Registry(engine).suppressions
    for name, reason, day in (
        ("ada", SuppressionReason.SOFT_BOUNCES, 5),
        ("bob", SuppressionReason.SOFT_BOUNCES, 1),
        ("eve", SuppressionReason.COMPLAINT, 5),
    ):
        now = datetime(2025, 12, day, 8, tzinfo=UTC)
        blocks.add(f"{name}@example.org", reason, now=now)
    lift = ("subscribers", "unsuppress", "--reason", "soft-bounce", "--since", "2025-12-05")
    said = office.digest(*lift)
    assert said.startswith("1 addresses blocked for soft-bounces since 2025-12-05. ")
    assert blocks.covers("ada@example.org")
    assert office.digest_json(*lift, "--yes") == {"count": 1, "lifted": True}
    covered = [blocks.covers(f"{name}@example.org") for name in ("ada", "bob", "eve")]
    assert covered == [False, True, True]
    engine.dispose()


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--reason", "soft-bounce"),
        ("--since", "2025-12-05"),
        ("ada@example.org", "--reason", "soft-bounce", "--since", "2025-12-05"),
        ("--reason", "complaint", "--since", "2025-12-05"),
    ],
)
def test_which_blocks_are_to_be_lifted_must_be_said_in_full(office: Person, words) -> None:
    assert office.run("subscribers", "unsuppress", *words).returncode == 2


# ---- import ------------------------------------------------------------------------------------


def test_import_counts_and_can_be_repeated(newcomer: Person) -> None:
    (newcomer.folder / "people.csv").write_text(PEOPLE)
    first = newcomer.digest_json("subscribers", "import", "people.csv")
    form = "CSV separated by commas, UTF-8"
    locale, consent = first.pop("warnings")
    assert locale["what"].startswith("people with a locale without a catalogue: 1; ")
    assert consent["what"].startswith("people of whom the file has no consent: 1; who is new")
    assert first == {"new": 3, "known": 0, "rejected": [], "form": form}
    before = exported(newcomer)
    said = newcomer.digest("subscribers", "import", "people.csv")
    assert said == f"0 new, 3 known already, 0 lines left out. Read as {form}.\n"
    assert exported(newcomer) == before


def test_import_lists_what_it_cannot_read_and_keeps_the_rest(newcomer: Person) -> None:
    content = b"email,hour\nada@example.org,25\nbob@example.org,8\nren\xe9@example.org,8\n,,,\n"
    (newcomer.folder / "people.csv").write_bytes(content)
    done = newcomer.run("subscribers", "import", "people.csv")
    assert done.returncode == 0
    assert done.stdout.startswith("1 new, 0 known already, 2 lines left out. Read as CSV")
    told = [line for line in done.stderr.splitlines() if line.startswith("left out: ")]
    assert told[0].startswith("left out: line 2: at: '25' is not a time of day")
    assert told[1].startswith("left out: line 4: ")
    again = newcomer.digest_json("subscribers", "import", "people.csv")
    assert (again["new"], again["known"]) == (0, 1)
    assert [line["line"] for line in again["rejected"]] == [2, 4]
    assert all(line["why"] for line in again["rejected"])


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "the file is empty: expected a header with the column email"),
        (b"Name;Age\nAda;36\n", "but: Name, Age"),
        ("Prénom\n".encode("latin-1"), "but: Pr\\udce9nom"),
        (b"email\nnobody\n", "'nobody' is not an email address"),
    ],
)
@pytest.mark.parametrize("words", [(), ("--json",)], ids=["text", "json"])
def test_a_file_that_brings_nobody_fails_and_says_why(
    newcomer: Person, content: bytes, named: str, words: tuple[str, ...]
) -> None:
    (newcomer.folder / "people.csv").write_bytes(content)
    assert named in newcomer.fails("subscribers", "import", "people.csv", *words)


@pytest.mark.parametrize(
    ("name", "why"), [("people.csv", "No such file or directory"), (".", "Is a directory")]
)
def test_a_file_that_cannot_be_read_is_named(newcomer: Person, name: str, why: str) -> None:
    said = one_line(newcomer.run("subscribers", "import", name))
    assert said == f"digest: {name}: {why}"


def test_import_wants_a_file(newcomer: Person) -> None:
    assert newcomer.run("subscribers", "import").returncode == 2


# ---- export ------------------------------------------------------------------------------------


def test_an_export_taken_in_elsewhere_exports_the_same(office: Person) -> None:
    office.digest("subscribers", "add", "grace@example.org", "--topic", "a;b", "Schrödinger")
    office.digest("subscribers", "suppress", "ada@example.org")
    (office.folder / "people.jsonl").write_text(office.digest("subscribers", "export"))
    elsewhere = Person(office.folder, {"DIGEST_HOME": "elsewhere"})
    taken = elsewhere.digest_json("subscribers", "import", "people.jsonl")
    assert len(taken.pop("warnings")) == 1
    assert taken == {"new": 4, "known": 0, "rejected": [], "form": "JSON lines, UTF-8"}
    before, after = exported(office), exported(elsewhere)
    for record in (*before, *after):
        assert record.pop("since")
    assert after == before
    assert after[0]["suppressed"]["reason"] == "operator"


def test_an_export_as_csv_can_be_taken_in_elsewhere(office: Person) -> None:
    printed = office.digest("subscribers", "export", "--csv")
    assert next(csv.DictReader(io.StringIO(printed))) == {
        "email": "ada@example.org",
        "topics": "agents;world models",
        "consent": "2025-12-31T23:30:00+00:00",
        "cadence": "weekly",
        "at": "17:00",
        "timezone": "Europe/Oslo",
        "max_papers": "3",
        "min_papers": "1",
        "strictness": "",
        "trending": "True",
        "note_when_nothing": "False",
        "pictures": "True",
        "translated_titles": "False",
        "exclusions": "",
        "follows": "",
        "paused_until": "",
        "locale": "nb",
    }
    (office.folder / "again.csv").write_text(printed)
    elsewhere = Person(office.folder, {"DIGEST_HOME": "elsewhere"})
    assert elsewhere.digest_json("subscribers", "import", "again.csv")["new"] == 3
    assert elsewhere.digest("subscribers", "export", "--csv") == printed


def test_an_export_of_nobody_is_empty(newcomer: Person) -> None:
    assert newcomer.digest("subscribers", "export") == ""
    assert newcomer.digest("subscribers", "export", "--csv") == "email\n"


def test_nothing_is_written_beside_the_home(office: Person) -> None:
    assert {path.name for path in Path(office.folder).iterdir()} == {"people.csv", "var"}


# ---- papers of their own, and whom they follow ---------------------------------------------------


def test_papers_are_added_from_a_file_listed_and_removed(office: Person) -> None:
    (office.folder / "own.bib").write_text(
        "@misc{a, title={Ducks that {D}ive}, eprint={2501.00001}}\n@misc{b title={broken}}\n"
        "@misc{c, eprint={2501.00002}}\n"
    )
    done = office.run("subscribers", "papers", "ada@example.org", "--add", "own.bib")
    assert done.stdout.splitlines() == [
        "Read 2 papers: 0 known here, 1 by title, 1 to be looked up at the next collection.",
        "arxiv:2501.00002  not known yet",
        "arxiv:2501.00001  Ducks that Dive",
    ]
    assert "left out: line 2: a bracket, comma or quotation mark is missing" in done.stderr
    office.digest("subscribers", "papers", "ada@example.org", "--remove", "arxiv:2501.00002")
    [paper] = office.digest_json("subscribers", "papers", "ada@example.org")
    assert (paper["paper"], paper["title"]) == ("arxiv:2501.00001", "Ducks that Dive")
    [ada, *_] = exported(office)
    assert [own["title"] for own in ada["papers"]] == ["Ducks that Dive"]


def test_papers_that_cannot_be_added_or_removed_are_told(office: Person) -> None:
    papers = ("subscribers", "papers")
    assert "there is no subscriber zoe@example.org" in office.fails(*papers, "zoe@example.org")
    said = office.fails(*papers, "ada@example.org", "--remove", "arxiv:2501.00001")
    assert "ada@example.org has no paper arxiv:2501.00001" in said
    said = office.fails(*papers, "ada@example.org", "--add", "none.bib")
    assert "none.bib: No such file or directory" in said
    done = office.run(*papers, "bob@example.org")
    assert (done.returncode, done.stdout) == (0, "")
    assert "bob@example.org has no papers of their own" in done.stderr


def test_an_import_may_bring_papers_and_whom_somebody_follows(operator: Person) -> None:
    (operator.folder / "new.csv").write_text(
        "email,papers,follows,colour\n"
        "ada@example.org,https://arxiv.org/abs/2501.00001 2501.00002,author:Jane Doe;org:Some Lab,red\n"
        'bob@example.org,"2501.00003\nnothing",,\n'
        "eve@example.org,,Jane Doe,\n"
    )
    done = operator.run("subscribers", "import", "new.csv")
    assert done.stdout.startswith("2 new, 0 known already, 1 line left out.")
    said = " ".join(done.stderr.split())
    assert "left out: line 5: follows: 'Jane Doe' is not to be followed" in said
    assert "line 1: unknown columns are ignored: colour" in said
    assert "line 3: papers: line 2: no arXiv id, link or DOI in “nothing”" in said
    ada, bob = exported(operator)
    assert [own["paper"] for own in ada["papers"]] == ["arxiv:2501.00001", "arxiv:2501.00002"]
    assert ada["follows"] == ["author:Jane Doe", "organisation:Some Lab"]
    assert [own["paper"] for own in bob["papers"]] == ["arxiv:2501.00003"]
