"""Deliveries: their states, their bounces, and the balance of an edition."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from digest.model.digests import SkipReason


class DeliveryState(StrEnum):
    """The state of a delivery. The transitions are in ledger/deliveries.py."""

    PENDING = "pending"
    SENDING = "sending"
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REFUSED = "refused"
    SUPPRESSED = "suppressed"
    SKIPPED = "skipped"
    UNCERTAIN = "uncertain"


WAITING = frozenset({DeliveryState.PENDING, DeliveryState.DEFERRED})


@dataclass(frozen=True, slots=True)
class Delivery:
    """The durable intent to send one digest to one subscriber.

    ``provider`` takes the subscriber's mail, as known when it was planned (see model.providers).
    ``note`` is set if the email only says that there is nothing, and is the reason. ``is_probe``
    is set if it is sent to find out whether a pause may end. ``picks`` are packed (packed_picks).
    """

    id: int
    edition_id: int
    subscriber_id: int
    attempts: int
    provider: str = ""
    note: SkipReason | None = None
    is_probe: bool = False
    picks: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """The result of a delivery: its state, why it was skipped, and the server's last reply.

    For a note, ``reason`` is why there is nothing. ``planned_at`` is unknown for old deliveries,
    ``next_attempt_at`` known for deferred ones.
    """

    delivery: Delivery
    state: DeliveryState
    reason: str
    last_words: str
    planned_at: datetime | None
    changed_at: datetime
    next_attempt_at: datetime | None


class BounceKind(StrEnum):
    """The kinds of bounces, each recorded once for a delivery."""

    HARD = "hard"  # nobody will ever be reached at the address
    SOFT = "soft"  # it failed, and another message may arrive
    BLOCKED = "blocked"  # it failed because of us, not of the address
    COMPLAINT = "complaint"  # the reader called it spam


class BounceSource(StrEnum):
    """The way on which a bounce became known."""

    SMTP = "smtp"  # the relay refused it while it was being sent
    WEBHOOK = "webhook"  # a mail service reported it, and signed that
    MAIL = "mail"  # by mail: anybody who got our mail can write such a report about it

    @property
    def is_proof(self) -> bool:
        """Return whether more than the recipient alone could have made it up."""
        return self is not BounceSource.MAIL


@dataclass(frozen=True, slots=True)
class Bounce:
    """A failure report or complaint, with ``status`` (RFC 3463) and ``text`` if it has them."""

    kind: BounceKind
    status: str = ""
    text: str = ""
    source: BounceSource = BounceSource.MAIL


@dataclass(frozen=True, slots=True)
class Balance:
    """The numbers of an edition's deliveries by state, and of the people due.

    ``edition`` is its day, or the name of an announcement, whose readers are those who were chosen.
    ``due`` is counted from the people when their deliveries are planned, all else from the
    deliveries. If the two differ, somebody was forgotten; but for an edition that
    ``is_being_planned`` at the moment.
    """

    edition: date | str
    due: int = 0
    accepted: int = 0
    deferred: int = 0
    refused: int = 0
    suppressed: int = 0
    skipped: int = 0
    uncertain: int = 0
    pending: int = 0
    skipped_for: dict[str, int] = field(default_factory=dict)
    is_being_planned: bool = False

    @property
    def wanted(self) -> int:
        """Return how many should get a digest: those due, without the skipped and suppressed."""
        return self.due - self.skipped - self.suppressed

    @property
    def is_balanced(self) -> bool:
        """Return whether all are planned for, and there is one delivery for everybody due."""
        return not self.is_being_planned and self.due == self._counted

    @property
    def discrepancy(self) -> str:
        """Return how the balance does not add up, in a line; empty if it does, or may yet."""
        if self.is_balanced or self.is_being_planned:
            return ""
        return (
            f"the balance of {self.edition} does not add up: "
            f"{self.due} are due, and {self._counted} have a delivery"
        )

    @property
    def _counted(self) -> int:
        decided = self.accepted + self.refused + self.suppressed + self.skipped + self.uncertain
        return decided + self.deferred + self.pending


@dataclass(frozen=True, slots=True)
class Had:
    """An edition that somebody has a delivery of, and when that was planned."""

    person: int
    day: date
    planned_at: datetime
