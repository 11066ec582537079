"""Consent: what each event makes of it, and what it never does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.errors import ConsentError
from subscribers.lifecycle import TRANSITIONS, ConsentEvent, next_consent
from subscribers.model import Consent

E, C = ConsentEvent, Consent

# The whole table once more, by hand: rows are where a person stands, None is refused.
EXPECTED = {
    None: {
        E.ASKED: C.PENDING,
        E.CONFIRMED: None,
        E.VOUCHED: C.CONFIRMED,
        E.WITHDRAWN: None,
        E.UNDONE: None,
        E.MOVED: None,
    },
    C.PENDING: {
        E.ASKED: C.PENDING,
        E.CONFIRMED: C.CONFIRMED,
        E.VOUCHED: C.CONFIRMED,
        E.WITHDRAWN: C.WITHDRAWN,
        E.UNDONE: None,
        E.MOVED: None,
    },
    C.CONFIRMED: {
        E.ASKED: C.CONFIRMED,
        E.CONFIRMED: C.CONFIRMED,
        E.VOUCHED: C.CONFIRMED,
        E.WITHDRAWN: C.WITHDRAWN,
        E.UNDONE: C.CONFIRMED,
        E.MOVED: C.CONFIRMED,
    },
    C.WITHDRAWN: {
        E.ASKED: C.PENDING,
        E.CONFIRMED: None,
        E.VOUCHED: None,
        E.WITHDRAWN: C.WITHDRAWN,
        E.UNDONE: C.CONFIRMED,
        E.MOVED: None,
    },
}
PAIRS = [(before, event) for before in (None, *Consent) for event in ConsentEvent]


@pytest.mark.parametrize(("before", "event"), PAIRS)
def test_every_pair(before, event):
    expected = EXPECTED[before][event]
    if expected is not None:
        assert next_consent(before, event) is expected
        return
    expected = f"{before or 'unknown'}, and the event {event} is not allowed"
    with pytest.raises(ConsentError, match=expected):
        next_consent(before, event)


def test_the_table_holds_no_other_pairs():
    assert set(TRANSITIONS) <= set(PAIRS)


def after(consent: Consent | None, events: list[ConsentEvent]) -> Consent | None:
    """Where a person stands after events, of which the refused ones change nothing."""
    for event in events:
        try:
            consent = next_consent(consent, event)
        except ConsentError:
            continue
    return consent


# Undoing is the person's own hand as well: its link is only given to who was confirmed and left.
OTHERS = [event for event in ConsentEvent if event not in {E.ASKED, E.UNDONE}]


@given(st.lists(st.sampled_from(OTHERS)))
def test_without_asking_nobody_who_left_comes_back(events):
    assert after(C.WITHDRAWN, events) is C.WITHDRAWN


@given(st.lists(st.sampled_from(ConsentEvent)))
def test_asking_alone_confirms_nobody(events):
    unconfirmed = [event for event in events if event not in {E.CONFIRMED, E.VOUCHED, E.UNDONE}]
    assert after(None, unconfirmed) is not C.CONFIRMED


@pytest.mark.parametrize(("before", "event"), PAIRS)
def test_an_event_told_twice_is_told_once(before, event):
    once = after(before, [event])
    assert after(once, [event]) is once
