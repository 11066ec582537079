"""The statements that every group of messages needs, as text.

SQLAlchemy takes longer to put a statement together than a database to do it: that was half of what
a group cost. A list is one parameter here, so that the words are always the same.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection

from digest.ledger.delivery_rows import REACHED_FROM
from digest.model.deliveries import DeliveryState

# ``:name`` is a parameter, and ``:names[]`` a list of numbers.
_LIST = re.compile(r":(\w+)\[\]")
_IN_LIST = re.compile(r"IN \(:(\w+)\[\]\)")
_NAME = re.compile(r"(?<!:):(\w+)")


def _before(state: DeliveryState) -> str:
    return ", ".join(f"'{before}'" for before in sorted(REACHED_FROM[state]))


# Written so that no index serves but that of ids. PostgreSQL, which counts a table that was just
# filled by its old figures, would else read all that wait, or all that a worker has.
_ACCEPT = f"""
UPDATE deliveries SET state = 'accepted', attempts = attempts + 1, changed_at = :now,
    claimed_by = NULL, next_attempt_at = NULL, refused_for = NULL
WHERE id IN (:ids[]) AND state || '' IN ({_before(DeliveryState.ACCEPTED)})
    AND coalesce(claimed_by, '') = :worker
RETURNING id
"""  # noqa: S608  of our own words
_MARK = f"""
UPDATE deliveries SET state = 'sending', changed_at = :now
WHERE id IN (:ids[]) AND state || '' IN ({_before(DeliveryState.SENDING)})
    AND coalesce(claimed_by, '') = :worker
RETURNING id
"""  # noqa: S608
_TRY = """
INSERT INTO attempts (delivery_id, at, outcome, code, text, seconds)
VALUES (:delivery_id, :at, :outcome, :code, :text, :seconds)
"""


def accept(connection: Connection, ids: Collection[int], worker: str, now: datetime) -> set[int]:
    """Record which of these deliveries, marked by a worker, were accepted; return their ids."""
    values = {"ids": ids, "worker": worker, "now": now}
    return _ids(connection, _ACCEPT, values)


def mark(connection: Connection, ids: Collection[int], worker: str, now: datetime) -> set[int]:
    """Mark which of these deliveries, leased by a worker, are being sent; return their ids."""
    values = {"ids": ids, "worker": worker, "now": now}
    return _ids(connection, _MARK, values)


def add_attempts(connection: Connection, attempts: Sequence[Mapping[str, object]]) -> None:
    dialect = connection.dialect.name
    rows = [{name: _stored(dialect, said) for name, said in row.items()} for row in attempts]
    connection.exec_driver_sql(_WORDS[dialect][_TRY], rows)


def _ids(connection: Connection, statement: str, values: Mapping[str, object]) -> set[int]:
    dialect = connection.dialect.name
    stored = {name: _stored(dialect, value) for name, value in values.items()}
    return {row[0] for row in connection.exec_driver_sql(_WORDS[dialect][statement], stored)}


def _stored(dialect: str, value: object) -> object:
    """Return a value as the driver takes it, and as SQLAlchemy stores it."""
    match value:
        case datetime():
            moment = value.astimezone(UTC)
            return moment if dialect != "sqlite" else f"{moment:%Y-%m-%d %H:%M:%S.%f}"
        case list() | set():
            # In one order, or two workers wait for each other.
            return sorted(value) if dialect != "sqlite" else json.dumps(sorted(value))
    return value


def _for_postgresql(statement: str) -> str:
    return _NAME.sub(r"%(\1)s", _IN_LIST.sub(r"= ANY(:\1::int[])", statement))


def _for_sqlite(statement: str) -> str:
    return _LIST.sub(r"SELECT value FROM json_each(:\1)", statement)


_ALL = (_ACCEPT, _MARK, _TRY)
_WORDS = {
    "sqlite": {statement: _for_sqlite(statement) for statement in _ALL},
    "postgresql": {statement: _for_postgresql(statement) for statement in _ALL},
}
