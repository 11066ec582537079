"""Messages as they are sent, and the outcomes of SMTP transactions."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Envelope:
    """The envelope of an SMTP transaction: MAIL FROM and RCPT TO (RFC 5321 section 2.3.1)."""

    mail_from: str
    rcpt_to: str

    @property
    def is_international(self) -> bool:
        """Return whether sending it needs SMTPUTF8 (RFC 6531)."""
        return not (self.mail_from + self.rcpt_to).isascii()


@dataclass(frozen=True, slots=True)
class Message:
    """A finished message: its envelope and its content as octets with CRLF line ends."""

    envelope: Envelope
    message_id: str
    content: bytes


class OutcomeKind(StrEnum):
    """The kinds of outcomes. Uncertain: the answer to the final dot never came."""

    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"


class Concern(StrEnum):
    """The thing that a reply is about, by the command and the status (see transport.replies)."""

    RECIPIENT = "recipient"
    MESSAGE = "message"
    RELAY = "relay"  # us and the relay, for every recipient


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of an attempt: ``text`` is the server's reply or our error, ``code`` 0 without reply.

    ``status`` is the reply's enhanced status code (RFC 3463), if it has one. ``address_is_dead`` is
    true if the reply alone proves it (see transport.replies).
    """

    kind: OutcomeKind
    text: str
    code: int = 0
    address_is_dead: bool = False
    status: str = ""
    concern: Concern = Concern.RECIPIENT

    @property
    def is_no_verdict(self) -> bool:
        """Return whether the relay accepts nothing from us, so that this counts as no attempt."""
        is_not_taken = self.kind in {OutcomeKind.DEFERRED, OutcomeKind.REFUSED}
        return is_not_taken and self.concern is Concern.RELAY


# ---- enhanced status codes (RFC 3463 and its registry): class, subject, detail ------------------

# The mailbox is not there and will not be: bad address, moved away, disabled.
_DEAD = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})


def names_dead_mailbox(status: str) -> bool:
    """Return whether a status means that no message will ever arrive at the address."""
    return status in _DEAD
