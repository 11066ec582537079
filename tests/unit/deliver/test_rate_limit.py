"""How fast mail may go."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.deliver.rate_limit import (
    FIRST_GAP,
    WIDEST_GAP,
    faster,
    gap_of,
    is_within,
    most_on,
    slower,
)

DAY = date(2026, 2, 20)
gaps = st.floats(0, WIDEST_GAP)


@pytest.mark.parametrize(("rate", "gap"), [(None, 0), (60, 1), (600, 0.1), (0.5, 120)])
def test_a_rate_is_a_gap(rate, gap):
    assert gap_of(rate) == pytest.approx(gap)


@given(gaps)
def test_slower_is_slower_up_to_a_limit(gap):
    assert FIRST_GAP <= slower(gap) <= WIDEST_GAP
    assert slower(gap) > gap or gap == WIDEST_GAP


@given(gaps, st.floats(0, 60))
def test_faster_comes_to_what_is_set_and_not_beyond(gap, least):
    eased = faster(gap, least)
    assert eased == 0 or least < eased < gap


@pytest.mark.parametrize("least", [0, 0.5, 30])
def test_whatever_was_asked_for_passes(least):
    gap, messages = WIDEST_GAP, 0
    while gap:
        gap, messages = faster(gap, least), messages + 1
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
        for each in hours:
            assert is_within(window, datetime.combine(DAY, each)) is expected, each


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
