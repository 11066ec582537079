"""Deliveries on their way: claimed, sent, and what came of it. Each step is committed by itself.

Many senders may work at once. Only the one that has claimed a delivery touches it until its outcome
is recorded.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    Select,
    Update,
    func,
    insert,
    select,
    update,
)

from digest.ledger.database import write_transaction
from digest.ledger.deliveries import REACHED_FROM, delivery_of, is_time_for, may_be_tried
from digest.ledger.provider_queues import (
    ALL,
    acquire_slot,
    count_one,
    is_to_come,
    next_slot,
    paused_providers,
    providers_that_wait,
)
from digest.ledger.tables import attempts, deliveries, provider_queues
from digest.model.deliveries import Delivery, DeliveryState
from digest.model.digests import SkipReason
from digest.model.messages import Outcome
from subscribers.store.store import Store

_S = DeliveryState
# What a sender has in hand: the second, when it has been taken for dead meanwhile.
_CLAIMED = {_S.SENDING, _S.UNCERTAIN}


@dataclass(frozen=True, slots=True)
class Limits:
    """The rate that is set, apart from what replies have led to: seconds between two messages.

    ``most`` is a day, and how many may go out on it.
    """

    interval: float = 0
    provider_interval: float = 0
    most: tuple[date, int] | None = None


@dataclass(frozen=True, slots=True, order=True)
class NotBefore:
    """Something waits until a moment."""

    moment: datetime


class Claims(Store):
    """The deliveries of one sender, which goes by ``name``."""

    def __init__(self, engine: Engine, name: str) -> None:
        super().__init__(engine)
        self._name = name

    # ---- to claim ----

    def next(self, limits: Limits, now: datetime) -> Delivery | NotBefore | None:
        """Claim what is to be sent next: first attempts before others, oldest edition first.

        None if nothing may be tried now, or the day has had its most.
        """
        with write_transaction(self._engine) as connection:
            is_paced = limits.interval > 0 or bool(limits.most)
            slot = next_slot(connection, ALL, is_paced=is_paced)
            if slot.is_closed:
                return None
            if not slot.is_now(now):
                return NotBefore(slot.at or now)
            row = _first_waiting(connection, now)
            if row is None:
                return _later(connection, now)
            its_slot = next_slot(connection, row.provider, is_paced=limits.provider_interval > 0)
            if not its_slot.is_now(now):  # somebody was faster, or it has just been paused
                return NotBefore(its_slot.at or now)
            if limits.most and not count_one(connection, *limits.most):
                return None
            acquire_slot(connection, slot, limits.interval, now)
            acquire_slot(connection, its_slot, limits.provider_interval, now)
            connection.execute(
                update(deliveries)
                .where(deliveries.c.id == row.id)
                .values(state=_S.SENDING, claimed_by=self._name, changed_at=now)
            )
            return delivery_of(row)

    # ---- what came of it ----

    def release(
        self, delivery: Delivery, now: datetime, not_before: datetime | None = None
    ) -> None:
        """Undo a claim: nothing of it was looked at. With a moment, let others go before.

        Idempotent for the same ``now``: a claim that this sender has made since stays.
        """
        is_that_claim = deliveries.c.changed_at <= now
        self._write(
            self._move(delivery, _S.PENDING, now, is_that_claim, next_attempt_at=not_before)
        )

    def record(
        self,
        delivery: Delivery,
        outcome: Outcome,
        next_attempt_at: datetime | None,
        now: datetime,
        took: timedelta | None = None,
    ) -> None:
        """The end of one SMTP transaction; with a time, if it is worth another."""
        with self._engine.begin() as connection:
            moved = self._move(
                delivery,
                DeliveryState(outcome.kind),
                now,
                next_attempt_at=next_attempt_at,
                attempts=deliveries.c.attempts + 1,
            )
            if not connection.execute(
                moved
            ).rowcount:  # recorded before: the answer to that commit was lost
                return
            connection.execute(
                insert(attempts).values(
                    delivery_id=delivery.id,
                    at=now,
                    outcome=outcome.kind,
                    code=outcome.code,
                    text=outcome.text,
                    seconds=None if took is None else took.total_seconds(),
                )
            )

    def release_forgotten(self, now: datetime) -> int:
        """Undo the claims whose answer was lost; for a sender that has nothing in hand."""
        return self._write(
            update(deliveries)
            .where(deliveries.c.state == _S.SENDING, deliveries.c.claimed_by == self._name)
            .values(state=_S.PENDING, changed_at=now)
        )

    def skip(self, delivery: Delivery, reason: SkipReason, now: datetime) -> None:
        """Leave out what turned out in the last moment not to be sent."""
        self._write(self._move(delivery, _S.SKIPPED, now, reason=reason))

    def suppress(self, delivery: Delivery, now: datetime) -> None:
        """Leave out what turned out in the last moment to be for a blocked address."""
        self._write(self._move(delivery, _S.SUPPRESSED, now))

    def _move(
        self,
        delivery: Delivery,
        to: DeliveryState,
        now: datetime,
        *only: ColumnElement[bool],
        **values: object,
    ) -> Update:
        """Return the statement that moves a delivery, where this sender has claimed it.

        A sender that lost the database for a while may have been taken for dead, but still knows.
        """
        its_row = update(deliveries).where(
            deliveries.c.id == delivery.id,
            deliveries.c.state.in_(REACHED_FROM[to] & _CLAIMED),
            deliveries.c.claimed_by == self._name,
            *only,
        )
        return its_row.values(state=to, changed_at=now, **values)


def _first_waiting(connection: Connection, now: datetime) -> Row[tuple[object, ...]] | None:
    """The delivery whose turn it is among those that nobody else is just claiming."""
    in_order = (deliveries.c.edition_id, deliveries.c.id)
    for state, order in ((_S.PENDING, in_order), (_S.DEFERRED, (deliveries.c.next_attempt_at,))):
        query = _waiting(state, now).order_by(*order).limit(1).with_for_update(skip_locked=True)
        if row := connection.execute(query).one_or_none():
            return row
    return None


def _waiting(state: DeliveryState, now: datetime) -> Select[tuple[object, ...]]:
    # By state, so that each has its own index, and the first is found without reading the others.
    return (
        select(deliveries)
        .where(deliveries.c.state == state, is_time_for(now))
        .where(deliveries.c.provider.not_in(providers_that_wait(now)))
    )


def _later(connection: Connection, now: datetime) -> NotBefore | None:
    """Return when the first may go of what waits for its queue, or let others go before."""
    in_queues = (
        select(func.min(provider_queues.c.next_at))
        .join(deliveries, deliveries.c.provider == provider_queues.c.provider)
        .where(provider_queues.c.paused_at.is_(None), is_to_come(now), may_be_tried(now))
    )
    released = (
        select(func.min(deliveries.c.next_attempt_at))
        .where(deliveries.c.state == _S.PENDING, deliveries.c.next_attempt_at > now)
        .where(deliveries.c.provider.not_in(paused_providers()))
    )
    moments = [connection.execute(query).scalar_one_or_none() for query in (in_queues, released)]
    return min((NotBefore(moment) for moment in moments if moment), default=None)
