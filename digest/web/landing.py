"""The landing page, the form to subscribe, the sample of an email, and what is said on privacy."""

from dataclasses import replace
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import HTMLResponse

from digest.rank.popularity import by_popularity
from digest.web.caching import public_route
from digest.web.paper_rows import rows
from digest.web.public import MAIL_HEADERS
from digest.web.sample import sample_view, without_own_links
from digest.web.site import Site
from digest.web.visit import Visited
from subscribers.web.signup import prefilled_form

SHOWN_PAPERS = 5

# Topics that a link proposes. They are ticked on the form, and nothing else happens.
Topics = Annotated[list[str], Query(alias="topic", default_factory=list)]


def landing_routes(site: Site) -> APIRouter:
    """Return ``/``, ``/subscribe``, ``/privacy`` and ``/sample``: the same for everybody."""
    routes = APIRouter(
        default_response_class=HTMLResponse, route_class=public_route(site.versions, site.showing)
    )

    @routes.get("/")
    def home(visit: Visited, topics: Topics) -> HTMLResponse:
        language = visit.language
        latest = site.latest_day()
        edition = site.editions.on(latest) if latest else None
        top = by_popularity(edition.candidates)[:SHOWN_PAPERS] if edition else []
        digest, is_current = site.sample.get()
        page = site.page(
            "home",
            visit,
            day=latest,
            papers=len(edition.candidates) if edition else 0,
            rows=rows(site.told(top, language.code), site.pictures_at, language),
            sample=digest and sample_view(digest, language, site.pictures_at),
            form=prefilled_form(replace(site.context, visit=visit), topics),
            address="",
            error=None,
        )
        if not is_current:
            page.headers["Cache-Control"] = "no-store"
        return page

    @routes.get("/subscribe")
    def subscribe(visit: Visited, topics: Topics) -> HTMLResponse:
        context = replace(site.context, visit=visit)
        return context.page(
            "subscribe", form=prefilled_form(context, topics), address="", error=None
        )

    @routes.get("/privacy")
    def privacy(visit: Visited) -> HTMLResponse:
        return site.page("privacy", visit, privacy=site.privacy)

    @routes.get("/sample")
    def sample(visit: Visited) -> HTMLResponse:
        """Show the email that the landing page shows the beginning of."""
        digest, is_current = site.sample.get()
        if digest is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        kept = {} if is_current else {"Cache-Control": "no-store"}
        return HTMLResponse(
            without_own_links(
                site.sample_mail(replace(digest, locale=visit.language.code)),
                site.identity.base_url,
            ),
            headers={**MAIL_HEADERS, **kept},
        )

    return routes
