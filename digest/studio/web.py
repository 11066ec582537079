"""The studio as a web application: its routes, and its error pages."""

from collections.abc import Callable, Sequence
from http import HTTPStatus

import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException as StarletteHTTPException

from digest.errors import DigestError
from digest.studio.access import HEADERS, Guard
from digest.studio.login import Sessions, login_routes
from digest.studio.people_import import LARGEST as LARGEST_IMPORT
from digest.studio.people_import import PATH as IMPORT
from digest.studio.render import Pages, static
from subscribers.errors import SubscriberError
from subscribers.web.body_limit import BodyLimit

LARGEST_FORM = 64 * 1024  # octets
_STATIC = {
    "studio.css": "text/css",
    "history.css": "text/css",
    "people.css": "text/css",
    "studio.js": "text/javascript",
    "studio.svg": "image/svg+xml",
}

_NO_PAGE = "This page does not exist, or does not accept this request."
_REFUSALS = {HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "What was sent is too large."}

log = structlog.get_logger()


def studio_app(
    routers: Sequence[APIRouter], pages: Pages, *, host: str, password: str | None, root: str = ""
) -> FastAPI:
    """Return the application that `digest studio` serves on ``host``; a password makes a login.

    ``root`` is the path that a proxy serves it under, which it may remove from requests or not.
    """
    app = FastAPI(title="studio", openapi_url=None, redirect_slashes=False)

    def problem(status: HTTPStatus, why: str) -> Response:
        return pages.html("problem.html.j2", status, here="", what=status.phrase, why=why)

    def on_refusal(_: Request, error: Exception) -> Response:
        status = HTTPStatus(getattr(error, "status_code", HTTPStatus.NOT_FOUND))
        return problem(status, _REFUSALS.get(status, _NO_PAGE))

    def on_trouble(_: Request, error: Exception) -> Response:
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error))

    def on_database(_: Request, error: Exception) -> Response:
        first_line = str(error).splitlines()[0]
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, f"The database failed: {first_line}")

    def on_fault(_: Request, error: Exception) -> Response:
        log.error("a page of the studio failed", exc_info=error)
        answer = problem(HTTPStatus.INTERNAL_SERVER_ERROR, "The log of the studio has the details.")
        answer.headers.update(HEADERS)  # it is made outside of the guard
        return answer

    app.add_middleware(BodyLimit, most=_most)
    sessions = Sessions(password) if password else None
    if sessions:
        app.include_router(login_routes(sessions, pages, root))
    app.add_middleware(Guard, host=host, sessions=sessions, root=root)  # before all else
    app.add_exception_handler(StarletteHTTPException, on_refusal)
    app.add_exception_handler(RequestValidationError, on_refusal)
    app.add_exception_handler(DigestError, on_trouble)
    app.add_exception_handler(SubscriberError, on_trouble)
    app.add_exception_handler(SQLAlchemyError, on_database)
    app.add_exception_handler(Exception, on_fault)
    for name, kind in _STATIC.items():
        app.add_api_route(f"/{name}", _answer(name, kind), methods=["GET", "HEAD"])
    for router in routers:
        app.include_router(router)
    return app


def _most(path: str) -> int:
    """Return how many octets a request to a path may have."""
    return LARGEST_IMPORT if path == IMPORT else LARGEST_FORM


def _answer(name: str, kind: str) -> Callable[[], Response]:
    return lambda: Response(static(name), media_type=kind)
