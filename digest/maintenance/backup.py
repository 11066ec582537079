"""Backups: the ledger as one file, made while everything runs, and put back as a whole.

A ledger that is put back is marked as a copy: the one that it was made from may have sent since,
so nothing is sent before the operator says so (see guard.py).
"""

from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from digest.errors import LedgerError
from digest.ledger.atomic_file import part_of, put_in_place, told_of
from digest.ledger.database import NEWEST_REVISION, open_database
from digest.ledger.live_workers import LiveWorkers
from digest.ledger.locks import advisory_lock
from digest.ledger.pg_backup import PostgresLedger
from digest.ledger.row_counts import RowCounts
from digest.ledger.sqlite_backup import SqliteLedger
from digest.model.progress import Progress, silent

# Somebody who claimed something so lately, and lives, may be sending: a pass takes six hours.
_LONGEST_PASS = timedelta(hours=12)


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


class StoredLedger(Protocol):
    """A ledger as it is stored, of any revision. All but ``place`` raise LedgerError."""

    place: Path
    """What a copy of it that is kept aside is named after."""

    def counts(self) -> RowCounts | None:
        """None if there is no ledger yet."""

    def copy_to(self, part: Path, now: datetime, progress: Progress) -> RowCounts:
        """Write all of it, as of one moment, into an empty file."""

    def revision_in(self, file: Path) -> str:
        """The revision of the ledger in a file that was so written."""

    def made_ready(
        self, file: Path, now: datetime, progress: Progress
    ) -> AbstractContextManager[Path]:
        """Within, what to become, made of such a file, which is checked as a whole."""

    def become(self, ready: Path, now: datetime, progress: Progress) -> RowCounts:
        """Be that, of the newest revision and marked as a copy; all or nothing."""

    def keep_aside(self, aside: Path, now: datetime, progress: Progress) -> None:
        """Have what is there now in a file, even if it is damaged."""


class Backups:
    """Of the ledger at a URL, which is used with a folder."""

    def __init__(self, url: str, home: Path) -> None:
        self._url = url
        self._home = home

    def make(
        self, file: Path, *, force: bool = False, now: datetime, progress: Progress = silent
    ) -> Backup:
        """Copy the ledger into a file, of which nothing is there before it is whole.

        ``force`` is to replace a file that is there. Raises LedgerError.
        """
        with ExitStack() as stack:
            ledger = self._open(stack)
            stack.enter_context(told_of(file))
            if file.exists():
                _check_replaceable(file, ledger, force=force)
            if ledger.counts() is None:
                raise LedgerError("there is no ledger yet: nothing to back up")
            part = stack.enter_context(part_of(file))
            counts = ledger.copy_to(part, now, progress)
            put_in_place(part, file)
            return Backup(file, file.stat().st_size, counts)

    def restore(
        self, file: Path, *, force: bool = False, now: datetime, progress: Progress = silent
    ) -> Restored:
        """Put the ledger in a file in the place of the one that is there, which has to be empty.

        With ``force`` that one is kept aside first. Raises LedgerError, and then nothing has
        changed: while anybody works with the ledger, and where the file is no good.
        """
        with ExitStack() as stack:
            ledger = self._open(stack)
            with told_of(file):
                revision = ledger.revision_in(file)
            if revision > NEWEST_REVISION:
                raise LedgerError(
                    f"{file} is at revision {revision}, the program at {NEWEST_REVISION}: a newer "
                    "version of the program made it; upgrade the program"
                )
            self._keep_others_out(stack, now)
            is_empty = _is_empty(ledger, force=force)
            ready = stack.enter_context(ledger.made_ready(file, now, progress))
            kept = None if is_empty else _keep_aside(ledger, now, progress)
            return Restored(ledger.become(ready, now, progress), revision, kept)

    def _open(self, stack: ExitStack) -> StoredLedger:
        engine = open_database(self._url)
        stack.callback(engine.dispose)
        if engine.dialect.name == "sqlite":
            return SqliteLedger(engine)
        return PostgresLedger(engine, self._home)

    def _keep_others_out(self, stack: ExitStack, now: datetime) -> None:
        engine = open_database(self._url)
        stack.callback(engine.dispose)
        stack.enter_context(advisory_lock(engine, "run"))
        stack.enter_context(advisory_lock(engine, "collection"))
        if LiveWorkers(engine).some_live(now - _LONGEST_PASS):
            raise LedgerError(
                "mails are being sent: stop digest up, schedule, worker and run first"
            )


def _is_empty(ledger: StoredLedger, *, force: bool) -> bool:
    """Whether nothing is lost with a ledger. Raises LedgerError if there is, unless forced."""
    try:
        there = ledger.counts()
        if there is None or there.is_empty:
            return True
        people = "1 subscriber" if there.subscribers == 1 else f"{there.subscribers} subscribers"
        what = f"there is a ledger with {people}"
    except LedgerError as error:
        what = f"what is there is no ledger that could be read ({error})"
    if not force:
        raise LedgerError(f"{what}: --force replaces it, and keeps a copy of it")
    return False


def _keep_aside(ledger: StoredLedger, now: datetime, progress: Progress) -> Path:
    name = f"{ledger.place.name}.before-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    aside = ledger.place.with_name(name)
    if aside.exists():
        raise LedgerError(f"{aside} is there already")
    ledger.keep_aside(aside, now, progress)
    return aside


def _check_replaceable(file: Path, ledger: StoredLedger, *, force: bool) -> None:
    if not file.is_file():
        raise LedgerError(f"{file} is no file that could be replaced")
    if ledger.place.exists() and file.samefile(ledger.place):
        raise LedgerError(f"{file} is the ledger itself")
    if not force:
        raise LedgerError(f"{file} is there already: --force replaces it")
