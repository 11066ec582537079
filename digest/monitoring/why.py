"""Why a subscriber got what they got of an edition, or will: each step as a value.

why_words.py says it to a person, why_record.py to a program.
"""

from dataclasses import dataclass
from datetime import date, datetime

from digest.ledger.bounces import PastBounce
from digest.ledger.outcomes import Attempt
from digest.ledger.provider_queues import Pause
from digest.model.deliveries import DeliveryReport
from digest.model.digests import Digest, Edition
from digest.rank.ranker import TopicFit
from subscribers.model import Consent, PersonFile, Verdict


@dataclass(frozen=True, slots=True)
class Times:
    """By a subscriber's own clock: when they are due for an edition (if they are), and next."""

    due: datetime | None
    next: datetime


@dataclass(frozen=True, slots=True)
class Offer:
    """An edition as it is for one subscriber, who is shown none of it that they had before.

    ``papers`` is how many are its own; ``edition`` has all that are new to them, since those of
    ``new_since``. It was made at a moment, or is to be at another; then it is as it would be now.
    """

    edition: Edition
    papers: int
    new_since: date
    made_at: datetime | None = None
    to_be_made_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Journey:
    """What became of a delivery: each attempt, what came back, and what keeps it from going."""

    report: DeliveryReport
    attempts: tuple[Attempt, ...] = ()
    came_back: tuple[PastBounce, ...] = ()
    pauses: tuple[Pause, ...] = ()
    given_up_at: datetime | None = None  # if it has no end by then


@dataclass(frozen=True, slots=True)
class Why:
    """Everything that decides about one subscriber and the edition of a day, as of ``now``.

    ``digest`` is what was chosen for them, if anything was, else what they would get. Where there
    is no edition, ``instead`` is the day of the next one that there was. ``decided_at`` is up
    to when everybody due was planned for. If the day is long ago, deliveries of it are no longer
    kept.
    """

    person: PersonFile
    day: date
    now: datetime
    times: Times
    offer: Offer | None = None
    instead: date | None = None
    topics: tuple[TopicFit, ...] = ()
    digest: Digest | None = None
    is_chosen: bool = False
    journey: Journey | None = None
    decided_at: datetime | None = None
    is_long_ago: bool = False

    @property
    def ratings(self) -> dict[Verdict, int]:
        held = [rating.verdict for rating in self.person.ratings]
        return {verdict: held.count(verdict) for verdict in Verdict}

    @property
    def may_be_mailed(self) -> bool:
        is_confirmed = self.person.subscriber.consent is Consent.CONFIRMED
        return is_confirmed and self.person.suppression is None
