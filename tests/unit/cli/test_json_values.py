"""One function makes JSON of every value of the program."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from pathlib import Path
from typing import NamedTuple

import pytest

from digest.cli.json_values import to_json


class Colour(Enum):
    RED = 1


class State(StrEnum):
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Inner:
    took: timedelta
    rest: timedelta | None = None


class Pair(NamedTuple):
    state: State
    days: tuple[date, ...]


class OwnForm:
    def to_json(self) -> dict[str, str]:
        return {"text": "own"}


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (None, None),
        (True, True),
        (3, 3),
        (0.5, 0.5),
        ("a", "a"),
        (Colour.RED, 1),
        (State.OPEN, "open"),
        (date(2026, 2, 20), "2026-02-20"),
        (datetime(2026, 2, 20, 8, tzinfo=UTC), "2026-02-20T08:00:00+00:00"),
        (time(8, 30), "08:30"),
        (timedelta(minutes=1.5), 90.0),
        (Decimal("0.10"), "0.10"),
        (Path("a/b"), "a/b"),
        ({State.OPEN: (1, [2])}, {"open": [1, [2]]}),
        (Pair(State.OPEN, (date(2026, 2, 20),)), {"state": "open", "days": ["2026-02-20"]}),
        ({date(2026, 2, 20): None}, {"2026-02-20": None}),
        (frozenset({"b", "a"}), ["a", "b"]),
        (Inner(timedelta(seconds=2)), {"took_seconds": 2.0, "rest_seconds": None}),
        ([OwnForm()], [{"text": "own"}]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_kind_of_value_has_its_form(value: object, form: object) -> None:
    found = to_json(value)
    assert found == form
    assert type(found) is type(form)
    json.dumps(found)


@pytest.mark.parametrize("value", [object(), b"octets", Inner], ids=["object", "bytes", "class"])
def test_what_has_no_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="has no form in JSON"):
        to_json(value)
