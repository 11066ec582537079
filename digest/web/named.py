"""The pages of authors and organisations: their papers that were collected."""

from collections import Counter
from collections.abc import Sequence
from http import HTTPStatus

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse

from digest.model.digests import Candidate
from digest.model.identity import name_key
from digest.model.page_paths import name_path
from digest.model.shelf import Order, chosen
from digest.web import linked_data, list_view
from digest.web.browse import PageNumber
from digest.web.caching import public_route
from digest.web.follow_links import follow_topic, subscribe_path
from digest.web.list_view import Place, read_choice
from digest.web.paper_rows import rows
from digest.web.site import Site
from digest.web.visit import Visit, Visited
from subscribers.follows import FollowKind

LONGEST_NAME = 300  # characters that are looked at


def named_routes(site: Site) -> APIRouter:
    """Return ``/author/NAME`` and ``/organisation/NAME``."""
    routes = APIRouter(
        default_response_class=HTMLResponse, route_class=public_route(site.versions, site.showing)
    )

    @routes.get("/author/{name:path}")
    def author(visit: Visited, name: str, sort: str = "", page: PageNumber = 1) -> HTMLResponse:
        return _papers_of(site, visit, FollowKind.AUTHOR, name, sort, page)

    @routes.get("/organisation/{name:path}")
    def organisation(
        visit: Visited, name: str, sort: str = "", page: PageNumber = 1
    ) -> HTMLResponse:
        return _papers_of(site, visit, FollowKind.ORGANISATION, name, sort, page)

    return routes


def _papers_of(
    site: Site, visit: Visit, kind: FollowKind, name: str, sort: str, page: int
) -> HTMLResponse:
    """Fill the page of a name. All its spellings give the same, which names one address for it."""
    language, browsing = visit.language, site.browsing
    key = name_key(name[:LONGEST_NAME])
    entries = browsing.of_name(kind, key)
    choice = read_choice(sort, "", "", "", Order.NEWEST)
    shown = list_view.on_page(chosen(entries, choice), page)
    if not shown:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    papers = browsing.candidates(shown)
    spelt = _spelling(papers, kind, key)
    place = Place(name_path(kind, spelt), choice, Order.NEWEST)
    span = browsing.span()
    topic = follow_topic(kind, spelt)
    return site.page(
        "named",
        visit,
        title=spelt,
        is_author=kind is FollowKind.AUTHOR,
        papers=len(entries),
        sorts=list_view.sorts(place, language),
        rows=rows(papers, site.pictures_at, language, span[1] if span else None),
        pages=list_view.pages(place, page, len(entries), language),
        subscribe=subscribe_path(topic),
        feeds=list_view.feeds(topic, language),
        canonical=visit.canonical(place.path),
        is_canonical=place.page(page) == place.path,
        data=linked_data.item_list(papers, site.identity.base_url),
    )


def _spelling(papers: Sequence[Candidate], kind: FollowKind, key: str) -> str:
    """Return how most of some papers spell a name."""
    named = (
        paper.facts.authors if kind is FollowKind.AUTHOR else (paper.facts.organisation,)
        for paper in papers
    )
    spelt = Counter(name for names in named for name in names if name_key(name) == key)
    return min(spelt, key=lambda name: (-spelt[name], name))
