"""Examine the database (there, current, writable) and the disk that it is on."""

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import URL, Engine, make_url, text

from digest.doctor.clock import judge_clocks
from digest.doctor.diagnosis import Area, Diagnosis
from digest.errors import LedgerError
from digest.ledger.database import (
    NEW_DATABASE,
    NEWEST_REVISION,
    as_ledger_error,
    encoding_problem,
    open_database,
    revision,
)

AREA = Area("database")
DISK = Area("disk")
LITTLE_SPACE, NO_SPACE = 500, 50  # megabytes
_MEGABYTE = 1_000_000
_OPEN_TO_OTHERS = 0o007

NOT_THERE_YET = AREA.unknown(
    "There is nothing in it yet.", "Nothing to do: the first command that needs it creates it."
)

Objection = Callable[[Engine], str | None]
"""Returns why nothing is sent from a database that was not used here before; None if it was."""


def examine_database(url: str | URL, now: datetime, objection: Objection) -> list[Diagnosis]:
    """Examine the database itself; nothing in it is changed."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return _examine_server(url, now, objection)
    path = Path(parsed.database or "")
    if not path.exists():
        return [*_examine_place(path), NOT_THERE_YET]
    return [*_examine_server(url, now, objection), *_examine_place(path), *_examine_file(path)]


# ---- what the database answers ---------------------------------------------------------------


def _examine_server(url: str | URL, now: datetime, objection: Objection) -> list[Diagnosis]:
    try:
        engine = open_database(url)
        try:
            with as_ledger_error():
                return list(_ask(engine, now, objection))
        finally:
            engine.dispose()
    except LedgerError as error:
        return [
            AREA.problem(
                f"It cannot be reached: {error}.",
                "Check that it runs, and that DIGEST_DATABASE_URL or DIGEST_HOME names it.",
            )
        ]


def _ask(engine: Engine, now: datetime, objection: Objection) -> Iterator[Diagnosis]:
    if engine.dialect.name != "sqlite":
        with engine.connect() as connection:
            if lacks := encoding_problem(connection):
                yield AREA.problem(f"It {lacks}.", f"C{NEW_DATABASE[1:]}.")
                return
    found = revision(engine)
    if found is None:
        yield NOT_THERE_YET
        return
    yield judge_revision(found)
    yield _try_writing(engine)
    if engine.dialect.name != "sqlite":  # SQLite has no clock of its own
        yield _compare_clocks(engine, now)
    if found == NEWEST_REVISION and (why := objection(engine)):
        yield AREA.problem(
            f"{why[0].upper()}{why[1:]}.",
            "Say which it is: digest db adopt --drop (an older copy), or --send.",
        )


def judge_revision(found: str) -> Diagnosis:
    if found == NEWEST_REVISION:
        return AREA.good(f"It is at revision {found}, as this version needs it.")
    what = f"It is at revision {found}, the program at {NEWEST_REVISION}."
    if found > NEWEST_REVISION:
        return AREA.problem(what, "A newer version made it: upgrade the program.")
    return AREA.problem(what, "Make a backup, then run digest db upgrade.")


def _try_writing(engine: Engine) -> Diagnosis:
    """Write something, and take it back."""
    try:
        with as_ledger_error(), engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            connection.execute(text("UPDATE alembic_version SET version_num = version_num"))
            connection.rollback()
    except LedgerError as error:
        return AREA.problem(
            f"It cannot be written to: {error}.",
            "Check the permissions of the program's user, and that the database is no read-only "
            "copy.",
        )
    return AREA.good("It can be written to.")


def _compare_clocks(engine: Engine, now: datetime) -> Diagnosis:
    before = datetime.now(UTC)
    with engine.connect() as connection:
        theirs: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    # A slow answer is not a clock that is wrong.
    return judge_clocks(now + (datetime.now(UTC) - before) / 2, theirs)


# ---- what lies on the disk -------------------------------------------------------------------


def _examine_place(path: Path) -> Iterator[Diagnosis]:
    """Examine the folder: SQLite and the locks make files next to the database."""
    folder = existing(path.absolute().parent)
    if not is_writable(folder):
        yield AREA.problem(
            f"No files can be created in {folder}, where the database and its locks belong.",
            "Allow the program's user to write there, or set DIGEST_HOME.",
        )


def is_writable(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


def _examine_file(path: Path) -> Iterator[Diagnosis]:
    for lock in sorted(path.parent.glob(f"{path.name}.*.lock")):
        if not os.access(lock, os.R_OK | os.W_OK):
            yield AREA.problem(
                f"The lock {lock} belongs to another user, so that no run can take it.",
                "Run every command as one user, and change the file's owner to that user.",
            )
    if path.stat().st_mode & _OPEN_TO_OTHERS:
        yield AREA.advice(
            f"Everybody on this machine can open {path}, which has your readers' addresses.",
            f"Run chmod o= {path}.",
        )


def examine_disk(home: Path) -> Diagnosis:
    """Examine how much space is left where the state is kept."""
    folder = existing(home.absolute())
    return judge_space(folder, shutil.disk_usage(folder).free)


def judge_space(folder: Path, free: int) -> Diagnosis:
    left = free // _MEGABYTE
    said = f"{left} MB are free at {folder}."
    if left < NO_SPACE:
        return DISK.problem(said, "Make room before the next run.")
    return DISK.advice(said, "Make room.") if left < LITTLE_SPACE else DISK.good(said)
