"""When a relay, or a provider, is left alone."""

from datetime import timedelta

import pytest

from digest.deliver.breaker import (
    FEWEST_RECIPIENTS,
    MOST_LOST,
    MOST_PUT_OFF,
    MOST_REFUSED,
    REFUSED_WITHIN,
    Breaker,
    Refusals,
)
from digest.model.deliveries import Delivery
from digest.model.diagnosis import Cause, Diagnosis, Scope
from digest.model.messages import Outcome, OutcomeKind
from tests.support import NOW


def refused(scope, text="no"):
    return Outcome(OutcomeKind.REFUSED, text, 550, diagnosis=Diagnosis(Cause.UNKNOWN, scope))


TAKEN = Outcome(OutcomeKind.ACCEPTED, "OK", 250)
NOBODY = refused(Scope.ADDRESS, "5.1.1 nobody")
DEFERRED = Outcome(OutcomeKind.DEFERRED, "4.2.0 greylisted", 450)
NOT_NOW = Outcome(OutcomeKind.DEFERRED, "4.3.2 not now", 421, is_about_relay=True)
LOST = Outcome(OutcomeKind.UNCERTAIN, "no answer", is_about_relay=True)
OURS, CONTENT, THEIRS = refused(Scope.US), refused(Scope.MESSAGE), refused(Scope.PROVIDER)


# ---- a pass ------------------------------------------------------------------------------------


def after(*outcomes):
    breaker = Breaker()
    for outcome in outcomes:
        breaker.count(outcome)
    return breaker


@pytest.mark.parametrize(
    ("outcome", "most", "why"),
    [
        (NOBODY, MOST_REFUSED, "the last 20 messages were refused: 550 5.1.1 nobody"),
        (NOT_NOW, MOST_PUT_OFF, "the relay takes nothing: 421 4.3.2 not now"),
    ],
)
def test_so_many_in_a_row_are_enough(outcome, most, why):
    assert after(*[outcome] * (most - 1)).why_to_stop == ""
    assert after(*[outcome] * most).why_to_stop == why
    assert after(*[outcome] * (most - 1), TAKEN, outcome).why_to_stop == ""


@pytest.mark.parametrize("outcome", [TAKEN, DEFERRED, LOST, OURS])
def test_others_are_no_reason_to_stop(outcome):
    assert after(*[outcome] * 100).why_to_stop == ""


# ---- pauses ------------------------------------------------------------------------------------


def orders(*told, connections=4):
    """What is to be paused after outcomes: each for a recipient, at a provider, at a moment."""
    refusals = Refusals(connections)
    found = []
    for number, (outcome, provider, *more) in enumerate(told):
        recipient, now = (*more, *(number, NOW)[len(more) :])
        order = refusals.count(Delivery(number, 1, recipient, 0, provider), outcome, now)
        found += [order] if order else []
    return [order.provider for order in found]


@pytest.mark.parametrize("connections", [1, 64])
def test_twenty_lost_answers_beside_one_for_each_connection_pause_all_mail(connections):
    """A relay that starts anew costs one for each connection."""
    lost = [(LOST, "x.test")] * (connections + MOST_LOST)
    assert orders(*lost, connections=connections) == [None]
    assert orders(*lost[1:], connections=connections) == []
    taken = [(TAKEN, "y.test")] * 21
    assert orders(*lost[1:], *taken, lost[0], connections=connections) == []


def test_a_relay_that_loses_some_of_its_answers_is_noticed():
    """Behind one name there may be several machines, of which one is broken."""
    half = [(LOST, "x.test"), (TAKEN, "y.test")]
    assert orders(*half * 40) == [None]
    rarely = [(LOST, "x.test"), *[(TAKEN, "y.test")] * 30]
    assert orders(*rarely * 200) == []


@pytest.mark.parametrize("outcome", [OURS, CONTENT, THEIRS])
def test_twenty_in_a_row_at_many_providers_pause_all_mail(outcome):
    everywhere = [(outcome, f"{number}.test") for number in range(MOST_REFUSED)]
    assert orders(*everywhere) == [None]
    assert orders(*everywhere[1:]) == []
    assert orders(*everywhere[1:], (TAKEN, "x.test"), *everywhere[1:]) == []


@pytest.mark.parametrize("outcome", [OURS, CONTENT])
def test_twenty_in_a_row_at_one_provider_pause_it_while_others_accept(outcome):
    some = [(outcome, "a.test"), (TAKEN, "b.test")] * (MOST_REFUSED - 1)
    assert orders(*some) == []
    assert orders(*some, (outcome, "a.test")) == ["a.test"]
    assert orders(*some, (TAKEN, "a.test"), *some) == []


@pytest.mark.parametrize("outcome", [OURS, CONTENT])
def test_twenty_in_a_row_at_one_provider_pause_it_alone(outcome):
    assert orders(*[(outcome, "a.test")] * MOST_REFUSED) == ["a.test"]
    assert orders(*[(outcome, "a.test")] * (MOST_REFUSED - 1), (outcome, "b.test")) == [None]


def test_a_provider_is_paused_by_so_many_recipients_within_a_day():
    there = [(THEIRS, "a.test")] * (FEWEST_RECIPIENTS - 1)
    assert orders(*there) == []
    assert orders(*there, (THEIRS, "b.test"), (TAKEN, "a.test")) == []
    assert orders(*there, (TAKEN, "a.test"), (THEIRS, "a.test")) == ["a.test"]
    late = NOW + REFUSED_WITHIN + timedelta(seconds=1)
    assert orders(*there, (THEIRS, "a.test", 99, late)) == []


def test_one_recipient_pauses_nothing_however_often_it_is_refused():
    assert orders(*[(OURS, "a.test", 7), (THEIRS, "a.test", 7)] * 50) == []


@pytest.mark.parametrize("outcome", [NOBODY, DEFERRED, NOT_NOW])
def test_what_is_about_an_address_or_passes_pauses_nothing(outcome):
    assert orders(*[(outcome, "a.test")] * 100) == []
