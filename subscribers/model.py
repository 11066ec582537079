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
    SOFT_BOUNCES = "soft-bounces"  # nothing arrives there, for days on end
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
class ConsentChange:
    """A person after they said something, and what their consent was before.

    If the same is said twice at once, it is news once.
    """

    person: Subscriber
    was: Consent

    @property
    def is_news(self) -> bool:
        return self.person.consent is not self.was


@dataclass(frozen=True, slots=True)
class MailSchedule:
    """People with the same days, local time and zone: their numbers, and since when they come.

    Of ``preferences`` only these three are as the people want them.
    """

    preferences: Preferences
    people: dict[int, datetime]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Something a person said about being mailed: when, and through which door.

    ``client`` is the network address that it came from, where the operator keeps that.
    """

    event: str
    at: datetime
    source: str
    client: str = ""


@dataclass(frozen=True, slots=True)
class Suppression:
    """A standing block on an address."""

    reason: SuppressionReason
    at: datetime


class Verdict(StrEnum):
    """The value of a rating: what a reader thinks of a paper."""

    LIKE = "like"  # more like this
    MUTE = "mute"  # not for me


@dataclass(frozen=True, slots=True)
class Rating:
    """A verdict on a paper, which is named by its canonical id."""

    paper: str
    verdict: Verdict
    at: datetime


@dataclass(frozen=True, slots=True)
class AddressChange:
    """A person's request to be mailed at another address; ``public_id`` stands in the link."""

    public_id: str
    person: Subscriber
    address: str

    @property
    def is_done(self) -> bool:
        return self.person.address == self.address


@dataclass(frozen=True, slots=True)
class PersonFile:
    """Everything that is stored about a person.

    What they want, what they said, what they think of papers, the address that they want to move
    to, and any block.
    """

    subscriber: Subscriber
    evidence: tuple[Evidence, ...]
    ratings: tuple[Rating, ...]
    moving_to: str
    suppression: Suppression | None
