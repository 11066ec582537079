"""Leases: which deliveries a worker gets next.

What is leased is not yet on the wire; see claims.py.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select, update

from digest.ledger.deliveries import IS_ANNOUNCED, among, delivery_of, is_time_for, may_be_tried
from digest.ledger.provider_queues import (
    ALL,
    TOO_FAR,
    Limits,
    Opening,
    openings,
    paused_providers,
    providers_that_wait,
    take_probe,
)
from digest.ledger.tables import deliveries, provider_queues
from digest.model.deliveries import Delivery, DeliveryState

_S = DeliveryState
# Of a queue with an interval, no more is leased than it allows in this time.
_HORIZON = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Lease:
    """A wish to lease deliveries; ``has`` are the numbers that the worker has of each provider.

    ``only`` are the ids of a shard; without it, any that wait.
    """

    most: int
    has: Mapping[str, int] = field(default_factory=dict)
    only: Collection[int] | None = None


@dataclass(frozen=True, slots=True)
class Leased:
    """The deliveries that were leased; if there are none, ``later`` is when there may be some."""

    deliveries: tuple[Delivery, ...]
    later: datetime | None = None


def take(
    connection: Connection, lease: Lease, worker: str, limits: Limits, now: datetime
) -> Leased:
    """Lease for a worker what may be sent soon: first attempts first, oldest edition first.

    No digest waits for an announcement, not even one that is tried again.
    """
    of_all = openings(connection, [ALL], limits, now, _HORIZON)[ALL]
    if of_all.most == 0:
        return Leased((), of_all.at)
    most = min(lease.most, of_all.most - sum(lease.has.values()))
    leased: list[Delivery] = []
    by_provider: dict[str, Opening] = {}
    taken = Counter(lease.has)
    for state, kind in (
        (_S.PENDING, ~IS_ANNOUNCED),
        (_S.DEFERRED, ~IS_ANNOUNCED),
        (_S.PENDING, IS_ANNOUNCED),
        (_S.DEFERRED, IS_ANNOUNCED),
    ):
        while len(leased) < most:
            full = [name for name, its in by_provider.items() if taken[name] >= its.most]
            wanted = most - len(leased)
            found = _first_waiting(connection, state, kind, full, wanted, lease.only, now)
            new = {row.provider for row in found} - by_provider.keys()
            by_provider |= openings(connection, new, limits, now, _HORIZON)
            for row in found:
                its = by_provider[row.provider]
                if taken[row.provider] < its.most:
                    taken[row.provider] += 1
                    is_probe = its.is_probe or of_all.is_probe
                    leased.append(replace(delivery_of(row), is_probe=is_probe))
            ids = [delivery.id for delivery in leased]
            mine = update(deliveries).where(deliveries.c.id.in_(sorted(ids)))
            connection.execute(mine.values(claimed_by=worker))
            if len(found) < wanted:
                break
    for queue, its in {**by_provider, ALL: of_all}.items() if leased else ():
        if its.is_probe:
            take_probe(connection, queue, now)
    return Leased(tuple(leased), None if leased else _later(connection, lease.only, now))


def _first_waiting(
    connection: Connection,
    state: DeliveryState,
    kind: ColumnElement[bool],
    full: Sequence[str],
    most: int,
    only: Collection[int] | None,
    now: datetime,
) -> Sequence[Row[Any]]:
    """Return the next deliveries in a state that no worker has, but for full providers."""
    # By state, so that each has its own index, and the first is found without reading others.
    in_order = {
        _S.PENDING: (deliveries.c.edition_id, deliveries.c.id),
        _S.DEFERRED: (deliveries.c.next_attempt_at, deliveries.c.id),
    }
    query = (
        select(deliveries)
        .where(deliveries.c.state == state, kind)
        .where(is_time_for(now), deliveries.c.claimed_by.is_(None))
        .where(deliveries.c.provider.not_in(providers_that_wait(now, now + _HORIZON)))
        .where(deliveries.c.provider.not_in(full), *among(only))
    )
    first = query.order_by(*in_order[state]).limit(most).with_for_update(skip_locked=True)
    return connection.execute(first).all()


def _later(connection: Connection, only: Collection[int] | None, now: datetime) -> datetime | None:
    """Return when the first delivery may be leased that waits for its queue or a later moment."""
    queue = provider_queues.c
    in_queues = (
        select(func.min(queue.next_at))
        .join(deliveries, deliveries.c.provider == queue.provider)
        .where(queue.paused_at.is_(None), queue.next_at > now + _HORIZON, may_be_tried(now))
        .where(queue.next_at <= now + TOO_FAR, deliveries.c.claimed_by.is_(None))
        .where(*among(only))
    )
    released = (
        select(func.min(deliveries.c.next_attempt_at))
        .where(deliveries.c.state == _S.PENDING, deliveries.c.next_attempt_at > now)
        .where(deliveries.c.provider.not_in(paused_providers()), *among(only))
    )
    turn = connection.execute(in_queues).scalar_one_or_none()
    moments = [turn and turn - _HORIZON, connection.execute(released).scalar_one_or_none()]
    return min((moment for moment in moments if moment), default=None)
