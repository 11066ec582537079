"""A ledger that was copied or restored: nothing is sent from it before the operator says so."""

import json

import pytest

from tests.acceptance.conftest import Person, entry
from tests.support import NOW

RUN = ("run", "--once", "--now", NOW.isoformat())
TOMORROW = ("run", "--once", "--now", NOW.replace(day=21).isoformat())


def listing(*numbers: int, day: int) -> str:
    listed = f"2026-02-{day}T01:00:00.000Z"
    return json.dumps([entry(n, f"Robots {n}", submittedOnDailyAt=listed) for n in numbers])


@pytest.fixture
def moved(operator: Person) -> Person:
    """Somebody has had an edition; then the folder of the ledger was put somewhere else."""
    (operator.folder / "answer").write_text(listing(1, 2, day=20))
    operator.digest("collect", "--file", "answer")
    operator.digest("subscribers", "add", "ada@example.org")
    operator.digest(*RUN)
    (operator.folder / "var").rename(operator.folder / "elsewhere")
    operator.settings["DIGEST_HOME"] = "elsewhere"
    (operator.folder / "answer").write_text(listing(3, 4, day=21))
    operator.digest("collect", "--file", "answer")
    return operator


def test_it_sends_nothing_and_says_what_to_do(moved: Person) -> None:
    for command in (TOMORROW, ("schedule",), ("worker",), ("up",)):
        said = moved.run(*command)
        assert said.returncode == 1
        assert said.stderr.startswith(
            "digest: nothing is sent before you run `digest db adopt`: this database has moved. "
        )
        assert said.stderr.count("\n") == 1


def test_adopted_it_goes_on(moved: Person) -> None:
    said = moved.digest("db", "adopt", "--send")
    assert said == "This database is used here from now on. What waits is sent.\n"
    assert "1 due = 1 accepted" in moved.digest(*TOMORROW)


def test_what_waits_is_given_up_where_nothing_else_is_said(moved: Person) -> None:
    moved.digest("db", "adopt", "--send")
    moved.settings["DIGEST_TRANSPORT"] = "smtp://127.0.0.1:9"
    assert "1 due = 1 pending" in moved.run(*TOMORROW).stdout
    assert "give --drop if this is an older copy, or --send" in moved.run("db", "adopt").stderr
    said = moved.digest("db", "adopt", "--drop")
    assert said == "This database is used here from now on. Given up: 1 that waited.\n"
    assert "1 due = 1 skipped (1 dropped)" in moved.digest("deliveries", "balance")
