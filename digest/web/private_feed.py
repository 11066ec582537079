"""A reader's own feed, behind a signed address that they can end: the papers of their digests."""

import hashlib
from http import HTTPStatus

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from digest.model.digests import Pick
from digest.model.page_paths import TODAY
from digest.web.feed_items import feed_items
from digest.web.feed_writer import ATOM_TYPE, JSON_TYPE, Feed, atom, json_feed
from digest.web.limiter import limited_route
from digest.web.site import Site
from digest.web.visit import Visit, Visited
from subscribers.model import Subscriber
from subscribers.tokens import Purpose

SHOWN = 100  # papers
_ONLY_THEIRS = {"Cache-Control": "private, no-cache", "X-Robots-Tag": "noindex"}


def private_feed_routes(site: Site) -> APIRouter:
    """Return ``/feed/{token}/atom`` and ``/feed/{token}/json``."""
    routes = APIRouter(route_class=limited_route(site.showing))

    @routes.get("/feed/{token}/{kind}", response_class=Response)
    def own_feed(visit: Visited, request: Request, token: str, kind: str) -> Response:
        """Show the papers of a reader's last digests. An address that was ended is gone (410)."""
        if kind not in ("atom", "json"):
            raise HTTPException(HTTPStatus.NOT_FOUND)
        person = site.context.feed_reader(token)
        if person is None:
            raise HTTPException(HTTPStatus.GONE)
        feed = _feed(
            site,
            visit.of_reader(person.preferences.locale),
            person,
            f"/{Purpose.FEED}/{token}/{kind}",
        )
        if kind == "atom":
            answer = Response(atom(feed), media_type=ATOM_TYPE)
        else:
            answer = JSONResponse(json_feed(feed), media_type=JSON_TYPE)
        tag = f'"{hashlib.sha256(answer.body).hexdigest()[:32]}"'
        if tag in request.headers.get("If-None-Match", ""):
            answer = Response(status_code=HTTPStatus.NOT_MODIFIED)
        answer.headers.update({**_ONLY_THEIRS, "ETag": tag})
        return answer

    return routes


def _feed(site: Site, visit: Visit, person: Subscriber, path: str) -> Feed:
    identity, language = site.identity, visit.language
    chosen = site.chosen.of(person.id, SHOWN)
    first = {paper.key: paper for paper in reversed(chosen)}  # of two, the newest
    papers = {paper.key: paper for paper in site.browsing.find(list(first))}
    shown = [paper for paper in chosen if first[paper.key] is paper and paper.key in papers]
    picks = [Pick(paper.section, papers[paper.key], paper.match) for paper in shown]
    return Feed(
        title=language.gettext("%(brand)s: your own", brand=identity.name),
        about=language.gettext("Research papers that were chosen for you."),
        own_url=f"{identity.base_url}{path}",
        page_url=f"{visit.base_url}{TODAY}",
        brand=identity.name,
        language=language.code,
        items=feed_items(picks, site, visit, [paper.at for paper in shown]),
    )
