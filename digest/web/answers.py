"""Set what every answer of the pages has: its headers, and HEAD."""

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Links carry tokens, so no header or cache passes them on, and nothing is loaded from other hosts.
HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


# The form to join tells by its origin that it is our own; of a page without a referrer, browsers
# write null instead (Fetch standard, "append a request Origin header"). No tokens are in these
# addresses.
WITH_SIGN_UP = frozenset({"/", "/subscribe", "/preview"})


class EveryAnswer:
    """ASGI middleware that adds HEADERS where a page has none of its own, and answers HEAD.

    To HEAD it answers as to GET, but without the body (RFC 9110 section 9.3.2), on all routes.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_head = scope["method"] == "HEAD"

        async def finish(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"] in WITH_SIGN_UP:
                    headers["Referrer-Policy"] = "same-origin"
                if "GET" in (allowed := headers.get("Allow", "").split(", ")):
                    headers["Allow"] = ", ".join(sorted({*allowed, "HEAD"}))
            elif is_head:
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET"} if is_head else scope, receive, finish)
