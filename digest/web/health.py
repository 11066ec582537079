"""For machines that look after this one: whether it answers, whether it can work, and figures.

``/healthz`` and ``/readyz`` are for everybody, and so say next to nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hmac import compare_digest
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

FIGURES = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True)
class Watch:
    """What is asked: ``missing`` gives in a word what keeps the pages from working, or nothing.

    ``figures`` are in the text format of Prometheus, for whoever shows one of the tokens.
    """

    missing: Callable[[], str]
    figures: Callable[[], bytes]
    tokens: Sequence[str] = ()


def health_routes(watch: Watch) -> APIRouter:
    """``/healthz``, ``/readyz``, and ``/metrics`` if there are tokens for it."""
    routes = APIRouter(default_response_class=PlainTextResponse)

    async def healthz() -> str:  # by the event loop itself: it answers, whatever else waits
        return "ok"

    def readyz() -> Response:
        missing = watch.missing()
        status = HTTPStatus.SERVICE_UNAVAILABLE if missing else HTTPStatus.OK
        return PlainTextResponse(missing or "ready", status)

    def metrics(request: Request) -> Response:
        if not _shows_token(request, watch.tokens):
            headers = {"WWW-Authenticate": "Bearer"}
            return PlainTextResponse("unauthorised", HTTPStatus.UNAUTHORIZED, headers)
        return Response(watch.figures(), media_type=FIGURES)

    routes.add_api_route("/healthz", healthz, methods=["GET", "HEAD"])
    routes.add_api_route("/readyz", readyz, methods=["GET", "HEAD"])
    if watch.tokens:
        routes.add_api_route("/metrics", metrics)
    return routes


def _shows_token(request: Request, tokens: Sequence[str]) -> bool:
    kind, _, shown = request.headers.get("authorization", "").partition(" ")
    octets = shown.strip().encode("latin-1")  # a header's own encoding
    # All are compared, and each to its end: the time that it takes tells nothing.
    is_known = sum(compare_digest(octets, token.encode()) for token in tokens) > 0
    return is_known and kind.lower() == "bearer"
