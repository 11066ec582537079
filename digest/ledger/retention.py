"""Remove old rows; their counts, and which papers were shown, are kept for ever.

Each block is removed in a transaction of its own, so that others who write do not wait long.
"""

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from datetime import time as midnight
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    and_,
    delete,
    func,
    or_,
    select,
    update,
)

from digest.errors import LedgerError
from digest.ledger.database import PAUSE, write_transaction
from digest.ledger.editions import IS_DIGEST
from digest.ledger.tables import (
    attempts,
    bounces,
    collections,
    deliveries,
    edition_papers,
    editions,
    mail_domains,
    pictures,
    runs,
)
from digest.model.deliveries import DeliveryState
from digest.model.digests import Role
from digest.model.progress import Progress, silent
from subscribers.store.store import Store

_S = DeliveryState
SETTLED = (_S.ACCEPTED, _S.REFUSED, _S.SUPPRESSED, _S.SKIPPED)  # the final states
BLOCK = 500  # rows


class OldRows(Store):
    """The old rows of one ledger."""

    def __init__(self, engine: Engine, sleep: Callable[[float], None] = time.sleep) -> None:
        super().__init__(engine)
        self._sleep = sleep

    def remove_deliveries(self, before: date, progress: Progress = silent) -> int:
        """Remove the settled deliveries of editions before a day. Return how many there were.

        The edition keeps how many there were of each state and reason.
        """
        old = (
            select(editions.c.id, func.count())
            .join(deliveries, deliveries.c.edition_id == editions.c.id)
            .where(_is_older(before), *_settled())
            .group_by(editions.c.id)
            .order_by(editions.c.frozen_at)
        )
        counts = {row[0]: row[1] for row in self._rows(old)}
        removed, total = 0, sum(counts.values())
        for edition_id in counts:
            while some := self._remove_deliveries_of(edition_id):
                removed += some
                progress(removed, total)
                self._sleep(PAUSE)
        return removed

    def remove_known_counts(self, before: date) -> int:
        """Remove the counts that editions before a day kept of papers that they do not list.

        Only emails of those editions told them. Return how many there were.
        """
        old = select(editions.c.id).where(editions.c.day < before)
        its = edition_papers.c
        which = its.edition_id.in_(old), its.role != Role.LISTED
        return self._write(delete(edition_papers).where(*which))

    def remove_collections(self, before: date) -> int:
        """Remove collections before a day, but not the last of each source. Return how many."""
        last = select(func.max(collections.c.id)).group_by(collections.c.source)
        return self._remove(
            collections.c.id, collections.c.day < before, collections.c.id.not_in(last)
        )

    def remove_runs(self, before: date) -> int:
        """Remove runs before a day, but not the last one. Return how many."""
        last = select(func.max(runs.c.id)).scalar_subquery()
        return self._remove(runs.c.id, runs.c.day < before, runs.c.id != last)

    def remove_mail_domains(self, before: datetime) -> int:
        """Remove DNS answers from before a moment. Return how many."""
        return self._remove(mail_domains.c.domain, mail_domains.c.asked_at < before)

    def remove_pictures(self, before: datetime) -> int:
        """Remove the pictures that came before a moment. Return how many."""
        return self._remove(pictures.c.paper_id, pictures.c.asked_at < before)

    def _remove_deliveries_of(self, edition_id: int) -> int:
        """Remove a block of the settled deliveries of an edition. Return how many."""
        with write_transaction(self._engine) as connection:
            # Locked, so that the edition is not closed or planned for in the meantime.
            its_row = select(editions.c.gone).where(editions.c.id == edition_id).with_for_update()
            gone_before = connection.execute(its_row).scalar() or ()
            which = (
                select(deliveries.c.id, deliveries.c.state, deliveries.c.reason)
                .where(deliveries.c.edition_id == edition_id, *_settled())
                .limit(BLOCK)
                .with_for_update()
            )
            rows = connection.execute(which).all()
            if not rows:
                return 0
            ids = [row.id for row in rows]
            for table in (attempts, bounces):
                connection.execute(delete(table).where(table.c.delivery_id.in_(ids)))
            _remove_all(connection, deliveries.c.id, ids)
            gone = Counter({(state, reason): count for state, reason, count in gone_before})
            gone.update((row.state, row.reason) for row in rows)
            connection.execute(
                update(editions)
                .where(editions.c.id == edition_id)
                .values(gone=[[*what, count] for what, count in gone.items()])
            )
            return len(rows)

    def _remove(self, key: Column[Any], *which: ColumnElement[bool]) -> int:
        """Remove rows by their key in blocks. Return how many."""
        removed = 0
        while True:
            with write_transaction(self._engine) as connection:
                keys = list(connection.execute(select(key).where(*which).limit(BLOCK)).scalars())
                _remove_all(connection, key, keys)
            if not keys:
                return removed
            removed += len(keys)
            self._sleep(PAUSE)


def _remove_all(connection: Connection, key: Column[Any], keys: list[Any]) -> None:
    """Remove the rows with these keys. Raises LedgerError if any are still there afterwards."""
    theirs = key.in_(keys)
    connection.execute(delete(key.table).where(theirs))
    left = connection.execute(select(func.count()).where(theirs)).scalar_one()
    if left:
        raise LedgerError(f"of {len(keys)} old rows in {key.table.name} {left} are still there")


def _is_older(day: date) -> ColumnElement[bool]:
    """Return the condition that an edition, or an announcement, is of before a day."""
    begin = datetime.combine(day, midnight(), UTC)
    return or_(editions.c.day < day, and_(~IS_DIGEST, editions.c.frozen_at < begin))


def _settled() -> tuple[ColumnElement[bool], ...]:
    """Select the settled deliveries, but not the last one: SQLite would give its id away again."""
    last = select(func.max(deliveries.c.id)).scalar_subquery()
    return deliveries.c.state.in_(SETTLED), deliveries.c.id < last
