"""Messages as they are sent, and the outcomes of SMTP transactions."""

from dataclasses import dataclass
from enum import StrEnum

from digest.model.diagnosis import Diagnosis, Phase, Scope


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
    """A finished message: its envelope and its content as octets with CRLF line ends.

    ``has_dots`` says whether a line of it may begin with a dot, which SMTP doubles.
    """

    envelope: Envelope
    message_id: str
    content: bytes
    has_dots: bool = True


class OutcomeKind(StrEnum):
    """The kinds of outcomes. Uncertain: the answer to the final dot never came."""

    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of an attempt: ``text`` is the server's reply or our error, ``code`` 0 without reply.

    ``status`` is the reply's enhanced status code (RFC 3463), if it has one, and ``phase`` what it
    answered. ``is_about_relay`` says that it would be the same for any message. A refusal of a
    delivery has a ``diagnosis``.
    """

    kind: OutcomeKind
    text: str
    code: int = 0
    status: str = ""
    phase: Phase = Phase.DOT
    is_about_relay: bool = False
    diagnosis: Diagnosis | None = None

    @property
    def is_no_verdict(self) -> bool:
        """Return whether the relay accepts nothing now, so that this counts as no attempt."""
        return self.kind is OutcomeKind.DEFERRED and self.is_about_relay

    @property
    def refused_for(self) -> Scope | None:
        """Return whom a refusal is about, if not the address; the message then stays to be sent."""
        if self.diagnosis is None or self.diagnosis.scope is Scope.ADDRESS:
            return None
        return self.diagnosis.scope
