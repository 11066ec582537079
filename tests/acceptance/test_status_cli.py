"""`digest status`: what a person sees, what a monitor does, and what each exit status means."""

import json
from datetime import timedelta

import pytest
import time_machine

from digest.ledger.database import ensure_current, open_database
from digest.ledger.history import Collection
from digest.ledger.ledger import Ledger
from digest.model.deliveries import Balance, DeliveryState
from tests.acceptance.conftest import Person, entry
from tests.integration.ledger.test_papers import absorb
from tests.integration.plans import bring, plan, write_balance
from tests.support import NOW, TODAY, make_sighting

MORNING = ("run", "--once", "--now", NOW.isoformat())


@pytest.fixture(autouse=True)
def _in_the_morning():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def ledger(operator: Person):
    (operator.folder / "var").mkdir(exist_ok=True)
    engine = open_database(f"sqlite:///{operator.folder}/var/digest.sqlite3")
    ensure_current(engine)
    yield Ledger(engine)
    engine.dispose()


@pytest.fixture
def served(operator: Person, ledger: Ledger) -> Person:
    """Two people have today's edition."""
    day = [entry(n, f"Robots {n}", submittedOnDailyAt="2026-02-20T01:00:00.000Z") for n in (1, 2)]
    (operator.folder / "answer").write_text(json.dumps(day))
    operator.digest("collect", "--file", "answer")
    for name in ("ada", "bob"):
        operator.digest("subscribers", "add", f"{name}@example.org")
    operator.digest(*MORNING)
    return operator


def test_all_is_well_on_one_screen(served: Person) -> None:
    said = served.digest("status")
    lines = said.splitlines()
    assert lines[0] == "All is well."
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    [edition] = [line for line in lines if line.startswith("2026-02-20")]
    assert edition.split()[:3] == ["2026-02-20", "2", "2"]
    assert edition.endswith("2 accepted")
    words = {line[:20].strip(): line[20:].strip() for line in lines[5:]}
    assert words["Queue"] == "0 waiting, 0 being sent, 0 uncertain"
    assert words["Source huggingface"] == "not collected yet"
    assert words["Subscribers"] == "0 pending, 2 confirmed, 0 withdrawn"
    assert words["Last run"].startswith("2026-02-20 08:00, 2 tried, sending took ")
    assert words["Last run"].endswith(", no trouble")


def test_moments_are_those_of_the_operators_zone(served: Person) -> None:
    served.settings["DIGEST_TIMEZONE"] = "Asia/Tokyo"
    assert "2026-02-20 17:00, 2 tried" in served.digest("status")


def test_the_record_of_a_day_that_went_well(served: Person, ledger: Ledger) -> None:
    ledger.history.record_collection(Collection(TODAY, NOW, "huggingface", sightings=2, new=2))
    record = served.digest_json("status")
    record["editions"][0]["sending_seconds"] = record["last_run"]["sending_seconds"] = 0
    assert record == {
        "at": "2026-02-20T08:00:00+00:00",
        "is_well": True,
        "warnings": [],
        "editions": [
            {
                "day": "2026-02-20",
                "has_edition": True,
                "papers": 2,
                "made_at": "2026-02-20T08:00:00+00:00",
                "missing": [],
                "sending_seconds": 0,
                "balance": {
                    "edition": "2026-02-20",
                    "due": 2,
                    "accepted": 2,
                    "deferred": 0,
                    "refused": 0,
                    "suppressed": 0,
                    "skipped": 0,
                    "uncertain": 0,
                    "pending": 0,
                    "skipped_for": {},
                    "is_being_planned": False,
                },
            }
        ],
        "queue": {
            "waiting": 0,
            "put_off": 0,
            "put_off_from": None,
            "put_off_until": None,
            "being_sent": 0,
            "uncertain": 0,
            "oldest_since": None,
            "ready_since": None,
            "tried_at": NOW.isoformat(),
        },
        "pauses": [],
        "refused": [],
        "intervals": {},
        "came_back": {"hard": 0, "soft": 0, "blocked": 0, "complaint": 0},
        "announcements": [],
        "summaries": None,
        "came_back_since": "2026-02-13T08:00:00+00:00",
        "too_many_back": [],
        "workers": [],
        "shards": None,
        "review": {"count": 0, "since": None},
        "sources": [
            {
                "name": "huggingface",
                "collected_at": "2026-02-20T08:00:00+00:00",
                "sightings": 2,
                "failure": "",
                "failing_since": None,
                "doubt": "",
                "failed_at": None,
                "last_failure": "",
            }
        ],
        "last_run": {
            "day": "2026-02-20",
            "state": "ended",
            "started_at": "2026-02-20T08:00:00+00:00",
            "ended_at": "2026-02-20T08:00:00+00:00",
            "sending_seconds": 0,
            "tried": 2,
            "trouble": [],
        },
        "subscribers": {"pending": 0, "confirmed": 2, "withdrawn": 0},
        "readers": {"due_within_a_day": 2, "next_due": "2026-02-21T08:00:00+00:00"},
        "schedule": {
            "done": {"planned": None, "tidied": None, "inbox": None},
            "next_edition": "2026-02-21T08:00:00+00:00",
            "next_collection": "2026-02-20T11:00:00+00:00",
            "waits_for_sources_until": "2026-02-20T09:00:00+00:00",
            "edition_overdue_since": None,
            "to_be_planned": "2026-02-20T08:00:00+00:00",
        },
        "rates": {
            "all": None,
            "per_provider": None,
            "per_connection": None,
            "sending_hours": None,
            "most_today": None,
            "sent_today": None,
            "is_free": True,
        },
        "held": None,
        "inbox_every": None,
        "unbalanced": [],
    }


def test_before_anything_is_set_it_says_what_to_set(newcomer: Person) -> None:
    said = newcomer.fails("status", "--json")
    assert said.startswith("digest: not set up yet: DIGEST_FROM, DIGEST_BASE_URL, DIGEST_SECRET")


def test_before_anything_is_sent_all_is_well(operator: Person) -> None:
    assert operator.digest("status").startswith("All is well.\n")
    record = operator.digest_json("status")
    assert (record["is_well"], record["editions"], record["last_run"]) == (True, [], None)


def _pause(ledger: Ledger) -> None:
    ledger.provider_queues.pause("example.net", "it refuses our mail: 550 5.7.1 no", NOW)


def _doubt(ledger: Ledger) -> None:
    absorb(ledger, make_sighting(9, listed_on=TODAY + timedelta(days=1)))
    edition = ledger.editions.freeze(TODAY + timedelta(days=1), TODAY, NOW)
    with ledger.live_workers.enter() as claims:
        bring(ledger, claims, plan(ledger, edition), DeliveryState.UNCERTAIN)


def _die(ledger: Ledger) -> None:
    ledger.history.begin_run(TODAY, NOW - timedelta(hours=8))


def _have_trouble(ledger: Ledger) -> None:
    mark = ledger.history.begin_run(TODAY, NOW)
    ledger.history.end_run(mark, NOW, timedelta(), ("the relay is down",))


def _fail(ledger: Ledger) -> None:
    ledger.history.record_collection(Collection(TODAY, NOW, "huggingface", failure="503"))


def _err(ledger: Ledger) -> None:
    [figures] = ledger.history.editions(1)
    edition = ledger.editions.on(figures.day)
    assert edition
    write_balance(ledger, edition, Balance(TODAY, due=3, accepted=3))


@pytest.mark.parametrize(
    ("do", "kind", "line"),
    [
        (_pause, "paused", "no mail goes to example.net: it refuses our mail: 550 5.7.1 no"),
        (
            _doubt,
            "uncertain",
            "of 1 nobody knows whether they arrived: see digest deliveries uncertain",
        ),
        (_die, "broken-off", "the run of 2026-02-20 was broken off"),
        (_have_trouble, "trouble", "the last run: the relay is down"),
        (_fail, "source", "huggingface cannot be collected since 2026-02-20 08:00 UTC: 503"),
        (_err, "unbalanced", "the balance of 2026-02-20 does not add up"),
    ],
    ids=lambda each: each if isinstance(each, str) and " " not in each else "",
)
def test_what_needs_attention_is_told_first_and_the_status_is_1(
    served: Person, ledger: Ledger, do, kind: str, line: str
) -> None:
    do(ledger)
    said = served.run("status")
    assert (said.returncode, said.stderr) == (1, "")
    assert said.stdout.splitlines()[:2] == ["Needs attention:", f"  {line}"]
    as_json = served.run("status", "--json")
    assert as_json.returncode == 1
    record = json.loads(as_json.stdout)
    assert record["is_well"] is False
    assert record["warnings"] == [{"kind": kind, "text": line}]


def test_a_schedule_that_has_stopped_is_told(served: Person) -> None:
    with time_machine.travel(NOW + timedelta(hours=37), tick=False):
        said = served.run("status")
    assert said.returncode == 1
    assert "there was no run for 36 hours" in said.stdout


def test_a_ledger_that_is_an_older_copy_is_told(served: Person) -> None:
    copy = served.folder / "copy"
    served.digest("backup", str(copy))
    served.digest("restore", str(copy), "--force")
    said = served.run("status")
    assert said.returncode == 1
    assert said.stdout.splitlines()[1].startswith(
        "  nothing is sent before you run `digest db adopt`: this"
    )
    served.digest("db", "adopt", "--drop")
    assert served.digest("status").startswith("All is well.")


def test_much_trouble_still_fits_a_screen(served: Person, ledger: Ledger) -> None:
    mark = ledger.history.begin_run(TODAY, NOW)
    trouble = tuple(f"[bold]trouble[/] {n} {'x' * 300}" for n in range(50))
    ledger.history.end_run(mark, NOW, timedelta(), trouble)
    lines = served.run("status").stdout.splitlines()
    assert "  the last run: [bold]trouble[/] 0" in lines[1]
    assert "  and 42 more: --json has all" in lines
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80


def test_a_single_failure_is_told_in_full(served: Person, ledger: Ledger) -> None:
    why = (
        "https://huggingface.co/api/daily_papers answered 503 three times, the last time: "
        "upstream connect error or disconnect before headers, retried and the latest reset reason"
    )
    ledger.history.record_collection(Collection(TODAY, NOW, "huggingface", failure=why))
    said = " ".join(served.run("status").stdout.split())
    assert f"huggingface cannot be collected since 2026-02-20 08:00 UTC: {why} Edition" in said


def test_without_a_database_it_is_one_line(operator: Person) -> None:
    operator.settings["DIGEST_DATABASE_URL"] = "postgresql+psycopg://ada:hush@127.0.0.1:1/digest"
    said = operator.fails("status")
    assert said.startswith("digest: the database cannot be opened: ")
    assert "hush" not in said


def test_a_source_that_is_not_there_is_one_line(operator: Person) -> None:
    operator.settings["DIGEST_SOURCES"] = "pigeons"
    assert operator.fails("status").startswith("digest: there is no source 'pigeons'")
