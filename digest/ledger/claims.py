"""Claims: a worker claims a delivery, sends it and records the outcome, each in a transaction.

Many workers may run at once. Only the one that has claimed a delivery touches it until its outcome
is recorded.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Engine, Row, Update, func, insert, select, update

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
# Of a claimed delivery; uncertain, if its worker has been taken for dead in the meantime.
_CLAIMED = {_S.SENDING, _S.UNCERTAIN}


@dataclass(frozen=True, slots=True)
class Limits:
    """The configured rate limits. An interval is the seconds between two messages.

    ``most`` is a day and the number of messages allowed on it.
    """

    interval: float = 0
    provider_interval: float = 0
    most: tuple[date, int] | None = None


@dataclass(frozen=True, slots=True, order=True)
class NotBefore:
    """The answer that nothing may be sent before a moment."""

    moment: datetime


class Claims(Store):
    """The claims of one worker, which is called ``name``."""

    def __init__(self, engine: Engine, name: str) -> None:
        super().__init__(engine)
        self._name = name

    def next(self, limits: Limits, now: datetime) -> Delivery | NotBefore | None:
        """Claim the next delivery that may be sent now: first attempts first, oldest edition first.

        Return None if nothing is left to be sent now, or today's limit is reached.
        """
        with write_transaction(self._engine) as connection:
            is_paced = limits.interval > 0 or bool(limits.most)
            slot = next_slot(connection, ALL, now, is_paced=is_paced)
            if slot.is_closed:
                return None
            if not slot.is_now(now):
                return NotBefore(slot.at or now)
            row = _first_waiting(connection, now)
            if row is None:
                return _later(connection, now)
            is_paced = limits.provider_interval > 0
            its_slot = next_slot(connection, row.provider, now, is_paced=is_paced)
            if not its_slot.is_now(now):  # another worker was faster, or it has just been paused
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
            return replace(delivery_of(row), is_probe=slot.is_probe or its_slot.is_probe)

    def release(
        self, delivery: Delivery, now: datetime, not_before: datetime | None = None
    ) -> None:
        """Undo a claim of which nothing was sent; with a moment, try it again then at the earliest.

        Idempotent for the same ``now``: a later claim by this worker stays.
        """
        is_that_claim = deliveries.c.changed_at <= now
        moved = self._move(delivery, _S.PENDING, now, is_that_claim, next_attempt_at=not_before)
        self._write(moved)

    def record(
        self,
        delivery: Delivery,
        outcome: Outcome,
        next_attempt_at: datetime | None,
        now: datetime,
        took: timedelta | None = None,
    ) -> None:
        """Record the outcome of one SMTP transaction, and when the next attempt is, if any.

        A delivery that is refused for another reason than its address is deferred.
        """
        refused_for = outcome.refused_for
        state = DeliveryState(outcome.kind) if refused_for is None else _S.DEFERRED
        with self._engine.begin() as connection:
            moved = self._move(
                delivery,
                state,
                now,
                next_attempt_at=next_attempt_at,
                attempts=deliveries.c.attempts + 1,
                refused_for=refused_for,
            )
            # None is moved if this was recorded before, and the answer to that commit was lost.
            if connection.execute(moved).rowcount:
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
        """Undo claims whose commit was not answered. Call it while nothing is being sent."""
        return self._write(
            update(deliveries)
            .where(deliveries.c.state == _S.SENDING, deliveries.c.claimed_by == self._name)
            .values(state=_S.PENDING, changed_at=now)
        )

    def skip(self, delivery: Delivery, reason: SkipReason, now: datetime) -> None:
        """Skip a claimed delivery that must not be sent."""
        self._write(self._move(delivery, _S.SKIPPED, now, reason=reason))

    def suppress(self, delivery: Delivery, now: datetime) -> None:
        """Mark a claimed delivery as not sent, because the address is blocked."""
        self._write(self._move(delivery, _S.SUPPRESSED, now))

    def _move(
        self,
        delivery: Delivery,
        to: DeliveryState,
        now: datetime,
        *only: ColumnElement[bool],
        **values: object,
    ) -> Update:
        """Return the statement that changes the state of a delivery that this worker has claimed.

        A worker that lost the database and was taken for dead may still record its outcomes.
        """
        its_row = update(deliveries).where(
            deliveries.c.id == delivery.id,
            deliveries.c.state.in_(REACHED_FROM[to] & _CLAIMED),
            deliveries.c.claimed_by == self._name,
            *only,
        )
        return its_row.values(state=to, changed_at=now, **values)


def _first_waiting(connection: Connection, now: datetime) -> Row[tuple[object, ...]] | None:
    """Return the next delivery among those that no other worker is claiming at this moment."""
    in_order = (deliveries.c.edition_id, deliveries.c.id)
    # By state, so that each has its own index, and the first is found without reading the others.
    for state, order in ((_S.PENDING, in_order), (_S.DEFERRED, (deliveries.c.next_attempt_at,))):
        query = (
            select(deliveries)
            .where(deliveries.c.state == state, is_time_for(now))
            .where(deliveries.c.provider.not_in(providers_that_wait(now)))
        )
        first = query.order_by(*order).limit(1).with_for_update(skip_locked=True)
        if row := connection.execute(first).one_or_none():
            return row
    return None


def _later(connection: Connection, now: datetime) -> NotBefore | None:
    """Return when the first delivery may be sent that waits for its queue or for a later moment."""
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
