"""Envelope senders that name the delivery they belong to (variable envelope return paths). Pure.

A failure report goes to the envelope sender of the mail that failed, whatever else it says or
leaves out (RFC 5321 section 4.4). So that sender holds the delivery's number, and a signature over
it and the recipient's address: nobody makes up a report, and whoever has moved to another address
since is not blamed for the old mailbox. Nothing is stored for it.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass

from subscribers.addresses import address_key

LONGEST_LOCAL_PART = 64  # octets (RFC 5321 section 4.5.3.1.1)

# The letters of base 32 mean the same in either case: some servers write the part before the @ in
# lower-case.
_MAC_LETTERS = 20  # 100 bits
_MOST_DIGITS = 10  # of a number that the ledger gives to deliveries
_TAG = re.compile(
    rf"\+([0-9]{{1,{_MOST_DIGITS}}})-([a-z2-7]{{{_MAC_LETTERS}}})@[^@]*\Z",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Tag:
    """What an address says of itself: a delivery's number, and a signature that may be forged."""

    delivery_id: int
    mac: str


class Verp:
    """Makes and reads the senders of one installation.

    ``keys`` are those of DIGEST_SECRET, the newest first: it signs, and every one verifies.
    """

    def __init__(self, keys: Sequence[str], base_address: str) -> None:
        self._keys = [key.encode() for key in keys]
        self._local_part, _, self._domain = base_address.rpartition("@")

    @property
    def has_room(self) -> bool:
        """Whether the address is short enough to be lengthened."""
        return len(f"{self._local_part}+-") + _MOST_DIGITS + _MAC_LETTERS <= LONGEST_LOCAL_PART

    def sender_for(self, delivery_id: int, address: str) -> str:
        """The envelope sender of the delivery to an address: the same each time."""
        mac = _mac(self._keys[0], delivery_id, address)
        return f"{self._local_part}+{delivery_id}-{mac}@{self._domain}"

    def tag_in(self, address: str) -> Tag | None:
        """The tag in an address, if it has one, in whatever case and at whatever host.

        It is not verified: see ``is_genuine``.
        """
        found = _TAG.search(address)
        return Tag(int(found[1]), found[2].lower()) if found else None

    def is_genuine(self, tag: Tag, address: str) -> bool:
        """Whether we made the tag for the delivery to this address; compared in constant time."""
        made = (_mac(key, tag.delivery_id, address) for key in self._keys)
        return any(hmac.compare_digest(mac, tag.mac) for mac in made)


def _mac(key: bytes, delivery_id: int, address: str) -> str:
    """HMAC-SHA-256 (RFC 2104) of a delivery and its recipient, cut to what fits an address."""
    text = f"verp\n{delivery_id}\n{address_key(address)}".encode()
    digest = hmac.digest(key, text, hashlib.sha256)
    return base64.b32encode(digest).decode("ascii").lower()[:_MAC_LETTERS]
