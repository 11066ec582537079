"""The web application: all pages, and what holds for each answer."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from digest.web.feeds import feed_routes
from digest.web.health import health_routes
from digest.web.public import archive_routes, public_routes
from digest.web.site import Site
from digest.web.webhooks import LARGEST_BODY, PREFIX, webhook_routes
from subscribers.errors import TokenError
from subscribers.web import choosing, leaving, signup
from subscribers.web.api import api_app
from subscribers.web.api_rules import problem as api_problem
from subscribers.web.body_limit import BodyLimit
from subscribers.web.damaged_links import RepairedLinks
from subscribers.web.page_context import NotSubscribedError

# Links carry tokens: they are told to nobody, kept by nobody, and nothing foreign is loaded.
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
LARGEST_FORM = 256 * 1024  # octets; two long fields, each letter written as %XX%XX%XX%XX
LARGEST_IMPORT = 64 * 1024 * 1024
API = "/api/v1"

log = structlog.get_logger()


def web_app(site: Site) -> FastAPI:
    """Return the web application that `digest serve` runs."""
    # A slash too many is no page: a redirect would keep a one-click POST (RFC 8058) from leaving.
    app = FastAPI(title=site.identity.name, openapi_url=None, redirect_slashes=False)
    render = site.context.render

    def problem(status: HTTPStatus) -> Response:
        return HTMLResponse(render("pages/problem.html.j2", what=status.phrase), status)

    def on_refusal(request: Request, error: Exception) -> Response:
        # What cannot be read as a day is a page that does not exist: /archive/no-date
        status = HTTPStatus(getattr(error, "status_code", HTTPStatus.NOT_FOUND))
        # A path with a line break in it does not even reach what is mounted.
        is_for_api = site.api_tokens and request.scope["path"].startswith(f"{API}/")
        answer = api_problem(status) if is_for_api else problem(status)
        answer.headers.update(getattr(error, "headers", None) or {})  # when to come again, say
        return answer

    def on_not_subscribed(_: Request, error: Exception) -> Response:
        assert isinstance(error, NotSubscribedError)
        return site.context.left(error.person)

    app.add_middleware(BodyLimit, most=_largest_body)

    @app.middleware("http")
    async def add_headers(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        try:
            response = await call_next(request)
        except Exception:
            log.exception("a page failed")  # without its address: that may hold a token
            response = problem(HTTPStatus.INTERNAL_SERVER_ERROR)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    app.add_middleware(RepairedLinks, prefix=site.identity.root)
    for name, kind in (("style.css", "text/css"), ("page.js", "text/javascript")):
        app.add_api_route(f"/{name}", _static(site, name, kind), methods=["GET", "HEAD"])
    app.add_exception_handler(StarletteHTTPException, on_refusal)
    app.add_exception_handler(RequestValidationError, on_refusal)
    app.add_exception_handler(TokenError, lambda *_: site.context.bad_link())
    app.add_exception_handler(NotSubscribedError, on_not_subscribed)

    app.state.context = site.context
    for router in (
        public_routes(site),
        archive_routes(site),
        feed_routes(site),
        signup.routes,
        leaving.routes,
        choosing.routes,
        health_routes(site),
        webhook_routes(site),
    ):
        # Not include_router: it makes each route a second time, to add what `app` has for all of
        # them (dependencies, a prefix), which is nothing.
        app.router.routes.extend(router.routes)
    if site.api_tokens:
        url = f"{site.identity.root}{API}"
        app.mount(API, api_app(site.context, site.api_tokens, url))
    return app


def _largest_body(path: str) -> int:
    if path.startswith(PREFIX):
        return LARGEST_BODY
    return LARGEST_IMPORT if path == f"{API}/import" else LARGEST_FORM


def _static(site: Site, name: str, kind: str) -> Callable[[], Response]:
    """Return a file that the operator may have changed, like any other template."""
    return lambda: Response(site.templates.render(f"pages/{name}"), media_type=kind)
