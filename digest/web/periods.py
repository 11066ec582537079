"""Days, weeks and months, as the addresses of pages name them. Pure.

A week is one of ISO 8601: it begins on Monday, and a year has 52 or 53 of them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

# What a route matches: 2026-11-30, 2026-W49 or 2026-11. It may still name no day: 2026-02-30.
PATTERN = "[0-9]{4}-(?:[0-9]{2}-[0-9]{2}|W[0-9]{2}|[0-9]{2})"
_EARLIEST, _LATEST = (
    1900,
    9000,
)  # years; those beside the ends of the calendar are no days of papers
_DAY, _WEEK = timedelta(days=1), timedelta(days=7)


class Kind(StrEnum):
    """The lengths of a period."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Period:
    """The days from ``first`` to ``last``, both included."""

    kind: Kind
    first: date
    last: date

    @property
    def name(self) -> str:
        """Return the name in addresses: 2026-11-30, 2026-W49, 2026-11."""
        match self.kind:
            case Kind.DAY:
                return self.first.isoformat()
            case Kind.WEEK:
                return f"{self.first:%G-W%V}"
            case Kind.MONTH:
                return f"{self.first:%Y-%m}"

    @property
    def before(self) -> "Period":
        """Return the period of this length before it."""
        return around(self.kind, self.first - _DAY)

    @property
    def after(self) -> "Period":
        """Return the period of this length after it."""
        return around(self.kind, self.last + _DAY)

    @property
    def days(self) -> Iterator[date]:
        """Yield each of its days."""
        for number in range((self.last - self.first).days + 1):
            yield self.first + timedelta(days=number)


def around(kind: Kind, day: date) -> Period:
    """Return the period of a length that a day is in."""
    match kind:
        case Kind.DAY:
            return Period(kind, day, day)
        case Kind.WEEK:
            monday = day - timedelta(days=day.weekday())
            return Period(kind, monday, monday + _WEEK - _DAY)
        case Kind.MONTH:
            first = day.replace(day=1)
            return Period(kind, first, (first + timedelta(days=31)).replace(day=1) - _DAY)


def read_period(name: str) -> Period | None:
    """Return the period of a name; None if there is no such one."""
    if not re.fullmatch(PATTERN, name) or not _EARLIEST <= int(name[:4]) <= _LATEST:
        return None
    kind = Kind.WEEK if "W" in name else Kind.DAY if len(name) > len("2026-11") else Kind.MONTH
    try:
        return around(kind, date.fromisoformat(f"{name}-01" if kind is Kind.MONTH else name))
    except ValueError:  # 2026-02-30, 2026-13, 2026-W54
        return None
