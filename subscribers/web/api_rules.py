"""The rules for all requests to the API: tokens, media types, and refusals.

Every refusal is application/problem+json (RFC 9457).
"""

from collections.abc import Callable, Mapping, Sequence
from hmac import compare_digest
from http import HTTPStatus
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.exc import IntegrityError
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from subscribers.errors import ConsentError, SubscriberError
from subscribers.web.api_model import Problem

KIND = "application/problem+json"
LONGEST_DETAIL = 1000  # it may quote what was sent

log = structlog.get_logger()


# ---- tokens and media types ------------------------------------------------------------------


def requires_token(tokens: Sequence[str]) -> Callable[..., None]:
    """Return the dependency that refuses a request without one of the tokens."""
    known = [token.encode() for token in tokens]
    bearer = HTTPBearer(auto_error=False, description="One of `DIGEST_API_TOKENS`.")

    def check(shown: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> None:
        octets = shown.credentials.encode("latin-1") if shown else b""
        # All are compared to their ends, so that the time tells nothing.
        if sum(compare_digest(octets, token) for token in known) == 0:
            raise HTTPException(
                HTTPStatus.UNAUTHORIZED,
                "expected a header Authorization: Bearer TOKEN with a valid token",
                {"WWW-Authenticate": "Bearer"},
            )

    return check


def takes(*kinds: str) -> Any:
    """Return the dependency that refuses bodies of other media types."""

    def check(request: Request) -> None:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in kinds:
            expected = f"expected Content-Type: {' or '.join(kinds)}"
            raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, expected)

    return Depends(check)


# ---- refusals --------------------------------------------------------------------------------


def problem(
    status: HTTPStatus, detail: str = "", headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return a refusal; ``detail`` gives the reason."""
    # It may quote characters that cannot be encoded.
    detail = (detail or status.description)[:LONGEST_DETAIL]
    printable = detail.encode(errors="backslashreplace").decode()
    content = {"type": "about:blank", "title": status.phrase, "status": status, "detail": printable}
    return JSONResponse(content, status, headers, KIND)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return refusals as the description of a route declares them."""
    content = {KIND: {"schema": Problem.model_json_schema()}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        for status in statuses
    }


def refuse_with_problems(api: FastAPI, routers: Sequence[APIRouter]) -> None:
    """Make an application with these routers answer every error with a problem."""
    routes = [route for router in routers for route in router.routes]

    def on_refusal(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        headers = dict(error.headers or {})
        if "Allow" in headers:  # the framework lists the methods of only one route
            methods = {method for route in routes for method in _methods(route, request)}
            headers["Allow"] = ", ".join(sorted({*headers["Allow"].split(", "), *methods}))
        return problem(HTTPStatus(error.status_code), error.detail, headers)

    api.add_exception_handler(HTTPException, on_refusal)
    api.add_exception_handler(RequestValidationError, _on_invalid)
    api.add_exception_handler(SubscriberError, _refuse(HTTPStatus.UNPROCESSABLE_ENTITY))
    api.add_exception_handler(ConsentError, _refuse(HTTPStatus.CONFLICT))
    race = "another request made the same change at this moment: try again"
    api.add_exception_handler(IntegrityError, _refuse(HTTPStatus.CONFLICT, race))
    api.add_middleware(_Failures)


def _methods(route: BaseRoute, request: Request) -> set[str]:
    """Return the methods of a route if it has the path of a request."""
    if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE:
        return route.methods or set()
    return set()


def _on_invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    errors = error.errors()
    if errors[0]["type"] == "json_invalid":
        return problem(HTTPStatus.BAD_REQUEST, "the body is not JSON")
    what = [f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in errors]
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "; ".join(what))


def _refuse(status: HTTPStatus, detail: str = "") -> Callable[[Request, Exception], JSONResponse]:
    return lambda _, error: problem(status, detail or str(error))


class _Failures:
    """ASGI middleware that logs an unexpected error and answers 500 without details."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def noting(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception:
            log.exception("a request to the API failed")  # without its path: it may hold a name
            if has_begun:  # break the connection, so that nobody takes a part for the whole
                raise
            await problem(HTTPStatus.INTERNAL_SERVER_ERROR)(scope, receive, send)
