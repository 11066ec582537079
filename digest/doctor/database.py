"""The database: there, current, writable; and the disk that it lies on."""

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from digest.doctor.clock import judge_clocks
from digest.doctor.diagnosis import Area, Diagnosis
from digest.errors import LedgerError
from digest.ledger.database import NEWEST_REVISION, open_database, revision

AREA = Area("database")
DISK = Area("disk")
LITTLE_SPACE, NO_SPACE = 500, 50  # megabytes
_MEGABYTE = 1_000_000
_OPEN_TO_OTHERS = 0o007

# Why nothing is sent from a database, because it is not known to be used here; None if it is.
Objection = Callable[[Engine], str | None]


def examine_database(url: str, now: datetime, objection: Objection) -> list[Diagnosis]:
    """Return what there is to say of the database itself; it is left as it was."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return _examine_server(url, now, objection)
    path = Path(parsed.database or "")
    if not path.exists():
        return [*_examine_place(path), _not_there_yet()]
    return [*_examine_server(url, now, objection), *_examine_place(path), *_examine_file(path)]


# ---- what the database answers ---------------------------------------------------------------


def _examine_server(url: str, now: datetime, objection: Objection) -> list[Diagnosis]:
    try:
        engine = open_database(url)
    except LedgerError as error:
        return [_out_of_reach(str(error))]
    try:
        found = revision(engine)
        if found is None:
            return [_not_there_yet()]
        guarded = _examine_guard(engine, objection) if found == NEWEST_REVISION else ()
        return [
            judge_revision(found),
            *_try_writing(engine),
            *_compare_clocks(engine, now),
            *guarded,
        ]
    except LedgerError as error:
        return [_out_of_reach(str(error))]
    except SQLAlchemyError as error:
        return [_out_of_reach(f"the database failed: {_first_line(error)}")]
    finally:
        engine.dispose()


def judge_revision(found: str) -> Diagnosis:
    if found == NEWEST_REVISION:
        return AREA.good(f"It is at revision {found}, as this version wants it.")
    what = f"It is at revision {found}, the program at {NEWEST_REVISION}."
    if found > NEWEST_REVISION:
        return AREA.problem(what, "A newer version made it: upgrade the program.")
    return AREA.problem(what, "Make a backup, then run digest db upgrade.")


def _try_writing(engine: Engine) -> Iterator[Diagnosis]:
    """Write something, and take it back."""
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            connection.execute(text("UPDATE alembic_version SET version_num = version_num"))
            connection.rollback()
    except SQLAlchemyError as error:
        yield AREA.problem(
            f"It cannot be written to: {_first_line(error)}.",
            "See to the permissions of the program's user, and to whether the database is a "
            "read-only copy.",
        )
    else:
        yield AREA.good("It can be written to.")


def _compare_clocks(engine: Engine, now: datetime) -> Iterator[Diagnosis]:
    """Compare the database's clock with ours; SQLite has none of its own."""
    if engine.dialect.name == "sqlite":
        return
    before = datetime.now(UTC)
    with engine.connect() as connection:
        theirs: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    # A slow answer is not a clock that is wrong.
    yield judge_clocks(now + (datetime.now(UTC) - before) / 2, theirs)


def _examine_guard(engine: Engine, objection: Objection) -> Iterator[Diagnosis]:
    if why := objection(engine):
        what_to_do = "Say which it is: digest db adopt --drop (an older copy), or --send."
        yield AREA.problem(f"{why[0].upper()}{why[1:]}.", what_to_do)


def _out_of_reach(why: str) -> Diagnosis:
    return AREA.problem(
        f"It is out of reach: {why}.",
        "See that it runs, and that DIGEST_DATABASE_URL or DIGEST_HOME names it.",
    )


def _not_there_yet() -> Diagnosis:
    return AREA.unknown(
        "There is nothing in it yet.", "Nothing to do: the first command that needs it makes it."
    )


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


# ---- what lies on the disk -------------------------------------------------------------------


def _examine_place(path: Path) -> Iterator[Diagnosis]:
    """Examine the folder: SQLite and the locks make files next to the database."""
    folder = existing(path.absolute().parent)
    if not is_writable(folder):
        yield AREA.problem(
            f"No files can be made in {folder}, and there the database and its locks belong.",
            "Give the program's user the right to write there, or set DIGEST_HOME.",
        )


def is_writable(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


def _examine_file(path: Path) -> Iterator[Diagnosis]:
    for lock in sorted(path.parent.glob(f"{path.name}.*.lock")):
        if not os.access(lock, os.R_OK | os.W_OK):
            yield AREA.problem(
                f"The lock {lock} belongs to somebody else, so that no run can take it.",
                "Run every command as one user, and give this file to that user.",
            )
    if path.stat().st_mode & _OPEN_TO_OTHERS:
        yield AREA.advice(
            f"{path} is open to everybody on this machine, and has your readers' addresses.",
            f"chmod o= {path}",
        )


def examine_disk(home: Path) -> Diagnosis:
    """Return how much space is left where the state is kept."""
    folder = existing(home.absolute())
    return judge_space(folder, shutil.disk_usage(folder).free)


def judge_space(folder: Path, free: int) -> Diagnosis:
    left = free // _MEGABYTE
    said = f"{left} MB are free at {folder}."
    if left < NO_SPACE:
        return DISK.problem(said, "Make room before the next run.")
    return DISK.advice(said, "Make room.") if left < LITTLE_SPACE else DISK.good(said)
