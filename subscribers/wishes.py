"""The form for what a subscriber wants, read. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from subscribers.errors import PreferenceError, TopicError
from subscribers.preferences import WEEKDAYS, Preferences, parse_date, parse_max_papers
from subscribers.topics import LONGEST_TOPIC, MOST_TOPICS, TopicFilter, parse_topics

LONGEST_FIELD = LONGEST_TOPIC * MOST_TOPICS * 2

# The values of each field of a form, by name. A box that is not ticked sends nothing; so each
# group of boxes has a hidden empty value, which tells "none" from "not on this form".
Fields = Mapping[str, Sequence[str]]


def read_topics(typed: str) -> tuple[TopicFilter, ...]:
    """Topics, one a line. Raises TopicError."""
    if len(typed) > LONGEST_FIELD:
        raise TopicError("this is too long")
    return parse_topics(line for line in typed.splitlines() if line.strip())


def read_wishes(fields: Fields, before: Preferences) -> tuple[tuple[TopicFilter, ...], Preferences]:
    """Topics and preferences from a form; what is not on it stays as it was.

    Raises TopicError or PreferenceError, saying what is wrong.
    """
    if "topics" not in fields:  # nobody's wish to have none
        raise PreferenceError("the form arrived without its topics")
    wishes = before
    if "days" in fields:
        days = frozenset(WEEKDAYS) & frozenset(fields["days"])
        if not days:
            raise PreferenceError("choose at least one day, or pause until a date")
        wishes = replace(wishes, days=days)
    if "trending" in fields:
        wishes = replace(wishes, trending=any(fields["trending"]))
    if "exclusions" in fields:
        wishes = replace(wishes, exclusions=read_topics(last(fields, "exclusions")))
    if "max_papers" in fields:
        typed = last(fields, "max_papers")
        wishes = replace(wishes, max_papers=parse_max_papers(typed) if typed else None)
    if "paused_until" in fields:
        typed = last(fields, "paused_until")
        wishes = replace(wishes, paused_until=parse_date(typed) if typed else None)
    return read_topics(last(fields, "topics")), wishes


def last(fields: Fields, name: str) -> str:
    """The value of a field that has one; empty where it is missing."""
    return fields[name][-1] if fields.get(name) else ""
