"""Deliveries: what is planned, what became of it, and what is given up."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from digest.ledger.claims import Claims
from digest.ledger.deliveries import Plan
from digest.ledger.ledger import Ledger
from digest.ledger.tables import attempts
from digest.model.deliveries import DeliveryState
from digest.model.digests import Edition, Match, Pick, Reason, Section, SkipReason
from digest.model.messages import Outcome, OutcomeKind
from digest.model.packed_picks import pack
from tests.integration.ledger.test_papers import absorb
from tests.integration.plans import LATER, bring, claim_next, plan, plan_skipped, record, row, state
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


# ---- planning --------------------------------------------------------------------------------


def test_a_second_row_for_one_person_is_impossible(ledger, edition):
    delivery = plan(ledger, edition)
    with pytest.raises(IntegrityError):
        plan(ledger, edition, delivery.subscriber_id)
    with pytest.raises(IntegrityError):
        plan_skipped(ledger, edition, 1, SkipReason.NOTHING_MATCHED)
    assert ledger.deliveries.planned(edition.id) == {1}


def test_a_plan_that_fails_leaves_no_row(ledger, edition):
    with pytest.raises(IntegrityError):
        ledger.deliveries.plan(edition.id, [Plan(1), Plan(2), Plan(1)], NOW)
    assert ledger.deliveries.planned(edition.id) == set()


def test_picks_come_back_in_order_with_their_reasons(ledger, edition):
    one, two, three = edition.candidates
    picks = (
        Pick(Section.FOR_YOU, three, Match(0.75, Reason("graph nets", ("nodes", "edges")))),
        Pick(Section.FOR_YOU, one, Match(0.5, Reason("", liked="Ünïcode"))),
        Pick(Section.TRENDING, two),
    )
    ledger.deliveries.plan(edition.id, [Plan(1, pack(picks))], NOW)
    delivery = ledger.deliveries.of(edition, 1)
    assert ledger.editions.picks(edition, delivery) == picks


def test_a_skipped_plan_has_its_reason_and_no_papers(ledger, edition):
    plan_skipped(ledger, edition, 1, SkipReason.NOTHING_MATCHED)
    [report] = ledger.deliveries.reports(edition)
    assert (report.state, report.reason, report.last_words) == (S.SKIPPED, "nothing-matched", "")
    assert ledger.editions.picks(edition, report.delivery) == ()
    assert ledger.deliveries.waiting(LATER) == 0


def test_papers_that_came_late_are_news_to_all_but_those_who_were_away(ledger):
    """An edition has its papers only after these two were planned."""
    empty = ledger.editions.freeze(TODAY, TODAY, NOW)
    away, left = 1, 2
    plan_skipped(ledger, empty, away, SkipReason.PAUSED)
    plan_skipped(ledger, empty, left, SkipReason.WITHDRAWN)
    absorb(ledger, make_sighting(1))
    assert ledger.editions.freeze(TODAY, TODAY, LATER).candidates
    tomorrow = TODAY + timedelta(days=1)
    edition = ledger.editions.freeze(tomorrow, TODAY, NOW + timedelta(days=1))
    after = TODAY - timedelta(days=15)
    assert ledger.deliveries.last_had(edition, after, [away, left]) == {away: TODAY, left: after}


# ---- what became of it ------------------------------------------------------------------------


def test_an_attempt_is_kept_with_its_words_and_counted(ledger, edition, claims):
    delivery = plan(ledger, edition)
    for number, text in enumerate(("4.2.0 busy", "4.2.1 busy still"), 1):
        claim_next(ledger, claims, LATER)
        outcome = Outcome(OutcomeKind.DEFERRED, text, 450)
        record(claims, delivery, outcome, LATER, NOW)
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


# ---- what is given up ------------------------------------------------------------------------


def test_what_waits_too_long_is_given_up(ledger, edition, claims):
    for subscriber, before in enumerate(DeliveryState, 1):
        bring(ledger, claims, plan(ledger, edition, subscriber), before)
    before = {each.delivery.id: each.state for each in ledger.deliveries.reports(edition)}
    assert ledger.deliveries.expire(NOW, LATER) == 0  # frozen then, not before
    assert ledger.deliveries.expire(NOW + timedelta(microseconds=1), LATER) == 2
    for report in ledger.deliveries.reports(edition):
        was = before[report.delivery.id]
        if was in {S.PENDING, S.DEFERRED}:
            assert (report.state, report.reason) == (S.SKIPPED, "stale")
        else:
            assert report.state is was
    assert ledger.deliveries.waiting(LATER) == 0


def test_what_was_planned_later_is_not_given_up_with_what_is_older(ledger, edition):
    plan(ledger, edition)
    kept = plan(ledger, edition, 2, now=NOW + timedelta(days=1))
    assert ledger.deliveries.expire(NOW + timedelta(hours=1), LATER) == 1
    assert ledger.deliveries.waiting(LATER) == 1
    assert state(ledger, kept) is S.PENDING


@pytest.mark.parametrize("states", [(), tuple(DeliveryState), (S.SENDING, S.SENDING, S.ACCEPTED)])
def test_the_balance_adds_up_wherever_deliveries_stand(ledger, edition, claims, states):
    for subscriber, to in enumerate(states, 1):
        bring(ledger, claims, plan(ledger, edition, subscriber), to)
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
