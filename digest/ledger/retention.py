"""Rows that are kept for some time only. What counts them, and what keeps a paper from being shown
twice, is kept for ever.

They go a block at a time, each in a transaction of its own, so that whoever sends is not held up,
and whatever is broken off is taken up by the next.
"""

import time
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime

from sqlalchemy import ColumnElement, Engine, Select, Table, delete, func, select, update

from digest.ledger.database import write_transaction
from digest.ledger.tables import (
    attempts,
    bounces,
    collections,
    deliveries,
    delivery_papers,
    editions,
    mail_domains,
    runs,
)
from digest.model.deliveries import DeliveryState
from digest.model.progress import Progress, silent

_S = DeliveryState
SETTLED = (_S.ACCEPTED, _S.REFUSED, _S.SUPPRESSED, _S.SKIPPED)  # from which no way leads on
BLOCK = 500  # deliveries; each has some ten papers
# Seconds after each block: SQLite has no queue for those who want to write, only luck.
_BREATH = 0.05


class OldRows:
    """The old rows of one ledger."""

    def __init__(self, engine: Engine, sleep: Callable[[float], None] = time.sleep) -> None:
        self._engine = engine
        self._sleep = sleep

    def remove_deliveries(self, before: date, progress: Progress = silent) -> int:
        """Those of editions before a day that are settled, with all about them; how many.

        The edition keeps how many there were of each state and reason.
        """
        old = (
            select(editions.c.id, func.count())
            .join(deliveries, deliveries.c.edition_id == editions.c.id)
            .where(editions.c.day < before, *_settled())
            .group_by(editions.c.id)
            .order_by(editions.c.day)
        )
        with self._engine.connect() as connection:
            counts = {row[0]: row[1] for row in connection.execute(old)}
        removed, total = 0, sum(counts.values())
        for edition_id in counts:
            while some := self._remove_deliveries_of(edition_id):
                removed += some
                progress(removed, total)
                self._sleep(_BREATH)
        return removed

    def remove_collections(self, before: date) -> int:
        """Those of before a day; the last of each source stays."""
        last = select(func.max(collections.c.id)).group_by(collections.c.source)
        return self._remove(
            collections,
            select(collections.c.id).where(
                collections.c.day < before, collections.c.id.not_in(last)
            ),
        )

    def remove_runs(self, before: date) -> int:
        """Those of before a day; the last one stays."""
        last = select(func.max(runs.c.id)).scalar_subquery()
        return self._remove(runs, select(runs.c.id).where(runs.c.day < before, runs.c.id != last))

    def remove_mail_domains(self, before: datetime) -> int:
        """What the DNS said before a moment."""
        with write_transaction(self._engine) as connection:
            asked_before = mail_domains.c.asked_at < before
            return connection.execute(delete(mail_domains).where(asked_before)).rowcount

    def _remove_deliveries_of(self, edition_id: int) -> int:
        """A block of those of an edition that are settled; how many there were."""
        with write_transaction(self._engine) as connection:
            # Neither closed nor planned for meanwhile.
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
            for table in (attempts, bounces, delivery_papers):
                connection.execute(delete(table).where(table.c.delivery_id.in_(ids)))
            connection.execute(delete(deliveries).where(deliveries.c.id.in_(ids)))
            gone = Counter({(state, reason): count for state, reason, count in gone_before})
            gone.update((row.state, row.reason) for row in rows)
            connection.execute(
                update(editions)
                .where(editions.c.id == edition_id)
                .values(gone=[[*what, count] for what, count in gone.items()])
            )
            return len(rows)

    def _remove(self, table: Table, which: Select[tuple[int]]) -> int:
        removed = 0
        while True:
            with write_transaction(self._engine) as connection:
                ids = list(connection.execute(which.limit(BLOCK)).scalars())
                connection.execute(delete(table).where(table.c.id.in_(ids)))
            if not ids:
                return removed
            removed += len(ids)
            self._sleep(_BREATH)


def _settled() -> tuple[ColumnElement[bool], ...]:
    """What is over, but for the last number: SQLite would give it again, and mails go by it."""
    last = select(func.max(deliveries.c.id)).scalar_subquery()
    return deliveries.c.state.in_(SETTLED), deliveries.c.id < last
