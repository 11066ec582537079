"""Turn any value of the program into what JSON knows: one function for every `--json`."""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import Field, fields, is_dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import singledispatch
from pathlib import PurePath
from typing import Any, get_args


@singledispatch
def to_json(value: Any) -> Any:
    """Return a value as dicts with string keys, lists, strings, numbers, booleans and None.

    A dataclass or named tuple becomes an object of its fields, unless it has a method ``to_json``
    that says how it is written. Enums are their values. Dates and moments are ISO 8601, times of
    day HH:MM. A timedelta is its seconds, and a field that may hold one has ``_seconds`` behind
    its name. A Decimal stays exact, as a string; sets are sorted lists. Raises TypeError for
    anything else.
    """
    if hasattr(value, "to_json"):
        return value.to_json()
    if is_dataclass(value) and not isinstance(value, type):
        return {_name(field): to_json(getattr(value, field.name)) for field in fields(value)}
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _name(field: Field[Any]) -> str:
    may_be_duration = timedelta in (field.type, *get_args(field.type))
    return f"{field.name}_seconds" if may_be_duration else field.name


def _of_tuple(items: tuple[Any, ...]) -> Any:
    if hasattr(items, "_asdict"):
        return to_json(items._asdict())
    return list(map(to_json, items))


_FORMS: dict[type, Callable[[Any], Any]] = {
    type(None): lambda none: none,
    int: lambda number: number,
    float: lambda number: number,
    str: str,
    Decimal: str,
    PurePath: str,
    Enum: lambda member: to_json(member.value),
    date: lambda day: day.isoformat(),
    time: lambda at: at.isoformat("minutes"),
    timedelta: timedelta.total_seconds,
    Mapping: lambda items: {str(to_json(key)): to_json(item) for key, item in items.items()},
    list: lambda items: list(map(to_json, items)),
    tuple: _of_tuple,
    AbstractSet: lambda items: sorted(map(to_json, items)),
}
for _kind, _form in _FORMS.items():
    to_json.register(_kind, _form)
