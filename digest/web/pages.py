"""Make the web application: all pages, and the headers of each answer."""

import re
from dataclasses import replace
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException as StarletteHTTPException

from digest.web.answers import EveryAnswer
from digest.web.browse import browse_routes
from digest.web.feeds import feed_routes, feeds_page
from digest.web.files import file_routes
from digest.web.health import health_routes
from digest.web.landing import landing_routes
from digest.web.named import named_routes
from digest.web.paper import citation_routes, paper_routes
from digest.web.pictures import picture_routes
from digest.web.private_feed import private_feed_routes
from digest.web.public import personal_routes
from digest.web.search import search_routes
from digest.web.site import Site
from digest.web.sitemap import sitemap_routes
from digest.web.visit import Visits, visit_of
from digest.web.webhooks import LARGEST_BODY, PREFIX, webhook_routes
from subscribers.errors import TokenError
from subscribers.web import choosing, feed_links, following, leaving, own_papers, rating, signup
from subscribers.web.api import api_app
from subscribers.web.api_rules import problem as api_problem
from subscribers.web.body_limit import BodyLimit
from subscribers.web.damaged_links import RepairedLinks
from subscribers.web.failures import Failures
from subscribers.web.page_context import NotSubscribedError, context_of

LARGEST_FORM = 256 * 1024  # octets; two long fields, each letter written as %XX%XX%XX%XX
LARGEST_WITH_PAPERS = 2 * 1024 * 1024  # where a file of references may be sent
_WITH_PAPERS = re.compile(r"/subscribe|/preview|/preferences/[^/]+/papers")
LARGEST_IMPORT = 64 * 1024 * 1024
API = "/api/v1"


def web_app(site: Site) -> FastAPI:
    """Return the web application that `digest serve` runs."""
    # A slash too many is no page: a redirect would keep a one-click POST (RFC 8058) from leaving.
    app = FastAPI(title=site.identity.name, openapi_url=None, redirect_slashes=False)

    def problem(request: Request, status: HTTPStatus) -> Response:
        return site.page("problem", replace(visit_of(request), path=""), status, number=status)

    def on_refusal(request: Request, error: Exception) -> Response:
        # What cannot be read as a day is a page that does not exist: /archive/no-date
        status = HTTPStatus(getattr(error, "status_code", HTTPStatus.NOT_FOUND))
        # A path with a line break in it does not even reach what is mounted.
        is_for_api = site.api_tokens and request.scope["path"].startswith(f"{API}/")
        answer = api_problem(request, status) if is_for_api else problem(request, status)
        answer.headers.update(getattr(error, "headers", None) or {})  # when to come again, say
        return answer

    def on_not_subscribed(request: Request, error: Exception) -> Response:
        assert isinstance(error, NotSubscribedError)
        return context_of(request).left(error.person)

    app.add_middleware(BodyLimit, most=_largest_body)
    app.add_middleware(
        Failures, answer=lambda request: problem(request, HTTPStatus.INTERNAL_SERVER_ERROR)
    )
    app.add_middleware(EveryAnswer)
    app.add_middleware(Visits, usual=site.usual_visit)
    app.add_middleware(RepairedLinks, prefix=site.identity.root)
    app.add_exception_handler(StarletteHTTPException, on_refusal)
    app.add_exception_handler(RequestValidationError, on_refusal)
    app.add_exception_handler(TokenError, lambda request, _: context_of(request).bad_link())
    app.add_exception_handler(NotSubscribedError, on_not_subscribed)

    app.state.context = site.context
    for router in (
        file_routes(site),
        landing_routes(site),
        browse_routes(site),
        citation_routes(site),  # before the papers, whose ids may hold anything
        paper_routes(site),
        named_routes(site),
        sitemap_routes(site),
        search_routes(site),
        personal_routes(site),
        feed_routes(site),
        feeds_page(site),
        private_feed_routes(site),
        picture_routes(site),
        signup.routes,
        leaving.routes,
        choosing.routes,
        following.routes,
        own_papers.routes,
        feed_links.routes,
        rating.routes,
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
    if path == f"{API}/import":
        return LARGEST_IMPORT
    return LARGEST_WITH_PAPERS if _WITH_PAPERS.fullmatch(path) else LARGEST_FORM
