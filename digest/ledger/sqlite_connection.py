"""Connections to SQLite: set up so that nothing is lost, and patient while the database is locked.

SQLite itself can wait for a lock, but not say so. So it waits for some seconds only, and then the
connection reports who has the lock, asks again, and ends with one clear error.
"""

import random
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import structlog
from sqlalchemy.pool import ConnectionPoolEntry

SILENT = 3.0  # seconds before the wait is reported
PATIENCE = 30.0  # seconds before it is given up

log = structlog.get_logger()
T = TypeVar("T")


class Cursor(sqlite3.Cursor):
    """A cursor whose statements wait while another program has locked the database."""

    def execute(self, *given: Any) -> "Cursor":
        return _wait(self.connection, lambda: super(Cursor, self).execute(*given))

    def executemany(self, *given: Any) -> "Cursor":
        return _wait(self.connection, lambda: super(Cursor, self).executemany(*given))


class PatientConnection(sqlite3.Connection):
    """A connection with such cursors."""

    def cursor(self, *_: Any) -> Any:
        return super().cursor(Cursor)


def set_up(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    """Set what holds for one connection: waiting, the write-ahead log, durability, foreign keys."""
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={int(SILENT * 1000)}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # a claim must survive a power cut
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _wait(connection: sqlite3.Connection, ask: Callable[[], T]) -> T:
    """Ask until the database is not locked. Raises sqlite3.OperationalError after PATIENCE."""
    began = time.monotonic()
    is_told = False
    while True:
        try:
            return ask()
        except sqlite3.OperationalError as error:
            if not _is_locked(error):
                raise
            waited = time.monotonic() - began
            if waited >= PATIENCE:
                by = f"it has been locked by {_holder(connection)} for {waited:.0f} s"
                error.args = (f"{by}: end that program, or try again later",)
                raise
            if waited >= SILENT and not is_told:
                log.warning("the database is locked: waiting", by=_holder(connection))
                is_told = True
        time.sleep(random.uniform(0.01, 0.1))  # noqa: S311  so that several do not ask in step


def _is_locked(error: sqlite3.OperationalError) -> bool:
    code = getattr(error, "sqlite_errorcode", 0)  # none if Python's own module raised it
    # A reader whose snapshot is old can never write: to wait does not help.
    return code & 0xFF == sqlite3.SQLITE_BUSY and code != sqlite3.SQLITE_BUSY_SNAPSHOT


def _holder(connection: sqlite3.Connection) -> str:
    """Return which process has locked the database for writing, as far as Linux tells."""
    [(_, _, file), *_] = sqlite3.Connection.cursor(connection).execute("PRAGMA database_list")
    try:
        inodes = {str(path.stat().st_ino) for path in (Path(file), Path(f"{file}-shm"))}
        for line in Path("/proc/locks").read_text("ascii").splitlines():
            # Such as: 38: POSIX  ADVISORY  WRITE 15828 fe:00:2466300 120 120
            _, _, _, kind, process, place, *_ = line.split()
            if kind == "WRITE" and place.rpartition(":")[2] in inodes:
                name = Path(f"/proc/{process}/comm").read_text("utf-8", "replace").strip()
                return f"process {process} ({name})"
    except (OSError, ValueError):
        pass
    return "another program"
