"""Daily statistics: a day's papers, its deliveries, and how long they took."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, literal, select, union_all

from digest.ledger.editions import balance_of
from digest.ledger.tables import deliveries, edition_papers, editions, runs
from digest.model.deliveries import Balance, DeliveryState


@dataclass(frozen=True, slots=True)
class DailyStats:
    """What a day came to; all zero where there was no edition.

    ``sending`` is how long all runs of the day were about sending, ``missing`` the sources that had
    failed when the edition was made.
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
    counted = counted.where(of_edition.in_([row.id for row in found]))
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
    """The balances as the runs stored them. Rows are counted only where something may have changed.

    That is where deliveries were waiting, and where a run came to no end.
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
    """The balances as the rows have them, and what is told of those no longer kept."""
    if not found:
        return {}
    # With its state in the question, the index says it all, and none but those that were skipped
    # are read, for the reason.
    of_these = deliveries.c.edition_id.in_([row.id for row in found])
    state, reason = deliveries.c.state, deliveries.c.reason
    others = [state for state in DeliveryState if state is not DeliveryState.SKIPPED]
    by_state = (
        select(deliveries.c.edition_id, state, literal(""), func.count())
        .where(of_these, state.in_(others))
        .group_by(deliveries.c.edition_id, state)
    )
    skipped = (
        select(deliveries.c.edition_id, state, reason, func.count())
        .where(of_these, state == DeliveryState.SKIPPED)
        .group_by(deliveries.c.edition_id, state, reason)
    )
    counts: dict[int, list[Any]] = defaultdict(list)
    for row in found:
        counts[row.id] += row.gone or ()
    for edition_id, *rest in connection.execute(union_all(by_state, skipped)):
        counts[edition_id].append(rest)
    return {row.day: balance_of(row.day, row.due, counts[row.id]) for row in found}
