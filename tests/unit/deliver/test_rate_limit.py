"""How fast mail may go."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.deliver.rate_limit import (
    FIRST_INTERVAL,
    WIDEST_INTERVAL,
    faster,
    interval_of,
    is_within,
    most_on,
    slower,
)

DAY = date(2026, 2, 20)
intervals = st.floats(0, WIDEST_INTERVAL)


@pytest.mark.parametrize(("rate", "interval"), [(None, 0), (60, 1), (600, 0.1), (0.5, 120)])
def test_a_rate_is_an_interval(rate, interval):
    assert interval_of(rate) == pytest.approx(interval)


def test_slower_is_half_as_fast():
    assert [slower(0), slower(10), slower(400)] == [FIRST_INTERVAL, 20, WIDEST_INTERVAL]


def test_sending_hours_of_no_length_are_the_whole_day():
    assert is_within((time(8), time(8)), datetime(2026, 2, 20, 3))


@given(intervals)
def test_slower_is_slower_up_to_a_limit(interval):
    assert FIRST_INTERVAL <= slower(interval) <= WIDEST_INTERVAL
    assert slower(interval) > interval or interval == WIDEST_INTERVAL


@given(intervals, st.floats(0, 60))
def test_faster_comes_to_what_is_set_and_not_beyond(interval, least):
    eased = faster(interval, least)
    assert eased == 0 or least < eased < interval


@pytest.mark.parametrize("least", [0, 0.5, 30])
def test_whatever_was_asked_for_passes(least):
    interval, messages = WIDEST_INTERVAL, 0
    while interval:
        interval, messages = faster(interval, least), messages + 1
    assert messages < 250


@pytest.mark.parametrize(
    ("window", "inside", "outside"),
    [
        ((time(6), time(22)), [time(6), time(12), time(21, 59, 59)], [time(5, 59), time(22)]),
        ((time(22), time(6)), [time(22), time(0), time(5, 59)], [time(6), time(12), time(21)]),
        (None, [time(0), time(12)], []),
    ],
)
def test_a_window_has_its_first_moment_and_not_its_last(window, inside, outside):
    for hours, expected in ((inside, True), (outside, False)):
        for hour in hours:
            assert is_within(window, datetime.combine(DAY, hour)) is expected, hour


def test_a_warm_up_grows_by_half_each_day():
    days = [most_on(DAY + timedelta(days=n), DAY, 200) for n in range(5)]
    assert days == [200, 300, 450, 675, 1012]
    assert most_on(DAY + timedelta(days=16), DAY, 200) > 100_000


def test_without_a_warm_up_there_is_no_most():
    assert most_on(DAY, None, 200) is None
    assert most_on(DAY - timedelta(days=1), DAY, 200) is None


@given(st.integers(0, 100_000), st.integers(1, 1_000_000))
def test_a_warm_up_never_shrinks(days, first):
    on, after = (most_on(DAY + timedelta(days=n), DAY, first) for n in (days, days + 1))
    assert first <= on <= after
