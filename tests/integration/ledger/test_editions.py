"""Editions: which papers are in whose window, and what stays as it was frozen."""

from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from digest.ledger.ledger import Ledger
from digest.ledger.tables import (
    edition_papers,
    editions,
    listings,
    observations,
    paper_names,
    papers,
)
from digest.model.deliveries import Balance, DeliveryState
from digest.model.digests import Edition, SkipReason
from digest.model.messages import Outcome, OutcomeKind
from digest.model.papers import Signals
from digest.rank.popularity import by_popularity
from tests.integration.ledger.test_papers import absorb
from tests.integration.plans import bring, claim_next, plan, plan_skipped, record
from tests.support import NOW, TODAY, examples, make_sighting

LOOKBACK = 3


def day(offset: int) -> date:
    return TODAY + timedelta(days=offset)


def list_papers(ledger: Ledger, *numbers: int, on: int = 0, upvotes: int = 3) -> None:
    absorb(ledger, *(make_sighting(n, listed_on=day(on), upvotes=upvotes) for n in numbers))


def freeze(ledger: Ledger, on: int = 0) -> Edition:
    """The edition of a day, as the pipeline would ask for it."""
    first = ledger.editions.first_day_for(day(on), LOOKBACK)
    return ledger.editions.freeze(day(on), first, NOW + timedelta(days=on))


def numbers(edition: Edition) -> list[int]:
    return [int(candidate.facts.arxiv_id.partition(".")[2]) for candidate in edition.candidates]


# ---- the window ------------------------------------------------------------------------------


def test_the_first_edition_looks_back_three_days(ledger):
    for offset in range(-5, 2):
        list_papers(ledger, 10 + offset, on=offset)
    assert ledger.editions.first_day_for(TODAY, LOOKBACK) == day(-3)
    assert numbers(freeze(ledger)) == [7, 8, 9, 10]
    assert ledger.editions.first_day_for(TODAY, LOOKBACK) == day(-3), "the same all day"


def test_a_later_edition_begins_with_the_day_of_the_last_one(ledger):
    list_papers(ledger, 1, 2)
    assert numbers(freeze(ledger)) == [1, 2]
    list_papers(ledger, 3)  # listed on the first day, after its edition was frozen
    list_papers(ledger, 4, on=1)
    assert ledger.editions.first_day_for(day(1), LOOKBACK) == TODAY
    assert numbers(freeze(ledger, 1)) == [3, 4]


def test_a_paper_listed_again_is_in_no_second_edition(ledger):
    list_papers(ledger, 1)
    freeze(ledger)
    list_papers(ledger, 1, 2, on=1)
    absorb(ledger, make_sighting(1, source="arxiv", listed_on=day(1)))
    assert numbers(freeze(ledger, 1)) == [2]


def test_a_paper_before_the_window_never_gets_in(ledger):
    list_papers(ledger, 1)
    freeze(ledger)
    list_papers(ledger, 2, on=-1)
    list_papers(ledger, 3, on=1)
    assert numbers(freeze(ledger, 1)) == [3]


def test_an_empty_edition_moves_nothing(ledger):
    list_papers(ledger, 1, on=0)
    freeze(ledger, 0)
    assert numbers(freeze(ledger, 1)) == []
    assert numbers(freeze(ledger, 2)) == []
    assert ledger.editions.first_day_for(day(3), LOOKBACK) == day(0)
    list_papers(ledger, 2, on=1)
    list_papers(ledger, 3, on=3)
    assert numbers(freeze(ledger, 3)) == [2, 3]


def test_a_paper_that_was_only_looked_up_is_in_no_edition(ledger):
    absorb(ledger, make_sighting(1, listed_on=None))
    assert numbers(freeze(ledger)) == []


def test_the_day_of_the_listing_is_the_first_in_the_window(ledger):
    list_papers(ledger, 1, on=-4)
    list_papers(ledger, 1, on=-2)
    list_papers(ledger, 1, on=-1)
    [candidate] = freeze(ledger).candidates
    assert candidate.listed_on == day(-2)


@settings(
    max_examples=examples(25),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("list"), st.integers(1, 6), st.integers(0, 4)),
            st.tuples(st.just("freeze"), st.integers(1, 2), st.just(0)),
        ),
        max_size=20,
    )
)
def test_whatever_happens_no_paper_is_in_two_editions_and_editions_stay(engine, steps):
    ledger = Ledger(engine)
    with engine.begin() as connection:
        for table in (edition_papers, editions, listings, observations, paper_names, papers):
            connection.execute(delete(table))
    frozen: dict[date, Edition] = {}
    today = 0
    for what, number, back in steps:
        if what == "list":
            list_papers(ledger, number, on=today - back)
        else:
            today += number - 1  # the same day again, or the next
            edition = freeze(ledger, today)
            before = frozen.get(edition.day)
            assert before in (None, edition) or not before.candidates
            frozen[edition.day] = edition
    seen = [number for edition in frozen.values() for number in numbers(edition)]
    assert len(seen) == len(set(seen))


# ---- frozen ----------------------------------------------------------------------------------


def test_what_is_frozen_stays(ledger):
    list_papers(ledger, 1, 2, upvotes=5)
    before = freeze(ledger)
    absorb(ledger, make_sighting(1, upvotes=50, seen_at=NOW + timedelta(hours=1)))
    list_papers(ledger, 3)
    assert freeze(ledger) == before
    assert ledger.editions.get(before.id) == before
    assert ledger.editions.on(TODAY) == before
    assert [candidate.signals.upvotes for candidate in before.candidates] == [5, 5]
    # A draft is made of what is known now.
    assert [
        candidate.signals.upvotes for candidate in ledger.editions.draft(TODAY, TODAY).candidates
    ] == [
        50,
        5,
        3,
    ]


def test_candidates_are_in_the_order_of_their_id(ledger):
    list_papers(ledger, 5, 3, 9)
    list_papers(ledger, 1)
    ids = [candidate.paper_id for candidate in freeze(ledger).candidates]
    assert ids == sorted(ids)
    assert numbers(freeze(ledger)) == [5, 3, 9, 1]


def test_an_empty_edition_is_filled_later_the_same_day(ledger):
    empty = freeze(ledger)
    assert empty.candidates == ()
    plan_skipped(ledger, empty, 1, SkipReason.NO_PAPERS)
    plan_skipped(ledger, empty, 2, SkipReason.WITHDRAWN)
    list_papers(ledger, 1)
    filled = freeze(ledger)
    assert filled.id == empty.id
    assert numbers(filled) == [1]
    # Who was skipped for want of papers is due again, and nobody else.
    assert ledger.deliveries.planned(filled.id) == {2}


def test_an_empty_edition_that_gets_papers_is_another_state(ledger):
    list_papers(ledger, 1)
    freeze(ledger)
    freeze(ledger, 1)  # it keeps the counts of the first paper, and lists none
    before = ledger.editions.state()
    list_papers(ledger, 2, on=1)
    assert ledger.editions.state() == before
    freeze(ledger, 1)
    assert ledger.editions.state() != before


def test_a_filled_edition_makes_nobody_due_again(ledger):
    list_papers(ledger, 1)
    edition = freeze(ledger)
    plan_skipped(ledger, edition, 1, SkipReason.NOTHING_MATCHED)
    freeze(ledger)
    assert ledger.deliveries.planned(edition.id) == {1}


def test_no_edition_on_a_day_without_one(ledger):
    assert ledger.editions.on(TODAY) is None


def test_a_draft_stores_nothing_and_holds_what_earlier_editions_held(ledger):
    list_papers(ledger, 1, on=-1)
    freeze(ledger, -1)
    list_papers(ledger, 2, on=0)
    draft = ledger.editions.draft(TODAY, day(-1))
    assert (draft.id, numbers(draft)) == (0, [1, 2])
    assert ledger.editions.on(TODAY) is None
    assert numbers(freeze(ledger, 0)) == [2]


def test_a_draft_and_the_edition_agree_on_everything_but_the_id(ledger):
    list_papers(ledger, 1, 2, upvotes=7)
    draft = ledger.editions.draft(TODAY, day(-3))
    assert freeze(ledger).candidates == draft.candidates


def test_the_latest_editions_come_newest_first_without_the_empty_ones(ledger):
    list_papers(ledger, 1, 2, on=0)
    freeze(ledger, 0)
    freeze(ledger, 1)
    list_papers(ledger, 3, on=2)
    freeze(ledger, 2)
    assert ledger.editions.days(10) == [(day(2), 1), (day(0), 2)]
    assert ledger.editions.days(1) == [(day(2), 1)]


# ---- the balance -----------------------------------------------------------------------------


def test_the_balance_of_an_edition_that_nobody_is_due_for(ledger):
    balance = ledger.editions.balance(freeze(ledger))
    assert balance == Balance(TODAY)
    assert balance.is_balanced


def test_the_balance_counts_everybody_once(ledger):
    list_papers(ledger, 1)
    edition = freeze(ledger)
    planned = [plan(ledger, edition, subscriber) for subscriber in range(1, 10)]
    plan_skipped(ledger, edition, 10, SkipReason.NOTHING_MATCHED)
    plan_skipped(ledger, edition, 11, SkipReason.NOTHING_MATCHED)
    with ledger.live_workers.enter() as claims:
        claimed = [claim_next(ledger, claims, NOW) for _ in range(7)]
        for delivery, kind in zip(claimed, OutcomeKind, strict=False):
            again = NOW if kind is OutcomeKind.DEFERRED else None
            record(claims, delivery, Outcome(kind, "said"), again, NOW)
        bring(ledger, claims, planned[7], DeliveryState.SUPPRESSED)
        bring(ledger, claims, planned[8], DeliveryState.SKIPPED)
    # Three are being sent.
    balance = ledger.editions.balance(edition)
    assert balance == Balance(
        edition=TODAY,
        due=11,
        accepted=1,
        deferred=1,
        refused=1,
        uncertain=1,
        suppressed=1,
        skipped=3,
        pending=3,
        skipped_for={"nothing-matched": 2, "withdrawn": 1},
    )
    assert balance.is_balanced


def test_a_stored_balance_is_what_it_was(ledger):
    edition = freeze(ledger)
    for subscriber in (1, 2):
        plan_skipped(ledger, edition, subscriber, SkipReason.NO_PAPERS)
    balance = ledger.editions.close(edition)
    assert balance == Balance(TODAY, due=2, skipped=2, skipped_for={"no-papers": 2})
    with ledger.engine.connect() as connection:
        stored = connection.execute(select(editions.c.balance)).scalar_one()
    assert Balance(**{**stored, "edition": date.fromisoformat(stored["edition"])}) == balance


@pytest.mark.parametrize("missing", ["accepted", "deferred", "refused", "suppressed", "skipped"])
def test_a_balance_with_somebody_missing_does_not_balance(missing):
    assert not Balance(TODAY, due=0, **{missing: 1}).is_balanced
    assert Balance(TODAY, due=1, **{missing: 1}).is_balanced


@pytest.mark.both_databases
def test_the_best_of_some_days_are_the_most_popular_by_the_last_votes(ledger):
    chance = Random(1)
    for offset in range(4):
        list_papers(ledger, *range(10 * offset, 10 * offset + 10), on=offset)
        later = NOW + timedelta(days=offset, hours=1)
        absorb(
            ledger,
            *(
                make_sighting(n, seen_at=later, signals=Signals(chance.choice((None, 1, 2, n))))
                for n in range(10 * offset + 10)
            ),
        )
        edition = freeze(ledger, offset)
    every = ledger.editions.since(edition, TODAY).candidates  # of all days but the first
    assert len(every) == 30
    for most in (1, 7, 29, 50):
        best = ledger.editions.best_of(day(1), day(3), most).candidates
        assert by_popularity(best) == by_popularity(every)[:most]
    assert ledger.editions.best_of(day(4), day(9), 5).candidates == ()
