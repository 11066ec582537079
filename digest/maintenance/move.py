"""Move an installation to a database of its own server: `digest db move`.

While rows are copied, and if that is broken off, nothing is sent from either database: the source
counts as a copy, and the target is adopted at the end.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from digest.errors import LedgerError
from digest.ledger.database import as_ledger_error, ensure_current, open_database
from digest.ledger.instances import MOVED, Instance, Instances, mark_as_copied
from digest.ledger.live_workers import LiveWorkers
from digest.ledger.locks import advisory_lock
from digest.ledger.moving import Sum, compare, copy_rows, empty, is_empty
from digest.maintenance.instance_guard import InstanceGuard, guard_of
from digest.model.progress import Progress, silent
from digest.settings.settings import Settings


@dataclass(frozen=True, slots=True)
class Moved:
    """The rows of each table, the same in both."""

    tables: dict[str, Sum]

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables.values())


def move(
    source_url: str,
    target_url: str,
    settings: Settings,
    *,
    anew: bool = False,
    now: datetime,
    progress: Progress = silent,
) -> Moved:
    """Copy a ledger to PostgreSQL, and use it there from now on, with the folder DIGEST_HOME.

    After an interruption it goes on where it was; ``anew`` empties the target first. Raises
    LedgerError if anything else uses either, if the target holds something else, or if both differ
    at the end.
    """
    with ExitStack() as stack, as_ledger_error():
        source = stack.enter_context(_opened(source_url))
        target = stack.enter_context(_opened(target_url))
        if target.dialect.name == "sqlite":
            raise LedgerError("the target must be PostgreSQL; a backup moves SQLite")
        for engine in (source, target):
            for work in ("run", "planning", "collection"):
                stack.enter_context(advisory_lock(engine, work))
        workers = LiveWorkers(source)
        if workers.some_live() or any(workers.all()) or any(LiveWorkers(target).all()):
            raise LedgerError("emails are being sent: stop everything else first")
        _hold_back(source, target, guard_of(settings, source), anew=anew, now=now)
        if anew:
            empty(target)
        with source.connect() as connection:
            copy_rows(connection, target, progress)
        moved = Moved(compare(source, target))
        guard_of(settings, target).adopt(now)
        return moved


@contextmanager
def _opened(url: str) -> Iterator[Engine]:
    engine = open_database(url)
    try:
        ensure_current(engine)
        yield engine
    finally:
        engine.dispose()


def _hold_back(
    source: Engine, target: Engine, guard: InstanceGuard, *, anew: bool, now: datetime
) -> None:
    """Have the guard stop sending from the source, unless an interrupted move did before."""
    if {instance.mark for instance in Instances(source).all()} != {MOVED}:
        guard.check()
        if not (anew or is_empty(target)):
            raise LedgerError("the target is not empty: with --anew, all in it is deleted")
    with source.begin() as connection:
        mark_as_copied(connection, Instance("moved", "", "", MOVED, now))
