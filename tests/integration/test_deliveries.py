"""Deliveries: every move there is and is not, who may claim, and what a run finds."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from digest.ledger.deliveries import REACHED_FROM, Deliveries
from digest.ledger.ledger import Ledger
from digest.ledger.tables import attempts, deliveries, delivery_papers
from digest.model import (
    Delivery,
    DeliveryState,
    Edition,
    Match,
    Outcome,
    OutcomeKind,
    Pick,
    Reason,
    Section,
    SkipReason,
)
from tests.integration.test_papers import absorb
from tests.support import NOW, TODAY, make_sighting

S = DeliveryState
LATER = NOW + timedelta(minutes=10)


@pytest.fixture
def edition(ledger: Ledger) -> Edition:
    absorb(ledger, *(make_sighting(n) for n in range(1, 4)))
    return ledger.editions.freeze(TODAY, TODAY, NOW)


def plan(ledger: Ledger, edition: Edition, subscriber: int = 1) -> Delivery:
    """A delivery that waits to be sent."""
    picks = [Pick(Section.TRENDING, edition.candidates[0])]
    ledger.deliveries.plan(edition, subscriber, picks, NOW)
    [delivery] = [
        each.delivery
        for each in ledger.deliveries.reports(edition)
        if each.delivery.subscriber_id == subscriber
    ]
    return delivery


def state(ledger: Ledger, delivery: Delivery) -> DeliveryState:
    return DeliveryState(row(ledger, delivery).state)


def row(ledger: Ledger, delivery: Delivery):
    with ledger.engine.connect() as connection:
        query = select(deliveries).where(deliveries.c.id == delivery.id)
        return connection.execute(query).one()


def record(kind: OutcomeKind) -> Callable[[Deliveries, Delivery], None]:
    again = LATER if kind is OutcomeKind.DEFERRED else None
    return lambda of, delivery: of.record(delivery, Outcome(kind, "said", 250), again, NOW)


# Every way for a run to move a delivery, by where it leads.
MOVES: dict[DeliveryState, Callable[[Deliveries, Delivery], object]] = {
    S.SENDING: lambda of, delivery: of.claim(delivery, NOW),
    S.PENDING: lambda of, delivery: of.release(delivery, NOW),
    S.ACCEPTED: record(OutcomeKind.ACCEPTED),
    S.DEFERRED: record(OutcomeKind.DEFERRED),
    S.REFUSED: record(OutcomeKind.REFUSED),
    S.UNCERTAIN: record(OutcomeKind.UNCERTAIN),
    S.SUPPRESSED: lambda of, delivery: of.suppress(delivery, NOW),
    S.SKIPPED: lambda of, delivery: of.skip(delivery, SkipReason.WITHDRAWN, NOW),
}
# How to get a waiting delivery into each state.
WAYS: dict[DeliveryState, list[DeliveryState]] = {
    S.PENDING: [],
    S.SENDING: [S.SENDING],
    **{each: [S.SENDING, each] for each in (S.ACCEPTED, S.DEFERRED, S.REFUSED, S.UNCERTAIN)},
    S.SUPPRESSED: [S.SUPPRESSED],
    S.SKIPPED: [S.SKIPPED],
}
BY_A_RUN = {
    (S.PENDING, S.SENDING),
    (S.PENDING, S.SUPPRESSED),
    (S.PENDING, S.SKIPPED),
    (S.DEFERRED, S.SENDING),
    (S.DEFERRED, S.SUPPRESSED),
    (S.DEFERRED, S.SKIPPED),
    *((S.SENDING, each) for each in DeliveryState if each is not S.SENDING),
}
BY_THE_OPERATOR = {(S.UNCERTAIN, S.PENDING), (S.UNCERTAIN, S.SKIPPED)}


def bring(ledger: Ledger, delivery: Delivery, to: DeliveryState) -> None:
    for step in WAYS[to]:
        MOVES[step](ledger.deliveries, delivery)
    assert state(ledger, delivery) is to


# ---- the transitions -------------------------------------------------------------------------


def test_the_table_is_the_one_expected():
    table = {(before, to) for to, froms in REACHED_FROM.items() for before in froms}
    assert table == BY_A_RUN | BY_THE_OPERATOR


def test_every_move_of_a_run_from_every_state(ledger, edition):
    subscriber = 0
    for before in DeliveryState:
        for to in DeliveryState:
            subscriber += 1
            delivery = plan(ledger, edition, subscriber)
            bring(ledger, delivery, before)
            MOVES[to](ledger.deliveries, delivery)
            expected = to if (before, to) in BY_A_RUN else before
            assert state(ledger, delivery) is expected, (before, to)


def test_what_was_decided_is_never_sent(ledger, edition):
    for subscriber, before in enumerate(DeliveryState, 1):
        delivery = plan(ledger, edition, subscriber)
        bring(ledger, delivery, before)
    sendable = {each.subscriber_id for each in ledger.deliveries.to_send(LATER)}
    states = dict(enumerate(DeliveryState, 1))
    assert {states[each] for each in sendable} == {S.PENDING, S.DEFERRED}


def test_a_move_touches_no_other_delivery(ledger, edition):
    first, second = plan(ledger, edition, 1), plan(ledger, edition, 2)
    bring(ledger, first, S.ACCEPTED)
    assert state(ledger, second) is S.PENDING


# ---- planning --------------------------------------------------------------------------------


def test_a_second_row_for_one_person_is_impossible(ledger, edition):
    delivery = plan(ledger, edition)
    with pytest.raises(IntegrityError):
        ledger.deliveries.plan(edition, delivery.subscriber_id, [], NOW)
    with pytest.raises(IntegrityError):
        ledger.deliveries.plan_skipped(edition, 1, SkipReason.NOTHING_MATCHED, NOW)
    assert ledger.deliveries.planned(edition) == {1}


def test_a_plan_that_fails_leaves_no_row(ledger, edition):
    twice = [Pick(Section.TRENDING, edition.candidates[0])]
    broken = [*twice, None]
    with pytest.raises(AttributeError):
        ledger.deliveries.plan(edition, 1, broken, NOW)
    assert ledger.deliveries.planned(edition) == set()


def test_picks_come_back_in_order_with_their_reasons(ledger, edition):
    one, two, three = edition.candidates
    picks = (
        Pick(Section.FOR_YOU, three, Match(0.75, Reason("graph nets", ("nodes", "edges")))),
        Pick(Section.FOR_YOU, one, Match(0.5, Reason("", liked="Ünïcode"))),
        Pick(Section.TRENDING, two),
    )
    ledger.deliveries.plan(edition, 1, picks, NOW)
    [delivery] = ledger.deliveries.to_send(NOW)
    assert ledger.deliveries.picks(delivery, edition) == picks


def test_a_skipped_plan_has_its_reason_and_no_papers(ledger, edition):
    ledger.deliveries.plan_skipped(edition, 1, SkipReason.NOTHING_MATCHED, NOW)
    [report] = ledger.deliveries.reports(edition)
    assert (report.state, report.reason, report.last_words) == (S.SKIPPED, "nothing-matched", "")
    assert ledger.deliveries.picks(report.delivery, edition) == ()
    assert ledger.deliveries.to_send(LATER) == []


# ---- sending ---------------------------------------------------------------------------------


def test_a_delivery_is_claimed_once(ledger, edition):
    delivery = plan(ledger, edition)
    assert ledger.deliveries.claim(delivery, NOW)
    assert not ledger.deliveries.claim(delivery, NOW)


def test_of_many_who_claim_at_once_one_gets_it(ledger, edition):
    everybody = 8
    rows = [plan(ledger, edition, subscriber) for subscriber in range(1, 6)]
    for delivery in rows:
        barrier = Barrier(everybody)

        def claim(delivery: Delivery = delivery, barrier: Barrier = barrier) -> bool:
            barrier.wait(10)
            return ledger.deliveries.claim(delivery, NOW)

        with ThreadPoolExecutor(everybody) as threads:
            claims = [threads.submit(claim) for _ in range(everybody)]
            assert sum(each.result() for each in claims) == 1


def test_an_attempt_is_kept_with_its_words_and_counted(ledger, edition):
    delivery = plan(ledger, edition)
    for number, text in enumerate(("4.2.0 busy", "4.2.1 busy still"), 1):
        ledger.deliveries.claim(delivery, NOW)
        outcome = Outcome(OutcomeKind.DEFERRED, text, 450)
        ledger.deliveries.record(delivery, outcome, LATER, NOW)
        assert row(ledger, delivery).attempts == number
    [report] = ledger.deliveries.reports(edition)
    assert report.last_words == "4.2.1 busy still"
    assert report.delivery.attempts == 2
    with ledger.engine.connect() as connection:
        kept = connection.execute(select(attempts.c.text, attempts.c.code, attempts.c.at)).all()
    assert [tuple(each) for each in kept] == [
        ("4.2.0 busy", 450, NOW),
        ("4.2.1 busy still", 450, NOW),
    ]


def test_a_deferred_delivery_waits_for_its_time(ledger, edition):
    delivery = plan(ledger, edition)
    bring(ledger, delivery, S.DEFERRED)
    just_before = LATER - timedelta(microseconds=1)
    assert ledger.deliveries.to_send(just_before) == []
    assert [each.id for each in ledger.deliveries.to_send(LATER)] == [delivery.id]


def test_a_released_retry_is_no_longer_deferred_but_still_there(ledger, edition):
    delivery = plan(ledger, edition)
    bring(ledger, delivery, S.DEFERRED)
    ledger.deliveries.claim(delivery, LATER)
    ledger.deliveries.release(delivery, LATER)
    assert state(ledger, delivery) is S.PENDING
    [again] = ledger.deliveries.to_send(LATER)
    assert (again.id, again.attempts) == (delivery.id, 1)


def test_the_oldest_edition_is_sent_first(ledger, edition):
    absorb(ledger, make_sighting(9, listed_on=TODAY + timedelta(days=1)))
    younger = ledger.editions.freeze(TODAY + timedelta(days=1), TODAY, LATER)
    order = [
        plan(ledger, edition, 2),
        plan(ledger, younger, 1),
        plan(ledger, edition, 3),
        plan(ledger, younger, 2),
    ]
    found = [(each.edition_id, each.subscriber_id) for each in ledger.deliveries.to_send(LATER)]
    assert found == [(edition.id, 2), (edition.id, 3), (younger.id, 1), (younger.id, 2)]
    assert len(order) == len(found)


# ---- what a run finds when it starts ---------------------------------------------------------


def test_what_a_dead_run_was_sending_is_uncertain(ledger, edition):
    for subscriber, before in enumerate(DeliveryState, 1):
        bring(ledger, plan(ledger, edition, subscriber), before)
    before = [each.state for each in ledger.deliveries.reports(edition)]
    assert ledger.deliveries.settle_leftovers(LATER) == 1
    after = [each.state for each in ledger.deliveries.reports(edition)]
    assert after == [S.UNCERTAIN if each is S.SENDING else each for each in before]
    assert ledger.deliveries.settle_leftovers(LATER) == 0


def test_what_waits_too_long_is_given_up(ledger, edition):
    for subscriber, before in enumerate(DeliveryState, 1):
        bring(ledger, plan(ledger, edition, subscriber), before)
    before = {each.delivery.id: each.state for each in ledger.deliveries.reports(edition)}
    assert ledger.deliveries.expire(NOW, LATER) == 0  # frozen then, not before
    assert ledger.deliveries.expire(NOW + timedelta(microseconds=1), LATER) == 2
    for report in ledger.deliveries.reports(edition):
        was = before[report.delivery.id]
        if was in {S.PENDING, S.DEFERRED}:
            assert (report.state, report.reason) == (S.SKIPPED, "stale")
        else:
            assert report.state is was
    assert ledger.deliveries.to_send(LATER) == []


def test_a_younger_edition_is_not_given_up_with_an_older_one(ledger, edition):
    plan(ledger, edition)
    absorb(ledger, make_sighting(9, listed_on=TODAY + timedelta(days=1)))
    younger = ledger.editions.freeze(TODAY + timedelta(days=1), TODAY, NOW + timedelta(days=1))
    kept = plan(ledger, younger)
    assert ledger.deliveries.expire(NOW + timedelta(hours=1), LATER) == 1
    assert [each.id for each in ledger.deliveries.to_send(LATER)] == [kept.id]


@pytest.mark.parametrize("states", [(), tuple(DeliveryState), (S.SENDING, S.SENDING, S.ACCEPTED)])
def test_the_balance_adds_up_wherever_deliveries_stand(ledger, edition, states):
    for subscriber, to in enumerate(states, 1):
        bring(ledger, plan(ledger, edition, subscriber), to)
    balance = ledger.editions.balance(edition)
    assert balance.due == len(states)
    assert balance.is_balanced
    in_balance = [balance.pending, balance.accepted, balance.uncertain]
    as_counted = [
        sum(each in {S.PENDING, S.SENDING} for each in states),
        states.count(S.ACCEPTED),
        states.count(S.UNCERTAIN),
    ]
    assert in_balance == as_counted


def test_papers_of_a_delivery_cannot_point_nowhere(ledger, edition):
    with pytest.raises(IntegrityError), ledger.engine.begin() as connection:
        connection.execute(
            delivery_papers.insert().values(
                delivery_id=999, position=0, paper_id=999, section=Section.TRENDING
            )
        )
