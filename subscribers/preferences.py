"""Preferences: when a subscriber wants a digest, how many papers, and which not. Pure.

They are stored and exported by ``to_json``. A preference that a record lacks has its default, so
that old records stay readable when one is added.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from subscribers.errors import PreferenceError, TopicError
from subscribers.follows import Follow, parse_follows
from subscribers.sentences import Sentence
from subscribers.topics import TopicFilter, parse_topics, split_topics

Parsed = TypeVar("Parsed")

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY = frozenset(WEEKDAYS)
MOST_PAPERS = 15
LONGEST_WAIT = 31  # days from one digest to the next, by any cadence
LONGEST_ZONE = 40  # characters of its name; zoneinfo imports a module for each of its parts

DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
CADENCES = {
    "daily": EVERY_DAY,
    "weekdays": frozenset(WEEKDAYS[:5]),
    "weekly": frozenset({"mon"}),
    "monthly": frozenset({"first"}),  # of the month, whatever weekday it is
}
_SPELT_OUT = {
    "daily": "every day",
    "weekdays": "from Monday to Friday",
    "weekly": "once a week, on Monday",
    "monthly": "once a month, on the 1st",
}


class Strictness(StrEnum):
    """The choices of how well a paper must match a topic."""

    STRICT = "strict"
    NORMAL = "normal"
    BROAD = "broad"


@dataclass(frozen=True, slots=True)
class Preferences:
    """The preferences of a subscriber.

    ``days`` are the weekdays with a digest, or the first of the month (see CADENCES), ``at`` and
    ``timezone`` its local time, and ``paused_until`` is the first day with a digest again. There
    are at most ``max_papers`` on the topics (None: the operator's limit), and no digest with fewer
    than ``min_papers``; they match by ``strictness`` (None: the operator's). ``trending``: with
    that section. ``note_when_nothing``: an email also when there is no digest on one of the days.
    ``pictures``: with pictures of papers. ``translated_titles``: with titles in the reader's
    language as well, if there is a language model. Papers by those in ``follows`` come first,
    whatever the topics say. ``locale`` is a language tag (RFC 5646; None: the operator's
    language), which may be of a language that is not spoken here.
    """

    days: frozenset[str] = EVERY_DAY
    at: time = time(8)
    timezone: str = "UTC"
    max_papers: int | None = None
    min_papers: int = 1
    strictness: Strictness | None = None
    trending: bool = True
    note_when_nothing: bool = False
    pictures: bool = True
    translated_titles: bool = False
    exclusions: tuple[TopicFilter, ...] = ()
    follows: tuple[Follow, ...] = ()
    paused_until: date | None = None
    locale: str | None = None

    def wants_mail_on(self, day: date) -> bool:
        """Return whether the cadence has a digest on a day, whatever is paused."""
        return _has_digest(self.days, day)

    def day_before(self, day: date) -> date:
        """Return the last day before this one with a digest by the cadence."""
        return _day_before(self.days, day)

    def is_following(self, follow: Follow) -> bool:
        """Return whether this is followed, in whatever letter case."""
        return follow.text.casefold() in {known.text.casefold() for known in self.follows}

    def following(self, follow: Follow, *, wanted: bool) -> "Preferences":
        """Return the preferences with this followed, or not. Raises PreferenceError."""
        others = [
            known for known in self.follows if known.text.casefold() != follow.text.casefold()
        ]
        kept = [*others, follow] if wanted else others
        return replace(self, follows=parse_follows(known.text for known in kept))

    def is_paused_on(self, day: date) -> bool:
        return self.paused_until is not None and day < self.paused_until

    @property
    def cadence(self) -> str:
        """Return the name of the days (daily, monthly …) or their list (mon+thu)."""
        for name, days in CADENCES.items():
            if days == self.days:
                return name
        return "+".join(day for day in WEEKDAYS if day in self.days)

    @property
    def how_often(self) -> str:
        """Return the cadence in words: every day, on Monday and Thursday."""
        names = [DAY_NAMES[number] for number, day in enumerate(WEEKDAYS) if day in self.days]
        spelt_out = f"on {' and '.join(filter(None, [', '.join(names[:-1]), *names[-1:]]))}"
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
            "pictures": self.pictures,
            "translated_titles": self.translated_titles,
            "exclusions": [exclusion.text for exclusion in self.exclusions],
            "follows": [follow.text for follow in self.follows],
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
    """Parse a cadence (daily, weekdays, weekly, monthly, or days like ``mon+thu``) into days."""
    name = typed.strip().casefold()
    if name in CADENCES:
        return CADENCES[name]
    days = frozenset(name.replace("+", " ").split())
    if not days or not days <= EVERY_DAY:
        raise PreferenceError(
            "%(typed)s is not a cadence: expected %(names)s or days like mon+thu",
            typed=repr(typed),
            names=", ".join(CADENCES),
        )
    return days


def parse_time(typed: str) -> time:
    """Parse a local time: an hour (``8``) or hour and minute (``8:30``)."""
    found = re.fullmatch(r"([0-9]{1,2})(?::([0-5][0-9])(?::00)?)?", typed.strip())
    if found is None or int(found[1]) > 23:
        raise PreferenceError(
            "%(typed)s is not a time of day: expected one like 8 or 08:30", typed=repr(typed)
        )
    return time(int(found[1]), int(found[2] or 0))


def _parser(read: Callable[[str], Parsed], wrong: Sentence) -> Callable[[str], Parsed]:
    """Return a function that parses a text, or raises PreferenceError: what is wrong with it."""

    def parse(typed: str) -> Parsed:
        try:
            return read(typed.strip())
        except (KeyError, ValueError, OSError):
            raise PreferenceError(wrong.message, **wrong.values, typed=repr(typed)) from None

    return parse


def _papers(text: str) -> int:
    if text.isdecimal() and 1 <= (number := int(text)) <= MOST_PAPERS:
        return number
    raise ValueError(text)


def _zone(text: str) -> str:
    if len(text) > LONGEST_ZONE:
        raise ValueError(text)
    return ZoneInfo(text).key


def _locale(text: str) -> str:
    """Check the form of a language tag (RFC 5646, or with _ as on Unix); it need not be known."""
    parts = text.replace("_", "-").split("-")
    if 2 <= len(text) <= 35 and all(part.isascii() and part.isalnum() for part in parts):
        return "-".join(parts)
    raise ValueError(text)


# An IANA time zone that this machine knows.
parse_timezone = _parser(_zone, Sentence("%(typed)s is not a time zone like Europe/Oslo"))
parse_papers = _parser(
    _papers, Sentence("%(typed)s is not a number of papers from 1 to %(most)s", most=MOST_PAPERS)
)
parse_strictness = _parser(
    lambda text: Strictness(text.casefold()),
    Sentence("%(typed)s is not one of %(names)s", names=", ".join(Strictness)),
)
parse_locale = _parser(_locale, Sentence("%(typed)s is not a language like en or pt-BR"))
parse_date = _parser(date.fromisoformat, Sentence("%(typed)s is not a date like 2026-01-31"))
_parse_flag = _parser(
    lambda text: {"true": True, "false": False}[text.casefold()],
    Sentence("%(typed)s is not true or false"),
)


def _parse_exclusions(typed: Any) -> tuple[TopicFilter, ...]:
    return parse_topics(_listed(typed))


def _parse_follows(typed: Any) -> tuple[Follow, ...]:
    return parse_follows(_listed(typed))


def _listed(typed: Any) -> list[str]:
    """Return what is listed in a value of JSON, or in a cell of CSV."""
    return list(map(str, typed)) if isinstance(typed, list) else split_topics(str(typed))


_LISTS = (_parse_exclusions, _parse_follows)


@lru_cache(1000)  # asked for each of a million people, who have the same cadences
def _has_digest(days: frozenset[str], day: date) -> bool:
    return day.day == 1 if days == CADENCES["monthly"] else WEEKDAYS[day.weekday()] in days


@lru_cache(1000)
def _day_before(days: frozenset[str], day: date) -> date:
    earlier = (day - timedelta(days=number) for number in range(1, LONGEST_WAIT + 1))
    return next(day for day in earlier if _has_digest(days, day))


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
    "pictures": ("pictures", _parse_flag),
    "translated_titles": ("translated_titles", _parse_flag),
    "exclusions": ("exclusions", _parse_exclusions),
    "follows": ("follows", _parse_follows),
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
        return [(name, parse(value if parse in _LISTS else str(value)))]
    except (PreferenceError, TopicError) as error:
        raise type(error)("%(field)s: %(what)s", field=key, what=error) from None
