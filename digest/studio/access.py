"""Restrict the studio to the operator, and add headers to each answer.

The studio shows subscribers' emails and can send, so only the operator may use it: from this
machine, or after a login. Other sites that are open in the operator's browser can reach neither
the pages, by taking our name (DNS rebinding), nor the forms (CSRF).
"""

import ipaddress
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, urlsplit

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digest.errors import SettingError
from digest.settings.settings import variable
from digest.studio.login import COOKIE, Sessions
from subscribers.web.damaged_links import without_prefix

_OPEN = frozenset({"/login", "/studio.css", "/history.css", "/studio.svg"})  # without a session
_NOBODY = "somebody at this machine"  # without a password

log = structlog.get_logger()

# Names of this machine that no name server is asked for.
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

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

    ``host`` is the one that the server listens on. With ``sessions``, every path but the login
    requires one. Whoever changes something is logged. ``root`` is the path that a proxy serves the
    studio under, and may remove or not.
    """

    def __init__(self, app: ASGIApp, host: str, sessions: Sessions | None, root: str = "") -> None:
        self._app = app
        self._host = host.strip("[]").lower()
        self._sessions = sessions
        self._root = root

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

        scope = {**scope, "path": without_prefix(scope["path"], self._root)}
        refusal = self._refusal(Request(scope))
        await (refusal or self._app)(scope, receive, with_headers)

    def _refusal(self, request: Request) -> Response | None:
        """Return the answer to a forbidden request; None if it is allowed."""
        if not self._is_ours(request.headers.get("host", "")):
            why = "The studio has another name: open the address that it printed."
            return PlainTextResponse(why, HTTPStatus.MISDIRECTED_REQUEST)
        changes = request.method not in {"GET", "HEAD"}
        if changes and _is_cross_site(request):
            return PlainTextResponse(
                "This form was not sent from a page of the studio.", HTTPStatus.FORBIDDEN
            )
        path = request.scope["path"]
        who = self._sessions.who(request.cookies.get(COOKIE, "")) if self._sessions else _NOBODY
        if who is None and path not in _OPEN:
            return self._to_login(path, request)
        if changes and who is not None:
            log.info("the studio was used", who=who, method=request.method, path=path)
        request.state.who = who
        return None

    def _to_login(self, path: str, request: Request) -> Response:
        """Lead to the login whoever wants to see a page; refuse all else."""
        if request.method != "GET":
            return PlainTextResponse("Log in first.", HTTPStatus.UNAUTHORIZED)
        to = f"{path}?{request.url.query}" if request.url.query else path
        return RedirectResponse(f"{self._root}/login?to={quote(to)}", HTTPStatus.SEE_OTHER)

    def _is_ours(self, host_header: str) -> bool:
        # Our addresses, and a proxy before us, may have names that we cannot know. The login
        # protects them: a browser sends its cookie only to the name that it was set for.
        if self._sessions:
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


def _is_cross_site(request: Request) -> bool:
    """Return whether a form was sent from another site, or from another port of this machine.

    Browsers say so in one of two headers; a client that sends neither is no browser.
    """
    headers = request.headers
    if site := headers.get("sec-fetch-site"):
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")
