"""The rules for all requests to the API: tokens, media types, and refusals.

Every refusal is application/problem+json (RFC 9457).
"""

from collections.abc import Callable, Mapping, Sequence
from hmac import compare_digest
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.exc import IntegrityError
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match, Route

from subscribers.errors import ConsentError, SubscriberError
from subscribers.sentences import Sentence, Spoken
from subscribers.web.api_model import Problem
from subscribers.web.failures import Failures

KIND = "application/problem+json"
LONGEST_DETAIL = 1000  # it may quote what was sent
_BY_STATUS = {  # what a framework refuses with no more than a status: a code, and a sentence
    404: ("not-found", Sentence("there is no such route")),
    405: ("method", Sentence("the route does not do that; the header Allow says what it does")),
    413: ("too-large", Sentence("the body is too large")),
    500: ("failed", Sentence("we have failed; the log says more")),
}
_REFUSED = Sentence("the request is refused")
_BY_KIND = {  # what pydantic finds in what was sent, by its own code
    "missing": Sentence("%(field)s is missing"),
    "extra_forbidden": Sentence("%(field)s is not known"),
    "string_too_long": Sentence("%(field)s is too long"),
    "too_long": Sentence("%(field)s has too many items"),
    "too_short": Sentence("%(field)s has too few items"),
    "string_type": Sentence("%(field)s must be a text"),
    "list_type": Sentence("%(field)s must be a list"),
    "bool_type": Sentence("%(field)s must be true or false"),
    "bool_parsing": Sentence("%(field)s must be true or false"),
    "int_type": Sentence("%(field)s must be a whole number"),
    "int_parsing": Sentence("%(field)s must be a whole number"),
}
_UNUSABLE = Sentence("%(field)s cannot be used")


class Refusal(HTTPException):
    """Raised for a request that is refused, with a code for programs and the reason."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        why: Sentence,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, headers=headers)
        self.code = code
        self.why = why


# ---- tokens and media types ------------------------------------------------------------------


def requires_token(tokens: Sequence[str]) -> Callable[..., None]:
    """Return the dependency that refuses a request without one of the tokens."""
    known = [token.encode() for token in tokens]
    bearer = HTTPBearer(auto_error=False, description="One of `DIGEST_API_TOKENS`.")

    def check(shown: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> None:
        octets = shown.credentials.encode("latin-1") if shown else b""
        # All are compared to their ends, so that the time tells nothing.
        if sum(compare_digest(octets, token) for token in known) == 0:
            raise Refusal(
                HTTPStatus.UNAUTHORIZED,
                "token",
                Sentence("expected a header Authorization: Bearer TOKEN with a valid token"),
                {"WWW-Authenticate": "Bearer"},
            )

    return check


def takes(*kinds: str) -> Any:
    """Return the dependency that refuses bodies of other media types."""

    def check(request: Request) -> None:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in kinds:
            raise Refusal(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                "media-type",
                Sentence("expected Content-Type: %(kinds)s", kinds=", ".join(kinds)),
            )

    return Depends(check)


# ---- refusals --------------------------------------------------------------------------------


def spoken_by(request: Request) -> Spoken:
    """Return the language of a request."""
    language: Spoken = request.state.visit.language
    return language


def problem(
    request: Request,
    status: HTTPStatus,
    code: str = "",
    why: Sentence | None = None,
    headers: Mapping[str, str] | None = None,
    **more: object,
) -> JSONResponse:
    """Return a refusal: a code for programs, and the reason in the language of the request."""
    usual_code, usual_why = _BY_STATUS.get(status, ("refused", _REFUSED))
    language = spoken_by(request)
    # It may quote characters that cannot be encoded.
    detail = (why or usual_why).said(language)[:LONGEST_DETAIL]
    content = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status,
        "code": code or usual_code,
        "detail": detail.encode(errors="backslashreplace").decode(),
        **more,
    }
    return JSONResponse(
        content, status, {"Content-Language": language.code, **(headers or {})}, KIND
    )


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
        code, why = (error.code, error.why) if isinstance(error, Refusal) else ("", None)
        return problem(request, HTTPStatus(error.status_code), code, why, headers)

    api.add_exception_handler(HTTPException, on_refusal)
    api.add_exception_handler(RequestValidationError, _on_invalid)
    api.add_exception_handler(SubscriberError, _refuse(HTTPStatus.UNPROCESSABLE_ENTITY))
    api.add_exception_handler(ConsentError, _refuse(HTTPStatus.CONFLICT))
    api.add_exception_handler(IntegrityError, _on_race)
    api.add_middleware(
        Failures, answer=lambda request: problem(request, HTTPStatus.INTERNAL_SERVER_ERROR)
    )


def _methods(route: BaseRoute, request: Request) -> set[str]:
    """Return the methods of a route if it has the path of a request."""
    if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE:
        return route.methods or set()
    return set()


def _on_invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    errors = [(".".join(map(str, found["loc"])), found["type"]) for found in error.errors()]
    if errors[0][1] == "json_invalid":
        why = Sentence("the body is not JSON")
        return problem(request, HTTPStatus.BAD_REQUEST, "not-json", why)
    field, kind = errors[0]
    why = Sentence(_BY_KIND.get(kind, _UNUSABLE).message, field=field)
    told = [{"field": field, "code": kind} for field, kind in errors]
    return problem(request, HTTPStatus.UNPROCESSABLE_ENTITY, "fields", why, errors=told)


def _on_race(request: Request, _: Exception) -> JSONResponse:
    why = Sentence("another request made the same change at this moment: try again")
    return problem(request, HTTPStatus.CONFLICT, "race", why)


def _refuse(status: HTTPStatus) -> Callable[[Request, Exception], JSONResponse]:
    def refuse(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, SubscriberError)
        return problem(request, status, error.code, error)

    return refuse
