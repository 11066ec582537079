"""Which days arXiv lists papers on, and from when they are."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from digest.collect.arxiv_schedule import has_list, latest_list, missed, submitted

DAY = timedelta(days=1)


def utc(day: int, hour: int, minute: int = 0, month: int = 2) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def test_every_working_day_has_a_list():
    monday = date(2026, 2, 16)
    assert [has_list(monday + number * DAY) for number in range(7)] == [True] * 5 + [False] * 2


@pytest.mark.parametrize(
    ("closed", "without_list"),
    [
        (date(2026, 1, 19), date(2026, 1, 20)),  # a Monday
        (date(2026, 6, 19), date(2026, 6, 22)),  # a Friday, which is announced for Monday
        (date(2026, 11, 26), date(2026, 11, 27)),  # Thanksgiving, a Thursday
    ],
)
def test_the_day_after_a_holiday_has_none(closed, without_list):
    assert has_list(closed)
    assert not has_list(without_list)


@pytest.mark.parametrize(
    ("day", "first", "last"),
    [
        (date(2026, 2, 17), utc(13, 19), utc(16, 19)),  # Tuesday: since Friday
        (date(2026, 2, 18), utc(16, 19), utc(17, 19)),
        (date(2026, 2, 20), utc(18, 19), utc(19, 19)),
        (date(2026, 2, 16), utc(12, 19), utc(13, 19)),  # Monday: Friday's
        (date(2026, 7, 7), utc(2, 18, month=7), utc(6, 18, month=7)),  # a holiday on Friday, DST
    ],
)
def test_from_when_the_papers_of_a_list_are(day, first, last):
    assert submitted(day) == (first, last)


def test_the_lists_of_a_year_hold_every_moment_once():
    listed = [day for n in range(365) if has_list(day := date(2026, 1, 1) + n * DAY)]
    spans = [submitted(day) for day in listed]
    for (_, ends), (begins, _) in pairwise(spans):
        assert ends == begins


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (utc(20, 4), date(2026, 2, 19)),  # 23:00 in New York
        (utc(20, 6), date(2026, 2, 19)),  # after midnight, the feed may still be made
        (utc(20, 8), date(2026, 2, 20)),
        (utc(22, 12), date(2026, 2, 20)),
        (utc(27, 12, month=11), date(2026, 11, 26)),
    ],
)
def test_the_latest_list_that_must_be_there(now, day):
    assert latest_list(now) == day


def test_missed_are_lists_that_have_left_the_feed():
    days = [date(2026, 2, 13) + number * DAY for number in range(8)]
    assert [day.day for day in missed(days, utc(20, 8))] == [19, 18, 17, 16, 13]
    assert [day.day for day in missed(days, utc(20, 4))] == [18, 17, 16, 13]
