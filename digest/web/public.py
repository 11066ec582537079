"""The pages that change nothing: what this is, what one would get, and past editions."""

from collections.abc import Sequence
from datetime import date
from http import HTTPStatus

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse

from digest.compose.language import ENGLISH
from digest.compose.phrases import missing
from digest.compose.view import card, long_date
from digest.model.digests import Pick
from digest.web.site import Site, cards_of
from subscribers.errors import SubscriberError
from subscribers.preferences_form import last
from subscribers.tokens import Purpose
from subscribers.web.page_context import FormFields
from subscribers.web.signup import new_form, sent_form, shown_form

SHOWN_EDITIONS = 60
SHOWN_PAPERS = 3
LONGEST_ADDRESS = 320
LONGEST_QUERY = 300
# A mail has its style in each element, and may show pictures; a page here has neither.
_MAIL_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src https:; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Robots-Tag": "noindex",
}


def public_routes(site: Site) -> APIRouter:
    """Return ``/``, ``/preview`` and ``/search``."""
    routes = APIRouter(default_response_class=HTMLResponse)
    context, render = site.context, site.context.render

    def latest_day() -> date | None:
        days = site.editions.days(1)
        return days[0][0] if days else None

    @routes.get("/")
    def home() -> str:
        latest = latest_day()
        edition = site.editions.on(latest) if latest else None
        return render(
            "pages/home.html.j2",
            contact=site.identity.reply_to,
            date=long_date(edition.day) if edition else "",
            papers=len(edition.candidates) if edition else 0,
            day=latest,
            cards=cards_of(edition)[:SHOWN_PAPERS] if edition else [],
            form=new_form(context),
            address="",
            error="",
        )

    # A POST, to keep an address that is typed already out of the page's own.
    @routes.post("/preview", response_model=None)
    def preview(fields: FormFields) -> HTMLResponse:
        """Show what the latest edition would have been for somebody with these preferences."""
        latest = latest_day()
        digest, error = None, ""
        try:
            topics, preferences = sent_form(context, fields).read(context.defaults)
            digest = site.draft(latest, topics, preferences) if latest else None
        except SubscriberError as refused:
            error = str(refused)
        page = render(
            "pages/preview.html.j2",
            date=long_date(latest) if latest else "",
            cards=[card(pick) for pick in digest.picks] if digest else [],
            form=shown_form(context, fields),
            address=last(fields, "address")[:LONGEST_ADDRESS],
            error=error,
        )
        return HTMLResponse(page, HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK)

    @routes.get("/search", response_model=None)
    def search(q: str = "") -> HTMLResponse:
        """Show papers that fit ``q``, a topic filter; none if it is empty."""
        found: Sequence[Pick] = ()
        error = ""
        try:
            found = site.search(q[:LONGEST_QUERY]) if q.strip() else ()
        except SubscriberError as refused:
            error = str(refused)
        cards = [card(pick) for pick in found]
        page = render("pages/search.html.j2", typed=q, cards=cards, error=error)
        return HTMLResponse(page, HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK)

    return routes


def archive_routes(site: Site) -> APIRouter:
    """Return ``/archive`` and ``/digest``."""
    routes = APIRouter(default_response_class=HTMLResponse)
    context, render = site.context, site.context.render

    @routes.get("/archive")
    def archive() -> str:
        days = [
            {"link": f"/archive/{day}", "date": long_date(day), "papers": papers}
            for day, papers in site.editions.days(SHOWN_EDITIONS)
        ]
        return render("pages/archive.html.j2", days=days)

    @routes.get("/archive/{day}")
    def edition_of(day: date) -> str:
        edition = site.editions.on(day)
        if edition is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return render(
            "pages/edition.html.j2",
            date=long_date(day),
            cards=cards_of(edition),
            missing=missing(edition.missing, ENGLISH),
        )

    @routes.api_route("/digest/{token}/{day}", methods=["GET", "HEAD"])
    def own_digest(token: str, day: date) -> HTMLResponse:
        """Show a subscriber's own mail as it was sent, behind a signed link."""
        person = context.registry.by_public_id(context.tokens.read(Purpose.DIGEST, token))
        html = person and site.own_digest(person, day)
        if not html:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return HTMLResponse(html, headers=_MAIL_HEADERS)

    return routes
