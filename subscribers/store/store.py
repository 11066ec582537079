"""The base of all stores: queries, each in a transaction of its own."""

from typing import Any

from sqlalchemy import Engine, Executable
from sqlalchemy.sql.dml import UpdateBase


class Store:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def _rows(self, query: Executable) -> list[Any]:
        with self._engine.connect() as connection:
            return list(connection.execute(query))

    def _row(self, query: Executable) -> Any | None:
        """Return the only row, or None."""
        with self._engine.connect() as connection:
            return connection.execute(query).one_or_none()

    def _values(self, query: Executable) -> list[Any]:
        """Return the first column."""
        with self._engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def _value(self, query: Executable) -> Any | None:
        """Return the first column of the first row, or None."""
        with self._engine.connect() as connection:
            return connection.execute(query).scalar()

    def _count(self, query: Executable) -> int:
        return int(self._value(query) or 0)

    def _write(self, statement: UpdateBase) -> int:
        """Change rows; return how many were changed."""
        with self._engine.begin() as connection:
            return connection.execute(statement).rowcount
