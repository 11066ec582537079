"""The database: opened, brought up to date, and held by one run at a time."""

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from digest.errors import LedgerError

# The last of digest/migrations/versions; a test holds the two together.
NEWEST_REVISION = "0006"
# PostgreSQL's advisory locks are numbers of a whole database; these are ours ("digest" in ASCII,
# and a digit), hashed with the schema: two ledgers in two schemas do not hold each other up.
_LOCK_NUMBERS = {
    "run": 0x64696765737401,
    "collection": 0x64696765737402,
    "upgrade": 0x64696765737403,
}
_LOCK = "hashtextextended(current_schema(), :number)"


def open_database(url: str) -> Engine:
    """An engine for SQLite (write-ahead log, foreign keys on) or PostgreSQL.

    Raises LedgerError where the folder cannot be made or the driver is not installed.
    """
    parsed = make_url(url)
    try:
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(
            parsed,
            pool_pre_ping=parsed.get_backend_name() != "sqlite",
            hide_parameters=True,  # addresses: what fails is told in logs
        )
    except (OSError, ImportError) as error:
        raise LedgerError(f"the database cannot be opened: {error}") from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")  # a claim must survive a power cut
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA busy_timeout=10000")


def upgrade(engine: Engine) -> str:
    """Bring the schema to the newest revision, which is returned. Doing it twice does nothing."""
    # Alembic is slow to load, and most commands find the schema as it should be.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parents[1] / "migrations"))
    config.set_main_option("path_separator", "os")
    try:
        with engine.begin() as connection:
            _hold_others_off(connection)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except (SQLAlchemyError, CommandError) as error:
        raise LedgerError(f"the database cannot be upgraded: {_first_line(error)}") from error
    return NEWEST_REVISION


def _hold_others_off(connection: Connection) -> None:
    """Who upgrades at the same time waits, and then finds it done; half an upgrade is undone.

    SQLite's driver begins no transaction for the statements of a schema, so we do.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return
    number = {"number": _LOCK_NUMBERS["upgrade"]}
    connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"), number)


def ensure_current(engine: Engine) -> None:
    """Create the schema in an empty database. Raises LedgerError where an old one needs upgrading.

    An existing schema is never changed in passing: that is `digest db upgrade`, after a backup.
    """
    found = _revision(engine)
    if found is None:
        upgrade(engine)
    elif found != NEWEST_REVISION:
        what_to_do = "run digest db upgrade"
        if found > NEWEST_REVISION:
            what_to_do = "a newer version of the program made it; upgrade the program"
        raise LedgerError(
            f"the database is at revision {found}, the program at {NEWEST_REVISION}: {what_to_do}"
        )


def _revision(engine: Engine) -> str | None:
    """The revision that Alembic wrote into the database; none in an empty one."""
    try:
        if not inspect(engine).has_table("alembic_version"):
            return None
        with engine.connect() as connection:
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except SQLAlchemyError as error:
        raise LedgerError(f"the database cannot be opened: {_first_line(error)}") from error


@contextmanager
def exclusively(engine: Engine, work: Literal["run", "collection"]) -> Iterator[None]:
    """Hold the ledger for one piece of work. Raises LedgerError at once if another holds it.

    The lock goes with the process or the connection, so a crash leaves none behind. On SQLite it
    is a file beside the database, on PostgreSQL an advisory lock.
    """
    busy = LedgerError(f"another {work} is under way")
    if engine.dialect.name == "sqlite":
        with Path(f"{engine.url.database}.{work}.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise busy from None
            yield
        return
    number = {"number": _LOCK_NUMBERS[work]}
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        taken = text(f"SELECT pg_try_advisory_lock({_LOCK})")
        if not connection.execute(taken, number).scalar_one():
            raise busy
        try:
            yield
        finally:
            connection.execute(text(f"SELECT pg_advisory_unlock({_LOCK})"), number)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
