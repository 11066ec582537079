"""Describe readers to the ranking, and how many papers an edition gives to each. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from digest.rank.matching import Topic
from subscribers.follows import Follow
from subscribers.preferences import Strictness
from subscribers.topics import TopicFilter

# The score that a match needs, by how strict a reader is.
THRESHOLDS = {Strictness.STRICT: 0.7, Strictness.NORMAL: 0.5, Strictness.BROAD: 0.2}

ENOUGH_RATINGS = 3  # liked papers that are a topic of their own; muted ones that push others back

_topic = lru_cache(5000)(Topic)  # one object for all readers of a topic


@dataclass(frozen=True, slots=True)
class Limits:
    """The size of each section, and the strictness where a reader states none.

    ``trending`` is that of Trending and Rising together, of which ``rising``, and half, may rise.
    """

    for_you: int
    trending: int
    strictness: Strictness = Strictness.NORMAL
    rising: int = 0

    def threshold(self, reader: "Reader") -> float:
        """Return the score that a match needs for a reader."""
        return THRESHOLDS[reader.strictness or self.strictness]


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader as the ranking sees them.

    ``least`` papers on the topics there must be, ``most`` there may be; where ``most`` or
    ``strictness`` is None, the limits hold. ``trending``: with what others vote for. ``likes``,
    ``mutes`` and ``own`` name papers: those that they rated, and those that they gave as their own.
    What they ``follow`` comes first. ``shown`` are the ids of papers that they were shown.
    """

    topics: tuple[TopicFilter, ...] = ()
    exclusions: tuple[TopicFilter, ...] = ()
    least: int = 1
    most: int | None = None
    strictness: Strictness | None = None
    trending: bool = True
    likes: tuple[str, ...] = ()
    mutes: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    follows: tuple[Follow, ...] = ()
    shown: Collection[int] = ()

    @property
    def wanted(self) -> list[Topic]:
        """Return each topic, and enough liked papers as one more."""
        topics = [_topic(topic.text) for topic in self.topics]
        return topics + ([Topic(likes=self.likes)] if len(self.likes) >= ENOUGH_RATINGS else [])

    @property
    def unwanted(self) -> list[Topic]:
        """Return enough muted papers, as a topic that pushes papers back."""
        return [Topic(likes=self.mutes)] if len(self.mutes) >= ENOUGH_RATINGS else []
