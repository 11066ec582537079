"""Find what a report shows of our message that it is about; ``Attribution`` verifies it. Pure.

What a report says of addresses anybody can write. But it goes to the envelope sender of the mail
that failed, which is signed (see digest.model.verp); and a complaint shows that sender, or the
signed link to unsubscribe, in the mail that it returns.
"""

import re
from dataclasses import dataclass
from email.message import Message
from itertools import islice

from digest.inbound.amazon import source_in
from digest.inbound.answers import tokens_in
from digest.inbound.mime_parts import feedback, header, returned

# The first is the sender's, the others the mail servers' on the way.
_ADDRESSED = ("To", "Delivered-To", "X-Original-To", "Envelope-To")
_MOST_VALUES = 10
_LONGEST_VALUE = 2000
_BETWEEN = r"\s<>()\[\],:;\"\\@"
_ADDRESS = re.compile(rf"[^{_BETWEEN}]{{1,64}}@[^{_BETWEEN}]{{1,255}}")


@dataclass(frozen=True, slots=True)
class Clues:
    """``sent_to`` are the addresses that a report was sent to: of a failure, the envelope sender's.

    Amazon's go to one address for all, and tell that sender instead. ``senders`` are the envelope
    senders of the mail that a complaint returns, ``tokens`` what its List-Unsubscribe may hold.
    None of them is verified.
    """

    sent_to: tuple[str, ...] = ()
    senders: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()


def clues_in(mail: Message) -> Clues:
    """Return what a report shows of the message that it is about."""
    sent_to = [text for name in _ADDRESSED for text in _values(mail, name)]
    senders = [value for block in feedback(mail) for value in block.get("original-mail-from", ())]
    inner = returned(mail) or Message()
    return Clues(
        sent_to=_addresses([*sent_to, source_in(mail)]),
        senders=_addresses([*senders, *_values(inner, "Return-Path")]),
        tokens=tuple(tokens_in(header(inner, "List-Unsubscribe"))),
    )


def _values(mail: Message, name: str) -> list[str]:
    return [str(value) for value in islice(mail.get_all(name, ()), _MOST_VALUES)]


def _addresses(texts: list[str]) -> tuple[str, ...]:
    """Return the addresses in some values, each once."""
    found = [address for text in texts for address in _ADDRESS.findall(text[:_LONGEST_VALUE])]
    return tuple(dict.fromkeys(found[: _MOST_VALUES * len(_ADDRESSED)]))
