"""The web application: all pages, and what holds for each answer."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from http import HTTPStatus

import structlog
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from digest.compose.environment import Templates
from digest.compose.sender import Sender
from digest.ledger.editions import Editions
from digest.web.feeds import Feeds
from digest.web.public import Draft, PublicPages
from subscribers.errors import TokenError
from subscribers.model import Subscriber
from subscribers.pages import SubscriberPages
from subscribers.registry import Registry
from subscribers.signup import SignupPages

# Links carry tokens: they are told to nobody, kept by nobody, and nothing foreign is loaded.
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

log = structlog.get_logger()


def web_app(
    sender: Sender,
    templates: Templates,
    editions: Editions,
    registry: Registry,
    clock: Callable[[], datetime],
    send_confirmation: Callable[[Subscriber], None],
    draft: Draft,
) -> FastAPI:
    """The web application that `digest serve` runs.

    ``send_confirmation`` mails the link that a pending subscriber confirms with; it is called
    after the page is answered, and is to tell its own failures. ``draft`` makes the digest of a day
    for some topics, none if nothing matches.
    """
    app = FastAPI(title=sender.name, openapi_url=None)

    def problem(_: Request, error: Exception) -> Response:
        status = HTTPStatus(getattr(error, "status_code", HTTPStatus.NOT_FOUND))
        return HTMLResponse(render("pages/problem.html.j2", what=status.phrase), status)

    def render(name: str, **values: object) -> str:
        return templates.render(name, brand=sender.name, postal=sender.postal_address, **values)

    @app.middleware("http")
    async def add_headers(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        try:
            response = await call_next(request)
        except Exception:
            log.exception("a page failed")  # without its address: that may hold a token
            response = problem(request, HTTPException(HTTPStatus.INTERNAL_SERVER_ERROR))
        response.headers.update(_HEADERS)
        return response

    @app.get("/style.css")
    def style() -> Response:
        return Response(templates.render("pages/style.css"), media_type="text/css")

    app.add_exception_handler(StarletteHTTPException, problem)
    app.add_exception_handler(RequestValidationError, problem)  # /archive/no-date

    app.include_router(PublicPages(render, editions, draft, sender.reply_to).routes())
    feeds = Feeds(render, editions, draft, brand=sender.name, base_url=sender.base_url)
    app.include_router(feeds.routes())
    own_pages = SubscriberPages(registry, sender.tokens, render, clock)
    app.include_router(own_pages.routes())
    signup = SignupPages(registry, sender.tokens, render, clock, send_confirmation)
    app.include_router(signup.routes())
    app.add_exception_handler(TokenError, own_pages.bad_link)
    return app
