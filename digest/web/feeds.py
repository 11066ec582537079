"""The editions as feeds: Atom (RFC 4287) and JSON Feed 1.1 (https://jsonfeed.org/version/1.1).

An entry is an edition; with topics, an edition's papers on them. Editions without any are left out.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Query, Response
from fastapi.responses import JSONResponse
from lxml import etree

from digest.compose.view import CardView, card, long_date
from digest.model.digests import Edition, Pick, Section
from digest.rank.popularity import by_popularity
from digest.web.site import Site
from subscribers.errors import TopicError
from subscribers.topics import TopicFilter, parse_topics

SHOWN_EDITIONS = 14

_ATOM = "http://www.w3.org/2005/Atom"

Topics = Annotated[list[str], Query(max_length=20)]


@dataclass(frozen=True, slots=True)
class Entry:
    """One edition in a feed. ``html`` is its content."""

    day: date
    url: str
    title: str
    html: str

    @property
    def moment(self) -> str:
        """The day's beginning, in the form of RFC 3339."""
        return datetime.combine(self.day, time(), UTC).isoformat()


class Feeds:
    """``/feed.atom`` and ``/feed.json``, each with ``?topic=…`` as often as one likes."""

    def __init__(self, site: Site) -> None:
        self._render = site.context.render
        self._editions = site.editions
        self._draft = site.draft
        self._brand = site.identity.name
        self._base_url = site.identity.base_url

    def routes(self) -> APIRouter:
        routes = APIRouter()
        routes.add_api_route("/feed.atom", self.atom, response_class=Response)
        routes.add_api_route("/feed.json", self.json, response_class=JSONResponse)
        return routes

    def atom(self, topic: Topics = []) -> Response:  # noqa: B006  FastAPI copies it
        entries = self._entries(topic)
        feed = etree.Element(f"{{{_ATOM}}}feed", nsmap={None: _ATOM})  # type: ignore[dict-item]  # the stubs lack it
        own = self._own_url("/feed.atom", topic)
        _add(feed, "id", own)
        _add(feed, "title", self._title(topic))
        _add(feed, "updated", entries[0].moment if entries else "1970-01-01T00:00:00+00:00")
        _add(feed, "link", rel="self", href=own, type="application/atom+xml")
        _add(feed, "link", rel="alternate", href=f"{self._base_url}/archive", type="text/html")
        _add(_add(feed, "author"), "name", self._brand)
        for post in entries:
            entry = _add(feed, "entry")
            _add(entry, "id", post.url)
            _add(entry, "title", post.title)
            _add(entry, "updated", post.moment)
            _add(entry, "link", rel="alternate", href=post.url, type="text/html")
            _add(entry, "content", post.html, type="html")
        body = etree.tostring(feed, xml_declaration=True, encoding="utf-8")
        return Response(body, media_type="application/atom+xml")

    def json(self, topic: Topics = []) -> JSONResponse:  # noqa: B006  FastAPI copies it
        feed: dict[str, Any] = {
            "version": "https://jsonfeed.org/version/1.1",
            "title": self._title(topic),
            "home_page_url": f"{self._base_url}/",
            "feed_url": self._own_url("/feed.json", topic),
            "language": "en",
            "items": [
                {
                    "id": entry.url,
                    "url": entry.url,
                    "title": entry.title,
                    "content_html": entry.html,
                    "date_published": entry.moment,
                }
                for entry in self._entries(topic)
            ],
        }
        return JSONResponse(feed, media_type="application/feed+json")

    def _entries(self, typed: list[str]) -> list[Entry]:
        """The latest editions, newest first. Topics that cannot be read are answered with 422."""
        try:
            topics = parse_topics(typed)
        except TopicError as error:
            raise HTTPException(422, str(error)) from error
        entries = []
        for day, _ in self._editions.days(SHOWN_EDITIONS):
            edition = self._editions.on(day)
            cards = self._cards(edition, topics) if edition else []
            if cards:
                papers = "1 paper" if len(cards) == 1 else f"{len(cards)} papers"
                html = self._render("pages/partials/feed-entry.html.j2", cards=cards)
                title = f"{long_date(day)}: {papers}"
                entries.append(Entry(day, f"{self._base_url}/archive/{day}", title, html))
        return entries

    def _cards(self, edition: Edition, topics: tuple[TopicFilter, ...]) -> list[CardView]:
        if not topics:
            popular = by_popularity(edition.candidates)
            return [card(Pick(Section.TRENDING, candidate)) for candidate in popular]
        digest = self._draft(edition.day, topics)
        picks = digest.picks if digest else ()
        return [card(pick) for pick in picks if pick.section is Section.FOR_YOU]

    def _title(self, topics: list[str]) -> str:
        return f"{self._brand}: {', '.join(topics)}" if topics else self._brand

    def _own_url(self, path: str, topics: list[str]) -> str:
        query = urlencode([("topic", topic) for topic in topics])
        return f"{self._base_url}{path}" + (f"?{query}" if query else "")


def _add(parent: etree._Element, name: str, text: str = "", **attributes: str) -> etree._Element:
    child = etree.SubElement(parent, f"{{{_ATOM}}}{name}", attributes)
    child.text = text or None
    return child
