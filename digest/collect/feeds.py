"""Any RSS or Atom feed: a journal, a laboratory's blog, a saved search of PubMed.

Formats are many, and feeds keep none of them exactly, so feedparser reads them. Identifiers are
where publishers put them: prism:doi, dc:identifier, the guid or the link.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from io import BytesIO
from typing import Any

import feedparser

from digest.collect.answer_reader import Reading, read_each
from digest.collect.http import Http
from digest.errors import SourceError
from digest.model.identity import arxiv_id, doi
from digest.model.papers import Facts, Harvest, Sighting
from digest.model.text import (
    LONGEST_ABSTRACT,
    LONGEST_NAME,
    LONGEST_TITLE,
    clean,
    clean_url,
)
from digest.settings.settings import Settings

LARGEST_FEED = 5 * 1024 * 1024  # octets
MOST_ENTRIES = 1000
MOST_AUTHORS = 200
MOST_CATEGORIES = 30
# What a feed shows when it is read first, but is older than this, is listed on its own day.
STILL_NEW = timedelta(days=7)

# Where a DOI may be, by feedparser's names.
_IDENTIFIERS = ("prism_doi", "dc_identifier", "id", "link")
# Publishers put a line before each abstract: "Nature, Published online: 20 February 2026; doi:…".
_IMPRINT = re.compile(r"^[^.;]{1,100}, Published online: [^;]{1,40}; doi:\S+\s*")


class Feed:
    """The Source for one feed, which has its own name."""

    def __init__(self, http: Http, name: str, url: str) -> None:
        self.name = name
        self._http = http
        self._url = url

    def collect(self, days: Sequence[date], now: datetime) -> Iterator[Harvest]:  # noqa: ARG002
        """Yield what the feed has now: it knows no other day."""
        answer = self._http.get(self._url)
        if answer.status != 200:
            raise SourceError(f"{answer.url}: HTTP {answer.status}")
        reading = Reading(answer.url, seen_at=now, fallback_day=now.date())
        yield read_any_feed(answer.body, reading, self.name)


def sources(settings: Settings, http: Http) -> list[Feed]:
    """Return the source; this is its entry point."""
    if not settings.feeds:
        raise SourceError("DIGEST_SOURCES has feeds, but DIGEST_FEEDS names none")
    return [Feed(http, name, url) for name, url in settings.feeds]


def read_any_feed(body: bytes, reading: Reading, name: str) -> Harvest:
    """Read a feed in any form. Raises SourceError for what is none."""
    if len(body) > LARGEST_FEED:
        raise SourceError(f"{reading.file}: the feed is larger than {LARGEST_FEED} bytes")
    # As a file, because a text that looks like an address or a path would be fetched or opened.
    # Links and markup stay as they are: all texts are cleaned below.
    try:
        feed = feedparser.parse(BytesIO(body), resolve_relative_uris=False, sanitize_html=False)
    except Exception as error:  # the library raises what it likes for what is damaged
        raise SourceError(f"{reading.file}: the feed cannot be read: {error}") from error
    if not feed.get("version") and not feed.entries:
        raise SourceError(f"{reading.file}: neither RSS nor Atom")

    def read_entry(entry: Mapping[str, Any], reading: Reading) -> Sighting:
        return _read_entry(entry, reading, name)

    return read_each(reading, feed.entries[:MOST_ENTRIES], read_entry)


def _read_entry(entry: Mapping[str, Any], reading: Reading, name: str) -> Sighting:
    title = clean(entry.get("title"), LONGEST_TITLE)
    if not title:
        raise ValueError("no title")
    identifiers = [text for field in _IDENTIFIERS if isinstance(text := entry.get(field), str)]
    its_doi = next(filter(None, map(doi, identifiers)), "")
    authors = [author.get("name", "") for author in entry.get("authors") or ()]
    names = [name for name in (clean(author, LONGEST_NAME) for author in authors) if name]
    tags = (clean(tag.get("term"), LONGEST_NAME) for tag in entry.get("tags") or ())
    today = reading.listing_day(None)
    published = _published(entry, today)
    is_old = published is not None and published < today - STILL_NEW
    return Sighting(
        source=name,
        seen_at=reading.seen_at,
        listed_on=published if is_old else today,
        facts=Facts(
            title=title,
            arxiv_id=next(filter(None, map(arxiv_id, [its_doi, *identifiers])), ""),
            doi=its_doi,
            abstract=_IMPRINT.sub("", _abstract(entry)),
            authors=tuple(names[:MOST_AUTHORS]),
            author_count=len(names),
            published_on=published,
            categories=tuple(filter(None, tags))[:MOST_CATEGORIES],
            page_url=clean_url(entry.get("link")),
        ),
        once=True,
    )


def _abstract(entry: Mapping[str, Any]) -> str:
    """Return the longest of the texts: some feeds shorten the one, some the other."""
    texts = [entry.get("summary"), *(part.get("value") for part in entry.get("content") or ())]
    return max((clean(text, LONGEST_ABSTRACT) for text in texts), key=len)


def _published(entry: Mapping[str, Any], today: date) -> date | None:
    """Return the day that is stated; None for one to come, such as that of a journal's issue."""
    # Each a struct_time in UTC, or None; get() would warn where only the other one is there.
    stated = [entry[name] for name in ("published_parsed", "updated_parsed") if name in entry]
    try:
        day = date(*next(filter(None, stated))[:3])
    except (StopIteration, ValueError):
        return None
    return day if day <= today + timedelta(days=1) else None
