"""A database that version 0.1 made is upgraded, and its people and history go on.

The fixture was written by the last commit of 0.1: four people, of whom one has left since; one who
has not confirmed; a blocked address; and an edition of which three got a digest.
"""

import sqlite3
from pathlib import Path

import pytest

from tests.acceptance.conftest import Api, Person, entry, operator_in

FIXTURE = Path(__file__).parents[1] / "fixtures" / "ledger_of_0_1.sql"
DAY, NEXT = "2026-12-01", "2026-12-02"


@pytest.fixture
def upgraded(tmp_path: Path, api: Api) -> Person:
    (tmp_path / "var").mkdir(mode=0o700)
    database = sqlite3.connect(tmp_path / "var" / "digest.sqlite3")
    database.executescript(FIXTURE.read_text())
    database.close()
    operator = operator_in(tmp_path)
    operator.settings |= {"DIGEST_HUGGINGFACE_URL": api.url, "DIGEST_MX_LOOKUPS": "no"}
    assert "run digest db upgrade" in operator.fails("run")
    operator.digest("db", "upgrade")
    assert list((tmp_path / "var").glob("digest.sqlite3.before-*")), "a copy is kept"
    operator.digest("db", "adopt", "--send")  # it was made on another machine
    return operator


def test_people_and_history_of_0_1_go_on(upgraded: Person, api: Api) -> None:
    people = upgraded.digest("subscribers", "list")
    for address, consent in (
        ("ada", "confirmed"), ("grete", "confirmed"), ("imported", "pending"), ("leaver", "withdrawn"),
    ):  # fmt: skip
        assert f"{address}@example.org" in people
        (line,) = [line for line in people.splitlines() if f"{address}@" in line]
        assert consent in line
    assert "模型" in upgraded.digest("subscribers", "show", "grete@example.org")
    had = upgraded.digest("why", "ada@example.org", "--date", DAY)
    assert "accepted" in had
    assert "video generation" in had
    assert "DynamicVerse" in upgraded.digest("search", "DynamicVerse")

    again = upgraded.digest_json("run", "--now", f"{DAY}T08:30:00+00:00")
    assert (again["due"], again["accepted"], again["skipped"]) == (4, 3, 1)
    assert upgraded.mailbox() == []

    api.days[DAY] = [entry(1, "Video generation by agents and robots")]
    next_ = upgraded.digest_json("run", "--now", f"{NEXT}T08:00:00+00:00")
    sent = "".join(message.read_text() for message in upgraded.mailbox())
    assert next_["due"] == 3
    assert "To: ada@example.org" in sent
    assert "DynamicVerse" not in sent, "nobody is shown a paper twice"
    for stays_out in ("leaver", "imported", "eve"):
        assert f"{stays_out}@example.org" not in sent
