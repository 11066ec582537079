"""The answer to a request that fails unexpectedly, or whose client goes away."""

from collections.abc import Callable

import structlog
from fastapi import Request, Response
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger()


class Failures:
    """ASGI middleware that logs an unexpected error and sends ``answer``, without details."""

    def __init__(self, app: ASGIApp, answer: Callable[[Request], Response]) -> None:
        self._app = app
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def noting(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except ClientDisconnect:
            log.debug("a client went away before its request was complete")
        except Exception:
            if has_begun:  # the server logs it, and breaks the connection: no part is the whole
                raise
            log.exception("a request failed")  # without its path: it may hold a token or a name
            await self._answer(Request(scope))(scope, receive, send)
