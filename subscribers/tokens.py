"""Signed tokens for links: for one person and one purpose, without an address inside."""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

from itsdangerous import BadData, Signer, URLSafeSerializer
from itsdangerous.signer import SigningAlgorithm

from subscribers.errors import TokenError


class Purpose(StrEnum):
    """The uses of tokens. A token is valid for one of them only."""

    CONFIRM = "confirm"
    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"
    UNDO = "undo"
    ADDRESS = "address"
    RATING = "opinion"
    DIGEST = "digest"
    FEED = "feed"
    FOLLOW = "follow"


class _Sha256(SigningAlgorithm):
    """HMAC-SHA-256 in one call, which takes a third of the time: an email has ten of them."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        return hmac.digest(key, value, "sha256")


class _Signer(Signer):
    """A signer that derives its key once, because an edition may need millions of tokens."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._derived: dict[object, bytes] = {}

    def derive_key(self, secret_key: str | bytes | None = None) -> bytes:
        if secret_key not in self._derived:
            self._derived[secret_key] = super().derive_key(secret_key)
        return self._derived[secret_key]


class Tokens:
    """Makes and reads tokens: HMAC-SHA-256 over a public id, compared in constant time.

    The first, newest, of the ``secrets`` signs. All of them verify, so that links in old emails
    keep working after a new key was added.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        if not secrets or not all(secrets):
            raise ValueError("at least one secret, none of them empty")
        self._key = secrets[0].encode()
        self._serializers = {
            purpose: URLSafeSerializer(
                list(reversed(secrets)),  # itsdangerous signs with the last
                salt=f"paper-digest/{purpose}",
                signer=_Signer,
                signer_kwargs={
                    "key_derivation": "hmac",
                    "digest_method": hashlib.sha256,  # of the derivation
                    "algorithm": _Sha256(),
                },
            )
            for purpose in Purpose
        }
        self._signers = {
            purpose: serializer.make_signer(serializer.salt)
            for purpose, serializer in self._serializers.items()
        }
        # An email has five tokens of one person, and one of them in three places.
        self._payload = lru_cache(maxsize=16)(self._serializers[Purpose.CONFIRM].dump_payload)
        self._made = lru_cache(maxsize=64)(self._make)

    def make(self, purpose: Purpose, public_id: str) -> str:
        """Return a URL-safe token, always the same for the same person and purpose."""
        return self._made(purpose, public_id)

    def _make(self, purpose: Purpose, public_id: str) -> str:
        return self._signers[purpose].sign(self._payload(public_id)).decode()

    def read(self, purpose: Purpose, token: str) -> str:
        """Return the public id in a token. Raises TokenError, always with the same text."""
        public_id = self._load(purpose, token)
        if not isinstance(public_id, str):
            raise _invalid()
        return public_id

    def make_until(self, purpose: Purpose, public_id: str, end: datetime) -> str:
        """Return a token that expires at a moment (to the second)."""
        token = self._serializers[purpose].dumps([public_id, int(end.timestamp())])
        assert isinstance(token, str)
        return token

    def read_at(self, purpose: Purpose, token: str, now: datetime) -> str:
        """Return the public id in a token of ``make_until``. Raises TokenError if it expired."""
        match self._load(purpose, token):
            case [str(public_id), int(end)] if now.timestamp() < end:
                return public_id
        raise _invalid()

    def _load(self, purpose: Purpose, token: str) -> object:
        """Return the payload of a token; None if it is not valid for this purpose."""
        try:
            return self._serializers[purpose].loads(token)
        except (BadData, UnicodeError):  # a lone surrogate cannot be encoded
            return None

    def keyed(self, text: str) -> str:
        """Return a keyed digest of a text (HMAC-SHA-256), from which it cannot be guessed."""
        return hmac.digest(self._key, text.encode(), "sha256").hex()


def _invalid() -> TokenError:
    return TokenError("this link is not valid")
