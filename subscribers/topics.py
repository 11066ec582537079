"""Topic filters, as a subscriber types them."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from subscribers.errors import TopicError
from subscribers.filters import fold, parse_filter

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
            raise TopicError(f"a topic needs at least one word, but this is {typed!r}")
        if len(text) > LONGEST_TOPIC:
            raise TopicError(
                f"a topic has at most {LONGEST_TOPIC} characters, but this has {len(text)}: "
                f"{text[:40]}…"
            )
        if bad := next((c for c in text if unicodedata.category(c).startswith("C")), None):
            raise TopicError(f"a topic cannot hold the character U+{ord(bad):04X}: {text!r}")
        try:
            parse_filter(text)
        except TopicError as error:
            raise TopicError(f"{error}, in: {text}") from None
        return cls(text)


def parse_topics(typed: Iterable[str]) -> tuple[TopicFilter, ...]:
    """Parse topics, in order, without repetitions in other letter case. Raises TopicError."""
    topics = {topic.text.casefold(): topic for topic in map(TopicFilter.parse, typed)}
    if len(topics) > MOST_TOPICS:
        raise TopicError(f"at most {MOST_TOPICS} topics, but these are {len(topics)}")
    return tuple(topics.values())


def join_topics(topics: Iterable[str]) -> str:
    """Return topics as one text, separated by ``;``. A ``;`` or backslash in one is escaped."""
    return ";".join(re.sub(r"([\\;])", r"\\\1", topic) for topic in topics)


def split_topics(text: str) -> list[str]:
    """Return the topics in a text of ``join_topics``, or typed with ``;`` between them."""
    parts = re.findall(r"(?:\\[\\;]|[^;])+", text)
    return [re.sub(r"\\([\\;])", r"\1", part) for part in parts if part.strip()]
