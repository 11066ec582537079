"""Deliveries, brought to where a test wants them."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from digest.ledger.claims import Answers, Claims, Group, Mark, Record, Release, Skip
from digest.ledger.deliveries import Plan
from digest.ledger.leases import Lease
from digest.ledger.ledger import Ledger
from digest.ledger.provider_queues import Limits, Turn, Wait
from digest.ledger.tables import deliveries, editions
from digest.model.deliveries import Balance, Delivery, DeliveryState
from digest.model.digests import Edition, Pick, Section, SkipReason
from digest.model.messages import Outcome, OutcomeKind
from digest.model.packed_picks import pack
from subscribers.model import SuppressionReason
from subscribers.store.registry import Registry
from subscribers.store.tables import subscribers
from tests.support import NOW

FREE = Limits()
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
    ledger.deliveries.plan(edition.id, [Plan(subscriber, pack(picks), provider)], now)
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


def commit(claims: Claims, now: datetime = NOW, limits: Limits = FREE, **asked: list) -> Answers:
    """Have a worker's wishes done: fields of Group by name."""
    return claims.commit(Group(limits, **asked), now)


def lease(
    claims: Claims, limits: Limits = FREE, now: datetime = NOW, most: int = 1
) -> list[Delivery]:
    [leased] = commit(claims, now, limits, leases=[Lease(most)]).leases
    return list(leased.deliveries)


def begin(claims: Claims, limits: Limits = FREE, now: datetime = NOW) -> Delivery | datetime | None:
    """Lease the next delivery whose turn it is; or when to ask again, or None if nothing is left."""
    [leased] = commit(claims, now, limits, leases=[Lease(99)]).leases
    moments = [leased.later] if leased.later else []
    found: Delivery | datetime | None = None
    for delivery in leased.deliveries:
        [turn] = commit(claims, now, limits, turns=[delivery.provider]).turns
        if not isinstance(turn, Wait):
            found, moments = (delivery if turn is Turn.NOW else None), []
            break
        moments.append(turn.until)
    others = [Release(delivery) for delivery in leased.deliveries if delivery is not found]
    commit(claims, now, releases=others)
    return found or min(moments, default=None)


def mark(ledger: Ledger, claims: Claims, delivery: Delivery, now: datetime = NOW) -> bool:
    """Mark a leased delivery as being sent; a reader stands in if there is none."""
    person = subscribers.c.id == delivery.subscriber_id
    with ledger.engine.begin() as connection:
        known = connection.execute(select(subscribers.c.address).where(person)).scalar()
        address = known
        if address is None:
            address = f"reader{delivery.subscriber_id}@example.org"
            reader = {"id": delivery.subscriber_id, "address": address, "address_key": address}
            reader |= {"public_id": f"{delivery.subscriber_id:032}", "consent": "confirmed"}
            reader |= {"topics": [], "since": NOW}
            connection.execute(insert(subscribers).values(reader))
    [stands] = commit(claims, now, marks=[Mark(delivery, address)]).marks
    if known is None:
        with ledger.engine.begin() as connection:
            connection.execute(delete(subscribers).where(person))
    return stands


def claim(ledger: Ledger, claims: Claims, delivery: Delivery, now: datetime = NOW) -> None:
    """Lease and mark this one, whatever else waits before it."""
    lease_only(ledger, claims, delivery, now)
    assert mark(ledger, claims, delivery, now)


def lease_only(ledger: Ledger, claims: Claims, delivery: Delivery, now: datetime = NOW) -> None:
    """Lease this one, whatever else waits before it."""
    others = deliveries.c.id != delivery.id
    waits = deliveries.c.state.in_([DeliveryState.PENDING, DeliveryState.DEFERRED])
    with ledger.engine.begin() as connection:  # out of the way for a moment
        aside = update(deliveries).where(others, waits)
        connection.execute(aside.values(state=deliveries.c.state + "?"))
    assert lease(claims, now=now) == [delivery]
    with ledger.engine.begin() as connection:
        for state in (DeliveryState.PENDING, DeliveryState.DEFERRED):
            back = update(deliveries).where(deliveries.c.state == state + "?")
            connection.execute(back.values(state=state))


def claim_next(ledger: Ledger, claims: Claims, now: datetime = NOW) -> Delivery | None:
    """Lease and mark the next delivery, if there is one."""
    delivery = begin(claims, now=now)
    if not isinstance(delivery, Delivery):
        return None
    assert mark(ledger, claims, delivery, now)
    return delivery


def record(
    claims: Claims,
    delivery: Delivery,
    outcome: Outcome,
    again: datetime | None = None,
    now: datetime = NOW,
    took: timedelta | None = None,
) -> None:
    commit(claims, now, records=[Record(delivery, outcome, again, took)])


def skip(claims: Claims, delivery: Delivery, reason: SkipReason = SkipReason.WITHDRAWN) -> None:
    commit(claims, skips=[Skip(delivery, reason)])


def suppress(ledger: Ledger, claims: Claims, delivery: Delivery) -> None:
    """Find out, when it is marked, that the address is blocked."""
    registry = Registry(ledger.engine)
    person = registry.get(delivery.subscriber_id)
    address = person.address if person else f"reader{delivery.subscriber_id}@example.org"
    registry.suppressions.add(address, SuppressionReason.OPERATOR, now=NOW)
    assert not mark(ledger, claims, delivery)
    registry.suppressions.lift(address)


def bring(ledger: Ledger, claims: Claims, delivery: Delivery, to: DeliveryState) -> None:
    """Have a waiting delivery leased and marked, and end in a state."""
    if to is DeliveryState.PENDING:
        return
    if to is DeliveryState.SUPPRESSED:
        lease_only(ledger, claims, delivery)
        suppress(ledger, claims, delivery)
        return
    if to is DeliveryState.SKIPPED:
        lease_only(ledger, claims, delivery)
        skip(claims, delivery)
        return
    claim(ledger, claims, delivery)
    match to:
        case DeliveryState.SENDING:
            pass
        case _:
            again = LATER if to is DeliveryState.DEFERRED else None
            record(claims, delivery, Outcome(OutcomeKind(to), "said", 250), again)
    assert state(ledger, delivery) is to


def write_balance(ledger: Ledger, edition: Edition, balance: Balance) -> None:
    """Store a balance as somebody might who doesn't count."""
    stored = {**asdict(balance), "edition": edition.day.isoformat()}
    with ledger.engine.begin() as connection:
        which = update(editions).where(editions.c.id == edition.id)
        connection.execute(which.values(balance=stored))
