"""Backups: the ledger as one file, made while everything runs, and put back as a whole.

A ledger that is put back is marked as a copy: the one that it was made from may have sent since,
so nothing is sent before the operator says so (see instance_guard.py).
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine

from digest.errors import LedgerError
from digest.ledger import pg_dump, sqlite_backup
from digest.ledger.atomic_file import as_file_error, part_of, put_in_place
from digest.ledger.database import NEWEST_REVISION, open_database, revision, upgrade
from digest.ledger.live_workers import LiveWorkers
from digest.ledger.locks import advisory_lock
from digest.ledger.row_counts import RowCounts
from digest.model.progress import Progress, silent


@dataclass(frozen=True, slots=True)
class Backup:
    """A finished backup: the file, its size in octets, and what is in it."""

    file: Path
    octets: int
    counts: RowCounts


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back, from which revision. ``kept`` is a copy of what was there, if any."""

    counts: RowCounts
    revision: str
    kept: Path | None


def back_up(
    url: str, file: Path, *, force: bool = False, now: datetime, progress: Progress = silent
) -> Backup:
    """Copy the ledger at a URL into a file, which appears when it is whole.

    ``force`` replaces a file that is there. Raises LedgerError.
    """
    with _opened(url) as (engine, place), as_file_error(file):
        if file.exists():
            _check_replaceable(file, place, force=force)
        if place and sqlite_backup.counts_at(place) is None:
            raise LedgerError("there is no ledger yet: nothing to back up")
        with part_of(file) as part:
            if place:
                counts = sqlite_backup.copy_to(place, part, now, progress)
            else:
                counts = pg_dump.dump(engine, part)
            put_in_place(part, file)
    return Backup(file, file.stat().st_size, counts)


def restore(
    url: str, file: Path, *, force: bool = False, now: datetime, progress: Progress = silent
) -> Restored:
    """Put the ledger in a file in place of the one at a URL, which has to be empty.

    With ``force`` that one is kept aside first. Raises LedgerError, and then nothing has changed:
    while anybody works with the ledger, where the file is no good, and on PostgreSQL, where
    pg_restore does it.
    """
    with ExitStack() as stack:
        engine, place = stack.enter_context(_opened(url))
        if place is None:
            raise LedgerError(
                "PostgreSQL restores by its own program. Stop everything, run "
                f"`{pg_dump.restore_command(url, file)}`, then digest db upgrade and digest db "
                "adopt"
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
                "mails are being sent: stop digest up, schedule, worker and run first"
            )
        is_empty = _is_empty(place, force=force)
        ready = stack.enter_context(sqlite_backup.made_ready(file, place, now, progress))
        kept = None if is_empty else _name_aside(place, now)
        if kept:
            sqlite_backup.keep_aside(place, kept, progress)
        return Restored(sqlite_backup.put_at(place, ready, progress), found, kept)


def upgrade_ledger(url: str, now: datetime, progress: Progress = silent) -> Path | None:
    """Bring the schema to the newest revision. Return the backup that was made of a file before.

    Raises LedgerError; the ledger is as before then.
    """
    kept = None
    with _opened(url) as (engine, place):
        found = revision(engine)
        if place and found and found < NEWEST_REVISION:
            kept = back_up(url, _name_aside(place, now), now=now, progress=progress).file
        upgrade(engine)
    return kept


@contextmanager
def _opened(url: str) -> Iterator[tuple[Engine, Path | None]]:
    """The database, and its file if it is one of SQLite."""
    engine = open_database(url)
    try:
        is_file = engine.dialect.name == "sqlite"
        yield engine, Path(engine.url.database or "") if is_file else None
    finally:
        engine.dispose()


def _is_empty(place: Path, *, force: bool) -> bool:
    """Whether nothing is lost with a ledger. Raises LedgerError if there is, unless forced."""
    try:
        there = sqlite_backup.counts_at(place)
        if there is None or there.is_empty:
            return True
        people = "1 subscriber" if there.subscribers == 1 else f"{there.subscribers} subscribers"
        what = f"there is a ledger with {people}"
    except LedgerError as error:
        what = f"what is there is no ledger that could be read ({error})"
    if not force:
        raise LedgerError(f"{what}: --force replaces it, and keeps a copy of it")
    return False


def _name_aside(place: Path, now: datetime) -> Path:
    aside = place.with_name(f"{place.name}.before-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}")
    if aside.exists():
        raise LedgerError(f"{aside} is there already")
    return aside


def _check_replaceable(file: Path, place: Path | None, *, force: bool) -> None:
    if not file.is_file():
        raise LedgerError(f"{file} is no file that could be replaced")
    if place and place.exists() and file.samefile(place):
        raise LedgerError(f"{file} is the ledger itself")
    if not force:
        raise LedgerError(f"{file} is there already: --force replaces it")
