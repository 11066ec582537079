"""Locks that vanish with their holder, so that a crash leaves none behind.

On SQLite a lock is a file beside the database, held by `flock`. On PostgreSQL it is an advisory
lock, held by a transaction that does nothing else: a pooler of connections leaves it alone.
"""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from glob import escape
from pathlib import Path
from typing import IO, Literal

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from digest.errors import Busy
from digest.ledger.sqlite_connection import SILENT

# PostgreSQL's advisory locks are numbers of a whole database. Ours are hashed from a name and the
# schema: two ledgers in two schemas have different locks.
_NUMBER = "hashtextextended(current_schema() || ' paper-digest ' || :name, 0)"

_TRIES = 200
_PAUSE = 0.05  # seconds between two of them


@contextmanager
def advisory_lock(
    engine: Engine, work: Literal["run", "planning", "collection", "announcing"]
) -> Iterator[None]:
    """Hold the lock of one kind of work. Raises Busy at once if another process holds it."""
    with holding(engine, work) as is_ours:
        if not is_ours:
            raise Busy(f"another {work} is under way")
        yield


@contextmanager
def wait_for_lock(
    engine: Engine, name: str, sleep: Callable[[float], None] = time.sleep
) -> Iterator[None]:
    """Hold the lock of a name; wait for it. Raises Busy after ten seconds."""
    for _ in range(_TRIES):
        with holding(engine, name) as is_ours:
            if is_ours:
                yield
                return
        sleep(_PAUSE)
    raise Busy(f"another process holds the lock {name!r}")


@contextmanager
def holding(engine: Engine, name: str) -> Iterator[bool]:
    """Try to hold the lock of a name; yield whether it succeeded."""
    if engine.dialect.name != "sqlite":
        with _advisory_lock(engine, name) as is_ours:
            yield is_ours
        return
    with _file_of(engine, name).open("w") as file:
        yield _is_locked_by_us(file)


@contextmanager
def in_turn(engine: Engine) -> Iterator[None]:
    """Wait for one's turn to write to SQLite, behind others that do so many times a second.

    SQLite asks again and again whether the database is free, with ever longer pauses. Whoever
    waits here for as long as SQLite waits in silence goes on: SQLite then tells who is in the way.
    """
    if engine.dialect.name != "sqlite":
        yield
        return
    pause, give_up = 0.0002, time.monotonic() + SILENT
    with _file_of(engine, "turn").open("w") as file:
        while not _is_locked_by_us(file) and time.monotonic() < give_up:
            time.sleep(pause)
            pause = min(1.5 * pause, 0.005)
        yield


def is_held(engine: Engine, name: str) -> bool:
    """Return whether a living process holds the lock of a name."""
    if engine.dialect.name != "sqlite":
        with _advisory_lock(engine, name) as is_ours:
            return not is_ours
    try:
        with _file_of(engine, name).open() as file:
            return not _is_locked_by_us(file)
    except FileNotFoundError:
        return False


def left_behind(engine: Engine, kind: str, before: datetime) -> list[str]:
    """Return the locks with this prefix whose holder is dead and that were taken before a moment.

    A process makes the file first and holds it a moment later: hence ``before``.
    """
    return [
        name
        for name, taken_at in _files(engine, kind).items()
        if taken_at < before.timestamp() and not is_held(engine, name)
    ]


def held(engine: Engine, kind: str) -> list[str]:
    """Return the locks with this prefix whose holder lives; only for SQLite."""
    return [name for name in _files(engine, kind) if is_held(engine, name)]


def forget(engine: Engine, name: str) -> None:
    """Remove the file of a lock that nobody will take again."""
    if engine.dialect.name == "sqlite":
        _file_of(engine, name).unlink(missing_ok=True)


def wait_for_upgrade(connection: Connection) -> None:
    """Wait until nobody else upgrades the schema, and keep others out of it until the commit."""
    lock = text(f"SELECT pg_advisory_xact_lock({_NUMBER})")
    connection.execute(lock, {"name": "upgrade"})


@contextmanager
def _advisory_lock(engine: Engine, name: str) -> Iterator[bool]:
    with engine.connect() as connection:
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout TO 0"))
        taken = text(f"SELECT pg_try_advisory_xact_lock({_NUMBER})")
        is_ours = bool(connection.execute(taken, {"name": name}).scalar_one())
        try:
            yield is_ours
        finally:
            # If the connection is lost, the lock is gone too.
            with suppress(DBAPIError):
                connection.rollback()


def _file_of(engine: Engine, name: str) -> Path:
    return Path(f"{engine.url.database}.{name}.lock")


def _files(engine: Engine, kind: str) -> dict[str, float]:
    """Return the locks with this prefix that have files, and when each was taken."""
    if engine.dialect.name != "sqlite":
        return {}
    database = Path(engine.url.database or "")
    found = {}
    for path in database.parent.glob(f"{escape(database.name)}.{kind}*.lock"):
        with suppress(FileNotFoundError):
            name = path.name.removeprefix(f"{database.name}.").removesuffix(".lock")
            found[name] = path.stat().st_mtime
    return found


def _is_locked_by_us(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
