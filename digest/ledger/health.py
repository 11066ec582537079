"""Health: what waits, bounces, attempts, sources, and whether the balances are right.

It may be asked every few seconds: every query uses an index or has a limit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, case, func, select

from digest.ledger.delivery_rows import PLANNED_AT, may_be_tried
from digest.ledger.editions import IS_DIGEST
from digest.ledger.locks import is_held
from digest.ledger.tables import attempts, bounces, collections, deliveries, editions, runs
from digest.model.deliveries import WAITING, BounceKind, DeliveryState
from digest.model.messages import OutcomeKind
from subscribers.store.store import Store

FAILURES_KEPT = timedelta(days=30)  # how long a source's last failure is reported
MOST_ATTEMPTS = 10_000
BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)  # seconds

_S = DeliveryState
_OPEN = (_S.PENDING, _S.DEFERRED, _S.SENDING, _S.UNCERTAIN)


@dataclass(frozen=True, slots=True)
class Queue:
    """The deliveries that are not decided yet.

    ``waiting`` may be tried now, the first since ``ready_since``; ``put_off`` will be tried between
    ``put_off_from`` and ``put_off_until``. The oldest edition of both was frozen at
    ``oldest_since``. ``tried_at`` is the last attempt at any delivery.
    """

    waiting: int = 0
    put_off: int = 0
    put_off_from: datetime | None = None
    put_off_until: datetime | None = None
    being_sent: int = 0
    uncertain: int = 0
    oldest_since: datetime | None = None
    ready_since: datetime | None = None
    tried_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """The last collection of a source, and its last failure of the last 30 days.

    If it fails, it has since ``failing_since``. ``doubt`` says why its list looks incomplete.
    """

    name: str
    collected_at: datetime | None = None
    sightings: int = 0
    failure: str = ""
    failing_since: datetime | None = None
    doubt: str = ""
    failed_at: datetime | None = None
    last_failure: str = ""


@dataclass(frozen=True, slots=True)
class Latencies:
    """The number of attempts ``within`` each bound in seconds, of all, and their total seconds."""

    within: dict[float, int]
    count: int
    total: float


class Health(Store):
    """The health of one ledger."""

    def queue(self, now: datetime) -> Queue:
        """Return what waits at a moment."""
        by_edition = (
            select(deliveries.c.state, deliveries.c.edition_id, func.count())
            .where(deliveries.c.state.in_(_OPEN))
            .group_by(deliveries.c.state, deliveries.c.edition_id)
        )
        again = deliveries.c.next_attempt_at
        later = select(func.count(), func.min(again), func.max(again)).where(
            deliveries.c.state.in_(WAITING), again > now
        )
        with self._engine.connect() as connection:
            rows = connection.execute(by_edition).all()
            put_off, first, last = connection.execute(later).one()
            waiting_of = [edition_id for state, edition_id, _ in rows if state in WAITING]
            frozen = select(func.min(editions.c.frozen_at)).where(editions.c.id.in_(waiting_of))
            oldest = connection.execute(frozen).scalar()
            ready = select(func.min(func.coalesce(again, PLANNED_AT))).where(may_be_tried(now))
            ready_since = connection.execute(ready).scalar()
            last_attempt = select(attempts.c.at).order_by(attempts.c.id.desc()).limit(1)
            tried_at = connection.execute(last_attempt).scalar()
        counts = dict.fromkeys(_OPEN, 0)
        for state, _, count in rows:
            counts[DeliveryState(state)] += count
        return Queue(
            waiting=max(0, counts[_S.PENDING] + counts[_S.DEFERRED] - put_off),
            put_off=put_off,
            put_off_from=first,
            put_off_until=last,
            being_sent=counts[_S.SENDING],
            uncertain=counts[_S.UNCERTAIN],
            oldest_since=oldest,
            ready_since=ready_since,
            tried_at=tried_at,
        )

    def came_back(self, since: datetime) -> dict[BounceKind, int]:
        """Count the bounces since a moment by kind."""
        kind = bounces.c.kind
        query = select(kind, func.count()).where(bounces.c.at >= since).group_by(kind)
        found: dict[str, int] = dict(self._rows(query))
        return {kind: found.get(kind, 0) for kind in BounceKind}

    def attempts(self, since: datetime) -> dict[tuple[OutcomeKind, int], int]:
        """Count the attempts since a moment by outcome and code, the latest MOST_ATTEMPTS only."""
        by = (attempts.c.outcome, attempts.c.code)
        rows = self._rows(select(*by, func.count()).where(*_latest(since)).group_by(*by))
        return {(OutcomeKind(outcome), code): count for outcome, code, count in rows}

    def latencies(self, since: datetime) -> Latencies:
        """Return how long the same attempts took; attempts of old versions do not tell."""
        took = attempts.c.seconds
        within = (func.count(case((took <= bound, 1))) for bound in BUCKETS)
        query = select(func.sum(took), func.count(took), *within).where(*_latest(since))
        [(total, count, *counts)] = self._rows(query)
        return Latencies(dict(zip(BUCKETS, counts, strict=True)), count, total or 0.0)

    def source(self, name: str, now: datetime) -> SourceHealth:
        """Return the health of a source."""
        its = select(collections.c.at, collections.c.sightings, collections.c.failure).where(
            collections.c.source == name
        )
        latest = its.order_by(collections.c.id.desc()).limit(1)
        since = now - FAILURES_KEPT
        failed = latest.where(collections.c.day >= since.date(), collections.c.failure != "")
        last, failure = self._row(latest), self._row(failed)
        failing = last is not None and last.failure != ""
        return SourceHealth(
            name=name,
            collected_at=last.at if last else None,
            sightings=last.sightings if last else 0,
            failure=last.failure if last else "",
            failing_since=self._failing_since(name, since.date()) if failing else None,
            failed_at=failure.at if failure else None,
            last_failure=failure.failure if failure else "",
        )

    def _failing_since(self, name: str, day: date) -> datetime | None:
        """Return when a source failed first after its last success, in collections since a day."""
        its = (collections.c.source == name, collections.c.day >= day)
        good = select(func.max(collections.c.id)).where(*its, collections.c.failure == "")
        last_good = func.coalesce(good.scalar_subquery(), 0)
        first = select(func.min(collections.c.at)).where(*its, collections.c.id > last_good)
        return self._value(first)

    def editions(self) -> int:
        """Count all editions."""
        return self._count(select(func.count()).where(IS_DIGEST))

    def unbalanced(self, days: Sequence[date]) -> list[date]:
        """Return the days whose balance does not add up, or counts deliveries that are not there.

        How many are due was counted from the people; of old deliveries the number is kept. There
        may be more deliveries than in a stored balance, because people are planned for all day
        long. Days with a run under way are left out, and editions that are being planned.
        """
        is_open = editions.c.planning_since.is_not(None)
        # One statement, so that both numbers are of one moment.
        its = deliveries.c.edition_id == editions.c.id
        rows_of = select(func.count()).where(its).scalar_subquery()
        under_way = select(runs.c.day).where(runs.c.ended_at.is_(None), runs.c.day.in_(days))
        query = (
            select(
                editions.c.day,
                editions.c.due,
                editions.c.balance,
                editions.c.gone,
                is_open,
                rows_of,
            )
            .where(editions.c.day.in_(days), editions.c.day.not_in(under_way))
            .order_by(editions.c.day)
        )
        found = self._rows(query)
        # Whoever died while planning holds no lock.
        goes_on = any(row[4] for row in found) and is_held(self._engine, "planning")
        return [
            day
            for day, due, balance, gone, is_being_planned, rows in found
            if (is_being_planned and not goes_on)
            or (balance and not _sum(balance) == balance["due"] <= rows + _count(gone))
            or (not is_being_planned and due is not None and due != rows + _count(gone))
        ]


def _latest(since: datetime) -> tuple[ColumnElement[bool], ...]:
    """Select the latest MOST_ATTEMPTS attempts, of these those since a moment."""
    newest = select(func.max(attempts.c.id)).scalar_subquery()
    return attempts.c.id > newest - MOST_ATTEMPTS, attempts.c.at >= since


def _count(gone: list[tuple[str, str, int]] | None) -> int:
    return sum(count for _, _, count in gone or ())


def _sum(balance: dict[str, int]) -> int:
    # A balance has no number of its own for deliveries being sent: they are among the pending.
    return sum(balance.get(state, 0) for state in DeliveryState)
