"""How things are, on both databases: the queue, what came back, sources, runs, and the warnings."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, event, insert, update

from digest.cli.json_values import to_json
from digest.cli.status_text import status_lines
from digest.ledger.claims import Release
from digest.ledger.daily_stats import DailyStats
from digest.ledger.health import Queue
from digest.ledger.history import Collection
from digest.ledger.last_runs import Job
from digest.ledger.provider_queues import ALL, Limits
from digest.ledger.tables import deliveries, editions, provider_queues
from digest.model.deliveries import Bounce, BounceKind, DeliveryState
from digest.model.digests import SkipReason
from digest.model.messages import Outcome, OutcomeKind
from digest.monitoring.gathering import LONGEST_RUN, gather_readers, gather_status
from digest.monitoring.status import Held, Readers, RunState, WarningKind
from digest.monitoring.warnings import (
    LONGEST_LATENESS,
    LONGEST_SILENCE,
    LONGEST_SLEEP,
    PATIENT_EDITIONS,
)
from subscribers.model import Consent, SuppressionReason
from subscribers.preferences import Preferences
from tests.integration.ledger.test_papers import absorb
from tests.integration.plans import (
    LATER,
    begin,
    bring,
    claim,
    commit,
    lease,
    plan,
    plan_skipped,
    record,
    write_balance,
)
from tests.support import NOW, TODAY, make_settings, make_sighting

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
S = DeliveryState


@pytest.fixture
def edition(ledger):
    absorb(ledger, make_sighting(1), make_sighting(2))
    return ledger.editions.freeze(TODAY, TODAY, NOW)


def bring_to(ledger, edition, *states):
    """A delivery in each of these states, each of another person."""
    with ledger.live_workers.enter() as claims:
        for number, state in enumerate(states, 1):
            bring(ledger, claims, plan(ledger, edition, number), state)


def run(ledger, *, day=TODAY, at=NOW, trouble=()):
    ledger.history.end_run(
        ledger.history.begin_run(day, at), at + HOUR, timedelta(minutes=5), trouble
    )


def status_of(ledger, registry, sources=(), now=NOW, held=None, **settings):
    configured = replace(make_settings(**settings), sources=tuple(sources))
    return gather_status(ledger, registry, configured, now, held)


def kinds(status):
    return [warning.kind for warning in status.warnings]


# ---- the queue -------------------------------------------------------------------------------


def test_an_empty_queue(ledger):
    assert ledger.health.queue(NOW) == Queue()


def test_what_has_no_end_is_in_the_queue(ledger, edition):
    bring_to(ledger, edition, *DeliveryState, S.PENDING)
    expected = Queue(
        waiting=2,
        put_off=1,
        put_off_from=LATER,
        put_off_until=LATER,
        being_sent=1,
        uncertain=1,
        oldest_since=NOW,
        ready_since=NOW,
        tried_at=NOW,
    )
    assert ledger.health.queue(NOW) == expected
    when_its_time_has_come = replace(
        expected, waiting=3, put_off=0, put_off_from=None, put_off_until=None
    )
    assert ledger.health.queue(LATER) == when_its_time_has_come


def test_what_was_given_back_to_let_others_go_before_is_put_off(ledger, edition):
    plan(ledger, edition, 1)
    with ledger.live_workers.enter() as claims:
        [delivery] = lease(claims)
        commit(claims, releases=[Release(delivery, LATER)])
    queue = ledger.health.queue(NOW)
    assert (queue.waiting, queue.put_off, queue.put_off_until) == (0, 1, LATER)


def test_the_oldest_is_that_of_the_oldest_edition_that_waits(ledger, edition):
    absorb(ledger, make_sighting(3, listed_on=TODAY + DAY))
    tomorrow = ledger.editions.freeze(TODAY + DAY, TODAY + DAY, NOW + DAY)
    bring_to(ledger, edition, S.ACCEPTED, S.UNCERTAIN)
    plan(ledger, tomorrow, 9)
    assert ledger.health.queue(NOW + DAY).oldest_since == NOW + DAY
    plan(ledger, edition, 9)
    assert ledger.health.queue(NOW + DAY).oldest_since == NOW


# ---- what came back, and attempts ------------------------------------------------------------


def test_what_came_back_is_counted_from_a_moment_on(ledger, edition):
    for number, (kind, days) in enumerate(
        [(BounceKind.HARD, 0), (BounceKind.HARD, 6), (BounceKind.SOFT, 7), (BounceKind.BLOCKED, 8)]
    ):
        delivery = plan(ledger, edition, number + 1)
        ledger.bounces.record(delivery, Bounce(kind), NOW - days * DAY)
    assert ledger.health.came_back(NOW - 7 * DAY) == {
        BounceKind.HARD: 2,
        BounceKind.SOFT: 1,
        BounceKind.BLOCKED: 0,
        BounceKind.COMPLAINT: 0,
    }


def test_how_long_attempts_took_is_told_in_steps(ledger, edition):
    for subscriber, seconds in enumerate((0.01, 0.3, 2.0, 700.0, None), 1):
        delivery = plan(ledger, edition, subscriber)
        with ledger.live_workers.enter() as claims:
            claim(ledger, claims, delivery)
            took = None if seconds is None else timedelta(seconds=seconds)
            record(claims, delivery, Outcome(OutcomeKind.ACCEPTED, "ok", 250), None, NOW, took)
    found = ledger.health.latencies(NOW)
    assert (found.count, found.total) == (4, pytest.approx(702.31))
    assert (found.within[0.05], found.within[0.5], found.within[2.5], found.within[60]) == (
        1,
        2,
        3,
        3,
    )
    assert ledger.health.latencies(NOW + HOUR).count == 0


def test_attempts_are_counted_within_a_bound(ledger, edition, monkeypatch):
    bring_to(ledger, edition, S.REFUSED, S.ACCEPTED, S.ACCEPTED)
    both = {(OutcomeKind.REFUSED, 250): 1, (OutcomeKind.ACCEPTED, 250): 2}
    assert ledger.health.attempts(NOW) == both
    assert ledger.health.attempts(NOW + HOUR) == {}
    monkeypatch.setattr("digest.ledger.health.MOST_ATTEMPTS", 2)
    assert ledger.health.attempts(NOW) == {(OutcomeKind.ACCEPTED, 250): 2}


# ---- sources ---------------------------------------------------------------------------------


def test_a_source_tells_its_last_collection_and_its_last_failure(ledger):
    def collect(at, **changes):
        row = replace(Collection(at.date(), at, "arxiv"), **changes)
        ledger.history.record_collection(row)

    assert ledger.health.source("arxiv", NOW).collected_at is None
    collect(NOW - 40 * DAY, failure="404")
    collect(NOW - 2 * DAY, failure="503")
    collect(NOW - DAY, sightings=7)
    collect(NOW, source="huggingface", failure="down")
    found = ledger.health.source("arxiv", NOW)
    assert (found.collected_at, found.sightings, found.failure) == (NOW - DAY, 7, "")
    assert (found.failed_at, found.last_failure) == (NOW - 2 * DAY, "503")
    much_later = ledger.health.source("arxiv", NOW + 35 * DAY)
    assert (much_later.collected_at, much_later.failed_at) == (NOW - DAY, None)


# ---- the books -------------------------------------------------------------------------------


def test_books_that_agree_and_books_that_do_not(ledger, edition):
    bring_to(ledger, edition, *DeliveryState)
    plan_skipped(ledger, edition, 50, SkipReason.PAUSED)
    assert ledger.health.unbalanced([TODAY]) == []  # nothing is stored yet
    balance = ledger.editions.close(edition)
    assert ledger.health.unbalanced([TODAY, TODAY + DAY]) == []
    write_balance(ledger, edition, replace(balance, accepted=balance.accepted + 1))
    assert ledger.health.unbalanced([TODAY]) == [TODAY]
    write_balance(ledger, edition, balance)
    with ledger.engine.begin() as connection:
        connection.execute(delete(deliveries).where(deliveries.c.subscriber_id == 50))
    assert ledger.health.unbalanced([TODAY]) == [TODAY]
    assert ledger.health.unbalanced([]) == []


def test_what_was_planned_since_is_not_held_against_a_balance(ledger, edition):
    plan(ledger, edition, 1)
    ledger.editions.close(edition)
    plan(ledger, edition, 2)
    assert ledger.health.unbalanced([TODAY]) == []


def test_what_a_run_is_about_to_change_is_not_held_against_it(ledger, edition):
    balance = ledger.editions.close(edition)
    write_balance(ledger, edition, replace(balance, due=1, pending=1))
    mark = ledger.history.begin_run(TODAY, NOW)
    assert ledger.health.unbalanced([TODAY]) == []
    ledger.history.end_run(mark, NOW, timedelta(), ())
    assert ledger.health.unbalanced([TODAY]) == [TODAY]


def test_figures_of_what_waits_are_counted_by_state_and_by_reason(ledger, edition):
    bring_to(ledger, edition, *DeliveryState)
    for number, reason in ((50, SkipReason.PAUSED), (51, SkipReason.PAUSED)):
        plan_skipped(ledger, edition, number, reason)
    [figures] = ledger.history.editions(1)
    assert figures == DailyStats(TODAY, True, 2, ledger.editions.balance(edition), made_at=NOW)
    assert figures.balance.skipped_for == {"withdrawn": 1, "paused": 2}


# ---- people ----------------------------------------------------------------------------------


def test_people_are_counted_by_what_they_said_and_blocks_by_reason(registry):
    for name in ("ada", "grace"):
        registry.add(f"{name}@example.org", (), source="test", now=NOW)
    registry.suppressions.add("x@example.org", SuppressionReason.COMPLAINT, now=NOW)
    people = {Consent.PENDING: 0, Consent.CONFIRMED: 2, Consent.WITHDRAWN: 0}
    assert registry.overview.by_consent() == people
    blocks = registry.overview.blocks_by_reason()
    assert (blocks[SuppressionReason.COMPLAINT], sum(blocks.values())) == (1, 1)


# ---- what wants a person ---------------------------------------------------------------------


def test_a_ledger_that_nothing_is_in_is_well(ledger, registry):
    assert status_of(ledger, registry, ["arxiv"]).warnings == ()


def test_a_day_that_went_well_is_well(ledger, registry, edition):
    registry.add("ada@example.org", (), source="test", now=NOW)
    bring_to(ledger, edition, S.ACCEPTED, S.REFUSED, S.SKIPPED)
    ledger.editions.close(edition)
    run(ledger)
    assert status_of(ledger, registry, now=NOW + DAY).warnings == ()


def test_a_pause_is_a_warning(ledger, registry):
    ledger.provider_queues.pause(ALL, "6 mails met dead addresses", NOW)
    [warning] = status_of(ledger, registry).warnings
    assert warning.kind is WarningKind.PAUSED
    assert warning.text == "no mail goes to everybody: 6 mails met dead addresses"


def test_what_is_uncertain_is_a_warning(ledger, registry, edition):
    bring_to(ledger, edition, S.UNCERTAIN)
    assert kinds(status_of(ledger, registry)) == [WarningKind.UNCERTAIN]


def test_trouble_of_the_last_run_is_a_warning_until_the_next(ledger, registry):
    run(ledger, trouble=("the relay is down", "a source is down"))
    assert kinds(status_of(ledger, registry)) == [WarningKind.TROUBLE] * 2
    run(ledger)
    assert kinds(status_of(ledger, registry)) == []


def test_a_run_that_died_is_a_warning_once_it_must_have_ended(ledger, registry):
    ledger.history.begin_run(TODAY, NOW)
    status = status_of(ledger, registry, now=NOW + LONGEST_RUN)
    assert (status.last_run.state, kinds(status)) == (RunState.UNDER_WAY, [])
    status = status_of(ledger, registry, now=NOW + LONGEST_RUN + HOUR)
    assert status.last_run.state is RunState.BROKEN_OFF
    assert kinds(status) == [WarningKind.BROKEN_OFF]
    run(ledger)
    assert kinds(status_of(ledger, registry)) == []


def test_a_source_that_fails_is_a_warning_if_it_is_set(ledger, registry):
    ledger.history.record_collection(Collection(TODAY, NOW, "arxiv", failure="503"))
    assert kinds(status_of(ledger, registry, ["huggingface"])) == []
    [warning] = status_of(ledger, registry, ["huggingface", "arxiv"]).warnings
    assert (warning.kind, warning.text) == (
        WarningKind.SOURCE,
        "arxiv cannot be collected since 2026-02-20 08:00 UTC: 503",
    )


def test_a_balance_that_does_not_add_up_is_a_warning(ledger, registry, edition):
    bring_to(ledger, edition, S.ACCEPTED)
    balance = ledger.editions.close(edition)
    write_balance(ledger, edition, replace(balance, due=2))
    assert kinds(status_of(ledger, registry)) == [WarningKind.UNBALANCED]


def test_silence_is_a_warning_where_somebody_waits(ledger, registry):
    run(ledger)
    too_long = NOW + LONGEST_SILENCE + HOUR
    assert kinds(status_of(ledger, registry, now=too_long)) == []
    registry.add("ada@example.org", (), source="test", now=NOW)
    assert kinds(status_of(ledger, registry, now=NOW + LONGEST_SILENCE)) == []
    assert kinds(status_of(ledger, registry, now=too_long)) == [WarningKind.NO_RUN]


def test_people_without_any_run_yet_are_a_warning(ledger, registry):
    registry.add("ada@example.org", (), source="test", now=NOW)
    [warning] = status_of(ledger, registry).warnings
    assert warning.text == "there was no run yet"


# ---- what is done by itself --------------------------------------------------------------------


@pytest.fixture
def scheduled(ledger, registry, edition):
    """A schedule has made the day's edition, and planned for everybody since."""
    registry.add("ada@example.org", (), source="test", now=NOW)
    run(ledger)
    ledger.last_runs.reach(Job.PLANNED, NOW)


def test_a_schedule_that_looks_no_more_is_a_warning(ledger, registry, scheduled):
    assert kinds(status_of(ledger, registry, now=NOW + LONGEST_SLEEP)) == []
    [warning] = status_of(ledger, registry, now=NOW + 2 * LONGEST_SLEEP).warnings
    assert warning.kind is WarningKind.ASLEEP
    assert warning.text == "the schedule has not looked who is due since 2026-02-20 08:00 UTC"
    much_later = status_of(ledger, registry, now=NOW + 9 * DAY)
    assert kinds(much_later) == [WarningKind.ASLEEP]


def test_nobody_needs_to_be_looked_for_between_the_last_time_and_the_next_edition(
    ledger, registry, scheduled
):
    ends = NOW + 23 * HOUR  # from then on they are the next edition's
    ledger.last_runs.reach(Job.PLANNED, ends)
    assert kinds(status_of(ledger, registry, now=ends + 40 * timedelta(minutes=1))) == []


LATE = NOW + HOUR + timedelta(minutes=1)


@pytest.fixture
def waits(ledger, scheduled, edition):
    """Something could have been sent since NOW, and the schedule looks who is due."""
    plan(ledger, edition, 1)
    ledger.last_runs.reach(Job.PLANNED, LATE)


def test_where_nothing_is_tried_though_something_waits_it_is_a_warning(ledger, registry, waits):
    assert kinds(status_of(ledger, registry, now=NOW + HOUR)) == []
    [warning] = status_of(ledger, registry, now=LATE).warnings
    assert warning.kind is WarningKind.STUCK
    assert warning.text.startswith("1 wait, and since 2026-02-20 08:00 UTC none was tried")


@pytest.mark.parametrize(
    "settings",
    [
        {"send_window": "20:00-22:00"},
        {"send_window": "08:30-22:00"},  # it may not have come to it
        {"warm_up_since": TODAY.isoformat(), "warm_up_first": "1"},
    ],
)
def test_what_is_to_wait_is_no_warning(ledger, registry, waits, settings):
    with ledger.engine.begin() as connection:
        connection.execute(insert(provider_queues).values(provider=ALL, day=TODAY, sent=1))
    assert kinds(status_of(ledger, registry, now=LATE, **settings)) == []


def test_what_goes_slowly_is_no_warning(ledger, registry, waits, edition):
    other = plan(ledger, edition, 2)
    with ledger.live_workers.enter() as claims:
        claim(ledger, claims, other)
        record(claims, other, Outcome(OutcomeKind.ACCEPTED, "ok", 250), None, NOW + HOUR / 2)
    assert kinds(status_of(ledger, registry, now=LATE)) == []


def test_what_waits_for_the_next_run_is_no_warning(ledger, registry, edition):
    registry.add("ada@example.org", (), source="test", now=NOW)
    plan(ledger, edition, 1)
    run(ledger)
    assert kinds(status_of(ledger, registry, now=LATE)) == []


def test_an_edition_that_is_not_made_is_a_warning_once_it_has_waited(ledger, registry, scheduled):
    ledger.last_runs.reach(Job.PLANNED, NOW + 23 * HOUR)
    patient = {"wait_for_sources": "60"}
    due = NOW + DAY
    status = status_of(ledger, registry, now=due + HOUR, **patient)
    assert (status.schedule.edition_overdue_since, kinds(status)) == (due, [])
    later = due + HOUR + LONGEST_LATENESS + timedelta(minutes=1)
    [warning] = status_of(ledger, registry, now=later, **patient).warnings
    assert warning.kind is WarningKind.NO_EDITION
    assert warning.text == "the day's edition was due 2026-02-21 08:00 UTC, and is not made"


def test_runs_by_hand_have_no_schedule_that_could_sleep(ledger, registry, scheduled):
    run(ledger, at=NOW + HOUR)
    assert kinds(status_of(ledger, registry, now=NOW + 30 * HOUR)) == []


def test_without_readers_nobody_is_missed(ledger, registry, edition):
    ledger.last_runs.reach(Job.PLANNED, NOW)
    assert kinds(status_of(ledger, registry, now=NOW + 9 * DAY)) == []


def test_an_inbox_that_is_read_no_more_is_a_warning(ledger, registry, tmp_path):
    inbox = {"inbox": str(tmp_path)}
    assert kinds(status_of(ledger, registry, now=NOW, **inbox)) == []  # never yet
    for number in range(PATIENT_EDITIONS):
        ledger.editions.freeze(TODAY - number * DAY, TODAY, NOW)
    [warning] = status_of(ledger, registry, now=NOW, **inbox).warnings
    assert (warning.kind, warning.text) == (WarningKind.INBOX, "the inbox was never read")
    ledger.last_runs.reach(Job.INBOX, NOW)
    assert kinds(status_of(ledger, registry, now=NOW + HOUR, **inbox)) == []
    [warning] = status_of(ledger, registry, now=NOW + 2 * HOUR, **inbox).warnings
    assert (warning.kind, warning.text) == (
        WarningKind.INBOX,
        "the inbox was read last 2026-02-20 08:00 UTC",
    )
    assert kinds(status_of(ledger, registry, now=NOW + 2 * HOUR)) == []  # none is set any more
    assert kinds(status_of(ledger, registry, now=NOW + 2 * HOUR, inbox_every="7200", **inbox)) == []


def test_a_ledger_that_is_held_is_a_warning(ledger, registry):
    held = Held("this database has moved", was_used=True)
    [warning] = status_of(ledger, registry, held=held).warnings
    assert (warning.kind, warning.text) == (WarningKind.HELD, "this database has moved")


def test_beside_a_schedule_elsewhere_nothing_is_held(ledger, registry, scheduled):
    held = Held("this database has not been used here yet", was_used=False)
    assert kinds(status_of(ledger, registry, held=held)) == []
    asleep = status_of(ledger, registry, now=NOW + HOUR, held=held)
    assert kinds(asleep) == [WarningKind.HELD, WarningKind.ASLEEP]


def test_when_the_next_are_to_come(ledger, registry, edition):
    schedule = status_of(ledger, registry).schedule
    assert (schedule.next_edition, schedule.next_collection) == (NOW + DAY, None)
    ledger.history.record_collection(Collection(TODAY, NOW - HOUR, "arxiv"))
    schedule = status_of(ledger, registry, collect_every_hours="3", run_at="10:30").schedule
    assert schedule.next_collection == NOW + 2 * HOUR
    assert schedule.next_edition == NOW + timedelta(hours=2, minutes=30)


def test_who_is_due_soon_is_counted_by_their_own_clocks(registry):
    assert gather_readers(registry, NOW) == Readers(0, None)
    for name, wishes in {
        "ada": {"at": "09:00", "timezone": "Europe/Oslo"},  # that is now: the next is tomorrow
        "bob": {"at": "08:30"},
        "cy": {"cadence": "mon"},
        "dee": {"at": "08:30", "paused_until": "2026-03-01"},  # it will be in the books
        "eve": {"timezone": "no such zone"},
    }.items():
        person = registry.add(f"{name}@example.org", (), source="test", now=NOW)
        registry.set_preferences(person.public_id, (), Preferences.from_stored(wishes))
    registry.ask("fay@example.org", (), source="test", now=NOW)
    assert gather_readers(registry, NOW) == Readers(4, NOW + timedelta(minutes=30))


def test_what_went_out_today_is_counted_in_a_warm_up(ledger, registry, edition):
    plan(ledger, edition, 1)
    warm_up = {"warm_up_since": "2026-02-20", "warm_up_first": "200"}
    with ledger.live_workers.enter() as claims:
        begin(claims, Limits(most=(TODAY, 200)), NOW)
    rates = status_of(ledger, registry, **warm_up).rates
    assert (rates.most_today, rates.sent_today) == (200, 1)
    assert status_of(ledger, registry, now=NOW + DAY, **warm_up).rates.sent_today == 0
    assert status_of(ledger, registry).rates.most_today is None


# ---- how it is told --------------------------------------------------------------------------


def test_the_record_has_plain_values_only(ledger, registry, edition):
    bring_to(ledger, edition, *DeliveryState)
    ledger.provider_queues.pause("example.net", "it refuses our mail", NOW)
    ledger.provider_queues.set_interval("example.com", 2.5)
    ledger.history.record_collection(Collection(TODAY, NOW, "arxiv", failure="503"))
    run(ledger, trouble=("arxiv: 503",))
    ledger.last_runs.reach(Job.TIDIED, NOW)
    limits = {"rate": "60", "send_window": "06:00-22:00", "warm_up_since": "2026-02-20"}
    status = status_of(ledger, registry, ["arxiv"], NOW + HOUR, Held("moved", True), **limits)
    record = to_json(status)

    def leaves(value):
        if isinstance(value, dict):
            assert all(type(name) is str for name in value)
            value = list(value.values())
        if isinstance(value, list):
            for each in value:
                yield from leaves(each)
        else:
            yield value

    assert {type(leave) for leave in leaves(record)} <= {str, int, float, bool, type(None)}
    assert record["queue"]["oldest_since"] == NOW.isoformat()
    assert record["rates"]["sending_hours"] == ["06:00", "22:00"]
    assert record["intervals"] == {"example.com": 2.5}
    assert record["last_run"]["trouble"] == ["arxiv: 503"]
    assert record["editions"][0]["balance"]["due"] == len(DeliveryState)


def test_the_words_of_each_line(ledger, registry, edition):
    with ledger.engine.begin() as connection:
        connection.execute(update(editions).values(frozen_at=NOW - HOUR))
    bring_to(ledger, edition, S.DEFERRED, S.PENDING)
    for number in range(5):
        ledger.provider_queues.set_interval(f"{number}.example", number + 1)
    ledger.history.record_collection(Collection(TODAY, NOW, "arxiv", sightings=3))
    run(ledger, trouble=("a",))
    status = status_of(ledger, registry, ["arxiv", "huggingface"])
    lines = dict(status_lines(status, Readers(0, None), NOW.tzinfo))
    assert lines["Queue"] == (
        "1 waiting, 1 put off until 2026-02-20 08:10, 0 being sent, 0 uncertain; the oldest for 1 h"
    )
    assert lines["Slowed"] == (
        "4.example: one email every 5.0 s; 3.example: one email every 4.0 s; "
        "2.example: one email every 3.0 s; and 2 more"
    )
    assert lines["Came back"] == "in 7 days 0 hard, 0 soft, 0 blocked, 0 complaint"
    assert lines["Source arxiv"] == "2026-02-20 08:00, 3 papers seen"
    assert lines["Source huggingface"] == "not collected yet"
    assert lines["Next"] == "edition 2026-02-21 08:00, collection 11:00"
    assert lines["Jobs"] == "no job has run yet"
    assert lines["Due"] == "0 within a day"
    assert "Rate" not in lines
    assert "Incomplete" not in lines
    assert lines["Last run"] == ("2026-02-20 08:00, 0 tried, sending took 5 min, with trouble")
    assert lines["Subscribers"] == "0 pending, 0 confirmed, 0 withdrawn"


def test_the_words_of_what_is_set_and_done(ledger, registry):
    absorb(ledger, make_sighting(1))
    ledger.editions.freeze(TODAY, TODAY, NOW, missing=["arxiv"])
    for name in Job:
        ledger.last_runs.reach(name, NOW - HOUR if name is Job.TIDIED else NOW - DAY)
    limits = {"rate": "600", "rate_per_domain": "0.5", "send_window": "06:00-22:00"}
    warm_up = {"warm_up_since": "2026-02-20"}
    status = status_of(ledger, registry, now=NOW + DAY, **limits, **warm_up)
    lines = dict(status_lines(status, Readers(7, NOW + DAY + HOUR), NOW.tzinfo))
    assert lines["Incomplete"] == "the edition of 2026-02-20 has no papers of arxiv"
    assert lines["Next"] == ("edition 2026-02-22 08:00 (late since 08:00), collection due")
    assert lines["Jobs"] == (
        "planned 2026-02-19 08:00, inbox 2026-02-19 08:00, tidied 2026-02-20 07:00"
    )
    assert lines["Due"] == "7 within a day, the next 09:00"
    assert lines["Rate"] == (
        "600 a minute in all, 0.5 a minute to a provider, from 06:00 to 22:00, 0 of 300 today"
    )


def test_the_state_of_things_is_asked_in_a_fixed_number_of_questions(ledger, registry, edition):
    asked = []
    event.listen(ledger.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    status_of(ledger, registry)
    at_first = len(asked)
    for n in range(1, 5):
        ledger.editions.freeze(TODAY + n * DAY, TODAY, NOW)
    bring_to(ledger, edition, *DeliveryState)
    asked.clear()
    status_of(ledger, registry)
    assert len(asked) == at_first
