"""The editions as feeds: Atom (RFC 4287) and JSON Feed 1.1 (https://jsonfeed.org/version/1.1).

An entry is an edition; with topics, an edition's papers on them. Editions without any are left out.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Query, Response
from fastapi.responses import JSONResponse
from lxml import etree
from lxml.builder import ElementMaker

from digest.compose.view import CardView, card, long_date
from digest.model.digests import Edition, Section
from digest.web.site import Site, cards_of
from subscribers.errors import TopicError
from subscribers.topics import TopicFilter, parse_topics

SHOWN_EDITIONS = 14

_ATOM = "http://www.w3.org/2005/Atom"

Topics = Annotated[list[str], Query(max_length=20)]


@dataclass(frozen=True, slots=True)
class Entry:
    """One edition in a feed. ``moment`` is the day's beginning (RFC 3339), ``html`` its content."""

    moment: str
    url: str
    title: str
    html: str


def feed_routes(site: Site) -> APIRouter:
    """Return ``/feed.atom`` and ``/feed.json``, each with ``?topic=…`` as often as one likes."""
    routes = APIRouter()
    brand, base_url = site.identity.name, site.identity.base_url

    def title(topics: list[str]) -> str:
        return f"{brand}: {', '.join(topics)}" if topics else brand

    def own_url(path: str, topics: list[str]) -> str:
        query = urlencode([("topic", topic) for topic in topics])
        return f"{base_url}{path}" + (f"?{query}" if query else "")

    @routes.get("/feed.atom", response_class=Response)
    def atom(topic: Topics = []) -> Response:  # noqa: B006  FastAPI copies it
        entries = _entries(site, topic)
        make = ElementMaker(namespace=_ATOM, nsmap={None: _ATOM})
        own = own_url("/feed.atom", topic)
        feed = make.feed(
            make.id(own),
            make.title(title(topic)),
            make.updated(entries[0].moment if entries else "1970-01-01T00:00:00+00:00"),
            make.link(rel="self", href=own, type="application/atom+xml"),
            make.link(rel="alternate", href=f"{base_url}/archive", type="text/html"),
            make.author(make.name(brand)),
        )
        for entry in entries:
            feed.append(
                make.entry(
                    make.id(entry.url),
                    make.title(entry.title),
                    make.updated(entry.moment),
                    make.link(rel="alternate", href=entry.url, type="text/html"),
                    make.content(entry.html, type="html"),
                )
            )
        body = etree.tostring(feed, xml_declaration=True, encoding="utf-8")
        return Response(body, media_type="application/atom+xml")

    @routes.get("/feed.json", response_class=JSONResponse)
    def json(topic: Topics = []) -> JSONResponse:  # noqa: B006  FastAPI copies it
        feed = {
            "version": "https://jsonfeed.org/version/1.1",
            "title": title(topic),
            "home_page_url": f"{base_url}/",
            "feed_url": own_url("/feed.json", topic),
            "language": "en",
            "items": [
                {
                    "id": entry.url,
                    "url": entry.url,
                    "title": entry.title,
                    "content_html": entry.html,
                    "date_published": entry.moment,
                }
                for entry in _entries(site, topic)
            ],
        }
        return JSONResponse(feed, media_type="application/feed+json")

    return routes


def _entries(site: Site, typed: list[str]) -> list[Entry]:
    """Return the latest editions, newest first; answer unreadable topics with 422."""
    try:
        topics = parse_topics(typed)
    except TopicError as error:
        raise HTTPException(422, str(error)) from error
    entries = []
    for day, _ in site.editions.days(SHOWN_EDITIONS):
        edition = site.editions.on(day)
        cards = _cards(site, edition, topics) if edition else []
        if cards:
            papers = "1 paper" if len(cards) == 1 else f"{len(cards)} papers"
            html = site.context.render("pages/partials/feed-entry.html.j2", cards=cards)
            url = f"{site.identity.base_url}/archive/{day}"
            moment = datetime.combine(day, time(), UTC).isoformat()
            entries.append(Entry(moment, url, f"{long_date(day)}: {papers}", html))
    return entries


def _cards(site: Site, edition: Edition, topics: tuple[TopicFilter, ...]) -> list[CardView]:
    if not topics:
        return cards_of(edition)
    digest = site.draft(edition.day, topics)
    picks = digest.picks if digest else ()
    return [card(pick) for pick in picks if pick.section is Section.FOR_YOU]
