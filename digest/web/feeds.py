"""The public feeds, one item for each paper, and the page that explains them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from http import HTTPStatus
from typing import Annotated, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Query, Response
from fastapi.responses import HTMLResponse, JSONResponse

from digest.model.digests import Pick, Section
from digest.model.page_paths import TODAY
from digest.model.search import SearchOrder, SearchQuery
from digest.model.shelf import Choice, Order, chosen
from digest.web.caching import public_route
from digest.web.feed_items import feed_items
from digest.web.feed_writer import ATOM_TYPE, JSON_TYPE, Feed, atom, json_feed
from digest.web.list_view import feeds as feed_links
from digest.web.site import Site
from digest.web.visit import Visit, Visited
from subscribers.errors import TopicError
from subscribers.preferences import Strictness
from subscribers.topics import MOST_TOPICS, TopicFilter, parse_topics

SHOWN = 100  # papers: a feed is read whole each time, and days have some tens of them
SHOWN_TRENDING = 30
SHOWN_ON_TOPICS = 50
WEEK = timedelta(days=6)
MONTH = timedelta(days=30)
_LONGEST_TOPIC = 300

Topics = Annotated[list[str], Query(max_length=MOST_TOPICS)]


class _Asked(NamedTuple):
    topics: tuple[TopicFilter, ...]
    is_trending: bool

    @property
    def query(self) -> str:
        fields = [("topic", topic.text) for topic in self.topics]
        fields += [("sort", Order.TRENDING.value)] if self.is_trending else []
        return f"?{urlencode(fields)}" if fields else ""


def feed_routes(site: Site) -> APIRouter:
    """Return ``/feed.atom`` and ``/feed.json``.

    Both take ``?topic=…`` as often as one likes, and ``sort=trending``.
    """
    routes = APIRouter(route_class=public_route(site.versions, site.ranking))

    @routes.get("/feed.atom", response_class=Response)
    def in_atom(visit: Visited, topic: Topics = [], sort: str = "") -> Response:  # noqa: B006  FastAPI copies it
        return Response(atom(_feed(site, visit, ".atom", _read(topic, sort))), media_type=ATOM_TYPE)

    @routes.get("/feed.json", response_class=JSONResponse)
    def in_json(visit: Visited, topic: Topics = [], sort: str = "") -> Response:  # noqa: B006  FastAPI copies it
        feed = json_feed(_feed(site, visit, ".json", _read(topic, sort)))
        return JSONResponse(feed, media_type=JSON_TYPE)

    return routes


def feeds_page(site: Site) -> APIRouter:
    """Return ``/feeds``, which leads to all of them, with ``?topic=…`` to one for a topic."""
    routes = APIRouter(
        default_response_class=HTMLResponse, route_class=public_route(site.versions, site.showing)
    )

    @routes.get("/feeds")
    def feeds(visit: Visited, topic: str = "") -> HTMLResponse:
        typed, links = topic.strip()[:_LONGEST_TOPIC], []
        error: TopicError | None = None
        try:
            links = feed_links(TopicFilter.parse(typed).text, visit.language) if typed else []
        except TopicError as refused:
            error = refused
        return site.page(
            "feeds",
            visit,
            HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
            typed=typed,
            error=error,
            links=links,
        )

    return routes


def _read(topics: Sequence[str], sort: str) -> _Asked:
    """Read what a feed is asked for; answer what cannot be read with 422."""
    try:
        found = parse_topics(topics)
    except TopicError as error:
        raise HTTPException(422, str(error)) from error
    if sort not in ("", Order.NEWEST, Order.TRENDING):
        raise HTTPException(422, f"{sort[:40]!r} is no order: expected newest or trending")
    return _Asked(found, sort == Order.TRENDING)


def _feed(site: Site, visit: Visit, ending: str, asked: _Asked) -> Feed:
    identity, language = site.identity, visit.language
    names = language.listed([topic.text for topic in asked.topics])
    kind = language.gettext("Trending") if asked.is_trending else ""
    page = f"/search?{urlencode({'q': asked.topics[0].text})}" if asked.topics else TODAY
    return Feed(
        title=": ".join(filter(None, (identity.name, names, kind))),
        about=language.gettext("Research papers, one item for each."),
        own_url=f"{visit.base_url}/feed{ending}{asked.query}",
        page_url=f"{visit.base_url}{page}",
        brand=identity.name,
        language=language.code,
        items=feed_items(_picks(site, asked), site, visit),
    )


def _picks(site: Site, asked: _Asked) -> list[Pick]:
    span = site.browsing.span()
    if span is None:
        return []
    newest = span[1]
    if asked.topics:
        return _on_topics(site, asked, newest - MONTH)
    entries = site.browsing.of_days(newest - WEEK, newest)
    order, most = (Order.TRENDING, SHOWN_TRENDING) if asked.is_trending else (Order.NEWEST, SHOWN)
    found = chosen(entries, Choice(order=order))[:most]
    return [Pick(Section.TRENDING, paper) for paper in site.browsing.candidates(found)]


def _on_topics(site: Site, asked: _Asked, since: date) -> list[Pick]:
    """Return papers on any of some topics: those since a day and, if they are few, older ones."""
    order = SearchOrder.VOTES if asked.is_trending else SearchOrder.NEWEST
    picks: dict[int, Pick] = {}
    for topic in asked.topics:
        lately = SearchQuery(topic, since, order=order, strictness=Strictness.NORMAL)
        found = site.search(lately, 0, SHOWN_ON_TOPICS)
        if found.total < SHOWN_ON_TOPICS and not asked.is_trending:
            found = site.search(replace(lately, first=date.min), 0, SHOWN_ON_TOPICS)
        for pick in found.picks:
            picks.setdefault(pick.candidate.paper_id, pick)
    in_order = sorted(picks.values(), key=_by_votes if asked.is_trending else _by_day)
    return in_order[:SHOWN_ON_TOPICS]


def _by_day(pick: Pick) -> tuple[int, int]:
    return -pick.candidate.listed_on.toordinal(), -pick.candidate.paper_id


def _by_votes(pick: Pick) -> tuple[int, int]:
    return -(pick.candidate.signals.upvotes or 0), -pick.candidate.paper_id
