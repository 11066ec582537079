"""Tell monitoring whether the pages answer and can work, and give metrics.

``/healthz`` and ``/readyz`` are for everybody, and so say next to nothing.
"""

from collections.abc import Sequence
from hmac import compare_digest
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from digest.web.site import Site

FIGURES = "text/plain; version=0.0.4; charset=utf-8"


def health_routes(site: Site) -> APIRouter:
    """Return ``/healthz``, ``/readyz``, and ``/metrics`` if there are tokens for it."""
    routes = APIRouter(default_response_class=PlainTextResponse)

    @routes.get("/healthz")
    async def healthz() -> str:  # by the event loop itself: it answers, whatever else waits
        return "ok"

    @routes.get("/readyz")
    def readyz() -> Response:
        missing = site.missing()
        status = HTTPStatus.SERVICE_UNAVAILABLE if missing else HTTPStatus.OK
        return PlainTextResponse(missing or "ready", status)

    def metrics(request: Request) -> Response:
        if not _shows_token(request, site.metrics_tokens):
            headers = {"WWW-Authenticate": "Bearer"}
            return PlainTextResponse("unauthorised", HTTPStatus.UNAUTHORIZED, headers)
        return Response(site.figures(), media_type=FIGURES)

    if site.metrics_tokens:
        routes.add_api_route("/metrics", metrics)
    return routes


def _shows_token(request: Request, tokens: Sequence[str]) -> bool:
    kind, _, shown = request.headers.get("authorization", "").partition(" ")
    octets = shown.strip().encode("latin-1")  # a header's own encoding
    # All are compared, each to its end, so that the time tells nothing.
    is_known = sum(compare_digest(octets, token.encode()) for token in tokens) > 0
    return is_known and kind.lower() == "bearer"
