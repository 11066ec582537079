"""What holds for every request to the API: who may send it, of which kind, and how it is refused.

Every refusal has one form: application/problem+json (RFC 9457).
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
LONGEST_DETAIL = 1000  # what was sent may be quoted in it

log = structlog.get_logger()


# ---- who, and what ---------------------------------------------------------------------------


def door(tokens: Sequence[str]) -> Callable[..., None]:
    """Let in whoever shows one of the tokens."""
    known = [token.encode() for token in tokens]
    bearer = HTTPBearer(auto_error=False, description="One of `DIGEST_API_TOKENS`.")

    def admit(shown: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> None:
        octets = shown.credentials.encode("latin-1") if shown else b""  # a header's own encoding
        # All are compared, and each to its end: the time that it takes tells nothing.
        if sum(compare_digest(octets, token) for token in known) == 0:
            raise HTTPException(
                HTTPStatus.UNAUTHORIZED,
                "expected a header Authorization: Bearer TOKEN with a valid token",
                {"WWW-Authenticate": "Bearer"},
            )

    return admit


def takes(*kinds: str) -> Any:
    """Let in bodies of these media types only."""

    def admit(request: Request) -> None:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in kinds:
            expected = f"expected Content-Type: {' or '.join(kinds)}"
            raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, expected)

    return Depends(admit)


# ---- refusals --------------------------------------------------------------------------------


def problem(
    status: HTTPStatus, detail: str = "", headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Answer what cannot be done; ``detail`` says why, in words."""
    # What is quoted may hold characters that have no octets.
    detail = (detail or status.description)[:LONGEST_DETAIL]
    printable = detail.encode(errors="backslashreplace").decode()
    content = {"type": "about:blank", "title": status.phrase, "status": status, "detail": printable}
    return JSONResponse(content, status, headers, KIND)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Refusals as a route's description names them."""
    content = {KIND: {"schema": Problem.model_json_schema()}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        for status in statuses
    }


def refuse_with_problems(api: FastAPI, routers: Sequence[APIRouter]) -> None:
    """Have an application with these routers answer with a problem whatever goes wrong in it."""
    routes = [route for router in routers for route in router.routes]

    def on_refusal(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        headers = dict(error.headers or {})
        if "Allow" in headers:  # the framework names the methods of one route, not of the others
            methods = {method for route in routes for method in _methods(route, request)}
            headers["Allow"] = ", ".join(sorted({*headers["Allow"].split(", "), *methods}))
        return problem(HTTPStatus(error.status_code), error.detail, headers)

    api.add_exception_handler(HTTPException, on_refusal)
    api.add_exception_handler(RequestValidationError, _on_invalid)
    api.add_exception_handler(SubscriberError, _refuse(HTTPStatus.UNPROCESSABLE_ENTITY))
    api.add_exception_handler(ConsentError, _refuse(HTTPStatus.CONFLICT))
    race = "another request did the same at this moment: try again"
    api.add_exception_handler(IntegrityError, _refuse(HTTPStatus.CONFLICT, race))
    api.add_middleware(_Failures)


def _methods(route: BaseRoute, request: Request) -> set[str]:
    """The methods of a route, if it has the path of a request."""
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
    """ASGI middleware: a failure of ours is logged, and told as no more than that."""

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
            log.exception("a request to the API failed")  # without its address: it may hold a name
            if has_begun:  # cut off, so that a part is not taken for the whole
                raise
            await problem(HTTPStatus.INTERNAL_SERVER_ERROR)(scope, receive, send)
