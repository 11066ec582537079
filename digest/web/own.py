"""A subscriber's own digest, in the browser: the mail as it was sent, behind a signed link."""

from datetime import date
from http import HTTPStatus

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse

from digest.web.site import Site
from subscribers.tokens import Purpose

# A mail has its style in each element, and may show pictures; a page here has neither.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src https:; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Robots-Tag": "noindex",
}


class OwnDigests:
    """``/digest/TOKEN/DAY``."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def routes(self) -> APIRouter:
        routes = APIRouter()
        routes.add_api_route("/digest/{token}/{day}", self.show, methods=["GET", "HEAD"])
        return routes

    def show(self, token: str, day: date) -> HTMLResponse:
        context = self._site.context
        person = context.registry.by_public_id(context.tokens.read(Purpose.DIGEST, token))
        html = person and self._site.own_digest(person, day)
        if not html:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return HTMLResponse(html, headers=_HEADERS)
