"""Topic filters, as a subscriber types them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from subscribers.errors import TopicError
from subscribers.filters import control_in, fold, parse_filter

LONGEST_TOPIC = 200
MOST_TOPICS = 20


@dataclass(frozen=True, slots=True)
class TopicFilter:
    """A topic filter as typed (white space folded, NFC)."""

    text: str

    @classmethod
    def parse(cls, typed: str) -> "TopicFilter":
        """Check a text. Raises TopicError if it is too long, has no word or does not parse."""
        text = fold(typed)
        if not any(character.isalnum() for character in text):
            raise TopicError(
                "a topic needs at least one word, but this is %(typed)s", typed=repr(typed)
            )
        if len(text) > LONGEST_TOPIC:
            raise TopicError(
                "a topic has at most %(most)s characters, but this has %(has)s: %(beginning)s…",
                most=LONGEST_TOPIC,
                has=len(text),
                beginning=text[:40],
            )
        if bad := control_in(text):
            raise TopicError(
                "a topic cannot hold the character %(character)s: %(typed)s",
                character=bad,
                typed=repr(text),
            )
        try:
            parse_filter(text)
        except TopicError as error:
            raise TopicError("%(what)s, in: %(topic)s", what=error, topic=text) from None
        return cls(text)


def parse_topics(typed: Iterable[str]) -> tuple[TopicFilter, ...]:
    """Parse topics, in order, without repetitions in other letter case. Raises TopicError."""
    topics = {topic.text.casefold(): topic for topic in map(TopicFilter.parse, typed)}
    if len(topics) > MOST_TOPICS:
        raise TopicError(
            "at most %(most)s topics, but these are %(has)s", most=MOST_TOPICS, has=len(topics)
        )
    return tuple(topics.values())


def join_topics(topics: Iterable[str]) -> str:
    """Return topics as one text, separated by ``;``. A ``;`` or backslash in one is escaped."""
    return ";".join(re.sub(r"([\\;])", r"\\\1", topic) for topic in topics)


def split_topics(text: str) -> list[str]:
    """Return the topics in a text of ``join_topics``, or typed with ``;`` between them."""
    parts = re.findall(r"(?:\\[\\;]|[^;])+", text)
    return [re.sub(r"\\([\\;])", r"\1", part) for part in parts if part.strip()]
