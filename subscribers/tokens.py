"""Signed links: who is meant and for what, without a password and without an address inside."""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from itsdangerous import BadData, URLSafeSerializer

from subscribers.errors import TokenError

_INVALID = "this link is not valid"


class Purpose(StrEnum):
    """What a token is good for; a token of one purpose is void for every other."""

    CONFIRM = "confirm"
    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"
    UNDO = "undo"
    ADDRESS = "address"
    OPINION = "opinion"
    DIGEST = "digest"


class Tokens:
    """Makes and reads tokens: HMAC-SHA-256 over a public id, compared in constant time.

    ``secrets`` holds the newest key first. It signs; every key verifies, so that links in old
    mails keep working after a key was changed.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        if not secrets or not all(secrets):
            raise ValueError("at least one secret, none of them empty")
        self._key = secrets[0].encode()
        self._serializers = {
            purpose: URLSafeSerializer(
                list(reversed(secrets)),  # itsdangerous signs with the last
                salt=f"paper-digest/{purpose}",
                signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
            )
            for purpose in Purpose
        }

    def make(self, purpose: Purpose, public_id: str) -> str:
        """A token for one purpose, URL-safe, the same each time for the same person."""
        token = self._serializers[purpose].dumps(public_id)
        assert isinstance(token, str)
        return token

    def read(self, purpose: Purpose, token: str) -> str:
        """The public id in a token. Raises TokenError, always the same one, for any other text."""
        public_id = self._load(purpose, token)
        if not isinstance(public_id, str):
            raise TokenError(_INVALID)
        return public_id

    def make_until(self, purpose: Purpose, public_id: str, end: datetime) -> str:
        """A token that is good until a moment (to the second)."""
        token = self._serializers[purpose].dumps([public_id, int(end.timestamp())])
        assert isinstance(token, str)
        return token

    def read_at(self, purpose: Purpose, token: str, now: datetime) -> str:
        """The public id in a token made by ``make_until``. Raises TokenError after its end, too."""
        match self._load(purpose, token):
            case [str(public_id), int(end)] if now.timestamp() < end:
                return public_id
        raise TokenError(_INVALID)

    def _load(self, purpose: Purpose, token: str) -> object:
        """What a token was made of; none for a text that no token of this purpose is."""
        try:
            return self._serializers[purpose].loads(token)
        except (BadData, UnicodeError):  # a lone surrogate has no octets to sign
            return None

    def keyed(self, text: str) -> str:
        """A digest of a text (HMAC-SHA-256) that says nothing to whoever lacks the key."""
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()
