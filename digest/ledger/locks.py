"""Locks that vanish with their holder, so that a crash leaves none behind.

On SQLite a lock is a file beside the database, held by `flock`; on PostgreSQL it is an advisory
lock, held by a connection.
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

# PostgreSQL's advisory locks are numbers of a whole database. Ours are hashed from a name and the
# schema: two ledgers in two schemas do not hold each other up.
_NUMBER = "hashtextextended(current_schema() || ' paper-digest ' || :name, 0)"


_TRIES = 200
_PAUSE = 0.05  # seconds between two of them


@contextmanager
def advisory_lock(engine: Engine, work: Literal["run", "planning", "collection"]) -> Iterator[None]:
    """Hold the ledger for one piece of work. Raises Busy at once if another holds it."""
    with holding(engine, work) as is_ours:
        if not is_ours:
            raise Busy(f"another {work} is under way")
        yield


@contextmanager
def wait_for_lock(
    engine: Engine, name: str, sleep: Callable[[float], None] = time.sleep
) -> Iterator[None]:
    """Hold the lock of a name. Raises Busy if others hold it for ten seconds."""
    for _ in range(_TRIES):
        with holding(engine, name) as is_ours:
            if is_ours:
                yield
                return
        sleep(_PAUSE)
    raise Busy(f"another process holds the lock {name!r}")


@contextmanager
def holding(engine: Engine, name: str) -> Iterator[bool]:
    """Hold the lock of a name, or say at once that another has it."""
    if engine.dialect.name != "sqlite":
        with _advisory_lock(engine, name) as is_ours:
            yield is_ours
        return
    with _file_of(engine, name).open("w") as file:
        yield _is_locked_by_us(file)


def is_held(engine: Engine, name: str) -> bool:
    """Whether whoever took the lock of a name still lives."""
    if engine.dialect.name != "sqlite":
        with _advisory_lock(engine, name) as is_ours:
            return not is_ours
    try:
        with _file_of(engine, name).open() as file:
            return not _is_locked_by_us(file)
    except FileNotFoundError:
        return False


def left_behind(engine: Engine, kind: str, before: datetime) -> list[str]:
    """The names, beginning so, of locks that were taken before a moment and whose holder is dead.

    Who takes one makes its file first, and holds it a moment later: hence the moment.
    """
    return [
        name
        for name, taken_at in _files(engine, kind).items()
        if taken_at < before.timestamp() and not is_held(engine, name)
    ]


def held(engine: Engine, kind: str) -> list[str]:
    """The names, beginning so, of the locks on SQLite whose holder lives."""
    return [name for name in _files(engine, kind) if is_held(engine, name)]


def forget(engine: Engine, name: str) -> None:
    """Clear away what a lock leaves behind that nobody will take again."""
    if engine.dialect.name == "sqlite":
        _file_of(engine, name).unlink(missing_ok=True)


def wait_for_upgrade(connection: Connection) -> None:
    """Until the end of the transaction, nobody else upgrades the schema."""
    lock = text(f"SELECT pg_advisory_xact_lock({_NUMBER})")
    connection.execute(lock, {"name": "upgrade"})


@contextmanager
def _advisory_lock(engine: Engine, name: str) -> Iterator[bool]:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        taken = text(f"SELECT pg_try_advisory_lock({_NUMBER})")
        is_ours = bool(connection.execute(taken, {"name": name}).scalar_one())
        try:
            yield is_ours
        finally:
            # With a lost connection the lock has gone as well.
            with suppress(DBAPIError):
                if is_ours:
                    unlock = text(f"SELECT pg_advisory_unlock({_NUMBER})")
                    connection.execute(unlock, {"name": name})


def _file_of(engine: Engine, name: str) -> Path:
    return Path(f"{engine.url.database}.{name}.lock")


def _files(engine: Engine, kind: str) -> dict[str, float]:
    """The files of locks whose names begin so, with when each was taken; none on PostgreSQL."""
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
