"""Write feeds: Atom (RFC 4287) and JSON Feed 1.1 (https://jsonfeed.org/version/1.1). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from lxml import etree
from lxml.builder import ElementMaker

from digest.compose.card import Picture

ATOM_TYPE = "application/atom+xml"
JSON_TYPE = "application/feed+json"
_ATOM = "http://www.w3.org/2005/Atom"
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One paper in a feed.

    ``id`` is a tag URI (RFC 4151) that never changes, ``url`` the paper's page here and ``source``
    the one where it was found. ``html`` holds no script, no form and no relative address.
    """

    id: str
    url: str
    source: str
    title: str
    published: datetime
    updated: datetime
    authors: tuple[str, ...]
    keywords: tuple[str, ...]
    summary: str
    html: str
    picture: Picture | None = None


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed: its own address, and that of the page that it is about."""

    title: str
    about: str
    own_url: str
    page_url: str
    brand: str
    language: str
    items: Sequence[FeedItem]

    @property
    def updated(self) -> datetime:
        return max((item.updated for item in self.items), default=_NEVER)


def atom(feed: Feed) -> bytes:
    """Return a feed as a document of Atom."""
    make = ElementMaker(namespace=_ATOM, nsmap={None: _ATOM})
    root = make.feed(
        {"{http://www.w3.org/XML/1998/namespace}lang": feed.language},
        make.id(feed.own_url),
        make.title(feed.title),
        make.subtitle(feed.about),
        make.updated(feed.updated.isoformat()),
        make.link(rel="self", href=feed.own_url, type=ATOM_TYPE),
        make.link(rel="alternate", href=feed.page_url, type="text/html"),
        make.author(make.name(feed.brand)),  # of papers that name none
        make.generator("Paper Digest"),
    )
    for item in feed.items:
        entry = make.entry(
            make.id(item.id),
            make.title(item.title),
            make.link(rel="alternate", href=item.url, type="text/html"),
            make.published(item.published.isoformat()),
            make.updated(item.updated.isoformat()),
        )
        if item.source:
            entry.append(make.link(rel="via", href=item.source))
        entry.extend(make.author(make.name(name)) for name in item.authors)
        entry.extend(make.category(term=keyword) for keyword in item.keywords)
        if item.picture:
            entry.append(make.link(rel="enclosure", href=item.picture.url, type="image/jpeg"))
        if item.summary:
            entry.append(make.summary(item.summary))
        entry.append(make.content(item.html, type="html"))
        root.append(entry)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="utf-8"))


def json_feed(feed: Feed) -> dict[str, object]:
    """Return a feed as an object of JSON Feed."""
    return {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "description": feed.about,
        "home_page_url": feed.page_url,
        "feed_url": feed.own_url,
        "language": feed.language,
        "authors": [{"name": feed.brand}],
        "items": [_json_item(item) for item in feed.items],
    }


def _json_item(item: FeedItem) -> dict[str, object]:
    made: dict[str, object] = {
        "id": item.id,
        "url": item.url,
        "external_url": item.source,
        "title": item.title,
        "content_html": item.html,
        "summary": item.summary,
        "image": item.picture.url if item.picture else "",
        "date_published": item.published.isoformat(),
        "date_modified": item.updated.isoformat(),
        "authors": [{"name": name} for name in item.authors],
        "tags": list(item.keywords),
    }
    return {name: value for name, value in made.items() if value}
