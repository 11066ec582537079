"""Digests: a day's edition, and each subscriber's picks from it."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from digest.model.papers import Facts, Signals
from digest.model.pictures import PaperPicture
from digest.model.summaries import Summary
from subscribers.topics import TopicFilter


@dataclass(frozen=True, slots=True)
class Candidate:
    """A paper in an edition, with its signals as the edition froze them.

    ``paper_id`` is its number in the ledger, ``key`` its canonical id. ``risen`` are the upvotes
    that it gained since the edition of the day ``since`` listed it, as far as known; if ``since``
    is None, this edition lists it, and it is the gain of the day before. ``picture`` is the one
    that is stored now, whatever the edition froze. ``sentence`` is a language model's, in the
    language of whoever sees it.
    """

    paper_id: int
    key: str
    facts: Facts
    signals: Signals
    listed_on: date
    risen: int = 0
    since: date | None = None
    picture: PaperPicture | None = None
    sentence: Summary | None = None

    def __hash__(self) -> int:
        return hash(self.key)  # the rest takes long, and tells few more apart


class Role(StrEnum):
    """The roles of a paper in an edition."""

    LISTED = "listed"  # new: no earlier edition lists it
    RISING = "rising"  # a late riser (see model.rising)
    KNOWN = "known"  # only its counts are kept


@dataclass(frozen=True, slots=True)
class Edition:
    """The frozen pool of a day, the same for everybody. Papers are in the order of id.

    ``candidates`` are the papers that it lists, ``rising`` the late risers of earlier ones.
    ``missing`` names the sources that had failed when it was frozen.
    """

    id: int
    day: date
    candidates: tuple[Candidate, ...]
    missing: tuple[str, ...] = ()
    rising: tuple[Candidate, ...] = ()


class Reason(NamedTuple):
    """The reason why a paper is in a digest: the topic as typed, and the paper's matching words.

    If it was matched with papers that the reader liked, ``liked`` is the title of the most similar
    one, and there is no topic. Nor is there one if it is by somebody whom the reader follows:
    ``followed`` is the name, as the reader follows it.
    """

    topic: str
    words: tuple[str, ...] = ()
    liked: str = ""
    followed: str = ""


class Match(NamedTuple):
    """The match of a candidate with a topic filter: a score from 0 to 1, and the reason to show."""

    score: float
    reason: Reason


class Section(StrEnum):
    """The sections of a digest."""

    FOR_YOU = "for-you"
    TRENDING = "trending"
    RISING = "rising"


class Pick(NamedTuple):
    """A paper of a digest. Only papers for you have a match: others are chosen by votes.

    It is a tuple, and so is its match, because each email looks a dozen of them up.
    """

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
    STOPPED = "stopped"  # the operator stopped the announcement


@dataclass(frozen=True, slots=True)
class Digest:
    """A subscriber's picks from an edition, in the order in which they are read.

    Without picks it is a note that tells ``why_nothing``. ``missing`` is that of the edition,
    ``cadence`` the subscriber's, as preferences name it; empty where there is none. ``pictures``:
    whether they want to see any. ``locale`` is their language, if they have one of their own;
    ``translated_titles``: whether they want titles in it as well.
    """

    day: date
    topics: tuple[TopicFilter, ...]
    picks: tuple[Pick, ...]
    pool_size: int
    missing: tuple[str, ...] = ()
    why_nothing: SkipReason | None = None
    cadence: str = ""
    pictures: bool = True
    locale: str | None = None
    translated_titles: bool = False
