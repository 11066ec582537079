"""A proof of work at the sign-up form, without a third party: the first form of ALTCHA.

The browser looks for the number whose hash is known, which takes it a second. Pure. The package
altcha would do the same, but reads the clock itself and fails on payloads that are made for it.
"""

import binascii
import json
import re
from base64 import b64decode
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from secrets import randbelow, token_hex

from subscribers.errors import ProofError

ALGORITHM = "SHA-256"
GOOD_FOR = timedelta(minutes=30)
MOST_TRIES = 50_000
LONGEST = 1000  # characters of a solution
_SALT = re.compile(r"[0-9a-f]{24}\?expires=([0-9]{1,12})&")


class ProofOfWork:
    """Sets challenges and checks their solutions; ``keyed`` is a keyed digest of a text."""

    def __init__(self, keyed: Callable[[str], str]) -> None:
        self._keyed = keyed

    def challenge(self, now: datetime) -> dict[str, object]:
        """Return a challenge, as JSON for the browser."""
        salt = f"{token_hex(12)}?expires={int((now + GOOD_FOR).timestamp())}&"
        challenge = _hash(salt, randbelow(MOST_TRIES + 1))
        return {
            "algorithm": ALGORITHM,
            "challenge": challenge,
            "maxnumber": MOST_TRIES,
            "salt": salt,
            "signature": self._signature(challenge),
        }

    def check(self, sent: str, now: datetime) -> str:
        """Return the challenge that was solved; it may count once. Raises ProofError."""
        try:
            solution = json.loads(b64decode(sent[:LONGEST], validate=True))
        except (binascii.Error, ValueError, RecursionError):
            raise _undone() from None
        match solution:
            case {"salt": str(salt), "number": int(number), "signature": str(signature)}:
                stated = _SALT.fullmatch(salt)
                challenge = _hash(salt, number) if stated else ""
                is_ours = compare_digest(
                    self._signature(challenge).encode(), signature.encode(errors="replace")
                )
                if stated and is_ours and now.timestamp() < int(stated[1]):
                    return challenge
        raise _undone()

    def _signature(self, challenge: str) -> str:
        return self._keyed(f"proof of work {challenge}")


def _undone() -> ProofError:
    return ProofError(
        "your browser has not done the small calculation that keeps programs away: please try "
        "again, with JavaScript and over https"
    )


def _hash(salt: str, number: int) -> str:
    return sha256(f"{salt}{number}".encode()).hexdigest()
