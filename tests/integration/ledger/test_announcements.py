"""Announcements in the ledger: each goes out once, and no question about days finds one."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from digest.errors import Busy
from digest.ledger.deliveries import ANNOUNCED_FOR, Plan
from digest.ledger.locks import advisory_lock
from digest.ledger.tables import deliveries, editions
from digest.model.announcements import FIRST_NUMBER, Audience, Draft
from digest.model.deliveries import Bounce, BounceKind, DeliveryState
from digest.model.digests import SkipReason
from digest.model.messages import Outcome, OutcomeKind
from tests.integration.ledger.test_papers import absorb
from tests.integration.plans import bring, claim, lease, plan, record, row, state
from tests.support import NOW, TODAY, make_sighting

pytestmark = pytest.mark.both_databases

DAY = timedelta(days=1)
DRAFT = Draft("We move", "On Sunday.", Audience("robots", "de", ("a@x.example",)))
S = DeliveryState


@pytest.fixture
def edition(ledger):
    absorb(ledger, make_sighting(1))
    return ledger.editions.freeze(TODAY, TODAY, NOW)


@pytest.fixture
def announcement(ledger):
    return ledger.announcements.create(DRAFT, NOW)


@pytest.fixture
def claims(ledger):
    with ledger.live_workers.enter() as claims:
        yield claims


def planned(ledger, announcement, *people, now=NOW, provider=""):
    """Deliveries of an announcement that wait."""
    plans = [Plan(person, provider=provider) for person in people]
    assert ledger.deliveries.plan(announcement.id, plans, now)
    return [ledger.deliveries.of(announcement, person) for person in people]


# ---- what is stored ------------------------------------------------------------------------------


def test_a_draft_is_stored_once_and_read_again(ledger, announcement):
    assert (announcement.number, announcement.draft, announcement.at) == (1, DRAFT, NOW)
    assert ledger.announcements.create(DRAFT, NOW + DAY) == announcement
    other = ledger.announcements.create(Draft("We move", "On Monday."), NOW + DAY)
    assert other.number == 2
    assert ledger.announcements.latest(9) == [other, announcement]
    assert ledger.announcements.latest(1) == [other]
    assert ledger.announcements.latest(9, NOW + DAY) == [other]
    assert ledger.announcements.numbered(1) == announcement
    assert ledger.announcements.numbered(3) is None
    assert ledger.announcements.being_planned() == [announcement, other]


def test_two_that_store_at_one_moment_do_not_both(ledger, announcement):
    with advisory_lock(ledger.engine, "announcing"), pytest.raises(Busy):
        ledger.announcements.create(DRAFT, NOW)


# ---- it is no edition ----------------------------------------------------------------------------


def test_editions_are_numbered_and_found_as_if_there_were_none(ledger, announcement, edition):
    planned(ledger, announcement, 1)
    absorb(ledger, make_sighting(2, listed_on=TODAY + DAY))
    before = ledger.editions.state()
    following = ledger.editions.freeze(TODAY + DAY, TODAY, NOW + DAY)
    assert (edition.id, following.id) == (1, 2)
    assert announcement.id == FIRST_NUMBER
    assert ledger.editions.state() != before, "pages that are kept would never change"
    assert ledger.editions.latest() == following
    assert [its.day for its in ledger.editions.calendar(9)] == [TODAY, TODAY + DAY]
    assert [day for day, _ in ledger.editions.days(9)] == [TODAY + DAY, TODAY]
    assert ledger.editions.first_after(TODAY) == TODAY + DAY
    assert ledger.editions.first_day_for(TODAY + 2 * DAY, 9) == TODAY + DAY
    assert ledger.editions.listing_days(TODAY) == [TODAY, TODAY + DAY]
    assert [stats.day for stats in ledger.history.editions(9)] == [TODAY + DAY, TODAY]
    assert ledger.history.editions_on([TODAY])[TODAY].balance.due == 0
    assert ledger.health.editions() == 2
    assert ledger.health.unbalanced([TODAY, TODAY + DAY]) == []
    assert ledger.editions.unfinished() == ledger.editions.open() == []
    assert ledger.editions.changed_at(NOW) == []
    assert ledger.deliveries.being_planned() == []


def test_an_edition_without_papers_is_noticed_beside_it(ledger, announcement):
    before = ledger.editions.state()
    ledger.editions.freeze(TODAY, TODAY, NOW)
    assert ledger.editions.state() != before


def test_nobody_has_had_an_edition_because_of_it(ledger, announcement, edition):
    planned(ledger, announcement, 1)
    assert ledger.deliveries.had([1]) == []
    assert ledger.deliveries.last_had(edition, TODAY - 9 * DAY, [1]) == {}
    assert ledger.chosen.of(1, 9) == []


# ---- the queue -----------------------------------------------------------------------------------


def test_no_digest_waits_for_an_announcement(ledger, announcement, edition, claims):
    letters = planned(ledger, announcement, 1, 2, 3, 4)
    again = plan(ledger, edition, 5)
    claim(ledger, claims, again)
    record(claims, again, Outcome(OutcomeKind.DEFERRED, "later", 450), NOW + timedelta(minutes=5))
    claim(ledger, claims, letters[3])
    deferred = Outcome(OutcomeKind.DEFERRED, "later", 450)
    record(claims, letters[3], deferred, NOW + timedelta(minutes=1))
    first = plan(ledger, edition, 6)
    order = [its.id for its in lease(claims, now=NOW + timedelta(minutes=9), most=99)]
    assert order == [first.id, again.id, *(its.id for its in letters)]


def test_it_may_wait_for_a_week_and_a_digest_for_a_day(ledger, announcement, edition):
    [letter] = planned(ledger, announcement, 1)
    digest = plan(ledger, edition, 1)
    later = NOW + DAY + timedelta(minutes=1)
    assert ledger.deliveries.expire(later - DAY, later) == 1
    assert (state(ledger, digest), state(ledger, letter)) == (S.SKIPPED, S.PENDING)
    later = NOW + ANNOUNCED_FOR + timedelta(minutes=1)
    assert ledger.deliveries.expire(later - DAY, later) == 1
    assert row(ledger, letter).reason == SkipReason.STALE


@pytest.mark.parametrize("to", list(S))
def test_stopped_only_what_waits_is_skipped(ledger, announcement, claims, to):
    [letter, other] = planned(ledger, announcement, 1, 2)
    bring(ledger, claims, letter, to)
    waits = to in {S.PENDING, S.DEFERRED}
    assert ledger.announcements.stop(announcement, NOW) == 1 + waits
    assert state(ledger, letter) is (S.SKIPPED if waits else to)
    assert row(ledger, other).reason == SkipReason.STOPPED
    stopped = ledger.announcements.get(announcement.id)
    assert stopped.stopped_at == NOW
    assert ledger.announcements.stop(announcement, NOW + DAY) == 0
    assert ledger.announcements.get(announcement.id) == stopped


def test_stopped_nothing_more_is_planned_and_what_was_leased_is_not_sent(
    ledger, announcement, claims
):
    [letter] = planned(ledger, announcement, 1)
    assert lease(claims) == [letter]
    ledger.announcements.stop(announcement, NOW)
    record(claims, letter, Outcome(OutcomeKind.ACCEPTED, "250", 250))
    assert state(ledger, letter) is S.SKIPPED
    assert not ledger.deliveries.plan(announcement.id, [Plan(2)], NOW)
    assert ledger.deliveries.planned(announcement.id) == {1}


def test_stopping_one_leaves_all_else_alone(ledger, announcement, edition):
    other = ledger.announcements.create(Draft("Another", "Text"), NOW)
    waiting = [plan(ledger, edition, 1), *planned(ledger, other, 1)]
    ledger.announcements.stop(announcement, NOW)
    assert {state(ledger, its) for its in waiting} == {S.PENDING}
    assert ledger.deliveries.plan(other.id, [Plan(2)], NOW)


# ---- what others tell of it ----------------------------------------------------------------------


def test_the_balance_has_its_name_and_notices_a_row_that_is_missing(ledger, announcement, claims):
    [letter, _] = planned(ledger, announcement, 1, 2)
    assert ledger.announcements.balance(announcement).is_being_planned
    ledger.deliveries.end_planning(announcement.id, 2)
    claim(ledger, claims, letter)
    record(claims, letter, Outcome(OutcomeKind.ACCEPTED, "250", 250))
    balance = ledger.announcements.balance(announcement)
    assert (balance.due, balance.accepted, balance.pending) == (2, 1, 1)
    assert balance.is_balanced
    ledger.deliveries.end_planning(announcement.id, 3)
    assert ledger.announcements.balance(announcement).discrepancy == (
        "the balance of the announcement 'We move' does not add up: "
        "3 are due, and 2 have a delivery"
    )


def test_what_is_uncertain_or_refused_is_told_with_its_name(ledger, announcement, edition, claims):
    for its in (plan(ledger, edition, 1), *planned(ledger, announcement, 1)):
        bring(ledger, claims, its, S.UNCERTAIN)
    names = [its.edition for its in ledger.uncertain.all()]
    assert names == [TODAY, "the announcement 'We move'"]
    assert [its.edition for its in ledger.uncertain.all(edition)] == [TODAY]
    with ledger.engine.begin() as connection:
        connection.execute(deliveries.update().values(refused_for="us", state=S.DEFERRED))
    assert [its.day for its in ledger.outcomes.refused_editions()] == names


def test_a_bounce_counts_as_one_of_the_day_it_was_announced(ledger, announcement, edition):
    for its in (plan(ledger, edition, 1), *planned(ledger, announcement, 1)):
        ledger.bounces.record(its, Bounce(BounceKind.SOFT), NOW)
    [letter] = [ledger.deliveries.of(announcement, 1)]
    assert ledger.bounces.day_of(letter) == NOW.date()
    assert ledger.bounces.soft_bounced(1) == [TODAY, NOW.date()]


def test_its_old_deliveries_are_removed_and_stay_counted(ledger, announcement, edition, claims):
    old = planned(ledger, announcement, 1, 2)
    ledger.deliveries.end_planning(announcement.id, 2)
    ledger.announcements.stop(announcement, NOW)
    newer = ledger.announcements.create(Draft("Newer", "Text"), NOW + 9 * DAY)
    planned(ledger, newer, 1, 2)
    ledger.announcements.stop(newer, NOW + 9 * DAY)
    assert ledger.old_rows.remove_deliveries(TODAY - DAY) == 0
    assert ledger.old_rows.remove_deliveries(TODAY + DAY) == len(old)
    balance = ledger.announcements.balance(announcement)
    assert (balance.due, balance.skipped_for, balance.is_balanced) == (2, {"stopped": 2}, True)
    assert ledger.deliveries.planned(newer.id) == {1, 2}
    # Who had it is not known any more: nobody is planned for.
    assert ledger.deliveries.begin_planning(announcement.id, NOW) is None
    assert not ledger.deliveries.plan(announcement.id, [Plan(3)], NOW)


def test_a_day_is_still_of_one_edition_only(ledger, edition):
    with pytest.raises(Exception, match=r"(?i)unique"), ledger.engine.begin() as connection:
        connection.execute(insert(editions).values(id=99, day=TODAY, frozen_at=NOW))
    with ledger.engine.connect() as connection:
        assert connection.execute(select(editions.c.id)).scalars().all() == [edition.id]
