"""Claims: every move there is and is not, who may claim what and when, and what the dead leave."""

import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from heapq import heappop, heappush
from threading import Barrier
from time import sleep

import pytest
from sqlalchemy import event, select, update

from digest.ledger.claims import Claims, Mark, Record, Release
from digest.ledger.delivery_rows import REACHED_FROM
from digest.ledger.ledger import Ledger
from digest.ledger.provider_queues import ALL, Limits, Wait
from digest.ledger.tables import attempts, deliveries
from digest.model.deliveries import Delivery, DeliveryState
from digest.model.digests import Edition
from digest.model.messages import Outcome, OutcomeKind
from subscribers.model import Subscriber, SuppressionReason
from subscribers.store.registry import Registry
from tests.integration.ledger.test_papers import absorb
from tests.integration.plans import (
    FREE,
    LATER,
    begin,
    bring,
    claim,
    commit,
    lease,
    mark,
    plan,
    record,
    row,
    skip,
    state,
    suppress,
)
from tests.support import NOW, TODAY, make_sighting

pytestmark = pytest.mark.both_databases

S = DeliveryState


@pytest.fixture
def edition(ledger: Ledger) -> Edition:
    absorb(ledger, *(make_sighting(n) for n in range(1, 4)))
    return ledger.editions.freeze(TODAY, TODAY, NOW)


@pytest.fixture
def claims(ledger: Ledger) -> Iterator[Claims]:
    with ledger.live_workers.enter() as claims:
        yield claims


def recording(kind: OutcomeKind) -> Callable[[Ledger, Claims, Delivery], object]:
    again = LATER if kind is OutcomeKind.DEFERRED else None
    return lambda _, of, delivery: record(of, delivery, Outcome(kind, "said", 250), again)


DEFERRED, REFUSED = (
    Outcome(kind, "said", 450) for kind in (OutcomeKind.DEFERRED, OutcomeKind.REFUSED)
)

# Every way for a worker to move what it has, by where it leads.
MOVES: dict[DeliveryState, Callable[[Ledger, Claims, Delivery], object]] = {
    S.SENDING: mark,
    S.PENDING: lambda _, of, delivery: commit(of, releases=[Release(delivery, LATER, True)]),
    S.ACCEPTED: recording(OutcomeKind.ACCEPTED),
    S.DEFERRED: recording(OutcomeKind.DEFERRED),
    S.REFUSED: recording(OutcomeKind.REFUSED),
    S.UNCERTAIN: recording(OutcomeKind.UNCERTAIN),
    S.SUPPRESSED: suppress,
    S.SKIPPED: lambda _, of, delivery: skip(of, delivery),
}
LEASED = {S.PENDING, S.DEFERRED}
# Before its message was handed over, and after.
BY_A_WORKER = {
    *((before, to) for before in LEASED for to in MOVES if to not in {S.ACCEPTED, S.UNCERTAIN}),
    *((S.SENDING, to) for to in MOVES if to not in {S.SENDING, S.SUPPRESSED, S.SKIPPED}),
}
FOUND_WHEN_MARKED = {S.SENDING, S.SUPPRESSED, S.SKIPPED}
# It was taken for dead, and turns out to be the one who knows.
BY_A_WORKER_LATE = {
    (S.UNCERTAIN, to) for to in MOVES if to not in {S.UNCERTAIN, *FOUND_WHEN_MARKED}
}


# ---- the transitions -------------------------------------------------------------------------


def test_the_table_is_the_one_expected():
    table = {(before, to) for to, froms in REACHED_FROM.items() for before in froms}
    assert table == BY_A_WORKER | BY_A_WORKER_LATE


def brought_and_held(ledger: Ledger, claims: Claims, delivery: Delivery, to: DeliveryState) -> None:
    """Bring a delivery to a state in which the worker has it, if that is possible."""
    bring(ledger, claims, delivery, to)
    name = claims.name if to in {*LEASED, S.SENDING, S.UNCERTAIN} else None
    with ledger.engine.begin() as connection:
        its_row = update(deliveries).where(deliveries.c.id == delivery.id)
        connection.execute(its_row.values(claimed_by=name))


def test_every_move_of_a_worker_from_every_state(ledger, edition, claims):
    subscriber = 0
    for before in DeliveryState:
        for to, move in MOVES.items():
            subscriber += 1
            delivery = plan(ledger, edition, subscriber)
            brought_and_held(ledger, claims, delivery, before)
            if to in {S.SUPPRESSED, S.SKIPPED} and before in {S.SENDING, S.UNCERTAIN}:
                continue  # that is found when it is marked, and so before
            move(ledger, claims, delivery)
            expected = to if (before, to) in BY_A_WORKER | BY_A_WORKER_LATE else before
            assert state(ledger, delivery) is expected, (before, to)


@pytest.mark.parametrize("held", [S.PENDING, S.DEFERRED, S.SENDING, S.UNCERTAIN])
def test_what_another_has_is_not_touched(ledger, edition, claims, held):
    delivery = plan(ledger, edition)
    brought_and_held(ledger, claims, delivery, held)
    with ledger.live_workers.enter() as other:
        for move in MOVES.values():
            if move is not suppress:
                move(ledger, other, delivery)
    assert state(ledger, delivery) is held


def test_what_nobody_has_leased_is_not_touched(ledger, edition, claims):
    delivery = plan(ledger, edition)
    for move in MOVES.values():
        if move is not suppress:
            move(ledger, claims, delivery)
    assert state(ledger, delivery) is S.PENDING


def test_what_was_decided_is_never_leased(ledger, edition, claims):
    for subscriber, before in enumerate(DeliveryState, 1):
        bring(ledger, claims, plan(ledger, edition, subscriber), before)
    states = dict(enumerate(DeliveryState, 1))
    leased = [states[delivery.subscriber_id] for delivery in lease(claims, now=LATER, most=99)]
    assert leased == [S.PENDING, S.DEFERRED]


def all_there_is(claims: Claims, now=NOW, limits: Limits = FREE) -> Iterator[Delivery]:
    while isinstance(found := begin(claims, limits, now), Delivery):
        yield found


def test_an_outcome_that_is_recorded_twice_is_one_attempt(ledger, edition, claims):
    """The database took it, but the answer was lost: the sender says it again."""
    delivery = plan(ledger, edition)
    claim(ledger, claims, delivery)
    for _ in range(2):
        MOVES[S.ACCEPTED](ledger, claims, delivery)
    assert row(ledger, delivery).attempts == 1
    with ledger.engine.connect() as connection:
        assert len(connection.execute(select(attempts)).all()) == 1


def test_what_is_marked_twice_is_sent_once(ledger, registry, edition, claims):
    """A worker that was taken for dead may lease it anew, and so have it twice.

    Or the answer to the mark was lost: then it is given back at the end of the pass.
    """
    person, delivery = reader_of(ledger, claims, edition, registry)
    twice = [Mark(delivery, person.address)] * 2
    assert commit(claims, marks=twice).marks == [True, False]
    assert commit(claims, marks=twice).marks == [False, False]
    commit(claims, releases=[Release(delivery)])
    assert state(ledger, delivery) is S.SENDING


@pytest.mark.parametrize("change", ["left", "blocked", "moved", "paused"])
@pytest.mark.parametrize("held", [S.SENDING, S.UNCERTAIN])
def test_another_lease_of_what_is_on_its_way_changes_nothing(
    ledger, registry, edition, claims, change, held
):
    person, delivery = reader_of(ledger, claims, edition, registry)
    assert commit(claims, marks=[Mark(delivery, person.address)]).marks == [True]
    if held is S.UNCERTAIN:
        record(claims, delivery, Outcome(OutcomeKind.UNCERTAIN, "no answer"))
    happen(change, ledger, registry, person)
    assert commit(claims, marks=[Mark(delivery, person.address)]).marks == [False]
    assert state(ledger, delivery) is held


# What an attempt may come to that was not marked: the server says no before the final dot.
UNMARKED: dict[str, Callable[[Claims, Delivery], object]] = {
    "the relay takes nothing": lambda of, its: commit(of, releases=[Release(its, LATER)]),
    "later": lambda of, its: commit(of, records=[Record(its, DEFERRED, LATER, is_marked=False)]),
    "no": lambda of, its: commit(of, records=[Record(its, REFUSED, is_marked=False)]),
    "it cannot be made": skip,
}


@pytest.mark.parametrize("came_to", UNMARKED)
@pytest.mark.parametrize("held", [S.SENDING, S.UNCERTAIN])
def test_what_another_lease_came_to_ends_no_mark(ledger, edition, claims, came_to, held):
    """A frozen worker, that was taken for dead, sends what it leased anew, and what it had before."""
    delivery = plan(ledger, edition)
    brought_and_held(ledger, claims, delivery, held)
    UNMARKED[came_to](claims, delivery)
    assert state(ledger, delivery) is held
    MOVES[S.ACCEPTED](ledger, claims, delivery)
    assert state(ledger, delivery) is S.ACCEPTED


# ---- the last look ---------------------------------------------------------------------------


def reader_of(ledger: Ledger, claims: Claims, edition: Edition, registry: Registry):
    """Lease a delivery to somebody who may get it."""
    person = registry.add("ada@example.org", (), source="test", now=NOW)
    delivery = plan(ledger, edition, person.id, provider="example.org")
    assert lease(claims) == [delivery]
    return person, delivery


def happen(change: str, ledger: Ledger, registry: Registry, person: Subscriber) -> None:
    match change:
        case "left":
            registry.withdraw(person.public_id, source="test", now=NOW)
        case "removed":
            registry.remove(person.address)
        case "blocked":
            registry.suppressions.add(person.address, SuppressionReason.COMPLAINT, now=NOW)
        case "moved":
            asked = registry.address_changes.ask(person, "eve@example.org", NOW)
            registry.address_changes.complete(asked.public_id, source="test", now=NOW)
        case "paused":
            ledger.provider_queues.pause("example.org", "no", NOW)
        case "dropped":
            ledger.deliveries.drop_waiting(NOW)


@pytest.mark.parametrize("change", ["left", "removed", "blocked", "moved", "paused", "dropped"])
def test_whatever_happens_before_the_mark_is_known(ledger, registry, edition, claims, change):
    person, delivery = reader_of(ledger, claims, edition, registry)
    happen(change, ledger, registry, person)
    becomes = {"blocked": S.SUPPRESSED, "moved": S.PENDING, "paused": S.PENDING}
    expected = becomes.get(change, S.SKIPPED)
    assert commit(claims, marks=[Mark(delivery, person.address)]).marks == [False]
    assert state(ledger, delivery) is expected
    assert row(ledger, delivery).claimed_by is None or change == "dropped"


@pytest.mark.parametrize("change", ["moved", "paused"])
@pytest.mark.parametrize("before", [S.PENDING, S.DEFERRED])
def test_what_is_not_marked_waits_as_before(ledger, registry, edition, claims, change, before):
    person, delivery = reader_of(ledger, claims, edition, registry)
    if before is S.DEFERRED:
        record(claims, delivery, DEFERRED, NOW)
        assert [leased.id for leased in lease(claims)] == [delivery.id]
    waited = row(ledger, delivery)
    happen(change, ledger, registry, person)
    assert commit(claims, now=LATER, marks=[Mark(delivery, person.address)]).marks == [False]
    waits = row(ledger, delivery)
    assert (waits.state, waits.changed_at) == (before, waited.changed_at)


def test_of_a_group_only_those_marks_stand_that_may(ledger, registry, edition, claims):
    people = [registry.add(f"{name}@example.org", (), source="test", now=NOW) for name in "abcde"]
    for person in people:
        plan(ledger, edition, person.id)
    leased = lease(claims, most=9)
    registry.withdraw(people[1].public_id, source="test", now=NOW)
    registry.remove(people[3].address)
    marks = [
        Mark(delivery, person.address) for delivery, person in zip(leased, people, strict=True)
    ]
    random.shuffle(marks)
    stand = commit(claims, marks=marks).marks
    may = {people[0].id, people[2].id, people[4].id}
    assert stand == [mark.delivery.subscriber_id in may for mark in marks]


def test_a_lease_asks_as_often_for_many_providers_as_for_one(ledger, edition, claims):
    asked: list[str] = []
    event.listen(ledger.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    costs = []
    for providers in (1, 9):
        for place in range(18):
            plan(ledger, edition, 100 * providers + place, provider=f"{place % providers}.test")
        asked.clear()
        assert len(lease(claims, most=18)) == 18
        costs.append(len(asked))
    assert costs[0] == costs[1]


# ---- whose turn it is ------------------------------------------------------------------------


def test_of_many_who_claim_at_once_each_gets_another(ledger, edition):
    everybody, mails = 8, 20
    planned = [plan(ledger, edition, subscriber) for subscriber in range(1, mails + 1)]
    barrier = Barrier(everybody)

    def claim_all() -> list[Delivery]:
        with ledger.live_workers.enter() as claims:
            barrier.wait(10)
            return list(all_there_is(claims))

    with ThreadPoolExecutor(everybody) as threads:
        working = [threads.submit(claim_all) for _ in range(everybody)]
        claimed = [each for one in working for each in one.result()]
    assert sorted(each.id for each in claimed) == [each.id for each in planned]


def test_a_deferred_delivery_waits_for_its_time(ledger, edition, claims):
    delivery = plan(ledger, edition)
    bring(ledger, claims, delivery, S.DEFERRED)
    assert begin(claims, FREE, LATER - timedelta(microseconds=1)) is None
    found = begin(claims, FREE, LATER)
    assert isinstance(found, Delivery)
    assert (found.id, found.attempts) == (delivery.id, 1)


def test_a_lease_of_a_retry_that_is_given_back_changes_nothing(ledger, edition, claims):
    delivery = plan(ledger, edition)
    bring(ledger, claims, delivery, S.DEFERRED)
    [leased] = lease(claims, now=LATER)
    commit(claims, LATER, releases=[Release(leased)])
    assert state(ledger, delivery) is S.DEFERRED
    [again] = all_there_is(claims, LATER)
    assert (again.id, again.attempts) == (delivery.id, 1)


def test_the_oldest_edition_goes_first_and_what_was_put_off_last(ledger, edition, claims):
    put_off = plan(ledger, edition, 1)
    bring(ledger, claims, put_off, S.DEFERRED)
    absorb(ledger, make_sighting(9, listed_on=TODAY + timedelta(days=1)))
    younger = ledger.editions.freeze(TODAY + timedelta(days=1), TODAY, LATER)
    for where, subscriber in ((edition, 2), (younger, 1), (edition, 3), (younger, 2)):
        plan(ledger, where, subscriber)
    found = [(each.edition_id, each.subscriber_id) for each in all_there_is(claims, LATER)]
    old, new = edition.id, younger.id
    assert found == [(old, 2), (old, 3), (new, 1), (new, 2), (old, 1)]


# ---- lanes -----------------------------------------------------------------------------------


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def test_a_rate_holds_over_all_senders(ledger, edition, claims):
    for subscriber in range(1, 5):
        plan(ledger, edition, subscriber, provider="example.org")
    limits = Limits(interval=10)
    with ledger.live_workers.enter() as other:
        assert isinstance(begin(claims, limits, NOW), Delivery)
        assert begin(other, limits, NOW) == NOW + seconds(10)
        assert begin(other, limits, NOW + seconds(9.9)) == NOW + seconds(10)
        assert isinstance(begin(other, limits, NOW + seconds(10)), Delivery)
        assert begin(claims, limits, NOW + seconds(10)) == NOW + seconds(20)


def test_a_providers_rate_holds_nobody_else_up(ledger, edition, claims):
    for subscriber, provider in enumerate(["gmail.com"] * 3 + ["gmx.net"] * 2, 1):
        plan(ledger, edition, subscriber, provider=provider)
    limits = Limits(provider_interval=10)
    first = [each.subscriber_id for each in all_there_is(claims, NOW, limits)]
    assert first == [1, 4]
    assert begin(claims, limits, NOW) == NOW + seconds(10)
    then = [each.subscriber_id for each in all_there_is(claims, NOW + seconds(10), limits)]
    assert then == [2, 5]
    last = [each.subscriber_id for each in all_there_is(claims, NOW + seconds(20), limits)]
    assert last == [3]
    assert begin(claims, limits, NOW + seconds(20)) is None  # nothing waits for any turn


def test_senders_at_once_keep_the_rate(ledger, edition):
    for subscriber in range(1, 31):
        plan(ledger, edition, subscriber, provider="gmail.com")
    barrier = Barrier(6)

    def claim_one() -> Delivery | datetime | None:
        with ledger.live_workers.enter() as claims:
            barrier.wait(10)
            return begin(claims, Limits(interval=1, provider_interval=5), NOW)

    with ThreadPoolExecutor(6) as threads:
        found = [each.result() for each in [threads.submit(claim_one) for _ in range(6)]]
    assert sum(isinstance(each, Delivery) for each in found) == 1


@pytest.mark.parametrize("rate", [600, 6000])
def test_a_rate_is_kept_within_five_per_cent_over_all_workers(ledger, rate):
    """Two workers with three connections each, which come a little late, and take their time."""
    chance, taken, messages = random.Random(rate), 0, 60
    with ExitStack() as stack:
        workers = [stack.enter_context(ledger.live_workers.enter()) for _ in range(2)]
        asking = [(NOW, number) for number in range(6)]  # when, and the connection
        while taken < messages:
            now, number = heappop(asking)
            match commit(workers[number % 2], now, Limits(interval=60 / rate), turns=["x"]).turns:
                case [Wait(_, until)]:
                    heappush(asking, (until + seconds(chance.uniform(0, 0.03)), number))
                case _:
                    taken += 1
                    heappush(asking, (now + seconds(chance.uniform(0.01, 0.06)), number))
    per_minute = 60 * (taken - 1) / (now - NOW).total_seconds()
    assert 0.95 * rate < per_minute <= 1.05 * rate


def test_a_wider_gap_than_is_set_is_kept(ledger, edition, claims):
    for subscriber in range(1, 4):
        plan(ledger, edition, subscriber, provider="gmail.com")
    ledger.provider_queues.set_interval("gmail.com", 60, not_before=NOW + seconds(5))
    assert begin(claims, FREE, NOW) == NOW + seconds(5)
    assert isinstance(begin(claims, FREE, NOW + seconds(5)), Delivery)
    # Nothing is leased long before its turn.
    assert begin(claims, FREE, NOW + seconds(6)) == NOW + seconds(35)
    assert begin(claims, FREE, NOW + seconds(35)) == NOW + seconds(65)
    ledger.provider_queues.set_interval("gmail.com", 0)
    found = list(all_there_is(claims, NOW + seconds(65)))
    assert len(found) == 2


def test_nothing_goes_where_there_is_a_pause(ledger, edition, claims):
    for subscriber, provider in enumerate(["gmail.com", "gmx.net"], 1):
        plan(ledger, edition, subscriber, provider=provider)
    assert ledger.provider_queues.pause("gmail.com", "550 5.7.1 no", NOW)
    assert not ledger.provider_queues.pause("gmail.com", "something else", LATER)
    assert [each.subscriber_id for each in all_there_is(claims)] == [2]
    [pause] = ledger.provider_queues.paused()
    assert (pause.provider, pause.since, pause.why) == ("gmail.com", NOW, "550 5.7.1 no")
    assert ledger.provider_queues.resume("gmx.net", NOW) == []
    assert ledger.provider_queues.resume("gmail.com", LATER) == ["gmail.com"]
    assert ledger.provider_queues.resumed_at("gmail.com") == LATER
    assert [each.subscriber_id for each in all_there_is(claims)] == [1]


def test_nobody_waits_for_a_provider_that_is_paused(ledger, edition, claims):
    """Neither for its interval, nor for what was released until later."""
    plan(ledger, edition, 1, provider="gmail.com")
    released = plan(ledger, edition, 2, provider="gmx.net")
    ledger.provider_queues.set_interval("gmail.com", 60, not_before=NOW + seconds(5))
    assert begin(claims, FREE, NOW) == released
    commit(claims, releases=[Release(released, NOW + seconds(9))])
    for provider, moment in (("gmail.com", 5), ("gmx.net", 9)):
        assert begin(claims, FREE, NOW) == NOW + seconds(moment)
        ledger.provider_queues.pause(provider, "550 5.7.1 no", NOW)
    assert begin(claims, FREE, NOW) is None


def test_a_pause_of_everything_holds_everything(ledger, edition, claims):
    plan(ledger, edition, provider="gmail.com")
    ledger.provider_queues.pause(ALL, "too many bounces", NOW)
    assert begin(claims, FREE, NOW) is None
    assert ledger.provider_queues.resume(None, NOW) == [ALL]
    assert isinstance(begin(claims, FREE, NOW), Delivery)


def test_a_day_has_its_most_and_the_next_its_own(ledger, edition, claims):
    for subscriber in range(1, 6):
        plan(ledger, edition, subscriber)
    assert len(list(all_there_is(claims, NOW, Limits(most=(TODAY, 2))))) == 2
    assert begin(claims, Limits(most=(TODAY, 2)), NOW) is None
    tomorrow = TODAY + timedelta(days=1)
    assert len(list(all_there_is(claims, NOW, Limits(most=(tomorrow, 2))))) == 2
    assert len(list(all_there_is(claims))) == 1


# ---- what the dead leave ---------------------------------------------------------------------


def test_what_a_living_worker_has_is_left_to_it(ledger, edition, claims):
    marked, leased = plan(ledger, edition, 1), plan(ledger, edition, 2)
    claim(ledger, claims, marked)
    assert lease(claims) == [leased]
    assert ledger.live_workers.resolve_orphaned(LATER) == 0
    with ledger.live_workers.enter() as other:
        assert lease(other) == []
    MOVES[S.ACCEPTED](ledger, claims, marked)
    assert state(ledger, marked) is S.ACCEPTED


def test_a_worker_gives_back_what_it_forgot_and_nothing_of_others(ledger, edition, claims):
    """What another has on the wire would be sent twice."""
    mine, theirs, leased = (plan(ledger, edition, subscriber) for subscriber in (1, 2, 3))
    claim(ledger, claims, mine)
    with ledger.live_workers.enter() as other:
        claim(ledger, other, theirs)
        assert lease(claims) == [leased]
        assert claims.release_forgotten(LATER) == 2
        assert [state(ledger, delivery) for delivery in (mine, theirs)] == [S.PENDING, S.SENDING]
        MOVES[S.ACCEPTED](ledger, other, theirs)
        assert other.release_forgotten(LATER) == 0
    assert [state(ledger, delivery) for delivery in (mine, theirs)] == [S.PENDING, S.ACCEPTED]
    assert lease(claims, most=9) == [mine, leased]


DYING = """
import sys, time
from datetime import datetime
from digest.ledger.database import open_database
from digest.ledger.ledger import Ledger
from tests.integration.plans import claim_next, lease
ledger, now = Ledger(open_database(sys.argv[1])), datetime.fromisoformat(sys.argv[2])
with ledger.live_workers.enter() as claims:
    print(claim_next(ledger, claims, now).id, lease(claims, now=now)[0].id, flush=True)
    time.sleep(60)
"""


@contextmanager
def another_sender(ledger: Ledger) -> Iterator[subprocess.Popen[str]]:
    """A process that has claimed a delivery and gets no further."""
    url = ledger.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", DYING, url, NOW.isoformat()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_of_what_a_killed_worker_had_only_what_was_marked_is_uncertain(ledger, edition, claims):
    its, leased = plan(ledger, edition, 1), plan(ledger, edition, 2)
    with another_sender(ledger) as process:
        assert process.stdout
        assert process.stdout.readline().split() == [str(its.id), str(leased.id)]
        mine, waits = plan(ledger, edition, 3), plan(ledger, edition, 4)
        claim(ledger, claims, mine)
        assert ledger.live_workers.resolve_orphaned(LATER) == 0
        process.kill()
        process.wait(10)
        assert eventually(lambda: ledger.live_workers.resolve_orphaned(LATER) == 1)
    assert ledger.live_workers.resolve_orphaned(LATER) == 0
    states = [state(ledger, delivery) for delivery in (its, mine, waits)]
    assert states == [S.UNCERTAIN, S.SENDING, S.PENDING]
    assert lease(claims, most=9) == [leased, waits]


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether something becomes so: PostgreSQL needs a moment to see that its client has died."""
    return any(holds() or sleep(0.05) for _ in range(200))  # type: ignore[func-returns-value]


def test_a_sender_that_was_taken_for_dead_knows_better(ledger, edition, claims):
    delivery = plan(ledger, edition)
    bring(ledger, claims, delivery, S.SENDING)
    with ledger.engine.begin() as connection:  # as the others do where its lock is lost
        connection.execute(update(deliveries).values(state=S.UNCERTAIN))
    MOVES[S.ACCEPTED](ledger, claims, delivery)
    assert state(ledger, delivery) is S.ACCEPTED


def test_unless_the_operator_has_decided_meanwhile(ledger, edition, claims):
    delivery = plan(ledger, edition)
    bring(ledger, claims, delivery, S.UNCERTAIN)
    ledger.uncertain.resend(None, NOW)
    MOVES[S.ACCEPTED](ledger, claims, delivery)
    assert state(ledger, delivery) is S.PENDING


def test_claims_from_before_senders_had_names_are_leftovers(ledger, edition, claims):
    delivery = plan(ledger, edition)
    bring(ledger, claims, delivery, S.SENDING)
    with ledger.engine.begin() as connection:
        connection.execute(update(deliveries).values(claimed_by=None))
    assert ledger.live_workers.resolve_orphaned(LATER) == 1
    assert state(ledger, delivery) is S.UNCERTAIN


def test_a_sender_leaves_no_lock_behind(ledger, edition, tmp_path):
    with ledger.live_workers.enter():
        pass
    assert not list(tmp_path.rglob("*sender*"))
