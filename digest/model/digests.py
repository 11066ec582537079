"""Digests: a day's edition, and each subscriber's picks from it."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from digest.model.papers import Facts, Signals
from subscribers.topics import TopicFilter


@dataclass(frozen=True, slots=True)
class Candidate:
    """A paper in an edition, with its signals as the edition froze them.

    ``paper_id`` is its number in the ledger, ``key`` its canonical id, ``risen`` the upvotes that
    it gained in the day before, as far as known.
    """

    paper_id: int
    key: str
    facts: Facts
    signals: Signals
    listed_on: date
    risen: int = 0


@dataclass(frozen=True, slots=True)
class Edition:
    """The frozen pool of a day, the same for everybody. ``candidates`` are in the order of id.

    ``missing`` names the sources that had failed when it was frozen.
    """

    id: int
    day: date
    candidates: tuple[Candidate, ...]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """The reason why a paper is in a digest: the topic as typed, and the paper's matching words.

    If it was matched with papers that the reader liked, ``liked`` is the title of the most similar
    one, and there is no topic.
    """

    topic: str
    words: tuple[str, ...] = ()
    liked: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """The match of a candidate with a topic filter: a score from 0 to 1, and the reason to show."""

    score: float
    reason: Reason


class Section(StrEnum):
    """The sections of a digest."""

    FOR_YOU = "for-you"
    TRENDING = "trending"


@dataclass(frozen=True, slots=True)
class Pick:
    """A paper of a digest. Trending papers have no match: they are chosen by votes."""

    section: Section
    candidate: Candidate
    match: Match | None = None


class SkipReason(StrEnum):
    """The reasons why somebody gets nothing. The first two are also the reasons in notes."""

    NO_PAPERS = "no-papers"
    NOTHING_MATCHED = "nothing-matched"
    PAUSED = "paused"
    WITHDRAWN = "withdrawn"
    NOT_CONFIRMED = "not-confirmed"
    REMOVED = "removed"
    NOT_RENDERED = "not-rendered"
    TOO_LARGE = "too-large"
    STALE = "stale"
    MISSED = "missed"  # their time was too long ago when they were planned
    DROPPED = "dropped"  # by the operator, because it may have arrived


@dataclass(frozen=True, slots=True)
class Digest:
    """A subscriber's picks from an edition, in the order in which they are read.

    Without picks it is a note that tells ``why_nothing``. ``missing`` is that of the edition.
    """

    day: date
    topics: tuple[TopicFilter, ...]
    picks: tuple[Pick, ...]
    pool_size: int
    missing: tuple[str, ...] = ()
    why_nothing: SkipReason | None = None
