"""Decide how a server's reply ends an attempt. Pure.

By enhanced status code first (RFC 3463), then by reply code (RFC 5321 section 4.2). Whether it is
about the relay: by the command that it answers, then by the same codes. What a refusal is about
beyond that, digest.inbound.diagnostics tells.
"""

import re
from typing import NamedTuple

from digest.model.diagnosis import Phase
from digest.model.messages import Outcome, OutcomeKind

_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?=\s|$)")
LONGEST_TEXT = 500

CLOSING = 421  # the answer to any command of a server that ends the connection (RFC 5321 3.8)

# Where an address beyond ASCII cannot be sent to. The code is RFC 6531's own for it.
OUT_OF_REACH = Outcome(OutcomeKind.REFUSED, "5.6.7 the relay offers no SMTPUTF8", 550, "5.6.7")


class Reply(NamedTuple):
    """A reply as it came; a line feed is between the lines of its text."""

    code: int
    text: bytes

    def __str__(self) -> str:
        return f"{self.code} {in_one_line(self.text)}"


def outcome_of(reply: Reply, phase: Phase) -> Outcome:
    """Return the outcome for a message whose transaction this reply ends."""
    text, status = in_one_line(reply.text), _status(reply)
    if phase is Phase.DOT and 200 <= reply.code < 300:
        kind = OutcomeKind.ACCEPTED
    elif reply.code >= 500 and status[:1] in {"", "5"}:
        kind = OutcomeKind.REFUSED
    else:  # 4yz, and whatever no server should say in this place: ask again later
        kind = OutcomeKind.DEFERRED
    is_about_relay = _is_about_relay(reply.code, status[2:], phase)
    return Outcome(kind, text, reply.code, status, phase, is_about_relay)


def has_had_enough(reply: Reply, phase: Phase) -> bool:
    """Tell whether the server takes no more recipients over this connection.

    It says so to RCPT (RFC 5321 section 4.5.3.1.10), by a code that it has for a full disk as well.
    """
    return phase is Phase.RCPT and _says_too_many(reply.code, _status(reply)[2:])


def in_one_line(said: bytes) -> str:
    """Return what a server or a program has said, as text of a bounded length."""
    # No database takes NUL in a text.
    return " ".join(said.decode("utf-8", errors="replace").replace("\0", " ").split())[
        :LONGEST_TEXT
    ]


def _status(reply: Reply) -> str:
    """Return the enhanced status code, or nothing."""
    stated = _ENHANCED.match(in_one_line(reply.text))
    return stated[0] if stated else ""


def _is_about_relay(code: int, subject: str, phase: Phase) -> bool:
    """Tell whether any message would get this reply; ``subject`` is the status without its class.

    Source: RFC 3463 section 3.
    """
    # "Log in first" (RFC 4954 section 6) may answer any command as well, as may a full disk and
    # "not now" (RFC 3463 section 3.4).
    if code in {CLOSING, 530} or subject in {"3.1", "3.2"}:
        return True
    match phase:
        case Phase.OPENING:
            return True
        case Phase.MAIL:
            return not _is_of_size_or_kind(code, subject)
        case Phase.RCPT:
            # 1.7 and 1.8 are of the sender's address: many servers keep that for RCPT.
            return subject in {"1.7", "1.8"} or _says_too_many(code, subject)
    # A relay that forwards on the fly answers DATA and the dot with what the next server said.
    return False


def _says_too_many(code: int, subject: str) -> bool:
    # A mailbox that is full (2.2) is the recipient's own.
    return subject == "5.3" or (code == 452 and not subject.startswith("2."))


def _is_of_size_or_kind(code: int, subject: str) -> bool:
    """Tell whether this message is too big or of octets not taken: others may pass."""
    return code == 552 or subject in {"2.3", "3.4"} or subject.startswith("6.")
