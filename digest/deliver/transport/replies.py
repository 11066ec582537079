"""Decide how a server's reply ends an attempt. Pure.

The enhanced status code decides first (RFC 3463), then the reply code (RFC 5321 section 4.2).
Whether the reply is about the relay depends on the command that it answers, then on the same codes.
What else a refusal can be about is decided in digest.inbound.diagnostics.
"""

import re
from typing import NamedTuple

from digest.model.diagnosis import Phase
from digest.model.messages import Outcome, OutcomeKind

_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?=\s|$)")
LONGEST_TEXT = 500

CLOSING = 421  # may answer any command if the server ends the connection (RFC 5321 section 3.8)

# An address beyond ASCII cannot be reached through this relay. RFC 6531 has this code for it.
OUT_OF_REACH = Outcome(OutcomeKind.REFUSED, "5.6.7 the relay offers no SMTPUTF8", 550, "5.6.7")


class Reply(NamedTuple):
    """A reply as it came; the lines of its text are separated by a line feed."""

    code: int
    text: bytes

    def __str__(self) -> str:
        return f"{self.code} {in_one_line(self.text)}"


def outcome_of(reply: Reply, phase: Phase) -> Outcome:
    """Return the outcome of a message whose transaction ends with this reply."""
    text, status = in_one_line(reply.text), _status(reply)
    if phase is Phase.DOT and 200 <= reply.code < 300:
        kind = OutcomeKind.ACCEPTED
    elif reply.code >= 500 and status[:1] in {"", "5"}:
        kind = OutcomeKind.REFUSED
    else:  # 4yz, or a reply that no server should give here: try again later
        kind = OutcomeKind.DEFERRED
    is_about_relay = _is_about_relay(reply.code, status[2:], phase)
    return Outcome(kind, text, reply.code, status, phase, is_about_relay)


def has_had_enough(reply: Reply, phase: Phase) -> bool:
    """Return whether the server takes no more recipients over this connection.

    That is an answer to RCPT (RFC 5321 section 4.5.3.1.10); its code can mean a full disk as well.
    """
    return phase is Phase.RCPT and _says_too_many(reply.code, _status(reply)[2:])


def in_one_line(said: bytes) -> str:
    """Return the words of a server or program as one line of a bounded length."""
    # PostgreSQL takes no NUL in a text.
    return " ".join(said.decode("utf-8", errors="replace").replace("\0", " ").split())[
        :LONGEST_TEXT
    ]


def _status(reply: Reply) -> str:
    """Return the enhanced status code, or nothing."""
    stated = _ENHANCED.match(in_one_line(reply.text))
    return stated[0] if stated else ""


def _is_about_relay(code: int, subject: str, phase: Phase) -> bool:
    """Return whether any message would get this reply; ``subject`` is the status without its class.

    Source: RFC 3463 section 3.
    """
    # "Log in first" (RFC 4954 section 6) may answer any command, and so may a full disk and "not
    # now" (RFC 3463 section 3.4).
    if code in {CLOSING, 530} or subject in {"3.1", "3.2"}:
        return True
    match phase:
        case Phase.OPENING:
            return True
        case Phase.MAIL:
            return not _is_of_size_or_kind(code, subject)
        case Phase.RCPT:
            # 1.7 and 1.8 are about the sender's address, which many servers judge only at RCPT.
            return subject in {"1.7", "1.8"} or _says_too_many(code, subject)
    # A relay that forwards at once answers DATA and the dot with the next server's reply.
    return False


def _says_too_many(code: int, subject: str) -> bool:
    # A full mailbox (2.2) is about the recipient.
    return subject == "5.3" or (code == 452 and not subject.startswith("2."))


def _is_of_size_or_kind(code: int, subject: str) -> bool:
    """Return whether this message is too big, or in a form not accepted: others may pass."""
    return code == 552 or subject in {"2.3", "3.4"} or subject.startswith("6.")
