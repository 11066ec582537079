"""Repair of links that mail programs and chats have damaged.

The letters of a token are known, so that everything else in it and after it can be ignored.
"""

import re
from itertools import pairwise
from urllib.parse import unquote

from starlette.types import ASGIApp, Receive, Scope, Send

from subscribers.tokens import Purpose

# A payload and a signature of 32 octets, both in base64url (itsdangerous). It begins where its
# letters begin, so that a long path without a token is read once, and not from each of its letters.
_TOKEN = re.compile(r"(?<![A-Za-z0-9_-])\.?[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])")
# What quoted-printable (RFC 2045) makes of the letters of a token, and of lines that it breaks.
_ENCODED = re.compile(r"=(2D|2E|5F)")
_SOFT_BREAK = re.compile(r"=3D|=|\s")
_AFTER = {
    Purpose.PREFERENCES: frozenset(
        "try export delete address pause resume rating follows papers feed".split()
    ),
    Purpose.UNSUBSCRIBE: frozenset({"instead"}),
    Purpose.FEED: frozenset({"atom", "json"}),
}
_ANYTHING_AFTER = {Purpose.RATING, Purpose.DIGEST, Purpose.FOLLOW}


def repaired(path: str, prefix: str = "") -> str:
    """Return the path of a link with a token without its damage, and any other path unchanged.

    ``prefix`` is the path of the public address, which a proxy may or may not have removed.
    """
    parts = [part for part in path.split("/") if part]
    for number, (place, damaged) in enumerate(pairwise(parts)):
        purpose, token = place.casefold(), _token_in(damaged)
        if purpose in set(Purpose) and token:
            after = "/".join(parts[number + 2 :])
            if purpose not in _ANYTHING_AFTER:
                word = re.split("[^a-z]", after.casefold(), maxsplit=1)[0]
                after = word if word in _AFTER.get(Purpose(purpose), ()) else ""
            return f"/{purpose}/{token}" + (f"/{after}" if after else "")
    return without_prefix(path, prefix)


def without_prefix(path: str, prefix: str) -> str:
    """Return a path below the public one, whether a proxy has removed that or not."""
    if prefix and f"{path}/".startswith(f"{prefix}/"):
        return path.removeprefix(prefix) or "/"
    return path


def _token_in(damaged: str) -> str:
    letters = _ENCODED.sub(lambda code: chr(int(code[1], 16)), unquote(damaged))
    found = _TOKEN.search(_SOFT_BREAK.sub("", letters))
    return found[0] if found else ""


class RepairedLinks:
    """ASGI middleware that repairs the path of each request."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "path": repaired(scope["path"], self._prefix)}
        await self._app(scope, receive, send)
