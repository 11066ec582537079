"""Restrict the studio to the operator, and add headers to each answer.

The studio shows subscribers' emails and can send, so only the operator may use it: from this
machine, or with a password. Other sites that are open in the operator's browser can reach neither
the pages, by taking our name (DNS rebinding), nor the forms (CSRF).
"""

import base64
import binascii
import ipaddress
import secrets
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digest.errors import SettingError
from digest.settings.settings import variable

# Names of this machine that no name server is asked for.
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# To listen on these means: on every address of this machine, under any name.
_EVERYWHERE = frozenset({"", "0.0.0.0", "::"})  # noqa: S104  not bound here

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        "img-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def require_password(host: str, password: str | None) -> None:
    """Raise SettingError if the studio would listen to other machines without a password."""
    if not password and not _is_loopback(host):
        raise SettingError(
            f"{variable('studio_password')} is not set, and the studio accepts no requests from "
            f"other machines without a password: set it, or leave out --host {host}"
        )


class Guard:
    """ASGI middleware that refuses forbidden requests, and adds HEADERS to each answer.

    ``host`` is the one that the server listens on. With a ``password``, every path requires HTTP
    Basic authentication (RFC 7617) with any user name.
    """

    def __init__(self, app: ASGIApp, host: str, password: str | None) -> None:
        self._app = app
        self._host = host.strip("[]").lower()
        self._password = password

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = self._refusal(scope["method"], Headers(scope=scope))
        await (refusal or self._app)(scope, receive, with_headers)

    def _refusal(self, method: str, headers: Headers) -> Response | None:
        """Return the answer to a forbidden request; None if it is allowed."""
        if not self._is_ours(headers.get("host", "")):
            why = "The studio has another name: open the address that it printed."
            return PlainTextResponse(why, HTTPStatus.MISDIRECTED_REQUEST)
        if self._password and not _knows(self._password, headers.get("authorization", "")):
            challenge = {"WWW-Authenticate": 'Basic realm="studio", charset="UTF-8"'}
            return PlainTextResponse("A password is required.", HTTPStatus.UNAUTHORIZED, challenge)
        if method not in {"GET", "HEAD"} and _is_cross_site(headers):
            return PlainTextResponse(
                "This form was not sent from a page of the studio.", HTTPStatus.FORBIDDEN
            )
        return None

    def _is_ours(self, host_header: str) -> bool:
        # Our addresses may have names that we cannot know. The password protects them: a browser
        # sends it only to the name that it was typed for.
        if self._host in _EVERYWHERE and self._password:
            return True
        return _name_in(host_header) in _LOOPBACK | {self._host}


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _name_in(host_header: str) -> str:
    """Return the name in a Host header, without the port and the brackets of IPv6."""
    try:
        return urlsplit(f"//{host_header}").hostname or ""
    except ValueError:
        return ""


def _knows(password: str, authorization: str) -> bool:
    kind, _, encoded = authorization.partition(" ")
    try:
        given = base64.b64decode(encoded, validate=True).partition(b":")[2]
    except binascii.Error:
        given = b""
    # The time must not tell how much of it was right.
    return secrets.compare_digest(given, password.encode()) and kind.lower() == "basic"


def _is_cross_site(headers: Headers) -> bool:
    """Return whether a form was sent from another site, or from another port of this machine.

    Browsers say so in one of two headers; a client that sends neither is no browser.
    """
    if site := headers.get("sec-fetch-site"):
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")
