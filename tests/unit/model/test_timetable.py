"""When editions are made, and whose times they are for."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.model.timetable import AHEAD, Frozen, Timetable, due_interval_of

OSLO = ZoneInfo("Europe/Oslo")
DAY = timedelta(days=1)
# 2026: Oslo's clocks go forward on 29 March at 02:00, and back on 25 October at 03:00.

zones = st.sampled_from(
    ["UTC", "Europe/Oslo", "America/Havana", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kolkata"]
).map(ZoneInfo)
timetables = st.builds(Timetable, st.times().map(lambda at: at.replace(microsecond=0)), zones)
moments = st.datetimes(datetime(2011, 12, 1), datetime(2030, 1, 1), timezones=st.just(UTC))


@pytest.mark.parametrize(
    ("at", "day", "utc"),
    [
        (time(8), date(2026, 3, 28), "28 07:00"),
        (time(8), date(2026, 3, 29), "29 06:00"),
        (time(2, 30), date(2026, 3, 28), "28 01:30"),
        (time(2, 30), date(2026, 3, 29), "29 01:30"),  # there is no such time: an hour later
        (time(2, 30), date(2026, 3, 30), "30 00:30"),
        (time(2, 30), date(2026, 10, 25), "25 00:30"),  # it comes twice: the first
        (time(2, 30), date(2026, 10, 26), "26 01:30"),
    ],
)
def test_each_day_once_at_the_local_time(at: time, day: date, utc: str) -> None:
    assert Timetable(at, OSLO).edition_at(day).strftime("%d %H:%M") == utc


@given(timetables, moments)
def test_the_next_edition_comes_within_a_day_or_so(timetable: Timetable, now: datetime) -> None:
    found = timetable.next_edition(now)
    assert now < found <= now + timedelta(hours=26)
    assert timetable.next_edition(found) > found


@st.composite
def calendars(draw: st.DrawFn) -> tuple[Timetable, list[Frozen]]:
    """Editions of some days, each made when it was to be, later that day, or a bit early."""
    timetable = draw(timetables)
    first = draw(st.dates(date(2020, 1, 1), date(2030, 1, 1)))
    days = sorted(draw(st.sets(st.integers(0, 20), min_size=1, max_size=10)))
    late = st.integers(-3, 10).map(lambda hours: timedelta(hours=hours))
    made = [(first + n * DAY, draw(late)) for n in days]
    return timetable, [
        Frozen(number, day, timetable.edition_at(day) + delay)
        for number, (day, delay) in enumerate(made)
    ]


@given(calendars())
def test_windows_follow_one_another_without_a_gap(calendar: tuple[Timetable, list[Frozen]]) -> None:
    timetable, editions = calendar
    intervals = timetable.intervals(editions)
    assert [interval.edition for interval in intervals] == editions
    assert all(one.ends == then.begins for one, then in pairwise(intervals))
    assert all(interval.begins < interval.ends for interval in intervals)


@given(calendars(), st.integers(-30, 24 * 60))
def test_a_moment_is_in_the_window_around_it(
    calendar: tuple[Timetable, list[Frozen]], half_hours: int
) -> None:
    timetable, editions = calendar
    intervals = timetable.intervals(editions)
    moment = intervals[0].begins + half_hours * timedelta(minutes=30)
    found = due_interval_of(intervals, moment)
    around = [interval for interval in intervals if interval.begins <= moment < interval.ends]
    assert found == (around[0] if around else None)


def made(day: int, hour: int) -> Frozen:
    return Frozen(day, date(2026, 2, day), datetime(2026, 2, day, hour, tzinfo=UTC))


def test_an_edition_that_is_late_is_for_whom_it_was_meant_for() -> None:
    [interval] = Timetable(time(8), ZoneInfo("UTC")).intervals([made(20, 15)])
    assert interval.begins == datetime(2026, 2, 20, 8, tzinfo=UTC) - AHEAD
    assert interval.ends == interval.begins + DAY


def test_one_made_by_hand_before_its_time_begins_then() -> None:
    first, second = Timetable(time(8), ZoneInfo("UTC")).intervals([made(20, 8), made(21, 5)])
    assert first.ends == second.begins == datetime(2026, 2, 21, 4, tzinfo=UTC)
    assert second.ends == datetime(2026, 2, 22, 7, tzinfo=UTC)


def test_the_times_of_days_without_an_edition_are_the_next_ones() -> None:
    first, second = Timetable(time(8), ZoneInfo("UTC")).intervals([made(20, 8), made(24, 8)])
    assert (first.ends.day, second.begins, second.ends.day) == (21, first.ends, 25)


def test_where_there_is_no_edition_there_is_no_window() -> None:
    assert Timetable(time(8), OSLO).intervals([]) == []
    assert due_interval_of([], datetime(2026, 2, 20, tzinfo=UTC)) is None
