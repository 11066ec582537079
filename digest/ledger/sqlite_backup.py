"""Backups of a ledger in SQLite. A backup is a database itself."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import URL, create_engine, inspect
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from digest.errors import LedgerError
from digest.ledger.atomic_file import as_file_error, part_of, put_in_place
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


def counts_at(place: Path) -> RowCounts | None:
    """Count the rows of the ledger at a place; None if there is none. Raises LedgerError."""
    if not place.exists():
        return None
    counts, is_empty = _read(place)
    if counts is None and not is_empty:
        raise LedgerError(f"{place} is the database of something else")
    return counts


def copy_to(place: Path, part: Path, now: datetime, progress: Progress) -> RowCounts:
    """Copy a ledger, as of one moment, into an empty file. Count the rows of the copy."""
    copy(place, part, progress)
    _mark(part, Instance("copied", socket.gethostname(), str(place.absolute()), COPIED, now))
    make_whole(part)
    return _counts_in(part)


def revision_in(file: Path) -> str:
    """Return the revision of the ledger in a backup. Raises LedgerError if there is none."""
    if not is_sqlite(file):
        raise LedgerError(f"{file} is no backup of an SQLite database, as this one is")
    return _counts_in(file).revision


@contextmanager
def made_ready(file: Path, place: Path, now: datetime, progress: Progress) -> Iterator[Path]:
    """Copy a backup to a file beside a place; check, upgrade and mark it."""
    with as_file_error(place), part_of(place) as part:
        copy(file, part, progress)
        make_whole(part)
        engine = create_engine(URL.create("sqlite", database=str(part)))
        upgrade(engine)
        engine.dispose()
        _mark(part, Instance("copied", "a backup", str(file.absolute()), COPIED, now))
        make_whole(part)
        yield part


def put_at(place: Path, ready: Path, progress: Progress) -> RowCounts:
    """Put a prepared ledger at its place, as a whole or not at all. Count its rows."""
    counts = _counts_in(ready)
    if place.exists():
        # Overwritten, not exchanged: others may have the file open, and its write-ahead log belongs
        # to it.
        copy(ready, place, progress)
    else:
        clear_beside(place)
        put_in_place(ready, place)
    return counts


def keep_aside(place: Path, aside: Path, progress: Progress) -> None:
    """Keep the database at a place in another file, even if it is damaged."""
    with as_file_error(aside), part_of(aside) as part:
        try:
            copy(place, part, progress)
            put_in_place(part, aside)
        except LedgerError as error:
            if not is_damage(error.__cause__):
                raise
            move_aside(place, aside)


def _mark(path: Path, copied_from: Instance) -> None:
    """Mark a database as a copy, if its revision has a table for that."""
    engine = create_engine(URL.create("sqlite", database=str(path)))
    try:
        with as_file_error(path), as_ledger_error(), engine.begin() as connection:
            if inspect(connection).has_table(instances.name):
                mark_as_copied(connection, copied_from)
    finally:
        engine.dispose()


def _counts_in(path: Path) -> RowCounts:
    counts, _ = _read(path)
    if counts is None:
        raise LedgerError(f"{path} is no backup of a database")
    return counts


def _read(path: Path) -> tuple[RowCounts | None, bool]:
    """Count the rows of a ledger, None if it is none, and return whether there are no tables."""
    engine = create_engine("sqlite://", creator=lambda: connect(path, "ro"), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            return row_counts(connection), not inspect(connection).get_table_names()
    except SQLAlchemyError as error:
        why = str(getattr(error, "orig", error)).splitlines()[0]
        raise LedgerError(f"{path} cannot be read: {why}") from error
