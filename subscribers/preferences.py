"""Preferences: when a subscriber wants a digest, how many papers, and which not. Pure.

They are stored and exported by ``to_json``. A preference that a record lacks has its default, so
that old records stay readable when one is added.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, time, timedelta
from enum import StrEnum
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from subscribers.errors import PreferenceError, TopicError
from subscribers.topics import TopicFilter, parse_topics, split_topics

Parsed = TypeVar("Parsed")

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY = frozenset(WEEKDAYS)
MOST_PAPERS = 15

DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
CADENCES = {
    "daily": EVERY_DAY,
    "weekdays": frozenset(WEEKDAYS[:5]),
    "weekly": frozenset({"mon"}),
}
_SPELT_OUT = {
    "daily": "every day",
    "weekdays": "from Monday to Friday",
    "weekly": "once a week, on Monday",
}


class Strictness(StrEnum):
    """How well a paper must match a topic."""

    STRICT = "strict"
    NORMAL = "normal"
    BROAD = "broad"


@dataclass(frozen=True, slots=True)
class Preferences:
    """The preferences of a subscriber.

    ``days`` are the weekdays with a digest, ``at`` and ``timezone`` its local time, and
    ``paused_until`` is the first day with a digest again. There are at most ``max_papers`` on the
    topics (None: the operator's limit), and no digest with fewer than ``min_papers``; they match by
    ``strictness`` (None: the operator's). ``trending``: with that section. ``note_when_nothing``:
    an email also when there is no digest on one of the days.
    """

    days: frozenset[str] = EVERY_DAY
    at: time = time(8)
    timezone: str = "UTC"
    max_papers: int | None = None
    min_papers: int = 1
    strictness: Strictness | None = None
    trending: bool = True
    note_when_nothing: bool = False
    exclusions: tuple[TopicFilter, ...] = ()
    paused_until: date | None = None
    locale: str = "en"

    def wants_mail_on(self, day: date) -> bool:
        """Return whether the cadence has a digest on a day, whatever is paused."""
        return WEEKDAYS[day.weekday()] in self.days

    def day_before(self, day: date) -> date:
        """Return the last day before this one with a digest by the cadence."""
        earlier = (day - timedelta(days=days) for days in range(1, 8))
        return next(day for day in earlier if self.wants_mail_on(day))

    def is_paused_on(self, day: date) -> bool:
        return self.paused_until is not None and day < self.paused_until

    @property
    def cadence(self) -> str:
        """Return the name of the days (daily, weekdays, weekly) or their list (mon+thu)."""
        for name, days in CADENCES.items():
            if days == self.days:
                return name
        return "+".join(day for day in WEEKDAYS if day in self.days)

    @property
    def how_often(self) -> str:
        """Return the cadence in words: every day, on Monday and Thursday."""
        names = [DAY_NAMES[number] for number, day in enumerate(WEEKDAYS) if day in self.days]
        spelt_out = f"on {' and '.join(filter(None, [', '.join(names[:-1]), names[-1]]))}"
        even_without = ", also when there is nothing" if self.note_when_nothing else ""
        return _SPELT_OUT.get(self.cadence, spelt_out) + even_without

    def to_json(self) -> dict[str, Any]:
        return {
            "cadence": self.cadence,
            "at": self.at.isoformat("minutes"),
            "timezone": self.timezone,
            "max_papers": self.max_papers,
            "min_papers": self.min_papers,
            "strictness": self.strictness and self.strictness.value,
            "trending": self.trending,
            "note_when_nothing": self.note_when_nothing,
            "exclusions": [exclusion.text for exclusion in self.exclusions],
            "paused_until": self.paused_until and self.paused_until.isoformat(),
            "locale": self.locale,
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "Preferences":
        """Read preferences from a record. Raises PreferenceError or TopicError."""
        return cls(**{name: value for key in PREFERENCES for name, value in _read(record, key)})

    @classmethod
    def from_stored(cls, record: Mapping[str, Any]) -> "Preferences":
        """Read stored preferences, with the default for each that this machine cannot read.

        One record, say with an unknown time zone, must not stop everybody's mail.
        """
        values: dict[str, Any] = {}
        for key in PREFERENCES:
            with suppress(PreferenceError, TopicError):
                values.update(_read(record, key))
        return cls(**values)


def parse_cadence(typed: str) -> frozenset[str]:
    """Parse a cadence (daily, weekdays, weekly, or days like ``mon+thu``) into weekdays."""
    name = typed.strip().casefold()
    days = CADENCES.get(name) or frozenset(name.replace("+", " ").split())
    if not days or not days <= EVERY_DAY:
        raise PreferenceError(
            f"{typed!r} is not a cadence: expected daily, weekdays, weekly or days like mon+thu"
        )
    return days


def parse_time(typed: str) -> time:
    """Parse a local time: an hour (``8``) or hour and minute (``8:30``)."""
    found = re.fullmatch(r"([0-9]{1,2})(?::([0-5][0-9])(?::00)?)?", typed.strip())
    if found is None or int(found[1]) > 23:
        raise PreferenceError(f"{typed!r} is not a time of day: expected one like 8 or 08:30")
    return time(int(found[1]), int(found[2] or 0))


def _parser(read: Callable[[str], Parsed], expected: str) -> Callable[[str], Parsed]:
    """Return a function that parses a text, or raises PreferenceError with what was expected."""

    def parse(typed: str) -> Parsed:
        try:
            return read(typed.strip())
        except (KeyError, ValueError, OSError):
            raise PreferenceError(f"{typed!r} is not {expected}") from None

    return parse


def _papers(text: str) -> int:
    if text.isdecimal() and 1 <= (number := int(text)) <= MOST_PAPERS:
        return number
    raise ValueError(text)


def _locale(text: str) -> str:
    """Check the form of a language tag (RFC 5646); it need not be known."""
    parts = text.split("-")
    if 2 <= len(text) <= 35 and all(part.isascii() and part.isalnum() for part in parts):
        return text
    raise ValueError(text)


# An IANA time zone that this machine knows.
parse_timezone = _parser(lambda text: ZoneInfo(text).key, "a time zone like Europe/Oslo")
parse_papers = _parser(_papers, f"a number of papers from 1 to {MOST_PAPERS}")
parse_strictness = _parser(
    lambda text: Strictness(text.casefold()), f"one of {', '.join(Strictness)}"
)
parse_locale = _parser(_locale, "a language like en or pt-BR")
parse_date = _parser(date.fromisoformat, "a date like 2026-01-31")
_parse_flag = _parser(lambda text: {"true": True, "false": False}[text.casefold()], "true or false")


def _parse_exclusions(typed: Any) -> tuple[TopicFilter, ...]:
    if isinstance(typed, list):
        return parse_topics(map(str, typed))
    return parse_topics(split_topics(str(typed)))


# For each key of a record, the name of the preference and its parser.
PREFERENCES: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "cadence": ("days", parse_cadence),
    "at": ("at", parse_time),
    "timezone": ("timezone", parse_timezone),
    "max_papers": ("max_papers", parse_papers),
    "min_papers": ("min_papers", parse_papers),
    "strictness": ("strictness", parse_strictness),
    "trending": ("trending", _parse_flag),
    "note_when_nothing": ("note_when_nothing", _parse_flag),
    "exclusions": ("exclusions", _parse_exclusions),
    "paused_until": ("paused_until", parse_date),
    "locale": ("locale", parse_locale),
}


def _read(record: Mapping[str, Any], key: str) -> list[tuple[str, Any]]:
    """Read a preference from a record of JSON or CSV; return [] if it is missing or empty."""
    value = record.get(key)
    if value in (None, []) or (isinstance(value, str) and not value.strip()):
        return []
    name, parse = PREFERENCES[key]
    try:
        return [(name, parse(value if parse is _parse_exclusions else str(value)))]
    except (PreferenceError, TopicError) as error:
        raise type(error)(f"{key}: {error}") from None
