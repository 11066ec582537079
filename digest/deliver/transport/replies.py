"""What a server's reply means. Pure.

How it ends the attempt: by enhanced status code first (RFC 3463), then by reply code (RFC 5321
section 4.2). Whom it is about: by the command that it answers, then by the same codes.
"""

import re
from enum import StrEnum
from typing import NamedTuple

from digest.model.messages import Concern, Outcome, OutcomeKind, names_dead_mailbox

_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?=\s|$)")
LONGEST_TEXT = 500

CLOSING = 421  # the answer to any command of a server that ends the connection (RFC 5321 3.8)

# Where an address beyond ASCII cannot be sent to. The code is RFC 6531's own for it; the address is
# not dead, only out of reach.
OUT_OF_REACH = Outcome(
    OutcomeKind.REFUSED,
    "5.6.7 the relay offers no SMTPUTF8",
    550,
    concern=Concern.MESSAGE,
    status="5.6.7",
)


class Phase(StrEnum):
    """What a reply answers."""

    OPENING = "opening"  # the connection, EHLO, STARTTLS and the login: all before a message
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    DOT = "final dot"


class Reply(NamedTuple):
    """A reply as it came; a line feed is between the lines of its text."""

    code: int
    text: bytes

    def __str__(self) -> str:
        return f"{self.code} {in_one_line(self.text)}"


def outcome_of(reply: Reply, phase: Phase) -> Outcome:
    """Return the outcome for a message whose transaction this reply ends.

    Only a 5yz refusal that names the recipient's address makes the address dead: a 5.7.z speaks
    of us, not of them.
    """
    code, text, status = reply.code, in_one_line(reply.text), _status(reply)
    if phase is Phase.DOT and 200 <= code < 300:
        return Outcome(OutcomeKind.ACCEPTED, text, code, status=status)
    about = _about(code, status[2:], phase)
    if code >= 500 and status[:1] in {"", "5"}:
        dead = about is Concern.RECIPIENT and names_dead_mailbox(status)
        return Outcome(OutcomeKind.REFUSED, text, code, dead, status, about)
    # 4yz, and whatever no server should say in this place: ask again later.
    return Outcome(OutcomeKind.DEFERRED, text, code, status=status, concern=about)


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


def _about(code: int, subject: str, phase: Phase) -> Concern:
    """Tell whom a reply concerns; ``subject`` is the status without its class (RFC 3463, 3)."""
    # "Log in first" (RFC 4954 section 6) may answer any command as well, as may a full disk and
    # "not now" (RFC 3463 section 3.4).
    if code in {CLOSING, 530} or subject in {"3.1", "3.2"}:
        return Concern.RELAY
    match phase:
        case Phase.RCPT:
            return Concern.RELAY if _is_about_us(code, subject) else Concern.RECIPIENT
        case Phase.DATA | Phase.DOT:
            # A relay that forwards on the fly names here what the recipient's own server said.
            return Concern.RECIPIENT if subject[:2] in {"1.", "2.", "7."} else Concern.MESSAGE
        case Phase.MAIL if _is_of_size_or_kind(code, subject):
            return Concern.MESSAGE
        case _:
            return Concern.RELAY


def _is_about_us(code: int, subject: str) -> bool:
    """Tell whether an answer to RCPT is not about the recipient.

    1.7 and 1.8 are of the sender's address: many servers keep for RCPT what they think of it.
    """
    return subject in {"1.7", "1.8"} or _says_too_many(code, subject)


def _says_too_many(code: int, subject: str) -> bool:
    # A mailbox that is full (2.2) is the recipient's own.
    return subject == "5.3" or (code == 452 and not subject.startswith("2."))


def _is_of_size_or_kind(code: int, subject: str) -> bool:
    """Tell whether this message is too big or of octets not taken: others may pass."""
    return code == 552 or subject in {"2.3", "3.4"} or subject.startswith("6.")
