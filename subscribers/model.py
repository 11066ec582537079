"""The values about people that the rest of the program works with."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from subscribers.own_papers import OwnPaper
from subscribers.preferences import Preferences
from subscribers.topics import TopicFilter


class Consent(StrEnum):
    """The consent of a person. It is independent of suppression, which is about the address."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"


class Standing(StrEnum):
    """The answer to whether a person may be mailed, read right before MAIL FROM."""

    MAY_RECEIVE = "may-receive"
    NOT_CONFIRMED = "not-confirmed"
    WITHDRAWN = "withdrawn"
    SUPPRESSED = "suppressed"
    REMOVED = "removed"


class SuppressionReason(StrEnum):
    """The reason why an address is blocked."""

    HARD_BOUNCE = "hard-bounce"
    COMPLAINT = "complaint"
    SOFT_BOUNCES = "soft-bounces"  # nothing was delivered there for days
    OPERATOR = "operator"

    @property
    def is_bounce(self) -> bool:
        """Return whether an email that arrives disproves it."""
        return self in {SuppressionReason.HARD_BOUNCE, SuppressionReason.SOFT_BOUNCES}


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A person. ``public_id`` is random, for links; ``id`` is never shown to anybody."""

    id: int
    public_id: str
    address: str
    topics: tuple[TopicFilter, ...]
    preferences: Preferences
    consent: Consent
    since: datetime


@dataclass(frozen=True, slots=True)
class ConsentChange:
    """A person after an event, and their consent before it.

    Of two equal events at the same moment, one is news.
    """

    person: Subscriber
    was: Consent

    @property
    def is_news(self) -> bool:
        return self.person.consent is not self.was


@dataclass(frozen=True, slots=True)
class MailSchedule:
    """People with equal days, local time and zone: for each id, since when they subscribe.

    The other preferences are defaults, not those of the people.
    """

    preferences: Preferences
    people: dict[int, datetime]


CONFIRM_LINK = "link in the confirmation mail"  # the source of evidence: somebody pressed it


@dataclass(frozen=True, slots=True)
class Evidence:
    """An event of consent: when it happened, and where.

    ``client`` is the network address that it came from, if the operator keeps that.
    """

    event: str
    at: datetime
    source: str
    client: str = ""


@dataclass(frozen=True, slots=True)
class Suppression:
    """A block on an address."""

    reason: SuppressionReason
    at: datetime


class Verdict(StrEnum):
    """The value of a rating."""

    LIKE = "like"  # more like this
    MUTE = "mute"  # not for me


@dataclass(frozen=True, slots=True)
class Rating:
    """A reader's verdict on a paper, which is named by its canonical id."""

    paper: str
    verdict: Verdict
    at: datetime


@dataclass(frozen=True, slots=True)
class AddressChange:
    """A person's request to use another address; ``public_id`` stands in the link."""

    public_id: str
    person: Subscriber
    address: str

    @property
    def is_done(self) -> bool:
        return self.person.address == self.address


@dataclass(frozen=True, slots=True)
class PersonFile:
    """Everything that is stored about a person."""

    subscriber: Subscriber
    evidence: tuple[Evidence, ...]
    ratings: tuple[Rating, ...]
    papers: tuple[OwnPaper, ...]
    moving_to: str  # the address of an open request to change it, or empty
    suppression: Suppression | None
