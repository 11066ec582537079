"""How lengths of time, states and reasons are said."""

from datetime import timedelta

import pytest

from digest.model.deliveries import Balance, Delivery, DeliveryReport, DeliveryState
from digest.model.digests import SkipReason
from digest.model.wording import REASONS, STATES, because, in_words, length, parts, reason
from tests.support import NOW, TODAY


def test_every_state_and_every_reason_is_said():
    assert set(STATES) == set(DeliveryState)
    assert set(REASONS) == set(SkipReason)


def test_a_reason_of_another_version_is_told_as_it_is_stored():
    assert reason("no-papers") == "there were no papers"
    assert reason("of-another-time") == "of another time"


@pytest.mark.parametrize(
    ("state", "note", "told"),
    [
        (DeliveryState.SKIPPED, None, "there were no papers"),
        (DeliveryState.ACCEPTED, SkipReason.NO_PAPERS, "a note that there were no papers"),
    ],
)
def test_a_note_is_told_apart_from_what_was_not_sent(state, note, told):
    delivery = Delivery(1, 1, 1, 0, note=note)
    assert because(DeliveryReport(delivery, state, "no-papers", "", None, NOW, None)) == told


def test_a_length_of_time_or_none():
    assert (length(timedelta(minutes=2)), length(None)) == ("2 min", "")


def test_a_balance_is_told_by_what_anybody_is_in():
    balance = Balance(TODAY, due=6, accepted=3, skipped=1, deferred=2)
    told = dict(parts(balance))
    assert told == {"accepted": 3, "deferred": 2, "skipped": 1}
    assert sum(told.values()) == balance.due


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (0.42, "0.4 s"),
        (7, "7 s"),
        (59.7, "1 min"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
        (3600, "1 h"),
    ],
)
def test_a_length_of_time_in_words(seconds, said):
    assert in_words(seconds) == said
