"""Insert many rows at once: by the driver itself on SQLite, by COPY on PostgreSQL.

SQLAlchemy's own insert takes several times as long for a row as the database does.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.exc import DBAPIError


def insert_many(
    connection: Connection,
    table: Table,
    names: Sequence[str],
    rows: Sequence[Sequence[object]],
    same: Mapping[str, object],
) -> None:
    """Insert rows of texts, numbers and None, in the order of ``names``.

    ``same`` are the values of other columns, which all rows have in common and may be of any type.
    """
    dialect = connection.dialect
    values = []
    for name, value in same.items():
        process = table.c[name].type.dialect_impl(dialect).bind_processor(dialect)
        values.append(process(value) if process else value)
    whole = [(*row, *values) for row in rows]
    columns = ", ".join([*names, *same])
    if dialect.name == "sqlite":
        marks = ", ".join("?" * len(whole[0])) if whole else ""
        if whole:
            statement = f"INSERT INTO {table.name} ({columns}) VALUES ({marks})"  # noqa: S608  our own names
            connection.exec_driver_sql(statement, whole)
    else:
        _copy(connection, f"COPY {table.name} ({columns}) FROM STDIN", whole)


def _copy(connection: Connection, statement: str, rows: Sequence[Sequence[object]]) -> None:
    driver: Any = connection.connection.driver_connection
    failures = connection.dialect.loaded_dbapi.Error
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except failures as error:  # as SQLAlchemy raises them
        raise DBAPIError.instance(
            statement, None, error, failures, hide_parameters=True, dialect=connection.dialect
        ) from error
