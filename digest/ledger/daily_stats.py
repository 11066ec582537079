"""Daily statistics: a day's papers, deliveries and time of sending."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, literal, select, union_all

from digest.ledger.edition_papers import IS_LISTED
from digest.ledger.editions import balance_of
from digest.ledger.tables import deliveries, edition_papers, editions, runs
from digest.model.deliveries import Balance, DeliveryState


@dataclass(frozen=True, slots=True)
class DailyStats:
    """The statistics of a day; all zero if it had no edition.

    ``sending`` is the time that all runs of the day spent on sending, ``missing`` the sources that
    had failed when the edition was made.
    """

    day: date
    has_edition: bool = False
    papers: int = 0
    balance: Balance = field(default_factory=lambda: Balance(date.min))
    sending: timedelta = timedelta()
    made_at: datetime | None = None
    missing: tuple[str, ...] = ()


def daily_stats_of(connection: Connection, which: ColumnElement[bool]) -> dict[date, DailyStats]:
    """Return the statistics of some editions by their day, in a fixed number of queries."""
    found = connection.execute(select(editions).where(which)).all()
    of_edition, day = edition_papers.c.edition_id, runs.c.day
    counted = select(of_edition, func.count()).group_by(of_edition)
    counted = counted.where(of_edition.in_([row.id for row in found]), IS_LISTED)
    papers: dict[int, int] = {row[0]: row[1] for row in connection.execute(counted)}
    took = select(day, func.sum(runs.c.sending)).group_by(day)
    took = took.where(day.in_([row.day for row in found]))
    sending: dict[date, float] = {row[0]: row[1] for row in connection.execute(took)}
    balances = _balances(connection, found)
    return {
        row.day: DailyStats(
            day=row.day,
            has_edition=True,
            papers=papers.get(row.id, 0),
            balance=balances[row.day],
            sending=timedelta(seconds=sending.get(row.day, 0)),
            made_at=row.frozen_at,
            missing=tuple(row.missing or ()),
        )
        for row in found
    }


def _balances(connection: Connection, found: Sequence[Row[Any]]) -> dict[date, Balance]:
    """Return the balances that the runs stored; count the rows if something may have changed since.

    That is if deliveries were waiting, or a run has no end.
    """
    open_runs = select(runs.c.day).where(
        runs.c.ended_at.is_(None), runs.c.day.in_([row.day for row in found])
    )
    is_open = set(connection.execute(open_runs).scalars())
    stored = {
        row.day: Balance(**{**row.balance, "edition": row.day})
        for row in found
        if row.balance and row.day not in is_open
    }
    settled = {
        day: balance for day, balance in stored.items() if not balance.pending + balance.deferred
    }
    return settled | _counted(connection, [row for row in found if row.day not in settled])


def _counted(connection: Connection, found: Sequence[Row[Any]]) -> dict[date, Balance]:
    """Return the balances of editions, counted from the rows and from those no longer kept."""
    if not found:
        return {}
    # With the state as a condition, the index answers for all but the skipped, which are read for
    # their reason.
    edition_id, state, reason = deliveries.c.edition_id, deliveries.c.state, deliveries.c.reason
    of_these = edition_id.in_([row.id for row in found])
    others = [state for state in DeliveryState if state is not DeliveryState.SKIPPED]
    by_state = select(edition_id, state, literal(""), func.count()).group_by(edition_id, state)
    by_state = by_state.where(of_these, state.in_(others))
    skipped = select(edition_id, state, reason, func.count()).group_by(edition_id, state, reason)
    skipped = skipped.where(of_these, state == DeliveryState.SKIPPED)
    counts: dict[int, list[Any]] = defaultdict(list)
    for row in found:
        counts[row.id] += row.gone or ()
    for counted_id, *rest in connection.execute(union_all(by_state, skipped)):
        counts[counted_id].append(rest)
    return {
        row.day: balance_of(
            row.day, row.due, counts[row.id], is_being_planned=row.planning_since is not None
        )
        for row in found
    }
