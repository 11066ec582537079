"""The base of all stores: queries, each by itself."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Column, ColumnElement, Engine, Executable
from sqlalchemy.sql.dml import UpdateBase

from subscribers.store.id_list import one_of

_FEW = 500  # ids in one query


def near(column: Column[int], ids: Collection[int]) -> ColumnElement[bool]:
    """Return the condition to be one of some ids; of many ids, to be between them."""
    if len(ids) <= _FEW:
        return one_of(column, ids)
    return column.between(min(ids), max(ids))


class Store:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # To begin and end a transaction for a single query, PostgreSQL would be asked three times.
        by_itself = {} if engine.dialect.name == "sqlite" else {"isolation_level": "AUTOCOMMIT"}
        self._reading = engine.execution_options(**by_itself)

    def _rows(self, query: Executable) -> list[Any]:
        with self._reading.connect() as connection:
            return list(connection.execute(query))

    def _row(self, query: Executable) -> Any | None:
        """Return the only row, or None."""
        with self._reading.connect() as connection:
            return connection.execute(query).one_or_none()

    def _values(self, query: Executable) -> list[Any]:
        """Return the first column."""
        with self._reading.connect() as connection:
            return list(connection.execute(query).scalars())

    def _value(self, query: Executable) -> Any | None:
        """Return the first column of the first row, or None."""
        with self._reading.connect() as connection:
            return connection.execute(query).scalar()

    def _count(self, query: Executable) -> int:
        return int(self._value(query) or 0)

    def _write(self, statement: UpdateBase) -> int:
        """Change rows; return how many were changed."""
        with self._engine.begin() as connection:
            return connection.execute(statement).rowcount
