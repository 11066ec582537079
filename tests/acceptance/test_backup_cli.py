"""`digest backup`, `restore` and `tidy`, as the operator has them."""

import json
import sqlite3
from datetime import timedelta

import pytest
import time_machine

from digest.ledger.database import NEWEST_REVISION
from tests.acceptance.conftest import Person, entry
from tests.support import NOW

MORNING = ("run", "--once", "--now", NOW.isoformat())
LATER = NOW + timedelta(days=402)


@pytest.fixture(autouse=True)
def _in_the_morning():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def served(operator: Person) -> Person:
    """Two people have today's edition."""
    bring_papers(operator, 1, "2026-02-20T01:00:00.000Z")
    for name in ("ada", "bob"):
        operator.digest("subscribers", "add", f"{name}@example.org", "--topic", "robots")
    operator.digest(*MORNING)
    return operator


def bring_papers(person: Person, first: int, at: str) -> None:
    day = [entry(n, f"Robots {n}", submittedOnDailyAt=at) for n in range(first, first + 5)]
    (person.folder / "answer").write_text(json.dumps(day))
    person.digest("collect", "--file", "answer")


def test_a_ledger_goes_to_another_machine_and_asks_before_it_sends(
    served: Person, tmp_path
) -> None:
    said = served.digest("backup", "ledger.backup")
    assert said.startswith(
        f"ledger.backup: revision {NEWEST_REVISION}, 2 subscribers, 0 blocks, 5 papers, 1 edition; 0."
    )
    assert said.endswith(" MB.\n")
    other = Person(tmp_path / "other", dict(served.settings))
    other.folder.mkdir()
    done = other.run("restore", str(served.folder / "ledger.backup"))
    assert done.returncode == 0
    assert "2 subscribers, 0 blocks, 5 papers, 1 edition.\n" in done.stdout
    assert done.stderr.endswith("Nothing is sent from it until you run: digest db adopt\n")
    assert "ada@example.org" in other.digest("subscribers", "list")
    assert "2 accepted" in other.digest("deliveries", "balance")
    assert "digest db adopt" in other.fails(*MORNING)
    assert not other.mailbox()
    served.digest(*MORNING)  # the first machine goes on


def test_nothing_is_replaced_without_being_asked_for(served: Person) -> None:
    served.digest("backup", "a")
    assert served.fails("backup", "a") == "digest: a exists already: --force replaces it"
    served.digest("backup", "a", "--force")
    assert served.fails("restore", "a") == (
        "digest: there is a database with 2 subscribers: --force replaces it, and keeps a copy of it"
    )
    served.digest("subscribers", "add", "eve@example.org")
    said = served.digest("restore", "a", "--force")
    [kept] = served.folder.glob("var/digest.sqlite3.before-*")
    assert f"The database that was there is kept in var/{kept.name}." in said
    assert "eve@example.org" not in served.digest("subscribers", "list")
    with time_machine.travel(NOW + timedelta(minutes=1), tick=False):
        served.digest("restore", str(kept), "--force")
    assert "eve@example.org" in served.digest("subscribers", "list")


def test_for_programs(served: Person) -> None:
    made = served.digest_json("backup", "a")
    assert made == {
        "file": "a",
        "bytes": (served.folder / "a").stat().st_size,
        "revision": NEWEST_REVISION,
        "subscribers": 2,
        "blocks": 0,
        "papers": 5,
        "editions": 1,
    }
    restored = served.digest_json("restore", "a", "--force")
    assert restored["was_at"] == NEWEST_REVISION
    assert (served.folder / restored["kept"]).exists()


def test_what_goes_wrong_is_one_line(newcomer: Person, served: Person) -> None:
    assert newcomer.fails("backup", "nowhere/x").startswith("digest: ")
    served.digest("backup", "a")
    whole = (served.folder / "a").read_bytes()
    (served.folder / "half").write_bytes(whole[: len(whole) // 2])
    (served.folder / "letter").write_text("Dear aunt,")
    for file, why in {
        "letter": "letter is no backup of an SQLite database, as this one is",
        "nowhere": "nowhere: No such file or directory",
        "half": "half cannot be read: database disk image is malformed",
    }.items():
        assert served.fails("restore", file, "--force") == f"digest: {why}"
    assert served.fails("backup", "no/such/folder") == (
        "digest: no/such/folder: No such file or directory"
    )
    assert served.fails("backup", "var/digest.sqlite3", "--force") == (
        "digest: var/digest.sqlite3 is the database itself"
    )


def test_a_backup_can_be_made_before_an_upgrade(served: Person) -> None:
    with sqlite3.connect(served.folder / "var" / "digest.sqlite3") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0007'")
    connection.close()
    assert "run digest db upgrade" in served.fails("status")
    assert "revision 0007, 2 subscribers" in served.digest("backup", "a")


def test_what_is_old_goes_and_the_books_say_so(served: Person) -> None:
    assert served.digest("tidy") == "Nothing was old enough to be deleted.\n"
    with time_machine.travel(LATER, tick=False):
        bring_papers(served, 11, f"{LATER:%Y-%m-%d}T01:00:00.000Z")
        served.digest("run", "--once", "--now", LATER.isoformat())
        assert served.digest("tidy").startswith("Deleted: 2 deliveries, ")
        balance = served.digest("deliveries", "balance", "--date", "2026-02-20")
        assert balance == (
            "Edition 2026-02-20: 2 due = 2 accepted\n"
            "Who 2 of them were is no longer kept (DIGEST_KEEP_DELIVERIES_DAYS).\n"
        )
        as_json = served.digest_json("deliveries", "balance", "--date", "2026-02-20")
        assert (as_json["accepted"], as_json["no_longer_kept"]) == (2, 2)
        why = served.digest("why", "ada@example.org", "--date", "2026-02-20")
        said = "delivery: none, or no longer kept (DIGEST_KEEP_DELIVERIES_DAYS)"
        assert said in why.splitlines()
        status = served.digest_json("status")
        assert [each["balance"]["due"] for each in status["editions"]] == [2, 2]
        assert not [warning for warning in status["warnings"] if warning["kind"] == "unbalanced"]
        # Nobody gets that day's edition again.
        mails = len(served.mailbox())
        assert served.digest(*MORNING) == "Edition 2026-02-20: 2 due = 2 accepted\n"
        assert len(served.mailbox()) == mails
        gone = served.digest_json("tidy")
        assert set(gone.values()) == {0}
