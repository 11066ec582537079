"""VERP (variable envelope return path): envelope senders that name their delivery. Pure.

A failure report goes to the envelope sender of the message that failed, whatever the report says
(RFC 5321 section 4.4). So that sender holds the delivery's number, and a signature over it and the
recipient's address: nobody can invent a report, and a subscriber who has changed their address is
not blamed for the old mailbox. Nothing is stored for it.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass

from subscribers.addresses import address_key

LONGEST_LOCAL_PART = 64  # octets (RFC 5321 section 4.5.3.1.1)

# Letters of base 32, because some servers change the local part to lower case.
_MAC_LETTERS = 20  # 100 bits
_MOST_DIGITS = 10  # of a delivery's number
_TAG = re.compile(
    rf"\+([0-9]{{1,{_MOST_DIGITS}}})-([a-z2-7]{{{_MAC_LETTERS}}})@[^@]*\Z",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Tag:
    """The tag in an address: a delivery's number, and a signature that may be forged."""

    delivery_id: int
    mac: str


class Verp:
    """The envelope senders of one installation.

    ``keys`` are those of DIGEST_SECRET, the newest first: the first signs, all verify.
    """

    def __init__(self, keys: Sequence[str], base_address: str) -> None:
        self._keys = [key.encode() for key in keys]
        self._local_part, _, self._domain = base_address.rpartition("@")

    @property
    def has_room(self) -> bool:
        """Return whether the address is short enough for a tag."""
        return len(f"{self._local_part}+-") + _MOST_DIGITS + _MAC_LETTERS <= LONGEST_LOCAL_PART

    def sender_for(self, delivery_id: int, address: str) -> str:
        """Return the envelope sender of a delivery to an address, the same each time."""
        mac = _mac(self._keys[0], delivery_id, address)
        return f"{self._local_part}+{delivery_id}-{mac}@{self._domain}"

    def tag_in(self, address: str) -> Tag | None:
        """Return the tag in an address, not verified, in any case and at any host."""
        found = _TAG.search(address)
        return Tag(int(found[1]), found[2].lower()) if found else None

    def is_genuine(self, tag: Tag, address: str) -> bool:
        """Return whether we made the tag for this address; compare in constant time."""
        made = (_mac(key, tag.delivery_id, address) for key in self._keys)
        return any(hmac.compare_digest(mac, tag.mac) for mac in made)


def _mac(key: bytes, delivery_id: int, address: str) -> str:
    """Return the HMAC-SHA-256 (RFC 2104) of a delivery and its recipient, cut to fit an address."""
    text = f"verp\n{delivery_id}\n{address_key(address)}".encode()
    digest = hmac.digest(key, text, hashlib.sha256)
    return base64.b32encode(digest[:15]).decode("ascii").lower()[:_MAC_LETTERS]
