"""Backups: the ledger is copied to one file while everything runs, and restored as a whole.

A restored ledger is marked as a copy: the original may have sent since, so nothing is sent before
the operator says so (see instance_guard.py).
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import URL, Engine

from digest.errors import LedgerError
from digest.ledger import pg_dump, sqlite_backup
from digest.ledger.atomic_file import as_file_error, part_of, put_in_place
from digest.ledger.database import (
    NEWEST_REVISION,
    as_ledger_error,
    open_database,
    revision,
    upgrade,
)
from digest.ledger.live_workers import LiveWorkers
from digest.ledger.locks import advisory_lock
from digest.ledger.row_counts import RowCounts
from digest.ledger.search_index import SearchIndex
from digest.model.progress import Progress, silent
from digest.rank.index_words import VERSION, index_words


@dataclass(frozen=True, slots=True)
class Backup:
    """A finished backup: the file, its size in octets, and its row counts."""

    file: Path
    octets: int
    counts: RowCounts


@dataclass(frozen=True, slots=True)
class Restored:
    """A restored ledger. The backup was at ``revision``; ``kept`` is a copy of what was there."""

    counts: RowCounts
    revision: str
    kept: Path | None


def back_up(
    url: str | URL, file: Path, *, force: bool = False, now: datetime, progress: Progress = silent
) -> Backup:
    """Copy the ledger at a URL to a file, which appears when it is complete.

    ``force`` replaces an existing file. Raises LedgerError.
    """
    with _opened(url) as (engine, place), as_file_error(file):
        if file.exists():
            _check_replaceable(file, place, force=force)
        if place and sqlite_backup.counts_at(place) is None:
            raise LedgerError("there is no database yet: nothing to back up")
        with part_of(file) as part:
            if place:
                counts = sqlite_backup.copy_to(place, part, now, progress)
            else:
                counts = pg_dump.dump(engine, part)
            put_in_place(part, file)
    return Backup(file, file.stat().st_size, counts)


def restore(
    url: str | URL, file: Path, *, force: bool = False, now: datetime, progress: Progress = silent
) -> Restored:
    """Replace the ledger at a URL, which must be empty, by the one in a file.

    ``force`` replaces a ledger that is not empty, and keeps a copy of it. Raises LedgerError, and
    changes nothing then: if the ledger is in use, if the file is no backup, and for PostgreSQL,
    which has its own program.
    """
    with ExitStack() as stack:
        engine, place = stack.enter_context(_opened(url))
        if place is None:
            command = pg_dump.restore_command(url, file, pg_dump.newer_tables(engine, file))
            raise LedgerError(
                "PostgreSQL restores with its own program. Stop everything, make a backup, run "
                f"`{command}`, then digest db upgrade and digest db adopt"
            )
        with as_file_error(file):
            found = sqlite_backup.revision_in(file)
        if found > NEWEST_REVISION:
            raise LedgerError(
                f"{file} is at revision {found}, the program at {NEWEST_REVISION}: a newer "
                "version of the program made it; upgrade the program"
            )
        stack.enter_context(advisory_lock(engine, "run"))
        stack.enter_context(advisory_lock(engine, "collection"))
        if LiveWorkers(engine).some_live():
            raise LedgerError(
                "emails are being sent: stop digest up, schedule, worker and run first"
            )
        is_empty = _is_empty(place, force=force)
        ready = stack.enter_context(sqlite_backup.made_ready(file, place, now, progress))
        kept = None if is_empty else _name_aside(place, now)
        if kept:
            sqlite_backup.keep_aside(place, kept, progress)
        counts = sqlite_backup.put_at(place, ready, progress)
    _read_papers(url)
    return Restored(counts, found, kept)


def upgrade_ledger(url: str | URL, now: datetime, progress: Progress = silent) -> Path | None:
    """Bring the schema to the newest revision. Return the copy of a SQLite file made before that.

    Raises LedgerError, and changes nothing then.
    """
    kept = None
    with _opened(url) as (engine, place):
        found = revision(engine)
        if place and found and found < NEWEST_REVISION:
            kept = back_up(url, _name_aside(place, now), now=now, progress=progress).file
        upgrade(engine)
    _read_papers(url)
    return kept


def _read_papers(url: str | URL) -> None:
    """Read the papers into the full-text index that it lacks, as after another version."""
    with _opened(url) as (engine, _), as_ledger_error():
        SearchIndex(engine).catch_up(VERSION, index_words)


@contextmanager
def _opened(url: str | URL) -> Iterator[tuple[Engine, Path | None]]:
    """Open a database; yield its engine, and its file if it is SQLite."""
    engine = open_database(url)
    try:
        is_file = engine.dialect.name == "sqlite"
        yield engine, Path(engine.url.database or "") if is_file else None
    finally:
        engine.dispose()


def _is_empty(place: Path, *, force: bool) -> bool:
    """Return whether there is nothing to lose. Raises LedgerError if there is, unless forced."""
    try:
        there = sqlite_backup.counts_at(place)
        if there is None or there.is_empty:
            return True
        people = "1 subscriber" if there.subscribers == 1 else f"{there.subscribers} subscribers"
        what = f"there is a database with {people}"
    except LedgerError as error:
        what = f"the database cannot be read ({error})"
    if not force:
        raise LedgerError(f"{what}: --force replaces it, and keeps a copy of it")
    return False


def _name_aside(place: Path, now: datetime) -> Path:
    aside = place.with_name(f"{place.name}.before-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}")
    if aside.exists():
        raise LedgerError(f"{aside} exists already")
    return aside


def _check_replaceable(file: Path, place: Path | None, *, force: bool) -> None:
    if not file.is_file():
        raise LedgerError(f"{file} is not a regular file")
    if place and place.exists() and file.samefile(place):
        raise LedgerError(f"{file} is the database itself")
    if not force:
        raise LedgerError(f"{file} exists already: --force replaces it")
