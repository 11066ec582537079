"""People, in values: what the rest of the program may know of a subscriber."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from subscribers.preferences import Preferences
from subscribers.topics import TopicFilter


class Consent(StrEnum):
    """What the person said. Independent of suppression, which is about the address."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"


class Standing(StrEnum):
    """The answer to "may this person be mailed now?", read in the moment before MAIL FROM."""

    MAY_RECEIVE = "may-receive"
    NOT_CONFIRMED = "not-confirmed"
    WITHDRAWN = "withdrawn"
    SUPPRESSED = "suppressed"
    REMOVED = "removed"


class SuppressionReason(StrEnum):
    """Why an address gets nothing, whoever asks."""

    HARD_BOUNCE = "hard-bounce"
    COMPLAINT = "complaint"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Subscriber:
    """One person. ``public_id`` is random and stands in links; ``id`` never leaves the database."""

    id: int
    public_id: str
    address: str
    topics: tuple[TopicFilter, ...]
    preferences: Preferences
    consent: Consent
    since: datetime


@dataclass(frozen=True, slots=True)
class Evidence:
    """Something a person said about being mailed: when, and through which door."""

    event: str
    at: datetime
    source: str


@dataclass(frozen=True, slots=True)
class Suppression:
    """A standing block on an address."""

    reason: SuppressionReason
    at: datetime


@dataclass(frozen=True, slots=True)
class PersonFile:
    """Everything that is stored about a person: what they want, what they said, and any block."""

    subscriber: Subscriber
    evidence: tuple[Evidence, ...]
    suppression: Suppression | None
