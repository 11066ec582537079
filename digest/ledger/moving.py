"""Copy a ledger's rows from one database to another, table by table, and compare both."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    Integer,
    RowMapping,
    Table,
    delete,
    func,
    insert,
    select,
    text,
    tuple_,
)

from digest.errors import LedgerError
from digest.ledger.tables import workers
from digest.model.progress import Progress
from subscribers.store.tables import metadata

_BLOCK = 2000  # rows in one transaction


@dataclass(frozen=True, slots=True)
class Sum:
    """Holds the number of rows of a table, and a checksum in which their order does not count."""

    rows: int = 0
    checksum: int = 0


def moved_tables() -> list[Table]:
    """Return the tables in an order in which each refers to earlier ones only."""
    return [table for table in metadata.sorted_tables if table is not workers]


def copy_rows(source: Connection, target: Engine, progress: Progress) -> None:
    """Copy what is not there yet; it may be broken off at any time, and called again."""
    total = sum(_count(source, table) for table in moved_tables())
    done = 0
    for table in moved_tables():
        with target.begin() as connection:
            there = _keep_or_remove(source, connection, table)
        done += there
        progress(done, total)
        if there and not _numbered(table):
            continue
        for block in _blocks(source, table, _last_id(target, table)):
            with target.begin() as connection:
                connection.execute(insert(table), [dict(row) for row in block])
            done += len(block)
            progress(done, total)
    _continue_numbers(target)


def compare(source: Engine, target: Engine) -> dict[str, Sum]:
    """Return the sums of the tables in both. Raises LedgerError naming those that differ."""
    with source.connect() as here, target.connect() as there:
        sums = {table.name: (_sum(here, table), _sum(there, table)) for table in moved_tables()}
    differing = sorted(name for name, (left, right) in sums.items() if left != right)
    if differing:
        raise LedgerError(
            f"the databases differ in {', '.join(differing)}: one was changed meanwhile; stop "
            "everything, and run it again with --anew"
        )
    return {name: left for name, (left, _) in sums.items()}


def empty(target: Engine) -> None:
    """Delete all rows."""
    with target.begin() as connection:
        for table in reversed(moved_tables()):
            connection.execute(delete(table))


def is_empty(target: Engine) -> bool:
    with target.connect() as connection:
        return not any(_count(connection, table) for table in moved_tables())


# ---- a table ---------------------------------------------------------------------------------


def _keep_or_remove(source: Connection, target: Connection, table: Table) -> int:
    """Return how many rows of a table are there. Without numbers in order, none is kept of a part.

    Rows that refer to this table are only there if all of it is.
    """
    there = _count(target, table)
    if there and not _numbered(table) and there != _count(source, table):
        target.execute(delete(table))
        return 0
    return there


def _blocks(source: Connection, table: Table, after: int | None) -> Iterator[list[RowMapping]]:
    """Yield the rows in blocks, in the order of their keys; with ``after``, those behind it."""
    key = [*table.primary_key.columns]
    last: tuple[Any, ...] | None = None if after is None else (after,)
    while True:
        query = select(table).order_by(*key).limit(_BLOCK)
        if last is not None:
            query = query.where(tuple_(*key) > tuple_(*last) if len(key) > 1 else key[0] > last[0])
        block = list(source.execute(query).mappings())
        if block:
            yield block
            last = tuple(block[-1][column.name] for column in key)
        if len(block) < _BLOCK:
            return


def _numbered(table: Table) -> bool:
    return [*table.primary_key.columns.keys()] == ["id"] and isinstance(table.c.id.type, Integer)


def _last_id(target: Engine, table: Table) -> int | None:
    """Return the number of the last row that is there; of other tables all or none is there."""
    with target.connect() as connection:
        if _numbered(table):
            found: int | None = connection.execute(select(func.max(table.c.id))).scalar()
            return found
        return None


def _count(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def _sum(connection: Connection, table: Table) -> Sum:
    rows = checksum = 0
    for row in connection.execution_options(yield_per=_BLOCK).execute(select(table)):
        said = json.dumps([_plain(value) for value in row], sort_keys=True).encode()
        checksum += int.from_bytes(hashlib.blake2b(said, digest_size=8).digest())
        rows += 1
    return Sum(rows, checksum % 2**64)


def _plain(value: object) -> object:
    """Return a value in one form, whichever database it comes from."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, bytes):
        return hashlib.blake2b(value).hexdigest()
    return value if isinstance(value, str | int | float | list | dict | None) else str(value)


def _continue_numbers(target: Engine) -> None:
    """Have PostgreSQL give the numbers behind those that were copied."""
    with target.begin() as connection:
        for table in moved_tables():
            if _numbered(table):
                connection.execute(
                    text(
                        "SELECT setval(pg_get_serial_sequence(:name, 'id'),"
                        " greatest(:last, 1), :last > 0)"
                    ),
                    {"name": table.name, "last": _last_id(target, table) or 0},
                )
