"""Of digests: a day's edition, and what each subscriber gets of it."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from digest.model.papers import Facts, Signals
from subscribers.topics import TopicFilter


@dataclass(frozen=True, slots=True)
class Candidate:
    """A paper that is eligible for an edition, with its signals as the edition froze them.

    ``paper_id`` is the ledger's number for it, ``key`` its canonical id; ``risen`` are the upvotes
    of the last day before that, as far as earlier ones were seen.
    """

    paper_id: int
    key: str
    facts: Facts
    signals: Signals
    listed_on: date
    risen: int = 0


@dataclass(frozen=True, slots=True)
class Edition:
    """A day's frozen pool, the same for everyone. ``candidates`` are in the order of their id.

    ``missing`` are the names of the sources that had failed when it was frozen.
    """

    id: int
    day: date
    candidates: tuple[Candidate, ...]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a paper is in a digest: the topic as typed, and words of the paper that speak for it.

    Where it was matched with papers that the reader liked, ``liked`` is the title of the one that
    is most like it, and there is no topic.
    """

    topic: str
    words: tuple[str, ...] = ()
    liked: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """How well a candidate fits a topic filter: ``score`` in 0..1, and the reason to show."""

    score: float
    reason: Reason


class Section(StrEnum):
    FOR_YOU = "for-you"
    TRENDING = "trending"


@dataclass(frozen=True, slots=True)
class Pick:
    """One paper of a digest. Trending papers have no match: votes put them there."""

    section: Section
    candidate: Candidate
    match: Match | None = None


class SkipReason(StrEnum):
    """Why somebody gets nothing. The first two are also what a note tells, where one is wanted."""

    NO_PAPERS = "no-papers"
    NOTHING_MATCHED = "nothing-matched"
    PAUSED = "paused"
    WITHDRAWN = "withdrawn"
    NOT_CONFIRMED = "not-confirmed"
    REMOVED = "removed"
    NOT_RENDERED = "not-rendered"
    TOO_LARGE = "too-large"
    STALE = "stale"
    MISSED = "missed"  # their time was too long ago when somebody looked
    DROPPED = "dropped"  # by the operator, where nobody knew whether it had arrived


@dataclass(frozen=True, slots=True)
class Digest:
    """One subscriber's selection from an edition, in the order it is read.

    Where there is none, and they want to know, it is a note that says ``why_nothing``. ``missing``
    is as of the edition.
    """

    day: date
    topics: tuple[TopicFilter, ...]
    picks: tuple[Pick, ...]
    pool_size: int
    missing: tuple[str, ...] = ()
    why_nothing: SkipReason | None = None
