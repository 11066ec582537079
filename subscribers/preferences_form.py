"""The form for topics and preferences: as it is shown, and as it is read. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from subscribers.errors import PreferenceError, TopicError
from subscribers.preferences import (
    CADENCES,
    EVERY_DAY,
    Preferences,
    parse_date,
    parse_papers,
    parse_strictness,
    parse_time,
    parse_timezone,
)
from subscribers.topics import LONGEST_TOPIC, MOST_TOPICS, TopicFilter, parse_topics

LONGEST_FIELD = LONGEST_TOPIC * MOST_TOPICS * 2
CHOSEN_DAYS = "chosen"  # the cadence that is none of the named ones

# The values of each field of a form, by name. A box that is not ticked sends nothing, so each has a
# hidden field with an empty value, to distinguish "off" from "not on this form".
Fields = Mapping[str, Sequence[str]]

_TYPED = (
    "topics exclusions cadence at timezone max_papers min_papers strictness paused_until".split()
)
_TICKED = ("trending", "note_when_nothing")


@dataclass(frozen=True, slots=True)
class PreferencesForm:
    """The fields of the form, as text. ``suggested`` are the suggestions that are ticked."""

    topics: str = ""
    suggested: frozenset[str] = frozenset()
    exclusions: str = ""
    cadence: str = "daily"
    days: frozenset[str] = EVERY_DAY
    at: str = "08:00"
    timezone: str = ""
    max_papers: str = ""
    min_papers: str = "1"
    strictness: str = ""
    trending: bool = True
    note_when_nothing: bool = False
    paused_until: str = ""

    @classmethod
    def of(cls, topics: Sequence[TopicFilter], preferences: Preferences) -> "PreferencesForm":
        """Return the form filled in with stored topics and preferences."""
        return cls(
            topics=_lines(topics),
            exclusions=_lines(preferences.exclusions),
            cadence=preferences.cadence if preferences.cadence in CADENCES else CHOSEN_DAYS,
            days=preferences.days,
            at=preferences.at.isoformat("minutes"),
            timezone=preferences.timezone,
            max_papers=str(preferences.max_papers or ""),
            min_papers=str(preferences.min_papers),
            strictness=preferences.strictness or "",
            trending=preferences.trending,
            note_when_nothing=preferences.note_when_nothing,
            paused_until=preferences.paused_until.isoformat() if preferences.paused_until else "",
        )

    def filled(self, fields: Fields) -> "PreferencesForm":
        """Return the form with the fields that were sent. Raises PreferenceError."""
        if any(len(value) > LONGEST_FIELD for values in fields.values() for value in values):
            raise PreferenceError("this is too long")

        sent: dict[str, Any] = {
            name: last(fields, name).strip() for name in _TYPED if name in fields
        }
        sent |= {name: any(fields[name]) for name in _TICKED if name in fields}
        if "days" in fields:
            sent["days"] = EVERY_DAY & frozenset(fields["days"])
            sent.setdefault("cadence", CHOSEN_DAYS)
        return replace(self, suggested=frozenset(fields.get("suggested", ())), **sent)

    def read(self, before: Preferences) -> tuple[tuple[TopicFilter, ...], Preferences]:
        """Parse topics (typed, and suggestions that are ticked) and preferences.

        Preferences that the form lacks stay as before. Raises TopicError and PreferenceError.
        """
        days = self.days if self.cadence == CHOSEN_DAYS else CADENCES.get(self.cadence)
        if days is None:
            raise PreferenceError(f"{self.cadence!r} is not one of the choices")
        if not days:
            raise PreferenceError("choose at least one day, or pause until a date")
        topics = _read_lines("\n".join([self.topics, *sorted(self.suggested)]))
        return topics, replace(
            before,
            days=days,
            at=parse_time(self.at) if self.at else before.at,
            timezone=parse_timezone(self.timezone) if self.timezone else before.timezone,
            max_papers=parse_papers(self.max_papers) if self.max_papers else None,
            min_papers=parse_papers(self.min_papers) if self.min_papers else 1,
            strictness=parse_strictness(self.strictness) if self.strictness else None,
            trending=self.trending,
            note_when_nothing=self.note_when_nothing,
            exclusions=_read_lines(self.exclusions),
            paused_until=parse_date(self.paused_until) if self.paused_until else None,
        )


def last(fields: Fields, name: str) -> str:
    """Return the last value of a field; empty if it is missing."""
    return fields[name][-1] if fields.get(name) else ""


def _lines(topics: Sequence[TopicFilter]) -> str:
    return "\n".join(topic.text for topic in topics)


def _read_lines(typed: str) -> tuple[TopicFilter, ...]:
    if len(typed) > LONGEST_FIELD:
        raise TopicError("this is too long")
    return parse_topics(line for line in typed.splitlines() if line.strip())
