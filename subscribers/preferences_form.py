"""The form for topics and preferences: as it is shown, and as it is read. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from subscribers.errors import PreferenceError, TopicError
from subscribers.filters import fold
from subscribers.preferences import (
    CADENCES,
    EVERY_DAY,
    Preferences,
    Strictness,
    parse_locale,
    parse_papers,
    parse_strictness,
    parse_time,
    parse_timezone,
)
from subscribers.topics import (
    LONGEST_TOPIC,
    MOST_TOPICS,
    TopicFilter,
    parse_topics,
    split_topics,
)

LONGEST_FIELD = LONGEST_TOPIC * MOST_TOPICS * 2
CHOSEN_DAYS = "chosen"  # the cadence that is none of the named ones

# The values of each field of a form, by name. A box that is not ticked sends nothing, so each has a
# hidden field with an empty value, to distinguish "off" from "not on this form".
Fields = Mapping[str, Sequence[str]]

_TYPED = "topics exclusions cadence at timezone max_papers min_papers strictness locale".split()
_TICKED = ("trending", "note_when_nothing", "pictures", "translated_titles")
# Lists: each item has a box of its own, and further ones are typed into another field. The boxes
# count wherever that field is sent, because a box that is not ticked sends nothing.
_LISTS = {"topic": "topics", "exclusion": "exclusions"}

# The fields of buttons that take a proposal: a topic and, on the next line, what to have instead;
# and a strictness.
INSTEAD = "instead"
MATCH = "match"


@dataclass(frozen=True, slots=True)
class PreferencesForm:
    """The fields of the form, as text.

    ``topic`` are those that are ticked, ``topics`` those that are typed, with ``;`` between
    them; ``exclusion`` and ``exclusions`` are the same of exclusions.
    """

    topic: tuple[str, ...] = ()
    topics: str = ""
    exclusion: tuple[str, ...] = ()
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
    pictures: bool = True
    locale: str = ""
    translated_titles: bool = False

    @classmethod
    def of(cls, topics: Sequence[TopicFilter], preferences: Preferences) -> "PreferencesForm":
        """Return the form filled in with stored topics and preferences."""
        return cls(
            topic=tuple(topic.text for topic in topics),
            exclusion=tuple(topic.text for topic in preferences.exclusions),
            cadence=preferences.cadence if preferences.cadence in CADENCES else CHOSEN_DAYS,
            days=preferences.days,
            at=preferences.at.isoformat("minutes"),
            timezone=preferences.timezone,
            max_papers=str(preferences.max_papers or ""),
            min_papers=str(preferences.min_papers),
            strictness=preferences.strictness or "",
            trending=preferences.trending,
            note_when_nothing=preferences.note_when_nothing,
            pictures=preferences.pictures,
            locale=preferences.locale or "",
            translated_titles=preferences.translated_titles,
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
        for ticked, typed in _LISTS.items():
            if typed in fields:
                sent[typed] = "; ".join(sent[typed].splitlines())  # the field has one line
            if ticked in fields or typed in fields:
                sent[ticked] = tuple(dict.fromkeys(fields.get(ticked, ())))
        return replace(self, **sent).with_proposal(last(fields, INSTEAD), last(fields, MATCH))

    def with_proposal(self, instead: str, match: str) -> "PreferencesForm":
        """Return the form with another topic in the place of one, and another strictness."""
        form = replace(self, strictness=match) if match in set(Strictness) else self
        before, *after = instead.splitlines() or [""]
        topics = [*self.topic, *split_topics(self.topics)]
        places = [place for place, topic in enumerate(topics) if fold(topic) == fold(before)]
        if not after or not places:
            return form
        topics[places[0]] = after[0]
        return replace(form, topic=tuple(dict.fromkeys(topics)), topics="")

    def read(self, before: Preferences) -> tuple[tuple[TopicFilter, ...], Preferences]:
        """Parse topics (those that are ticked, then those that are typed) and preferences.

        Preferences that the form lacks stay as before. Raises TopicError and PreferenceError.
        """
        days = self.days if self.cadence == CHOSEN_DAYS else CADENCES.get(self.cadence)
        if days is None:
            raise PreferenceError("%(typed)s is not one of the choices", typed=repr(self.cadence))
        if not days:
            raise PreferenceError("choose at least one day, or pause until a date")
        return _read_list(self.topic, self.topics), replace(
            before,
            days=days,
            at=parse_time(self.at) if self.at else before.at,
            timezone=parse_timezone(self.timezone) if self.timezone else before.timezone,
            max_papers=parse_papers(self.max_papers) if self.max_papers else None,
            min_papers=parse_papers(self.min_papers) if self.min_papers else 1,
            strictness=parse_strictness(self.strictness) if self.strictness else None,
            trending=self.trending,
            note_when_nothing=self.note_when_nothing,
            pictures=self.pictures,
            locale=parse_locale(self.locale) if self.locale else before.locale,
            translated_titles=self.translated_titles,
            exclusions=_read_list(self.exclusion, self.exclusions),
        )


def last(fields: Fields, name: str) -> str:
    """Return the last value of a field; empty if it is missing."""
    return fields[name][-1] if fields.get(name) else ""


def _read_list(ticked: Sequence[str], typed: str) -> tuple[TopicFilter, ...]:
    if len(typed) + sum(map(len, ticked)) > LONGEST_FIELD:
        raise TopicError("this is too long")
    return parse_topics([*ticked, *split_topics(typed)])
