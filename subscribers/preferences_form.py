"""The form for what a subscriber wants: as it is shown, and as it is read. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from subscribers.errors import PreferenceError, TopicError
from subscribers.preferences import (
    CADENCES,
    EVERY_DAY,
    WEEKDAYS,
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

# The values of each field of a form, by name. A box that is not ticked sends nothing; so a box that
# may be off has a hidden empty value beside it, which tells "off" from "not on this form".
Fields = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class PreferencesForm:
    """What stands in the form, as text. ``suggested`` are the suggestions that are ticked."""

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
    def of(cls, topics: Sequence[TopicFilter], wishes: Preferences) -> "PreferencesForm":
        """The form as it is shown to somebody who has these wishes."""
        return cls(
            topics=_lines(topics),
            exclusions=_lines(wishes.exclusions),
            cadence=wishes.cadence if wishes.cadence in CADENCES else CHOSEN_DAYS,
            days=wishes.days,
            at=wishes.at.isoformat("minutes"),
            timezone=wishes.timezone,
            max_papers=str(wishes.max_papers or ""),
            min_papers=str(wishes.min_papers),
            strictness=wishes.strictness or "",
            trending=wishes.trending,
            note_when_nothing=wishes.note_when_nothing,
            paused_until=wishes.paused_until.isoformat() if wishes.paused_until else "",
        )

    def filled(self, fields: Fields) -> "PreferencesForm":
        """The form as somebody sent it; what is not on theirs stays as it is here.

        Raises PreferenceError for a field that no person has typed, so long is it.
        """
        if any(len(value) > LONGEST_FIELD for values in fields.values() for value in values):
            raise PreferenceError("this is too long")

        def sent(name: str, before: str) -> str:
            return last(fields, name).strip() if name in fields else before

        def ticked(name: str, before: bool) -> bool:
            return any(fields[name]) if name in fields else before

        form = replace(
            self,
            topics=sent("topics", self.topics),
            suggested=frozenset(fields.get("suggested", ())),
            exclusions=sent("exclusions", self.exclusions),
            cadence=sent("cadence", self.cadence),
            at=sent("at", self.at),
            timezone=sent("timezone", self.timezone),
            max_papers=sent("max_papers", self.max_papers),
            min_papers=sent("min_papers", self.min_papers),
            strictness=sent("strictness", self.strictness),
            trending=ticked("trending", self.trending),
            note_when_nothing=ticked("note_when_nothing", self.note_when_nothing),
            paused_until=sent("paused_until", self.paused_until),
        )
        if "days" in fields:
            form = replace(form, days=frozenset(WEEKDAYS) & frozenset(fields["days"]))
            if "cadence" not in fields:
                form = replace(form, cadence=CHOSEN_DAYS)
        return form

    def read(self, before: Preferences) -> tuple[tuple[TopicFilter, ...], Preferences]:
        """Topics and preferences; what no form has stays as it was.

        Raises TopicError or PreferenceError, saying what is wrong.
        """
        days = self.days if self.cadence == CHOSEN_DAYS else CADENCES.get(self.cadence)
        if days is None:
            raise PreferenceError(f"{self.cadence!r} is not one of the choices")
        if not days:
            raise PreferenceError("choose at least one day, or pause until a date")
        return self.read_topics(), replace(
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

    def read_topics(self) -> tuple[TopicFilter, ...]:
        """The topics: those typed, one a line, and the suggestions that are ticked.

        Raises TopicError.
        """
        return _read_lines("\n".join([self.topics, *sorted(self.suggested)]))


def last(fields: Fields, name: str) -> str:
    """The value of a field that has one; empty where it is missing."""
    return fields[name][-1] if fields.get(name) else ""


def _lines(topics: Sequence[TopicFilter]) -> str:
    return "\n".join(topic.text for topic in topics)


def _read_lines(typed: str) -> tuple[TopicFilter, ...]:
    if len(typed) > LONGEST_FIELD:
        raise TopicError("this is too long")
    return parse_topics(line for line in typed.splitlines() if line.strip())
