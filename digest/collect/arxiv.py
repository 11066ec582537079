"""arXiv: the daily feeds, and the Atom API for look-ups by id.

Feeds: https://info.arxiv.org/help/rss.html, ``/rss/cs.AI+cs.CL`` and ``/atom/cs.AI+cs.CL``.
API: https://info.arxiv.org/help/api/user-manual.html, at most one request in three seconds.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from email.utils import parsedate_to_datetime

from lxml import etree

from digest.collect.answer_reader import Reading, iso_date, read_each
from digest.collect.http import Http, Throttle
from digest.collect.xml_repair import repaired_entries
from digest.errors import SourceError
from digest.model.identity import arxiv_id
from digest.model.papers import Facts, Harvest, Sighting
from digest.model.text import (
    LONGEST_ABSTRACT,
    LONGEST_NAME,
    LONGEST_TITLE,
    clean,
    printable_line,
)
from digest.settings.settings import Settings

NAME = "arxiv"
SLICE = 100  # ids in one look-up
MOST_AUTHORS = 200

_ATOM = "{http://www.w3.org/2005/Atom}"
_ARXIV = "{http://arxiv.org/schemas/atom}"
_DC = "{http://purl.org/dc/elements/1.1/}"
# The feeds put a line before each abstract.
_ANNOUNCEMENT = re.compile(r"^\s*arXiv:\S+\s+Announce Type:\s*\S+\s+(?:Abstract:\s*)?", re.DOTALL)


class Arxiv:
    """The Source."""

    name = NAME

    def __init__(
        self, http: Http, *, feed_url: str, api_url: str, categories: str, throttle: Throttle
    ) -> None:
        self._http = http
        self._feed_url = f"{feed_url}/{categories}"
        self._api_url = f"{api_url}/api/query"
        self._throttle = throttle

    def collect(self, days: Sequence[date], now: datetime) -> Iterator[Harvest]:  # noqa: ARG002
        """Yield what the feed announces now; it knows no other day, and each entry states its own.

        At weekends and on holidays the feed has no entries.
        """
        answer = self._http.get(self._feed_url, throttle=self._throttle)
        if answer.status != 200:
            raise SourceError(f"{answer.url}: HTTP {answer.status}")
        today = now.date()
        yield read_feed(answer.body, Reading(answer.url, seen_at=now, fallback_day=today))

    def look_up(self, ids: Sequence[str], now: datetime, day: date | None = None) -> Harvest:
        """Look up papers by id, with or without version; listed on ``day`` if one is given.

        If arXiv refuses a whole slice of ids for a bad one, the slice is asked for again without
        it, and the id is rejected with arXiv's words.
        """
        harvest = Harvest()
        for start in range(0, len(ids), SLICE):
            wanted = list(ids[start : start + SLICE])
            harvest += self._look_up_slice(wanted, now, day)
        found = {sighting.facts.arxiv_id for sighting in harvest.sightings}
        told = {rejection.where for rejection in harvest.rejected}
        missing = [id_ for id_ in ids if arxiv_id(id_) not in found and id_ not in told]
        reading = Reading(file=self._api_url, seen_at=now)
        why = "arXiv has no such paper"
        return harvest + Harvest(rejected=tuple(reading.reject(id_, why) for id_ in missing))

    def _look_up_slice(self, ids: list[str], now: datetime, day: date | None) -> Harvest:
        refused = Harvest()
        # Each time round takes one id away, so this ends.
        while ids:
            answer = self._http.get(
                self._api_url,
                {"id_list": ",".join(ids), "start": "0", "max_results": str(len(ids))},
                throttle=self._throttle,
            )
            reading = Reading(file=answer.url, seen_at=now, day=day)
            harvest = read_feed(answer.body, reading)
            if answer.status == 200:
                return harvest + refused
            words = harvest.rejected[0].why if harvest.rejected else f"HTTP {answer.status}"
            bad = next((id_ for id_ in ids if words.endswith(f" {id_}")), None)
            if bad is None:
                raise SourceError(f"{answer.url}: {words}")
            ids.remove(bad)
            refused += Harvest(rejected=(reading.reject(bad, words),))
        return refused


def source(settings: Settings, http: Http) -> Arxiv:
    """The entry point."""
    return Arxiv(
        http,
        feed_url=f"{settings.arxiv_feed_url}/{settings.arxiv_feed}",
        api_url=settings.arxiv_api_url,
        categories=settings.arxiv_categories,
        throttle=Throttle(settings.arxiv_interval),
    )


def read_feed(body: bytes, reading: Reading) -> Harvest:
    """Read an RSS feed, an Atom feed or an answer of the Atom API.

    Of a feed that is not well formed the entries that are whole are kept, and the others rejected.
    An error message of the API, which comes as an entry, is rejected in arXiv's words. Raises
    SourceError for what is not XML or no feed.
    """
    if not body.strip():
        return Harvest()
    try:
        root = _parsed(body)
    except etree.XMLSyntaxError as error:
        entries = repaired_entries(body)
        if not entries:
            raise SourceError(f"{reading.file}: not XML: {error}") from None
        return read_each(reading, entries, _read_repaired)
    if root.tag == "rss":
        return read_each(reading, root.iterfind("channel/item"), _read_entry)
    if root.tag == f"{_ATOM}feed":
        return read_each(reading, root.iterfind(f"{_ATOM}entry"), _read_entry)
    raise SourceError(f"{reading.file}: neither RSS nor Atom, but <{root.tag}>")


def _parsed(xml: bytes) -> etree._Element:
    # Entities are not expanded and nothing is fetched: the feed is not ours.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
    return etree.fromstring(xml, parser)


def _read_repaired(entry: bytes, reading: Reading) -> Sighting:
    try:
        return _read_entry(_parsed(entry)[0], reading)
    except etree.XMLSyntaxError as error:
        raise ValueError(f"not XML: {error}") from None


def _read_entry(entry: etree._Element, reading: Reading) -> Sighting:
    """Read an item of the RSS feed, or an entry of the Atom feed or the API.

    The API's entries state when the paper was published, the feeds' when it was announced.
    """
    identifier = _text(entry, f"{_ATOM}id", "guid", "link")
    if "/api/errors#" in identifier:
        raise ValueError(f"arXiv says: {printable_line(_text(entry, f'{_ATOM}summary'), 200)}")
    arxiv = arxiv_id(identifier)
    if not arxiv:
        raise ValueError(f"no arXiv id in {printable_line(identifier, 80)!r}")
    title = clean(_text(entry, f"{_ATOM}title", "title"), LONGEST_TITLE)
    if not title:
        raise ValueError(f"{arxiv} has no title")
    abstract = _text(entry, f"{_ATOM}summary", "description")
    authors = [name.text or "" for name in entry.iterfind(f"{_ATOM}author/{_ATOM}name")]
    authors = authors or _split_names(_text(entry, f"{_DC}creator"))
    names = [name for name in (clean(author, LONGEST_NAME) for author in authors) if name]
    categories = (tag.get("term") or tag.text for tag in entry.iterfind("{*}category"))
    announce_type = _text(entry, f"{_ARXIV}announce_type")
    stated = _mail_date(_text(entry, "pubDate")) or iso_date(_text(entry, f"{_ATOM}published"))
    return Sighting(
        source=NAME,
        seen_at=reading.seen_at,
        listed_on=_listing_day(reading, announce_type, stated),
        facts=Facts(
            title=title,
            arxiv_id=arxiv,
            abstract=clean(_ANNOUNCEMENT.sub("", abstract), LONGEST_ABSTRACT),
            authors=tuple(names[:MOST_AUTHORS]),
            author_count=len(names),
            published_on=None if announce_type or entry.tag == "item" else stated,
            categories=tuple(clean(category, LONGEST_NAME) for category in categories),
            page_url=f"https://arxiv.org/abs/{arxiv}",
        ),
    )


def _text(entry: etree._Element, *names: str) -> str:
    """Return the text of the first of these elements that has one."""
    return next(filter(None, map(entry.findtext, names)), "")


def _listing_day(reading: Reading, announce_type: str, announced: date | None) -> date | None:
    """Return the day a paper was listed: new ones and cross-lists are, replacements are not.

    A look-up lists nothing unless somebody says for which day it is meant.
    """
    if not announce_type:
        return reading.day
    if announce_type.startswith("replace"):
        return None
    return reading.listing_day(announced)


def _split_names(creator: str) -> list[str]:
    """Split a feed's ``dc:creator`` at commas, but for those inside parentheses."""
    return re.findall(r"(?:[^,(]|\([^()]*\)|\()+", creator)


def _mail_date(text: str) -> date | None:
    try:
        return parsedate_to_datetime(text).date()
    except (ValueError, OverflowError):
        return None
