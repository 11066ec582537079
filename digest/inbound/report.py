"""The values of inbound mail: the message, what kind it is, and what it reports."""

from dataclasses import dataclass
from enum import Enum

from digest.model.diagnosis import Diagnosis, Phase

# More of an email is not read: a report says what it has to say before the message that it returns.
MOST_OCTETS = 1024 * 1024


class Flag(Enum):
    """The mark that a mailbox keeps on a message; without one, it is read again next time."""

    SEEN = "seen"  # as if a person had read it
    REVIEW = "review"  # left unread for a person, and not looked at again


@dataclass(slots=True)
class InboundMessage:
    """The octets of a message, or the first of them. Its reader sets ``flag``."""

    content: bytes
    flag: Flag | None = None


class Kind(Enum):
    """The kind of an inbound message."""

    HARD = "hard"  # a failure report; at least one address is dead
    SOFT = "soft"  # a failure report; no address is known to be dead
    DELAYED = "delayed"  # a server is still trying: nothing has failed
    COMPLAINT = "complaint"  # somebody called one of our emails abuse
    UNSUBSCRIBE = "unsubscribe"
    AUTO_REPLY = "auto-reply"
    AUTHENTICATION = "authentication"  # a report of DMARC (RFC 9990) or TLS (RFC 8460)
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Recipient:
    """One address that a report is about.

    ``status`` is an enhanced status code (RFC 3463), ``diagnostic`` what the server said, in one
    line of 500 characters at most, ``phase`` what it answered; each is empty if the report does not
    tell. ``diagnosis`` is what that means; None for a complaint.
    """

    address: str
    status: str = ""
    diagnostic: str = ""
    phase: Phase | None = None
    diagnosis: Diagnosis | None = None

    @property
    def is_hard(self) -> bool:
        """Return whether the address is dead."""
        return self.diagnosis is not None and self.diagnosis.is_dead


@dataclass(frozen=True, slots=True)
class Report:
    """The content of one inbound message.

    Only failures and complaints have recipients; a failure report that does not name any that we
    understand has none. ``waiting`` are the addresses that a server is still trying to reach.
    """

    kind: Kind
    recipients: tuple[Recipient, ...] = ()
    waiting: tuple[str, ...] = ()
