"""Of deliveries: where each stands, what came back, and the balance of an edition."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from digest.model.digests import SkipReason


class DeliveryState(StrEnum):
    """Where a delivery stands. ledger.deliveries holds the transitions."""

    PENDING = "pending"
    SENDING = "sending"
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REFUSED = "refused"
    SUPPRESSED = "suppressed"
    SKIPPED = "skipped"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True)
class Delivery:
    """The durable intent to send one digest to one subscriber.

    ``provider`` is who takes the subscriber's mail, as of when it was planned (see
    model.providers). ``note`` is why there is nothing for them, where it is a note of that.
    """

    id: int
    edition_id: int
    subscriber_id: int
    attempts: int
    provider: str = ""
    note: SkipReason | None = None


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What became of a delivery: its state, why it was skipped, and the server's last words.

    Of a note, ``reason`` is why there is nothing. ``planned_at`` is not known of older ones;
    ``next_attempt_at`` is there where one was put off.
    """

    delivery: Delivery
    state: DeliveryState
    reason: str
    last_words: str
    planned_at: datetime | None
    changed_at: datetime
    next_attempt_at: datetime | None


class BounceKind(StrEnum):
    """What came back about a delivery; once each."""

    HARD = "hard"  # nobody will ever be reached at the address
    SOFT = "soft"  # it failed, and another mail may arrive
    BLOCKED = "blocked"  # it failed for what we are or do, not for the address
    COMPLAINT = "complaint"  # the reader called it spam


@dataclass(frozen=True, slots=True)
class Bounce:
    """Something that came back: ``status`` (RFC 3463) and ``text`` as far as they were told."""

    kind: BounceKind
    status: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Balance:
    """What became of everybody due for an edition.

    ``due`` is counted from the people when their deliveries are planned, all else from the
    deliveries: so the two can differ, and then somebody was forgotten.
    """

    edition: date
    due: int = 0
    accepted: int = 0
    deferred: int = 0
    refused: int = 0
    suppressed: int = 0
    skipped: int = 0
    uncertain: int = 0
    pending: int = 0
    skipped_for: dict[str, int] = field(default_factory=dict)

    @property
    def is_balanced(self) -> bool:
        """Whether everybody due is somewhere, once."""
        return self.due == self._counted

    @property
    def discrepancy(self) -> str:
        """How the balance does not add up, in a line; empty if it does."""
        if self.is_balanced:
            return ""
        return (
            f"the balance of {self.edition} does not add up: "
            f"{self.due} are due, and {self._counted} have a delivery"
        )

    @property
    def _counted(self) -> int:
        decided = self.accepted + self.refused + self.suppressed + self.skipped + self.uncertain
        return decided + self.deferred + self.pending
