"""The steps that decide what a subscriber got of an edition, or will get, as values."""

from dataclasses import dataclass
from datetime import date, datetime

from digest.ledger.bounces import PastBounce
from digest.ledger.outcomes import Attempt
from digest.ledger.provider_queues import Pause
from digest.model.announcements import Announcement
from digest.model.deliveries import DeliveryReport
from digest.model.digests import Digest
from digest.rank.ranker import TopicFit
from subscribers.model import Consent, Suppression
from subscribers.preferences import Preferences
from subscribers.topic_reports import TopicReport


@dataclass(frozen=True, slots=True)
class Offer:
    """An edition as it is for one subscriber, who is shown none of it that they had before.

    ``papers`` is how many are its own, ``new`` how many are new to them: those since ``new_since``.
    It was made at a moment, or is to be at another; then it is as it would be now.
    """

    papers: int
    new: int
    new_since: date
    missing: tuple[str, ...]
    made_at: datetime | None = None
    to_be_made_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Journey:
    """The history of a delivery: each attempt, what came back, and what keeps it from going."""

    report: DeliveryReport
    attempts: tuple[Attempt, ...]
    came_back: tuple[PastBounce, ...]
    pauses: tuple[Pause, ...]
    given_up_at: datetime  # if it has no end by then


@dataclass(frozen=True, slots=True)
class PastAnnouncement:
    """An announcement that one subscriber was chosen for, and its delivery."""

    announcement: Announcement
    delivery: Journey


@dataclass(frozen=True, slots=True)
class Why:
    """Everything that decides about one subscriber and the edition of ``day``, as of ``at``.

    ``due`` is when they are due for it, if they are; ``next`` when they are mailed next, if they
    may be mailed at all. ``digest`` is what was chosen for them, if anything was, else what they
    would get. ``reports`` tell what each topic would have matched lately. Where there is no
    edition, ``instead`` is the day of the next one that there was. ``first_since`` is when they
    confirmed, if the delivery is their first digest, which comes at once. ``planned_up_to`` is up
    to when everybody due was planned for. If the day is long ago, deliveries of it are no longer
    kept. ``announcements`` are the latest that they were chosen for, newest first.
    """

    address: str
    consent: Consent
    consent_since: datetime
    suppression: Suppression | None
    preferences: Preferences
    likes: int
    mutes: int
    own: int
    day: date
    at: datetime
    due: datetime | None
    next: datetime | None
    edition: Offer | None = None
    instead: date | None = None
    topics: tuple[TopicFit, ...] = ()
    reports: tuple[TopicReport, ...] = ()
    digest: Digest | None = None
    is_chosen: bool = False
    delivery: Journey | None = None
    first_since: datetime | None = None
    planned_up_to: datetime | None = None
    is_long_ago: bool = False
    announcements: tuple[PastAnnouncement, ...] = ()
