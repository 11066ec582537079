"""The database: opening it, transactions, and its schema's revision."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar
from weakref import finalize

from sqlalchemy import (
    URL,
    Connection,
    Dialect,
    Engine,
    Table,
    create_engine,
    event,
    inspect,
    make_url,
    text,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import (
    InterfaceError,
    InternalError,
    InvalidatePoolError,
    OperationalError,
    SQLAlchemyError,
    TimeoutError,  # noqa: A004  SQLAlchemy's, of its pool
)
from sqlalchemy.pool import ConnectionPoolEntry
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

from digest.errors import LedgerError
from digest.ledger import sqlite_connection
from digest.ledger.locks import wait_for_upgrade

# The last of digest/ledger/migrations/versions; a test holds the two together.
NEWEST_REVISION = "0038"

# For libpq, seconds: to connect; and of silence before a connection is probed, three times. In
# milliseconds: for which what was sent may stay unanswered.
_OVER_A_NETWORK = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
_PREPARES = "prepare_threshold"  # psycopg's, in the URL: none
_PATIENCE = 60.0  # seconds
_IDLE = 1.0  # seconds without use, after which a connection is tried out
_USED_AT = "used_at"
NEW_DATABASE = "create one with createdb --encoding=UTF8 --template=template0"
PAUSE = 0.05  # seconds after a block of rows: SQLite has no queue for those who want to write
# Gone or locked; still read-only (InternalError); or no connection is free (TimeoutError).
_NOT_NOW = (OperationalError, InterfaceError, InternalError, TimeoutError)

T = TypeVar("T")


def open_database(url: str | URL) -> Engine:
    """Make an engine for SQLite (write-ahead log, foreign keys on) or PostgreSQL.

    Raises LedgerError if the folder cannot be made, or the driver is not installed.
    """
    parsed = make_url(url)
    is_sqlite = parsed.get_backend_name() == "sqlite"
    try:
        if is_sqlite and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        if not is_sqlite:  # what the URL says wins
            query = {**_OVER_A_NETWORK, **parsed.query}
            parsed = parsed.set(query=query).difference_update_query([_PREPARES])
        engine = create_engine(
            parsed,
            hide_parameters=True,  # addresses, because errors are logged
            connect_args={"factory": sqlite_connection.PatientConnection}
            if is_sqlite
            else of_driver(url),
        )
    except ModuleNotFoundError as error:
        raise LedgerError(
            f"the database cannot be opened: {error.name} is not installed: "
            "pip install 'paper-digest[postgresql]'"
        ) from error
    except (OSError, ImportError) as error:
        raise LedgerError(f"the database cannot be opened: {error}") from error
    event.listen(engine, "connect", sqlite_connection.set_up if is_sqlite else _set_up_postgresql)
    if not is_sqlite:
        event.listen(engine, "checkin", _remember_use)
        event.listen(engine, "checkout", partial(_try_out_if_idle, engine.dialect))
    # At the end of the process too: SQLite then removes the files of the write-ahead log.
    finalize(engine, engine.pool.dispose)
    return engine


def of_driver(url: str | URL) -> dict[str, None]:
    """Return what psycopg must be told besides the URL, behind a pooler of connections.

    Some poolers give each transaction another session, which does not know prepared statements.
    """
    return {_PREPARES: None} if make_url(url).query.get(_PREPARES) == "none" else {}


def _set_up_postgresql(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
    """Set what may be configured otherwise for the server, database or role."""
    cursor = connection.cursor()
    cursor.execute("SET client_encoding TO 'UTF8'")
    cursor.execute("SET DateStyle TO 'ISO'")
    # The server's own probes: the locks of a machine that is lost are held until it notices. It
    # does not probe while an answer of its own is on its way: that has a bound by itself.
    cursor.execute(f"SET tcp_user_timeout TO {_OVER_A_NETWORK['tcp_user_timeout']}")
    for name in ("idle", "interval", "count"):
        cursor.execute(f"SET tcp_keepalives_{name} TO {_OVER_A_NETWORK[f'keepalives_{name}']}")
    cursor.close()
    connection.commit()
    _remember_use(connection, entry)


def _remember_use(_: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
    entry.info[_USED_AT] = time.monotonic()


def _try_out_if_idle(
    dialect: Dialect, connection: DBAPIConnection, entry: ConnectionPoolEntry, _: object
) -> None:
    """Try out a connection that was idle, and have new ones made if its server has gone meanwhile.

    Whoever asks many times a second would ask that each time as well.
    """
    if time.monotonic() - entry.info[_USED_AT] < _IDLE:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        raise InvalidatePoolError from error


def retry_on_disconnect(ask: Callable[[], T]) -> T:
    """Ask the database; ask again while it is away, as during a restart, for up to a minute.

    The question must be idempotent: the first may have been answered. Raises SQLAlchemyError.
    """
    waiting = Retrying(
        retry=retry_if_exception_type(_NOT_NOW),
        stop=stop_after_delay(_PATIENCE),
        wait=wait_exponential(0.1, max=5),
        reraise=True,
    )
    return waiting(ask)


@contextmanager
def as_ledger_error() -> Iterator[None]:
    """Raise errors of the database as a LedgerError of one line."""
    try:
        yield
    except SQLAlchemyError as error:
        raise LedgerError(f"the database failed: {_first_line(error)}") from error


def insert_if_new(connection: Connection, table: Table, **values: object) -> bool:
    """Insert a row. Return False, and change nothing, if there is one with these keys already."""
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert  # noqa: PLC0415
    else:
        from sqlalchemy.dialects.postgresql import insert  # type: ignore[assignment] # noqa: PLC0415
    new = insert(table).values(**values).on_conflict_do_nothing()
    return connection.execute(new).rowcount == 1


def upgrade(engine: Engine) -> None:
    """Bring the schema to the newest revision. Idempotent. Raises LedgerError."""
    # Alembic is slow to load, and most commands find the schema as it should be.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.set_main_option("path_separator", "os")
    try:
        with write_transaction(engine) as connection:
            # Another process that upgrades at the same time waits, and then finds it done.
            if connection.dialect.name != "sqlite":
                if lacks := encoding_problem(connection):
                    raise LedgerError(f"the database {lacks}: {NEW_DATABASE}")
                wait_for_upgrade(connection)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except (SQLAlchemyError, CommandError) as error:
        raise LedgerError(f"the database cannot be upgraded: {_first_line(error)}") from error


def encoding_problem(connection: Connection) -> str:
    """Return why a database in PostgreSQL cannot hold every character; "" if it can."""
    encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    return "" if encoding == "UTF8" else f"has the encoding {encoding}, not UTF8"


@contextmanager
def write_transaction(engine: Engine) -> Iterator[Connection]:
    """Begin a transaction that reads and then writes, and commit it at the end.

    SQLite refuses a reader that wants to write after another process has written, so there the lock
    is taken at the beginning. Its driver does not begin a transaction for DDL either.
    """
    with engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection


def ensure_current(engine: Engine) -> None:
    """Create the schema in an empty database. Raises LedgerError if an old one needs upgrading.

    An existing schema is only changed by `digest db upgrade`, after a backup.
    """
    found = revision(engine)
    if found is None:
        upgrade(engine)
    elif found != NEWEST_REVISION:
        what_to_do = "run digest db upgrade"
        if found > NEWEST_REVISION:
            what_to_do = "a newer version of the program made it; upgrade the program"
        raise LedgerError(
            f"the database is at revision {found}, the program at {NEWEST_REVISION}: {what_to_do}"
        )


def what_is_missing(engine: Engine) -> str:
    """Return what prevents the program from working: "database", "schema", or ""."""
    try:
        found = revision(engine)
    except LedgerError:
        return "database"
    return "" if found == NEWEST_REVISION else "schema"


def revision(engine: Engine) -> str | None:
    """Return the revision of the schema; None in an empty database. Raises LedgerError."""
    try:
        if not inspect(engine).has_table("alembic_version"):
            return None
        with engine.connect() as connection:
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except SQLAlchemyError as error:
        # PostgreSQL names the server itself, and its URL may hold a password.
        file = f" ({engine.url.database})" if engine.dialect.name == "sqlite" else ""
        why = f"{_first_line(error)}{file}"
        raise LedgerError(f"the database cannot be opened: {why}") from error


def _first_line(error: Exception) -> str:
    # Of a driver's error, without the name of its class and the statement.
    return str(getattr(error, "orig", None) or error).splitlines()[0]
