"""Leases: which deliveries a worker gets next.

What is leased is not yet on the wire; see claims.py.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select, text, update

from digest.ledger.delivery_rows import IS_ANNOUNCED, among, delivery_of, is_time_for, may_be_tried
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
from digest.model.deliveries import WAITING, Delivery, DeliveryState
from subscribers.store.id_list import one_of

_S = DeliveryState
# Of a queue with an interval, no more is leased than it allows in this time.
_HORIZON = timedelta(seconds=30)
# PostgreSQL, which counts a table that was just filled by its old figures, would read all that wait
# for each lease, and sort it, instead of the first ones in the order of an index.
_NO_SORT = text("SET LOCAL enable_sort TO off")
# By state, so that each has its own index, and the first is found without reading others. No digest
# waits for an announcement, not even one that is tried again.
_IN_ORDER = (
    (_S.PENDING, ~IS_ANNOUNCED),
    (_S.DEFERRED, ~IS_ANNOUNCED),
    (_S.PENDING, IS_ANNOUNCED),
    (_S.DEFERRED, IS_ANNOUNCED),
)


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
    """The deliveries that were leased; if there are none, ``later`` is when there may be some.

    ``is_all`` says that nothing else of a shard waits.
    """

    deliveries: tuple[Delivery, ...]
    later: datetime | None = None
    is_all: bool = False


def take(
    connection: Connection, lease: Lease, worker: str, limits: Limits, now: datetime
) -> Leased:
    """Lease for a worker what may be sent soon: first attempts first, oldest edition first."""
    of_all = openings(connection, [ALL], limits, now, _HORIZON)[ALL]
    if of_all.most == 0:
        return Leased((), of_all.at)
    choice = _Choice(connection, lease, worker, limits, now, of_all)
    leased = _first(choice) if lease.only is None else _of_shard(choice, lease.only)
    for queue, its in {**choice.openings, ALL: of_all}.items() if leased.deliveries else ():
        if its.is_probe:
            take_probe(connection, queue, now)
    return leased


class _Choice:
    """Chooses from what waits, no more of each provider than its queue allows."""

    def __init__(
        self,
        connection: Connection,
        lease: Lease,
        worker: str,
        limits: Limits,
        now: datetime,
        of_all: Opening,
    ) -> None:
        self.connection = connection
        self.now = now
        self.leased: list[Delivery] = []
        self.openings: dict[str, Opening] = {}
        self._worker = worker
        self._limits = limits
        self._of_all = of_all
        self._most = min(lease.most, of_all.most - sum(lease.has.values()))
        self._taken = Counter(lease.has)

    @property
    def wanted(self) -> int:
        """Return how many more may be leased."""
        return max(0, self._most - len(self.leased))

    @property
    def full(self) -> list[str]:
        """Return the providers of which no more may be leased."""
        return [name for name, its in self.openings.items() if self._taken[name] >= its.most]

    def look_up(self, rows: Iterable[Row[Any]]) -> None:
        new = {row.provider for row in rows} - self.openings.keys()
        self.openings |= openings(self.connection, new, self._limits, self.now, _HORIZON)

    def lease(self, rows: Sequence[Row[Any]]) -> None:
        """Lease as many of these as are wanted, but for those of full providers."""
        self.look_up(rows)
        ids = []
        for row in rows:
            its = self.openings[row.provider]
            if self.wanted and self._taken[row.provider] < its.most:
                self._taken[row.provider] += 1
                ids.append(row.id)
                is_probe = its.is_probe or self._of_all.is_probe
                self.leased.append(replace(delivery_of(row), is_probe=is_probe))
        if ids:
            mine = update(deliveries).where(one_of(deliveries.c.id, ids))
            self.connection.execute(mine.values(claimed_by=self._worker))


# ---- all that waits --------------------------------------------------------------------------


def _first(choice: _Choice) -> Leased:
    if choice.connection.dialect.name == "postgresql":
        choice.connection.execute(_NO_SORT)
    for state, kind in _IN_ORDER:
        while choice.wanted:
            wanted = choice.wanted
            found = _first_waiting(choice, state, kind)
            choice.lease(found)
            if len(found) < wanted:
                break
    if choice.leased:
        return Leased(tuple(choice.leased))
    return Leased((), _later(choice.connection, choice.now))


def _first_waiting(
    choice: _Choice, state: DeliveryState, kind: ColumnElement[bool]
) -> Sequence[Row[Any]]:
    """Return the next deliveries in a state that no worker has, but for full providers."""
    in_order = {
        _S.PENDING: (deliveries.c.edition_id, deliveries.c.id),
        _S.DEFERRED: (deliveries.c.next_attempt_at, deliveries.c.id),
    }
    now, provider = choice.now, deliveries.c.provider
    query = (
        select(deliveries)
        .where(deliveries.c.state == state, kind)
        .where(is_time_for(now), deliveries.c.claimed_by.is_(None))
        .where(provider.not_in(providers_that_wait(now, now + _HORIZON)))
        .where(provider.not_in(choice.full))
    )
    first = query.order_by(*in_order[state]).limit(choice.wanted)
    return choice.connection.execute(first.with_for_update(skip_locked=True)).all()


def _later(connection: Connection, now: datetime) -> datetime | None:
    """Return when the first delivery may be leased that waits for its queue or a later moment."""
    queue = provider_queues.c
    in_queues = (
        select(func.min(queue.next_at))
        .join(deliveries, deliveries.c.provider == queue.provider)
        .where(queue.paused_at.is_(None), queue.next_at > now + _HORIZON, may_be_tried(now))
        .where(queue.next_at <= now + TOO_FAR, deliveries.c.claimed_by.is_(None))
    )
    released = (
        select(func.min(deliveries.c.next_attempt_at))
        .where(deliveries.c.state == _S.PENDING, deliveries.c.next_attempt_at > now)
        .where(deliveries.c.provider.not_in(paused_providers()))
    )
    turn = connection.execute(in_queues).scalar_one_or_none()
    moments = [turn and turn - _HORIZON, connection.execute(released).scalar_one_or_none()]
    return min((moment for moment in moments if moment), default=None)


# ---- a shard ---------------------------------------------------------------------------------


def _of_shard(choice: _Choice, ids: Collection[int]) -> Leased:
    # By ids alone: right after planning PostgreSQL thinks that hardly any delivery waits, and
    # would look through all that do for each id.
    query = select(deliveries).where(*among(ids), deliveries.c.claimed_by.is_(None))
    rows = choice.connection.execute(query.with_for_update(skip_locked=True))
    waiting = [row for row in rows if row.state in WAITING]
    waiting.sort(key=lambda row: (row.state != _S.PENDING, row.edition_id, row.id))
    choice.look_up(waiting)
    choice.lease([row for row in waiting if _is_due(row, choice.now)])
    if choice.leased:
        return Leased(tuple(choice.leased), is_all=len(choice.leased) == len(waiting))
    moments = [_moment_of(row, choice.openings[row.provider], choice.now) for row in waiting]
    later = min((moment for moment in moments if moment), default=None)
    return Leased((), later, is_all=not waiting)


def _is_due(row: Row[Any], now: datetime) -> bool:
    return row.next_attempt_at is None or row.next_attempt_at <= now


def _moment_of(row: Row[Any], its: Opening, now: datetime) -> datetime | None:
    """Return when a delivery may be leased that waits for its queue or a later moment."""
    if _is_due(row, now):
        return its.at
    is_paused = its.is_probe or (its.most == 0 and its.at is None)
    # What was deferred is handed out anew when it is time.
    return row.next_attempt_at if row.state == _S.PENDING and not is_paused else None
