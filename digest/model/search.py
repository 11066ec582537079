"""A search in the collected papers, and what it finds."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from digest.model.digests import Pick
from subscribers.preferences import Strictness
from subscribers.topics import TopicFilter


class SearchOrder(StrEnum):
    """The orders of what is found."""

    BEST = "best"
    NEWEST = "newest"
    VOTES = "votes"


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """A search: a topic, and the days on which papers were listed, both included."""

    topic: TopicFilter
    first: date = date.min
    last: date = date.max
    order: SearchOrder = SearchOrder.BEST
    strictness: Strictness = Strictness.BROAD


@dataclass(frozen=True, slots=True)
class Found:
    """Some of the papers that fit, in the order asked for, and how many there are.

    With ``is_cut`` so many may fit that only the most promising were ranked.
    """

    picks: list[Pick]
    total: int
    is_cut: bool = False
