"""Read the rows of deliveries: their states, the conditions of queries, and what a row says."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, or_, select

from digest.ledger.tables import deliveries, editions
from digest.model.announcements import FIRST_NUMBER
from digest.model.deliveries import WAITING, Delivery, DeliveryState
from digest.model.digests import SkipReason
from subscribers.store.id_list import one_of

_S = DeliveryState
# The states from which each state can be reached; nothing else happens. Only somebody who knows
# more ends uncertainty: the operator, or the worker that marked it and was taken for dead.
REACHED_FROM: dict[DeliveryState, frozenset[DeliveryState]] = {
    # Marked right before its message is handed over: from now on a crash makes it uncertain.
    # Never twice: a worker that was taken for dead may have leased it anew, beside its old lease.
    _S.SENDING: WAITING,
    # A lease that was given back; a message that was not handed over; or resent by the operator.
    _S.PENDING: WAITING | {_S.SENDING, _S.UNCERTAIN},
    # A failure report proves that the relay had accepted it.
    _S.ACCEPTED: frozenset({_S.SENDING, _S.UNCERTAIN}),
    # Put off by a server, or refused for another reason than the address; that needs no mark.
    _S.DEFERRED: WAITING | {_S.SENDING, _S.UNCERTAIN},
    _S.REFUSED: WAITING | {_S.SENDING, _S.UNCERTAIN},
    _S.UNCERTAIN: frozenset({_S.SENDING}),
    # Found before its mark, in the same transaction or earlier.
    _S.SUPPRESSED: WAITING,
    _S.SKIPPED: WAITING,
}

# Deliveries of old versions have no such moment; then it is that of their edition.
_FROZEN_AT = select(editions.c.frozen_at).where(editions.c.id == deliveries.c.edition_id)
PLANNED_AT = func.coalesce(
    deliveries.c.planned_at, _FROZEN_AT.correlate(deliveries).scalar_subquery()
)

# Of an announcement.
IS_ANNOUNCED = deliveries.c.edition_id >= FIRST_NUMBER


def may_be_tried(now: datetime) -> ColumnElement[bool]:
    """Return the condition that a delivery waits and may be tried now."""
    return and_(deliveries.c.state.in_(WAITING), is_time_for(now))


def among(ids: Collection[int] | None) -> list[ColumnElement[bool]]:
    """Return the condition to be one of a shard's deliveries; none without a shard."""
    return [] if ids is None else [one_of(deliveries.c.id, ids)]


def is_held_by(worker: str) -> ColumnElement[bool]:
    """Return the condition that a worker has leased it, or is sending it."""
    is_open = deliveries.c.state.in_([*WAITING, _S.SENDING])
    return and_(is_open, deliveries.c.claimed_by == worker)


def is_time_for(now: datetime) -> ColumnElement[bool]:
    """Return the condition that the wait after an attempt, if there was one, is over."""
    return or_(deliveries.c.next_attempt_at.is_(None), deliveries.c.next_attempt_at <= now)


def delivery_of(row: Row[tuple[Any, ...]]) -> Delivery:
    """Return the delivery of a row. It is a note if it has a reason and is not skipped."""
    is_note = row.reason and row.state != _S.SKIPPED
    return Delivery(
        id=row.id,
        edition_id=row.edition_id,
        subscriber_id=row.subscriber_id,
        attempts=row.attempts,
        provider=row.provider,
        note=SkipReason(row.reason) if is_note else None,
        picks=row.picks or "",
    )
