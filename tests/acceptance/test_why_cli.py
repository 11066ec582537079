"""`digest why` and `digest search`, on the built-in day."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from digest.collect.sample_edition import SAMPLE_EDITION
from digest.ledger.database import open_database
from digest.ledger.ledger import Ledger
from digest.model.deliveries import Bounce, BounceKind, Delivery
from digest.model.messages import Outcome, OutcomeKind
from subscribers.model import SuppressionReason, Verdict
from subscribers.store.registry import Registry
from tests.acceptance.conftest import operator_with
from tests.integration.plans import claim_next, record
from tests.support import NOW

DAY = "2025-12-05"  # a Friday
RUN = datetime(2025, 12, 5, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _that_day():
    with time_machine.travel(RUN + MINUTE, tick=False):
        yield


@pytest.fixture(scope="module")
def a_day(tmp_path_factory, new_sqlite):
    """A database with the papers of a day, and readers."""
    operator = operator_with(new_sqlite, tmp_path_factory.mktemp("day"))
    with time_machine.travel(RUN - timedelta(hours=12), tick=False):
        operator.digest("subscribers", "add", "ada@example.org", "--topic", "video generation")
        operator.digest("subscribers", "add", "grace@example.org", "--topic", "medieval poetry")
        operator.digest("collect", "--file", str(SAMPLE_EDITION), "--date", DAY)
    with closing(sqlite3.connect(operator.folder / "var" / "digest.sqlite3")) as connection:
        connection.execute("VACUUM INTO ?", [str(operator.folder / "day.sqlite3")])
    return operator.folder / "day.sqlite3"


@pytest.fixture
def collected(a_day, tmp_path):
    """Ada, and Grace, who likes nothing of the day."""
    return operator_with(a_day, tmp_path)


@pytest.fixture
def sent(collected):
    """Ada has got the day's edition, and Grace has not."""
    collected.digest("run", "--once", "--now", RUN.isoformat())
    return collected


@pytest.fixture
def planned(collected, ledger):
    """What there is for Ada waits to be sent."""
    collected.settings["DIGEST_SEND_WINDOW"] = "00:00-00:01"
    collected.digest("run", "--once", "--now", RUN.isoformat())
    return collected


@pytest.fixture
def engine(collected):
    engine = open_database(f"sqlite:///{collected.folder}/var/digest.sqlite3")
    yield engine
    engine.dispose()


@pytest.fixture
def ledger(engine):
    return Ledger(engine)


@pytest.fixture
def registry(engine):
    return Registry(engine)


def why(person, name="ada", *more):
    """The lines about somebody, the indented ones as they are."""
    return person.digest("why", f"{name}@example.org", *more).splitlines()


def attempt(ledger, kind, text, code, at, again=None):
    """One of Ada's delivery, at a moment."""
    with ledger.live_workers.enter() as claims:
        delivery = claim_next(ledger, claims, at)
        assert isinstance(delivery, Delivery)
        record(claims, delivery, Outcome(kind, text, code), again, at)
    return delivery


def test_each_step_is_told_in_order(sent):
    lines = why(sent)
    assert lines[:5] == [
        "ada@example.org: confirmed since 2025-12-04, mail at 08:00 (UTC) every day",
        "(preferences, topics and ratings as they are now; papers and delivery as recorded)",
        "due for it: Friday 2025-12-05 08:00 UTC",
        f"edition of {DAY}: 26 papers, made 2025-12-05 08:00",
        next(line for line in lines if line.startswith("  video generation: ")),
    ]
    assert lines[5] == "chosen for them:"
    assert lines[6].startswith("  1. [for-you] ")
    assert any("[trending]" in line for line in lines)
    assert lines[-4] == "delivery 1: accepted by the mail server"
    assert lines[-3] == "  2025-12-05 08:00 planned"
    assert lines[-2].startswith("  2025-12-05 08:0")
    assert " accepted: " in lines[-2]
    assert lines[-1] == "next digest: Saturday 2025-12-06 08:00 UTC"


def test_the_record_has_every_step(sent):
    record = sent.digest_json("why", "ada@example.org")
    named = ("address", "consent", "suppression", "due", "next")
    assert {name: record[name] for name in named} == {
        "address": "ada@example.org",
        "consent": "confirmed",
        "suppression": None,
        "due": "2025-12-05T08:00:00+00:00",
        "next": "2025-12-06T08:00:00+00:00",
    }
    assert record["edition"] == {
        "papers": 26,
        "new": 26,
        "new_since": "2025-12-04",
        "missing": [],
        "made_at": "2025-12-05T08:00:00+00:00",
        "to_be_made_at": None,
    }
    assert record["preferences"]["at"] == "08:00"
    assert record["is_chosen"]
    assert record["digest"]["picks"][0]["match"]["reason"]["topic"] == "video generation"
    report = record["delivery"]["report"]
    assert (report["delivery"]["id"], report["state"]) == (1, "accepted")
    assert report["delivery"]["note"] is None
    assert report["planned_at"] == "2025-12-05T08:00:00+00:00"
    assert [attempt["outcome"] for attempt in record["delivery"]["attempts"]] == ["accepted"]


def test_their_own_clock_and_the_operators(sent, registry):
    sent.settings["DIGEST_TIMEZONE"] = "Europe/Oslo"
    [ada, _] = registry.everybody()
    wishes = ada.preferences.from_json(
        {"at": "20:30", "timezone": "America/New_York", "cadence": "mon+fri"}
    )
    registry.set_preferences(ada.public_id, ada.topics, wishes)
    lines = why(sent)
    assert lines[0].endswith("mail at 20:30 (America/New_York) on Monday and Friday")
    assert lines[2] == (
        "due for it: Friday 2025-12-05 20:30 America/New_York (2025-12-06 02:30 Europe/Oslo)"
    )
    assert "edition of 2025-12-05: 26 papers, made 2025-12-05 09:00" in lines
    assert lines[-1].startswith("next digest: Friday 2025-12-05 20:30 America/New_York (2025-12-06")
    assert "new to them: 26 papers, of the editions after 2025-12-01" in lines


def test_whoever_got_nothing_is_told_why(sent):
    lines = why(sent, "grace")
    assert any(line.startswith("  medieval poetry: 0 fit") for line in lines)
    assert "no paper in it is for them" in lines
    assert "delivery 2: not sent: nothing matched their topics" in lines


def test_each_attempt_is_told_with_the_servers_words_and_what_comes_next(planned, ledger):
    attempt(ledger, OutcomeKind.DEFERRED, "4.7.0 try later", 421, RUN, RUN + 10 * MINUTE)
    lines = why(planned)
    assert lines[lines.index("delivery 1: deferred by the mail server; will be tried again") :] == [
        "delivery 1: deferred by the mail server; will be tried again",
        "  2025-12-05 08:00 planned",
        "  2025-12-05 08:00 deferred: 421 4.7.0 try later",
        "  it is tried again from 2025-12-05 08:10",
        "  it is given up at 2025-12-07 08:00",
        "next digest: Saturday 2025-12-06 08:00 UTC",
    ]
    provider = ledger.bounces.delivery(1).provider
    ledger.provider_queues.pause(provider, "it refuses our mail: 5.7.1", RUN)
    ledger.provider_queues.pause("*", "many dead addresses", RUN)
    told = [line for line in why(planned) if line.startswith("  waits: ")]
    assert told == [
        f"  waits: sending to {whom} is paused since 2025-12-05 08:00: {why} (digest deliveries resume)"
        for whom, why in (
            ("everybody", "many dead addresses"),
            (provider, "it refuses our mail: 5.7.1"),
        )
    ]


def test_what_came_back_later_is_told(planned, ledger, registry):
    delivery = attempt(ledger, OutcomeKind.ACCEPTED, "2.0.0 queued", 250, RUN)
    bounce = Bounce(BounceKind.HARD, "5.1.1", "no such user")
    ledger.bounces.record(delivery, bounce, RUN + 90 * MINUTE)
    registry.suppressions.add("ada@example.org", SuppressionReason.HARD_BOUNCE, now=RUN)
    lines = why(planned)
    assert lines[1] == "blocked since 2025-12-05: hard-bounce"
    assert lines[-3:] == [
        "  2025-12-05 08:00 accepted: 250 2.0.0 queued",
        "  2025-12-05 09:30 came back, hard: 5.1.1 no such user",
        "next digest: none while the address is blocked",
    ]
    record = planned.digest_json("why", "ada@example.org")
    assert record["next"] is None
    [back] = record["delivery"]["came_back"]
    assert back["bounce"] == {
        "kind": "hard", "status": "5.1.1", "text": "no such user", "source": "mail",
    }  # fmt: skip


def test_a_delivery_goes_by_its_number_too(sent):
    assert sent.digest("why", "2").startswith("grace@example.org: confirmed")
    for number in ("3", "9" * 30):
        assert f"there is no delivery {number}" in sent.fails("why", number)
    sent.digest("subscribers", "remove", "grace@example.org")
    assert "digest: there is no subscriber 2" in sent.fails("why", "2")


def test_the_papers_are_those_that_were_sent(sent):
    before = sent.digest_json("why", "ada@example.org")
    sent.digest("subscribers", "add", "ada@example.org", "--topic", "medieval poetry")
    after = sent.digest_json("why", "ada@example.org")
    assert before["digest"]["picks"] == after["digest"]["picks"]
    assert [each["topic"] for each in after["topics"]] == ["medieval poetry"]


def test_likes_and_mutes_are_told(sent, registry):
    [ada, _] = registry.everybody()
    picks = sent.digest_json("why", "ada@example.org")["digest"]["picks"]
    papers = [pick["candidate"]["key"] for pick in picks]
    for paper in papers[:3]:
        registry.ratings.rate(ada.id, paper, Verdict.LIKE, NOW)
    registry.ratings.rate(ada.id, papers[4], Verdict.MUTE, NOW)
    said = sent.digest("why", "ada@example.org")
    assert "liked papers: 3, which count as a topic" in said
    assert "muted papers: 1, too few to count yet (3 do)" in said
    assert "  liked papers: " in said


# ---- those who have none ---------------------------------------------------------------------


def test_a_day_without_an_edition_is_told(sent):
    lines = why(sent, "ada", "--date", "2025-12-01")
    assert f"there is no edition of 2025-12-01; the next is that of {DAY}" in lines
    assert lines[1] == "due for it: Monday 2025-12-01 08:00 UTC, before they subscribed"
    assert lines[-2:] == ["delivery: none", "next digest: Saturday 2025-12-06 08:00 UTC"]
    assert sent.digest_json("why", "ada@example.org", "--date", "2025-12-01")["edition"] is None


def test_a_day_to_come_shows_what_they_would_get(collected):
    lines = why(collected, "ada", "--date", DAY)
    assert f"edition of {DAY}: not made yet, late since 2025-12-05 08:00; 26 papers so far" in lines
    assert "what they would get, as things are now:" in lines
    assert "delivery: none yet: there is no edition" in lines
    record = collected.digest_json("why", "ada@example.org", "--date", DAY)
    assert (record["is_chosen"], record["delivery"]) == (False, None)
    assert record["digest"]["picks"]


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_day_that_is_too_far_away_is_refused(sent, day):
    done = sent.run("why", "ada@example.org", "--date", day)
    assert done.returncode == 2
    assert f"'{day}' is not between 1991 and 2100" in done.stderr


def test_what_was_shown_already_is_not_to_come(sent):
    lines = why(sent, "ada", "--date", "2025-12-06")
    assert lines[1] == "due for it: Saturday 2025-12-06 08:00 UTC"
    assert (
        "edition of 2025-12-06: not made yet, to be made 2025-12-06 08:00; 0 papers so far"
    ) in lines
    assert "no paper in it is for them" in lines


def test_who_is_not_due_that_day_is_told_so(collected, registry):
    [ada, _] = registry.everybody()
    wishes = ada.preferences.from_json({"cadence": "mon"})
    registry.set_preferences(ada.public_id, ada.topics, wishes)
    collected.digest("run", "--once", "--now", RUN.isoformat())
    lines = why(collected)
    assert "they get no digest on a Friday" in lines
    assert "due for it: no" in lines
    assert "delivery: none: it is not for them" in lines
    assert lines[-1] == "next digest: Monday 2025-12-08 08:00 UTC"


def test_who_has_paused_is_told_until_when(collected, registry):
    [ada, _] = registry.everybody()
    wishes = ada.preferences.from_json({"paused_until": "2025-12-10"})
    registry.set_preferences(ada.public_id, ada.topics, wishes)
    collected.digest("run", "--once", "--now", RUN.isoformat())
    lines = why(collected)
    assert "paused until 2025-12-10" in lines
    assert "delivery 1: not sent: they have paused" in lines
    assert lines[-1] == "next digest: Wednesday 2025-12-10 08:00 UTC"


def test_who_came_later_is_not_planned_for_yet(sent):
    sent.digest("subscribers", "add", "emmy@example.org")
    assert "delivery: none yet: the schedule has not run" in why(sent, "emmy")


def test_who_is_due_later_in_the_day_waits_for_it(sent, registry):
    wishes = registry.everybody()[0].preferences.from_json({"at": "23:00"})
    emmy = registry.add("emmy@example.org", (), source="test", now=RUN)
    registry.set_preferences(emmy.public_id, (), wishes)
    assert "delivery: none yet: it is planned when they are due" in why(sent, "emmy")


def test_who_has_not_confirmed_or_has_left_gets_none(sent, registry):
    registry.ask("emmy@example.org", (), source="test", now=RUN)
    lines = why(sent, "emmy")
    assert lines[-2:] == [
        "delivery: none: they are pending",
        "next digest: none while they are pending",
    ]


def test_what_is_no_longer_kept_is_told(sent):
    with time_machine.travel(RUN + timedelta(days=500), tick=False):
        sent.digest("subscribers", "add", "emmy@example.org")  # of the last one a row is kept
        sent.digest("tidy")
        lines = why(sent, "ada", "--date", DAY)
        assert "delivery: none, or no longer kept (DIGEST_KEEP_DELIVERIES_DAYS)" in lines
        assert sent.digest_json("why", "ada@example.org", "--date", DAY)["is_long_ago"]


def test_a_stranger_is_told(sent):
    assert sent.fails("why", "nobody@example.org") == (
        "digest: there is no subscriber nobody@example.org"
    )
    assert sent.fails("why", "nobody").startswith("digest: ")


# ---- by topic --------------------------------------------------------------------------------


def test_papers_are_found_by_topic(sent):
    found = json.loads(sent.digest("search", "video generation -motion", "--json"))
    assert found
    assert [each["score"] for each in found] == sorted((e["score"] for e in found), reverse=True)
    assert all("video" in each["title"].lower() + each["why"] for each in found)
    assert len(sent.digest_json("search", "video generation", "--most", "2")) == 2


def test_what_fits_nothing_is_told(sent):
    assert sent.digest("search", "medieval poetry") == "No paper matches.\n"
    assert "column 1: expected a closing quotation mark" in sent.fails("search", '"open')


def test_nothing_is_found_before_anything_is_collected(operator):
    for command in ("search", "topic"):
        assert "nothing is collected yet: run digest collect" in operator.fails(command, "robots")


# ---- what topics would have matched lately ---------------------------------------------------


def test_each_topic_is_told_with_what_it_would_have_matched(sent):
    lines = why(sent)
    start = lines.index("among the 26 papers of the 30 days to 2025-12-05:")
    assert lines[start + 1].startswith("  video generation: ")
    assert lines[start + 1].endswith("papers of the last 30 days match.")
    assert all(line.startswith("    ") for line in lines[start + 2 : start + 5])


def test_of_a_topic_that_no_paper_is_about_no_best_paper_is_named(sent):
    lines = why(sent, "grace")
    assert "  medieval poetry: 0 fit" in lines
    assert "  medieval poetry: No paper of the last 30 days matches." in lines


def test_a_topic_is_tried_at_the_terminal(sent):
    lines = sent.digest("topic", "vidoe", "genration").splitlines()
    assert lines[0] == "among the 26 papers of the 30 days to 2025-12-05:"
    assert lines[1].startswith("  vidoe genration: ")
    record = sent.digest_json("topic", "video", "generation", "--strictness", "strict")
    assert (record["topic"], record["strictness"]) == ("video generation", "strict")
    assert record["papers"] == record["at"]["strict"] <= record["at"]["broad"]
    assert len(record["best"]) == min(3, record["papers"])


def test_a_topic_that_cannot_be_read_is_refused(sent):
    assert "column 1: expected a closing quotation mark" in sent.fails("topic", '"open')
