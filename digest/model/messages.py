"""Of messages: mails as they go out, and how one SMTP transaction ends."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Envelope:
    """SMTP's MAIL FROM and RCPT TO (RFC 5321 section 2.3.1)."""

    mail_from: str
    rcpt_to: str

    @property
    def is_international(self) -> bool:
        """Whether it takes SMTPUTF8 (RFC 6531) to send it."""
        return not (self.mail_from + self.rcpt_to).isascii()


@dataclass(frozen=True, slots=True)
class Message:
    """A finished mail: its envelope and the octets of its content, CRLF line ends."""

    envelope: Envelope
    message_id: str
    content: bytes


class OutcomeKind(StrEnum):
    """How one SMTP transaction ended; uncertain is "the answer to the final dot never came"."""

    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"


class Concern(StrEnum):
    """Whom a reply is about: by what it answers, and by its status (see transport.replies)."""

    RECIPIENT = "recipient"
    MESSAGE = "message"
    RELAY = "relay"  # us and the relay, whoever the message is for


@dataclass(frozen=True, slots=True)
class Outcome:
    """An attempt's end. ``text`` is the server's words or the fault; ``code`` is 0 without reply.

    ``status`` is the reply's enhanced status code (RFC 3463), if it has one. ``address_is_dead`` is
    set by replies that say so by themselves (see transport.replies).
    """

    kind: OutcomeKind
    text: str
    code: int = 0
    address_is_dead: bool = False
    status: str = ""
    concern: Concern = Concern.RECIPIENT

    @property
    def is_no_verdict(self) -> bool:
        """Whether the relay takes nothing from us, whoever it is for: so this is not used up."""
        is_not_taken = self.kind in {OutcomeKind.DEFERRED, OutcomeKind.REFUSED}
        return is_not_taken and self.concern is Concern.RELAY


# ---- enhanced status codes (RFC 3463 and its registry): class, subject, detail ------------------

# The mailbox is not there and will not be: bad address, moved away, disabled.
_DEAD = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})


def names_dead_mailbox(status: str) -> bool:
    """Whether no mail will ever arrive at the address that has this status."""
    return status in _DEAD
