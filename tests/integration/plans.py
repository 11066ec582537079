"""Deliveries, brought to where a test wants them."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, select, update

from digest.ledger.claims import Claims, Limits
from digest.ledger.deliveries import Plan
from digest.ledger.ledger import Ledger
from digest.ledger.tables import deliveries, editions
from digest.model.deliveries import Balance, Delivery, DeliveryState
from digest.model.digests import Edition, Pick, Section, SkipReason
from digest.model.messages import Outcome, OutcomeKind
from tests.support import NOW

LATER = NOW + timedelta(minutes=10)


def plan(
    ledger: Ledger,
    edition: Edition,
    subscriber: int = 1,
    provider: str = "",
    now: datetime = NOW,
) -> Delivery:
    """A delivery that waits to be sent."""
    picks = (Pick(Section.TRENDING, edition.candidates[0]),)
    ledger.deliveries.plan(edition.id, [Plan(subscriber, picks, provider)], now)
    delivery = ledger.deliveries.of(edition, subscriber)
    assert delivery
    return delivery


def plan_skipped(ledger: Ledger, edition: Edition, subscriber: int, reason: SkipReason) -> None:
    """Decide that somebody gets nothing."""
    ledger.deliveries.plan(edition.id, [Plan(subscriber, skipped=reason)], NOW)


def row(ledger: Ledger, delivery: Delivery) -> Row[Any]:
    with ledger.engine.connect() as connection:
        query = select(deliveries).where(deliveries.c.id == delivery.id)
        return connection.execute(query).one()


def state(ledger: Ledger, delivery: Delivery) -> DeliveryState:
    return DeliveryState(row(ledger, delivery).state)


def claim(ledger: Ledger, claims: Claims, delivery: Delivery, now: datetime = NOW) -> None:
    """Claim this one, whatever else waits before it."""
    others = deliveries.c.id != delivery.id
    waits = deliveries.c.state.in_([DeliveryState.PENDING, DeliveryState.DEFERRED])
    with ledger.engine.begin() as connection:  # out of the way for a moment
        aside = update(deliveries).where(others, waits)
        connection.execute(aside.values(state=deliveries.c.state + "?"))
    assert claims.next(Limits(), now) == delivery
    with ledger.engine.begin() as connection:
        for each in (DeliveryState.PENDING, DeliveryState.DEFERRED):
            back = update(deliveries).where(deliveries.c.state == each + "?")
            connection.execute(back.values(state=each))


def bring(ledger: Ledger, claims: Claims, delivery: Delivery, to: DeliveryState) -> None:
    """Have a waiting delivery claimed, and end in a state."""
    if to is DeliveryState.PENDING:
        return
    claim(ledger, claims, delivery)
    match to:
        case DeliveryState.SENDING:
            pass
        case DeliveryState.SUPPRESSED:
            claims.suppress(delivery, NOW)
        case DeliveryState.SKIPPED:
            claims.skip(delivery, SkipReason.WITHDRAWN, NOW)
        case _:
            again = LATER if to is DeliveryState.DEFERRED else None
            claims.record(delivery, Outcome(OutcomeKind(to), "said", 250), again, NOW)
    assert state(ledger, delivery) is to


def write_balance(ledger: Ledger, edition: Edition, balance: Balance) -> None:
    """Store a balance as somebody might who doesn't count."""
    stored = {**asdict(balance), "edition": edition.day.isoformat()}
    with ledger.engine.begin() as connection:
        which = update(editions).where(editions.c.id == edition.id)
        connection.execute(which.values(balance=stored))
