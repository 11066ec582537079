"""The message of an edition, but for what is each reader's own.

The standard library takes milliseconds to write a message. Here it writes one for all, in which
marks stand for what is a reader's own.
"""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from digest.compose.content import Content
from digest.compose.from_identity import FromIdentity
from digest.compose.message import Own, encoded_subject, write
from digest.model.messages import Envelope, Message


@dataclass(frozen=True, slots=True)
class Filled:
    """A digest as it stands in a message: its subject, and its parts in quoted-printable.

    ``html_size`` is how many octets of HTML that were.
    """

    subject: str
    text: bytes
    html: bytes
    html_size: int


class MessageForm:
    """``what`` is sent, once to each subscriber, at ``now`` (see ``message.own``)."""

    def __init__(self, identity: FromIdentity, *, what: str, now: datetime) -> None:
        self._identity = identity
        to, message_id, boundary, token, subject, text, html = marks = [
            secrets.token_hex(16) for _ in range(7)
        ]
        its = Own(to, message_id, f"=_{boundary}", token)  # as long as a real one: it is folded
        octets = write(Content(subject, text, html), its, identity, what=what, now=now)
        self._parts = re.split(b"(?:=_)?(" + "|".join(marks).encode() + b")", octets)
        self._marks = [mark.encode() for mark in marks]

    def fill(self, its: Own, filled: Filled) -> Message:
        """One reader's message.

        The address must be of ASCII: it would change how the rest is written.
        """
        values = (
            its.to.encode("ascii"),
            its.message_id.encode(),
            its.boundary.encode(),
            its.unsubscribe_token.encode(),
            encoded_subject(filled.subject).encode(),
            filled.text,
            filled.html,
        )
        parts = self._parts.copy()
        by_mark = dict(zip(self._marks, values, strict=True))
        parts[1::2] = [by_mark[mark] for mark in parts[1::2]]
        envelope = Envelope(self._identity.bounce_address, its.to)
        return Message(envelope, f"<{its.message_id}>", b"".join(parts))
