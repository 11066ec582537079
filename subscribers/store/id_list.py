"""Lists of ids in a query: each is one parameter.

If each id has its own, the database reads and plans a new statement for every number of them, and
that takes longer than to answer it.
"""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Dialect,
    Integer,
    Text,
    TypeDecorator,
    bindparam,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType, TypeEngine


class IdList(TypeDecorator[Collection[int]]):
    """An array of PostgreSQL; in SQLite, which has none, a list in JSON."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else ARRAY(Integer))

    def process_bind_param(self, value: Collection[int] | None, dialect: Dialect) -> object:
        ids = sorted(value or ())  # in one order, or two workers wait for each other
        return json.dumps(ids) if dialect.name == "sqlite" else ids


class one_of(FunctionElement[Any]):  # noqa: N801  it is used like a function of SQLAlchemy's
    """The condition that a column is one of some ids; they may be a parameter of this type."""

    # Were it Boolean, it would be compared with 1 in SQLite, which then reads the whole table.
    type = NullType()
    inherit_cache = True

    def __init__(self, column: Column[int], ids: Collection[int] | ColumnElement[Any]) -> None:
        given = ids if isinstance(ids, ColumnElement) else bindparam(None, ids, IdList())
        super().__init__(column, given)


@compiles(one_of)
def _in_array(element: one_of, compiler: SQLCompiler, **how: Any) -> str:
    column, ids = (compiler.process(part, **how) for part in element.clauses)
    return f"{column} = ANY ({ids})"


@compiles(one_of, "sqlite")
def _in_json(element: one_of, compiler: SQLCompiler, **how: Any) -> str:
    column, ids = (compiler.process(part, **how) for part in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({ids}))"  # noqa: S608  of SQLAlchemy's own words
