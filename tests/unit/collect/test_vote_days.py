"""How often the votes of a day are asked for."""

from collections import Counter
from datetime import timedelta

import pytest

from digest.collect.vote_days import vote_days
from tests.support import NOW, TODAY

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
LISTED = [TODAY - n * DAY for n in range(40)]


def asked(every: timedelta) -> Counter[int]:
    """How often days of each age are asked for from one edition to the next."""
    found: Counter[int] = Counter()
    for n in range(DAY // every):
        now = NOW + n * every
        found.update((TODAY - day).days for day in vote_days(LISTED, NOW, now, now - every))
    return found


@pytest.mark.parametrize("hours", [1, 3])
def test_the_older_a_day_the_more_rarely(hours):
    times = asked(hours * HOUR)
    assert [times[age] for age in (0, 1)] == [24 // hours] * 2
    assert [times[age] for age in (2, 3, 4)] == [4] * 3
    assert [times[age] for age in range(5, 31)] == [1] * 26
    assert not any(times[age] for age in range(31, 40))


def test_an_edition_has_new_votes_of_all_days():
    assert vote_days(LISTED, NOW, NOW, NOW - HOUR) == sorted(LISTED[:31])
    assert vote_days(LISTED, NOW, NOW + 10 * HOUR / 60, NOW) == sorted(LISTED[:2]), "asked again"


def test_after_a_standstill_and_at_first_all_are_asked_for():
    assert vote_days(LISTED, NOW, NOW - HOUR, NOW - 5 * DAY) == sorted(LISTED[:31])
    assert vote_days(LISTED, NOW, NOW - HOUR, None) == sorted(LISTED[:31])


def test_only_days_that_were_listed_are_asked_for():
    assert vote_days([TODAY - 2 * DAY], NOW, NOW, None) == [TODAY - 2 * DAY]
