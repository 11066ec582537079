"""The pages for everybody: what this is, what one would get, and past editions."""

from collections.abc import Sequence
from datetime import date
from http import HTTPStatus

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse

from digest.compose.language import ENGLISH
from digest.compose.phrases import missing
from digest.compose.view import CardView, card, long_date
from digest.model.digests import Edition, Pick, Section
from digest.rank.popularity import by_popularity
from digest.web.site import Site
from subscribers.errors import SubscriberError
from subscribers.preferences_form import last
from subscribers.web.page_context import FormFields
from subscribers.web.signup import new_form, sent_form, shown_form

SHOWN_EDITIONS = 60
SHOWN_PAPERS = 3
LONGEST_ADDRESS = 320
LONGEST_QUERY = 300


class PublicPages:
    """``/``, ``/preview``, ``/search`` and ``/archive``."""

    def __init__(self, site: Site) -> None:
        self._render = site.context.render
        self._context = site.context
        self._editions = site.editions
        self._draft = site.draft
        self._search = site.search
        self._contact = site.identity.reply_to

    def routes(self) -> APIRouter:
        routes = APIRouter(default_response_class=HTMLResponse)
        routes.add_api_route("/", self.home)
        # A POST, to keep an address that is typed already out of the page's own.
        routes.add_api_route("/preview", self.preview, methods=["POST"], response_model=None)
        routes.add_api_route("/search", self.search, response_model=None)
        routes.add_api_route("/archive", self.archive)
        routes.add_api_route("/archive/{day}", self.edition_of)
        return routes

    def home(self) -> str:
        latest = self._latest_day()
        edition = self._editions.on(latest) if latest else None
        return self._render(
            "pages/home.html.j2",
            contact=self._contact,
            date=long_date(edition.day) if edition else "",
            papers=len(edition.candidates) if edition else 0,
            day=latest,
            cards=_cards(edition)[:SHOWN_PAPERS] if edition else [],
            form=new_form(self._context),
            address="",
            error="",
        )

    def preview(self, fields: FormFields) -> HTMLResponse:
        """What the latest edition would have been for somebody with these wishes."""
        latest = self._latest_day()
        digest, error = None, ""
        try:
            topics, wishes = sent_form(self._context, fields).read(self._context.defaults)
            digest = self._draft(latest, topics, wishes) if latest else None
        except SubscriberError as refused:
            error = str(refused)
        page = self._render(
            "pages/preview.html.j2",
            date=long_date(latest) if latest else "",
            cards=[card(pick) for pick in digest.picks] if digest else [],
            form=shown_form(self._context, fields),
            address=last(fields, "address")[:LONGEST_ADDRESS],
            error=error,
        )
        return HTMLResponse(page, HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK)

    def search(self, q: str = "") -> HTMLResponse:
        """Papers by topic. ``q`` is a topic filter; what is empty finds nothing."""
        found: Sequence[Pick] = ()
        error = ""
        try:
            found = self._search(q[:LONGEST_QUERY]) if q.strip() else ()
        except SubscriberError as refused:
            error = str(refused)
        cards = [card(pick) for pick in found]
        page = self._render("pages/search.html.j2", typed=q, cards=cards, error=error)
        return HTMLResponse(page, HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK)

    def archive(self) -> str:
        days = [
            {"link": f"/archive/{day}", "date": long_date(day), "papers": papers}
            for day, papers in self._editions.days(SHOWN_EDITIONS)
        ]
        return self._render("pages/archive.html.j2", days=days)

    def edition_of(self, day: date) -> str:
        edition = self._editions.on(day)
        if edition is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return self._render(
            "pages/edition.html.j2",
            date=long_date(day),
            cards=_cards(edition),
            missing=missing(edition.missing, ENGLISH),
        )

    def _latest_day(self) -> date | None:
        days = self._editions.days(1)
        return days[0][0] if days else None


def _cards(edition: Edition) -> list[CardView]:
    """All papers of an edition as they are shown, the most popular first."""
    candidates = by_popularity(edition.candidates)
    return [card(Pick(Section.TRENDING, candidate)) for candidate in candidates]
