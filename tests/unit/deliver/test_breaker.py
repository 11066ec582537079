"""When a relay is left alone."""

import pytest

from digest.deliver.breaker import MOST_PUT_OFF, MOST_REFUSED, Breaker
from digest.model.messages import Concern, Outcome, OutcomeKind

TAKEN = Outcome(OutcomeKind.ACCEPTED, "OK", 250)
REFUSED = Outcome(OutcomeKind.REFUSED, "5.1.1 nobody", 550)
DEFERRED = Outcome(OutcomeKind.DEFERRED, "4.2.0 greylisted", 450)
NOT_NOW = Outcome(OutcomeKind.DEFERRED, "4.3.2 not now", 421, concern=Concern.RELAY)
NEVER = Outcome(OutcomeKind.REFUSED, "5.7.1 not you", 550, concern=Concern.RELAY)
LOST = Outcome(OutcomeKind.UNCERTAIN, "no answer", concern=Concern.RELAY)


def after(*outcomes):
    breaker = Breaker()
    for outcome in outcomes:
        breaker.heed(outcome)
    return breaker


@pytest.mark.parametrize(
    ("outcome", "most", "why"),
    [
        (REFUSED, MOST_REFUSED, "the last 20 messages were refused: 550 5.1.1 nobody"),
        (NOT_NOW, MOST_PUT_OFF, "the relay takes nothing: 421 4.3.2 not now"),
        (NEVER, MOST_PUT_OFF, "the relay takes nothing: 550 5.7.1 not you"),
    ],
)
def test_so_many_in_a_row_are_enough(outcome, most, why):
    assert after(*[outcome] * (most - 1)).tripped == ""
    assert after(*[outcome] * most).tripped == why
    assert after(*[outcome] * (most - 1), TAKEN, outcome).tripped == ""


@pytest.mark.parametrize("outcome", [TAKEN, DEFERRED, LOST])
def test_others_are_no_reason_to_stop(outcome):
    assert after(*[outcome] * 100).tripped == ""


def test_what_the_relay_will_never_take_is_not_waited_for():
    assert after(NEVER).not_worth_waiting == "the relay takes nothing: 550 5.7.1 not you"
    for outcomes in ([], [TAKEN], [NOT_NOW], [REFUSED], [NEVER, TAKEN], [NEVER, NOT_NOW]):
        assert after(*outcomes).not_worth_waiting == "", outcomes
