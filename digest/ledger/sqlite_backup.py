"""A ledger in SQLite, copied to a file and replaced by one. The backup is a database itself."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import URL, Engine, create_engine, inspect
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from digest.errors import LedgerError
from digest.ledger.atomic_file import part_of, put_in_place, told_of
from digest.ledger.database import as_ledger_error, upgrade
from digest.ledger.instances import COPIED, Instance, mark_as_copied
from digest.ledger.row_counts import RowCounts, row_counts
from digest.ledger.sqlite_files import (
    clear_beside,
    connect,
    copy,
    is_damage,
    is_sqlite,
    make_whole,
    move_aside,
)
from digest.ledger.tables import instances
from digest.model.progress import Progress


class SqliteLedger:
    """See backup.StoredLedger."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.place = Path(engine.url.database or "")

    def counts(self) -> RowCounts | None:
        if not self.place.exists():
            return None
        found = _row_counts(self._engine, self.place)
        if found is None and inspect(self._engine).get_table_names():
            raise LedgerError(f"{self.place} is the database of something else")
        return found

    def copy_to(self, part: Path, now: datetime, progress: Progress) -> RowCounts:
        copy(self.place, part, progress)
        used_here = Instance(
            "copied", socket.gethostname(), str(self.place.absolute()), COPIED, now
        )
        _mark(part, used_here)
        make_whole(part)
        return _row_counts_in(part)

    def revision_in(self, file: Path) -> str:
        if not is_sqlite(file):
            raise LedgerError(f"{file} is no backup of a ledger in SQLite, as this one is")
        return _row_counts_in(file).revision

    @contextmanager
    def made_ready(self, file: Path, now: datetime, progress: Progress) -> Iterator[Path]:
        with told_of(self.place), part_of(self.place) as part:
            copy(file, part, progress)
            make_whole(part)
            engine = create_engine(URL.create("sqlite", database=str(part)))
            upgrade(engine)
            engine.dispose()
            _mark(part, Instance("copied", "a backup", str(file.absolute()), COPIED, now))
            make_whole(part)
            yield part

    def become(self, ready: Path, now: datetime, progress: Progress) -> RowCounts:  # noqa: ARG002
        counts = _row_counts_in(ready)
        if self.place.exists():
            # Written over, not exchanged: others may have the file open, and what SQLite has left
            # beside it belongs to it.
            copy(ready, self.place, progress)
        else:
            clear_beside(self.place)
            put_in_place(ready, self.place)
        return counts

    def keep_aside(self, aside: Path, now: datetime, progress: Progress) -> None:  # noqa: ARG002
        with told_of(aside), part_of(aside) as part:
            try:
                copy(self.place, part, progress)
                put_in_place(part, aside)
            except LedgerError as error:
                if not is_damage(error.__cause__):
                    raise
                move_aside(self.place, aside)


def _mark(path: Path, copied_from: Instance) -> None:
    """Mark a copy, if there is a place for that in its revision."""
    engine = create_engine(URL.create("sqlite", database=str(path)))
    try:
        with told_of(path), as_ledger_error(), engine.begin() as connection:
            if inspect(connection).has_table(instances.name):
                mark_as_copied(connection, copied_from)
    finally:
        engine.dispose()


def _row_counts_in(path: Path) -> RowCounts:
    engine = create_engine("sqlite://", creator=lambda: connect(path, "ro"), poolclass=NullPool)
    counts = _row_counts(engine, path)
    if counts is None:
        raise LedgerError(f"{path} is no backup of a ledger")
    return counts


def _row_counts(engine: Engine, path: Path) -> RowCounts | None:
    try:
        with engine.connect() as connection:
            return row_counts(connection)
    except SQLAlchemyError as error:
        why = str(getattr(error, "orig", error)).splitlines()[0]
        raise LedgerError(f"{path} cannot be read: {why}") from error
