"""Who gets a first digest, of which edition; and the count that holds planning against it."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.model.deliveries import Had
from digest.model.timetable import Frozen
from digest.plan.first import LATEST, first_due, latest_edition, who_is_new, without_late_ones
from subscribers.model import MailSchedule
from subscribers.preferences import Preferences

BEGIN = datetime(2026, 2, 1, 8, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def made_on(*days: int) -> list[Frozen]:
    return [Frozen(day, date(2026, 2, day), BEGIN + (day - 1) * DAY) for day in days]


MONDAY, TUESDAY = made_on(2, 3)


@pytest.mark.parametrize(
    ("after", "edition"),
    [
        (-HOUR, None),
        (timedelta(), MONDAY),
        (DAY - timedelta.resolution, MONDAY),
        (DAY, TUESDAY),
        (DAY + LATEST, TUESDAY),
        (DAY + LATEST + timedelta.resolution, None),
    ],
)
def test_the_latest_edition_is_the_one_made_last_and_not_too_long_ago(after, edition):
    assert latest_edition([MONDAY, TUESDAY], MONDAY.at + after) == edition


def test_without_an_edition_nobody_is_due():
    assert latest_edition([], BEGIN) is None
    assert first_due({1: BEGIN}, [], []) == {}


def test_whoever_confirms_is_due_for_the_edition_that_was_the_latest():
    confirmed = {1: MONDAY.at + HOUR, 2: TUESDAY.at + HOUR, 3: TUESDAY.at + 2 * HOUR}
    assert first_due(confirmed, [MONDAY, TUESDAY], []) == {MONDAY: {1}, TUESDAY: {2, 3}}


@pytest.mark.parametrize(
    ("day", "planned_after", "is_due"),
    [
        (3, -3 * DAY, False),  # had this very edition before they left
        (4, -3 * DAY, False),  # or a newer one
        (2, -3 * DAY, True),
        (2, HOUR, False),  # anything since they confirmed: that was it
        (2, timedelta(), False),
    ],
)
def test_whoever_has_had_it_gets_it_not_again(day, planned_after, is_due):
    moment = TUESDAY.at + HOUR
    had = [Had(1, date(2026, 2, day), moment + planned_after), Had(2, date(2026, 2, 3), moment)]
    assert first_due({1: moment}, [MONDAY, TUESDAY], had) == ({TUESDAY: {1}} if is_due else {})


moments = st.integers(0, 30 * 24).map(lambda hours: BEGIN + hours * HOUR)
people = st.integers(1, 4)
editions = st.lists(st.integers(1, 28), unique=True, max_size=6).map(
    lambda days: made_on(*sorted(days))
)
deliveries = st.lists(
    st.builds(Had, people, st.dates(date(2026, 2, 1), date(2026, 2, 28)), moments)
)


@given(st.dictionaries(people, moments), editions, deliveries)
def test_both_ways_to_find_them_agree(confirmed, made, had):
    due = first_due(confirmed, made, had)
    for edition in made:
        assert who_is_new(confirmed, made, had, edition) == due.get(edition, set())
    assert sum(map(len, due.values())) == len({one for ones in due.values() for one in ones})


def test_where_there_are_no_first_digests_a_newcomer_waits_for_their_own_time():
    schedule = MailSchedule(Preferences(), {1: BEGIN, 2: BEGIN, 3: BEGIN})
    now = BEGIN + 3 * HOUR  # the latest due time was at eight
    confirmed = {1: BEGIN - HOUR, 2: BEGIN + HOUR}
    [left] = without_late_ones([schedule], confirmed, now)
    assert set(left.people) == {1, 3}
    [left] = without_late_ones([schedule], confirmed, now + DAY)
    assert set(left.people) == {1, 2, 3}
