"""When a deferred delivery is tried again."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.deliver.rate_limit import FIRST_WAIT, LONGEST_WAIT, next_attempt
from tests.support import NOW

attempts = st.integers(0, 10_000)
ids = st.integers(1, 2**31 - 1)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


def wait(attempts_before: int, delivery_id: int) -> timedelta:
    return next_attempt(attempts_before, delivery_id, NOW) - NOW


@pytest.mark.parametrize(
    ("attempts_before", "whole"),
    [(0, 10), (1, 20), (2, 40), (3, 80), (4, 160), (5, 320), (6, 360), (7, 360), (500, 360)],
)
@given(delivery_id=ids)
def test_the_wait_is_between_a_half_and_the_whole_of_the_doubled_one(
    attempts_before, whole, delivery_id
):
    assert timedelta(minutes=whole) / 2 <= wait(attempts_before, delivery_id)
    assert wait(attempts_before, delivery_id) <= timedelta(minutes=whole)


@given(delivery_id=ids, attempts_before=attempts)
def test_waits_grow_with_each_attempt_up_to_the_longest(delivery_id, attempts_before):
    before, after = wait(attempts_before, delivery_id), wait(attempts_before + 1, delivery_id)
    assert FIRST_WAIT / 2 <= before <= after <= LONGEST_WAIT
    assert before < after or attempts_before >= 6


@given(attempts_before=attempts, delivery_id=ids, now=moments)
def test_the_same_values_give_the_same_time_whenever_now_is(attempts_before, delivery_id, now):
    again = next_attempt(attempts_before, delivery_id, now)
    assert again == next_attempt(attempts_before, delivery_id, now)
    assert abs(again - now - wait(attempts_before, delivery_id)) <= timedelta(microseconds=1)


def test_deliveries_deferred_together_come_back_spread_out():
    minutes = [wait(4, delivery_id) // timedelta(minutes=1) for delivery_id in range(1, 1001)]
    by_tenth = [sum(80 + 8 * n <= minute < 88 + 8 * n for minute in minutes) for n in range(10)]
    assert sum(by_tenth) == 1000
    assert min(by_tenth) > 50
