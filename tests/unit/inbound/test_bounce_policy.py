"""Who gets nothing any more after what came back, and when all mail stops."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.inbound.bounce_policy import (
    FEWEST_COMPLAINTS,
    FEWEST_HARD,
    Limits,
    is_worth_counting,
    kind_of,
    suppression_for,
    too_many,
)
from digest.model.deliveries import BounceKind
from digest.model.diagnosis import Cause, Diagnosis, Scope
from subscribers.model import SuppressionReason

HARD, SOFT = BounceKind.HARD, BounceKind.SOFT
BLOCKED, COMPLAINT = BounceKind.BLOCKED, BounceKind.COMPLAINT
FIRST = date(2026, 2, 20)
LIMITS = Limits(hard_bounces=5, complaints=0.1)


def days(*numbers):
    return [FIRST + timedelta(days=number) for number in numbers]


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("cause", Cause)
def test_only_what_is_about_the_address_counts_against_its_reader(cause, scope):
    kind = kind_of(Diagnosis(cause, scope))
    if cause is Cause.DEAD:
        assert kind is HARD
    else:
        assert kind is (SOFT if scope is Scope.ADDRESS else BLOCKED)


def test_one_is_enough_of_what_is_plain():
    assert suppression_for(HARD) is SuppressionReason.HARD_BOUNCE
    assert suppression_for(COMPLAINT) is SuppressionReason.COMPLAINT


@pytest.mark.parametrize(
    ("bounced", "is_given_up"),
    [
        ((), False),
        ((0, 1, 2, 3, 4), False),  # in less than a week
        ((0, 1, 2, 3, 6), False),
        ((0, 1, 2, 3, 7), True),
        ((7, 3, 0, 2, 1), True),  # in whatever order they were told
        ((0, 7, 7, 7, 7), False),  # an edition counts once
        ((0, 7, 14, 21), False),
        ((0, 7, 14, 21, 28), True),
        ((0, 7, 14, 22, 30), True),
        ((0, 7, 14, 22, 31), False),  # the first is too long ago
        ((0, 40, 41, 42, 43, 47), True),
    ],
)
def test_an_address_is_given_up_when_enough_came_back_for_long(bounced, is_given_up):
    reason = suppression_for(SOFT, days(*bounced))
    assert reason is (SuppressionReason.SOFT_BOUNCES if is_given_up else None)


@given(st.sets(st.integers(0, 60)))
def test_giving_up_is_as_counted_by_hand(numbers):
    last = max(numbers, default=0)
    window = [number for number in numbers if last - 30 <= number]
    expected = len(window) >= 5 and last - min(window) >= 7
    assert (suppression_for(SOFT, days(*numbers)) is not None) == expected


@given(st.lists(st.dates(), max_size=20))
def test_what_is_our_fault_blocks_nobody(bounced):
    assert suppression_for(BLOCKED, bounced) is None


# ---- all mail ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "count", "accepted", "stops"),
    [
        (HARD, 5, 100, True),
        (HARD, 5, 101, False),
        (HARD, 3, 0, True),
        (COMPLAINT, 2, 2000, True),
        (COMPLAINT, 2, 2001, False),
    ],
)
def test_all_mail_stops_at_a_share(kind, count, accepted, stops):
    assert bool(too_many(kind, count, accepted, LIMITS)) is stops


def test_why_is_told_in_a_line_with_the_figures():
    assert too_many(HARD, 6, 100, LIMITS) == (
        "6 addresses were dead in the last 7 days, and 100 emails were accepted: "
        "DIGEST_PAUSE_AT_HARD_BOUNCES is 5 per cent"
    )
    assert too_many(COMPLAINT, 2, 100, LIMITS) == (
        "2 readers called mail spam in the last 7 days, and 100 emails were accepted: "
        "DIGEST_PAUSE_AT_COMPLAINTS is 0.1 per cent"
    )


def test_a_few_are_no_share():
    assert not is_worth_counting(HARD, FEWEST_HARD - 1)
    assert not is_worth_counting(COMPLAINT, FEWEST_COMPLAINTS - 1)
    assert all(is_worth_counting(HARD, count) for count in range(FEWEST_HARD, 200))
    assert not is_worth_counting(SOFT, 100)
    assert not is_worth_counting(BLOCKED, 100)


@given(st.integers(200, 10**6))
def test_of_many_some_are_looked_at_before_there_are_two_hundredths_more(count):
    span = range(count, count + count // 50 + 1)
    assert any(is_worth_counting(HARD, count) for count in span)
