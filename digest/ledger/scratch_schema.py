"""A schema in PostgreSQL for a while: made for a measurement, and dropped after it."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import DBAPIError

from digest.errors import LedgerError
from digest.ledger.database import as_ledger_error, open_database

_PREFIX = "paper_digest_scratch_"
_NAME = re.compile(f"{_PREFIX}[0-9a-f]{{32}}")
# Held by the session of whoever uses a schema: if it is free, its owner is dead.
_LOCK = "hashtextextended('paper-digest scratch ' || :name, 0)"


@contextmanager
def scratch_schema(url: str) -> Iterator[str]:
    """Make a schema in a database of PostgreSQL; yield a URL for it, and drop it at the end.

    Those that killed processes left are dropped as well, and nothing else is changed. Raises
    LedgerError.
    """
    name = f"{_PREFIX}{uuid.uuid4().hex}"
    with as_ledger_error():
        engine = open_database(url)
        if engine.dialect.name != "postgresql":
            raise LedgerError("only a database in PostgreSQL has schemas: postgresql+psycopg://…")
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            # Nobody waits for long for what somebody still uses.
            connection.execute(text("SET lock_timeout TO '20s'"))
            _drop_left_behind(connection)
            _lock(connection, name)  # before it is there, so that nobody drops it
            connection.execute(text(f"CREATE SCHEMA {name}"))
            try:
                yield _within(url, name)
            finally:
                _drop(connection, name)
                connection.invalidate()  # and with its session the lock ends


def _within(url: str, schema: str) -> str:
    parsed = make_url(url)
    given = parsed.query.get("options", ())
    options = [given] if isinstance(given, str) else given
    within = " ".join([*options, f"-csearch_path={schema}"])
    return parsed.update_query_dict({"options": within}).render_as_string(hide_password=False)


def _drop_left_behind(connection: Connection) -> None:
    there = connection.execute(text("SELECT nspname FROM pg_namespace")).scalars().all()
    for name in filter(_NAME.fullmatch, there):
        if _lock(connection, name):
            with suppress(DBAPIError):  # it is another role's, or still in use: it stays
                _drop(connection, name)
            connection.execute(text(f"SELECT pg_advisory_unlock({_LOCK})"), {"name": name})


def _lock(connection: Connection, name: str) -> bool:
    taken = connection.execute(text(f"SELECT pg_try_advisory_lock({_LOCK})"), {"name": name})
    return bool(taken.scalar_one())


def _drop(connection: Connection, name: str) -> None:
    connection.execute(text(f"DROP SCHEMA IF EXISTS {name} CASCADE"))
