"""Claims: every move there is and is not, who may claim what and when, and what the dead leave."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Barrier
from time import sleep

import pytest
from sqlalchemy import select, update

from digest.ledger.claims import Claims, Limits, NotBefore
from digest.ledger.deliveries import REACHED_FROM
from digest.ledger.ledger import Ledger
from digest.ledger.provider_queues import ALL
from digest.ledger.tables import attempts, deliveries
from digest.model.deliveries import Delivery, DeliveryState
from digest.model.digests import Edition, SkipReason
from digest.model.messages import Outcome, OutcomeKind
from tests.integration.ledger.test_papers import absorb
from tests.integration.plans import bring, plan, row, state
from tests.support import NOW, TODAY, make_sighting

pytestmark = pytest.mark.both_databases

S = DeliveryState
LATER = NOW + timedelta(minutes=10)
FREE = Limits()


@pytest.fixture
def edition(ledger: Ledger) -> Edition:
    absorb(ledger, *(make_sighting(n) for n in range(1, 4)))
    return ledger.editions.freeze(TODAY, TODAY, NOW)


@pytest.fixture
def claims(ledger: Ledger) -> Iterator[Claims]:
    with ledger.live_workers.enter() as claims:
        yield claims


def record(kind: OutcomeKind) -> Callable[[Claims, Delivery], None]:
    again = LATER if kind is OutcomeKind.DEFERRED else None
    return lambda of, delivery: of.record(delivery, Outcome(kind, "said", 250), again, NOW)


# Every way for a sender to move what it has claimed, by where it leads.
MOVES: dict[DeliveryState, Callable[[Claims, Delivery], object]] = {
    S.PENDING: lambda of, delivery: of.release(delivery, NOW),
    S.ACCEPTED: record(OutcomeKind.ACCEPTED),
    S.DEFERRED: record(OutcomeKind.DEFERRED),
    S.REFUSED: record(OutcomeKind.REFUSED),
    S.UNCERTAIN: record(OutcomeKind.UNCERTAIN),
    S.SUPPRESSED: lambda of, delivery: of.suppress(delivery, NOW),
    S.SKIPPED: lambda of, delivery: of.skip(delivery, SkipReason.WITHDRAWN, NOW),
}
BY_A_SENDER = {
    (S.PENDING, S.SENDING),
    (S.DEFERRED, S.SENDING),
    *((S.SENDING, each) for each in MOVES),
}
# It was taken for dead, and turns out to be the one who knows.
BY_A_SENDER_LATE = {(S.UNCERTAIN, each) for each in MOVES if each is not S.UNCERTAIN}
BY_A_RUN = {(S.PENDING, S.SKIPPED), (S.DEFERRED, S.SKIPPED)}


# ---- the transitions -------------------------------------------------------------------------


def test_the_table_is_the_one_expected():
    table = {(before, to) for to, froms in REACHED_FROM.items() for before in froms}
    assert table == BY_A_SENDER | BY_A_SENDER_LATE | BY_A_RUN


def test_every_move_of_a_sender_from_every_state(ledger, edition, claims):
    subscriber = 0
    for before in DeliveryState:
        for to, move in MOVES.items():
            subscriber += 1
            delivery = plan(ledger, edition, subscriber)
            bring(ledger, claims, delivery, before)
            move(claims, delivery)
            expected = to if (before, to) in BY_A_SENDER | BY_A_SENDER_LATE else before
            assert state(ledger, delivery) is expected, (before, to)


def test_what_another_has_claimed_is_not_touched(ledger, edition, claims):
    delivery = plan(ledger, edition)
    bring(ledger, claims, delivery, S.SENDING)
    with ledger.live_workers.enter() as other:
        for move in MOVES.values():
            move(other, delivery)
    assert state(ledger, delivery) is S.SENDING


def test_what_was_decided_is_never_claimed(ledger, edition, claims):
    for subscriber, before in enumerate(DeliveryState, 1):
        bring(ledger, claims, plan(ledger, edition, subscriber), before)
    states = dict(enumerate(DeliveryState, 1))
    claimed = list(all_there_is(claims, LATER))
    assert [states[each.subscriber_id] for each in claimed] == [S.PENDING, S.DEFERRED]


def all_there_is(claims: Claims, now=NOW, limits: Limits = FREE) -> Iterator[Delivery]:
    while isinstance(found := claims.next(limits, now), Delivery):
        yield found


def test_an_outcome_that_is_recorded_twice_is_one_attempt(ledger, edition, claims):
    """The database took it, but the answer was lost: the sender says it again."""
    delivery = plan(ledger, edition)
    assert claims.next(FREE, NOW) == delivery
    for _ in range(2):
        MOVES[S.ACCEPTED](claims, delivery)
    assert row(ledger, delivery).attempts == 1
    with ledger.engine.connect() as connection:
        assert len(connection.execute(select(attempts)).all()) == 1


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
    assert claims.next(FREE, LATER - timedelta(microseconds=1)) is None
    found = claims.next(FREE, LATER)
    assert isinstance(found, Delivery)
    assert (found.id, found.attempts) == (delivery.id, 1)


def test_a_released_retry_is_no_longer_deferred_but_still_there(ledger, edition, claims):
    delivery = plan(ledger, edition)
    bring(ledger, claims, delivery, S.DEFERRED)
    claims.next(FREE, LATER)
    claims.release(delivery, LATER)
    assert state(ledger, delivery) is S.PENDING
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
        assert isinstance(claims.next(limits, NOW), Delivery)
        assert other.next(limits, NOW) == NotBefore(NOW + seconds(10))
        assert other.next(limits, NOW + seconds(9.9)) == NotBefore(NOW + seconds(10))
        assert isinstance(other.next(limits, NOW + seconds(10)), Delivery)
        assert claims.next(limits, NOW + seconds(10)) == NotBefore(NOW + seconds(20))


def test_a_providers_rate_holds_nobody_else_up(ledger, edition, claims):
    for subscriber, provider in enumerate(["gmail.com"] * 3 + ["gmx.net"] * 2, 1):
        plan(ledger, edition, subscriber, provider=provider)
    limits = Limits(provider_interval=10)
    first = [each.subscriber_id for each in all_there_is(claims, NOW, limits)]
    assert first == [1, 4]
    assert claims.next(limits, NOW) == NotBefore(NOW + seconds(10))
    then = [each.subscriber_id for each in all_there_is(claims, NOW + seconds(10), limits)]
    assert then == [2, 5]
    last = [each.subscriber_id for each in all_there_is(claims, NOW + seconds(20), limits)]
    assert last == [3]
    assert claims.next(limits, NOW + seconds(20)) is None  # nothing waits for any turn


def test_senders_at_once_keep_the_rate(ledger, edition):
    for subscriber in range(1, 31):
        plan(ledger, edition, subscriber, provider="gmail.com")
    barrier = Barrier(6)

    def claim_one() -> Delivery | NotBefore | None:
        with ledger.live_workers.enter() as claims:
            barrier.wait(10)
            return claims.next(Limits(interval=1, provider_interval=5), NOW)

    with ThreadPoolExecutor(6) as threads:
        found = [each.result() for each in [threads.submit(claim_one) for _ in range(6)]]
    assert sum(isinstance(each, Delivery) for each in found) == 1


def test_a_wider_gap_than_is_set_is_kept(ledger, edition, claims):
    for subscriber in range(1, 4):
        plan(ledger, edition, subscriber, provider="gmail.com")
    ledger.provider_queues.set_interval("gmail.com", 60, not_before=NOW + seconds(5))
    assert claims.next(FREE, NOW) == NotBefore(NOW + seconds(5))
    assert isinstance(claims.next(FREE, NOW + seconds(5)), Delivery)
    assert claims.next(FREE, NOW + seconds(6)) == NotBefore(NOW + seconds(65))
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
    assert claims.next(FREE, NOW) == released
    claims.release(released, NOW, not_before=NOW + seconds(9))
    for provider, moment in (("gmail.com", 5), ("gmx.net", 9)):
        assert claims.next(FREE, NOW) == NotBefore(NOW + seconds(moment))
        ledger.provider_queues.pause(provider, "550 5.7.1 no", NOW)
    assert claims.next(FREE, NOW) is None


def test_a_pause_of_everything_holds_everything(ledger, edition, claims):
    plan(ledger, edition, provider="gmail.com")
    ledger.provider_queues.pause(ALL, "too many bounces", NOW)
    assert claims.next(FREE, NOW) is None
    assert ledger.provider_queues.resume(None, NOW) == [ALL]
    assert isinstance(claims.next(FREE, NOW), Delivery)


def test_a_day_has_its_most_and_the_next_its_own(ledger, edition, claims):
    for subscriber in range(1, 6):
        plan(ledger, edition, subscriber)
    assert len(list(all_there_is(claims, NOW, Limits(most=(TODAY, 2))))) == 2
    assert claims.next(Limits(most=(TODAY, 2)), NOW) is None
    tomorrow = TODAY + timedelta(days=1)
    assert len(list(all_there_is(claims, NOW, Limits(most=(tomorrow, 2))))) == 2
    assert len(list(all_there_is(claims))) == 1


# ---- what the dead leave ---------------------------------------------------------------------


def test_what_a_living_sender_has_is_left_to_it(ledger, edition, claims):
    delivery = plan(ledger, edition)
    claims.next(FREE, NOW)
    assert ledger.live_workers.resolve_orphaned(LATER) == 0
    MOVES[S.ACCEPTED](claims, delivery)
    assert state(ledger, delivery) is S.ACCEPTED


def test_a_sender_gives_back_its_own_forgotten_claims_and_nobody_elses(ledger, edition, claims):
    """What another has on the wire would be sent twice."""
    mine, theirs = plan(ledger, edition, 1), plan(ledger, edition, 2)
    assert claims.next(FREE, NOW) == mine
    with ledger.live_workers.enter() as other:
        assert other.next(FREE, NOW) == theirs
        assert claims.release_forgotten(LATER) == 1
        assert [state(ledger, delivery) for delivery in (mine, theirs)] == [S.PENDING, S.SENDING]
        MOVES[S.ACCEPTED](other, theirs)
        assert other.release_forgotten(LATER) == 0
    assert [state(ledger, delivery) for delivery in (mine, theirs)] == [S.PENDING, S.ACCEPTED]


DYING = """
import sys, time
from datetime import datetime
from digest.ledger.claims import Limits
from digest.ledger.database import open_database
from digest.ledger.live_workers import LiveWorkers
with LiveWorkers(open_database(sys.argv[1])).enter() as claims:
    print(claims.next(Limits(), datetime.fromisoformat(sys.argv[2])).id, flush=True)
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


def test_what_a_killed_sender_had_is_uncertain_and_the_rest_as_it_was(ledger, edition, claims):
    its = plan(ledger, edition, 1)
    with another_sender(ledger) as process:
        assert process.stdout
        assert int(process.stdout.readline()) == its.id
        mine, waits = plan(ledger, edition, 2), plan(ledger, edition, 3)
        assert claims.next(FREE, NOW) == mine
        assert ledger.live_workers.resolve_orphaned(LATER) == 0
        process.kill()
        process.wait(10)
        assert eventually(lambda: ledger.live_workers.resolve_orphaned(LATER) == 1)
    assert ledger.live_workers.resolve_orphaned(LATER) == 0
    states = [state(ledger, each) for each in (its, mine, waits)]
    assert states == [S.UNCERTAIN, S.SENDING, S.PENDING]


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether something becomes so: PostgreSQL needs a moment to see that its client has died."""
    return any(holds() or sleep(0.05) for _ in range(200))  # type: ignore[func-returns-value]


def test_a_sender_that_was_taken_for_dead_knows_better(ledger, edition, claims):
    delivery = plan(ledger, edition)
    bring(ledger, claims, delivery, S.SENDING)
    with ledger.engine.begin() as connection:  # as the others do where its lock is lost
        connection.execute(update(deliveries).values(state=S.UNCERTAIN))
    MOVES[S.ACCEPTED](claims, delivery)
    assert state(ledger, delivery) is S.ACCEPTED


def test_unless_the_operator_has_decided_meanwhile(ledger, edition, claims):
    delivery = plan(ledger, edition)
    bring(ledger, claims, delivery, S.UNCERTAIN)
    ledger.uncertain.resend(None, NOW)
    MOVES[S.ACCEPTED](claims, delivery)
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
