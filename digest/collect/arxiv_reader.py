"""Read arXiv's answers: the daily feeds, and the Atom of its API.

Feeds: https://info.arxiv.org/help/rss_specifications.html.
API: https://info.arxiv.org/help/api/user-manual.html#3-structure-of-the-api.
"""

import re
from datetime import date
from email.utils import parsedate_to_datetime

from lxml import etree

from digest.collect.answer_reader import Reading, iso_date, read_each
from digest.collect.arxiv_schedule import NAME
from digest.collect.xml_repair import repaired_entries
from digest.errors import SourceError
from digest.model.identity import arxiv_id, doi
from digest.model.papers import Facts, Harvest, Revision, Sighting
from digest.model.text import (
    LONGEST_ABSTRACT,
    LONGEST_NAME,
    LONGEST_TITLE,
    clean,
    printable_line,
)

MOST_AUTHORS = 200

_ATOM = "{http://www.w3.org/2005/Atom}"
_ARXIV = "{http://arxiv.org/schemas/atom}"
_DC = "{http://purl.org/dc/elements/1.1/}"
# The feeds put a line before each abstract.
_ANNOUNCEMENT = re.compile(r"^\s*arXiv:\S+\s+Announce Type:\s*\S+\s+(?:Abstract:\s*)?", re.DOTALL)
# As arXiv and authors write it: "This paper has been withdrawn by the authors due to an error".
_WITHDRAWN = re.compile(
    r"\W*(?:this )?(?:paper|article|submission|manuscript|work|version)"
    r" (?:has been|was|is) withdrawn\b|\W*withdrawn\b",
    re.IGNORECASE,
)
# Looked for in the text, because one entry that is not well formed must not cost the count.
_COUNT = re.compile(rb"<opensearch:totalResults[^>]*>\s*(\d{1,9})\s*<")


def count_of(body: bytes) -> int:
    """Return how many papers the API found in all, of which an answer has a page; 0 if unstated."""
    found = _COUNT.search(body)
    return int(found[1]) if found else 0


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
            doi=doi(_text(entry, f"{_ARXIV}doi", f"{_ARXIV}DOI")),
            abstract=clean(_ANNOUNCEMENT.sub("", abstract), LONGEST_ABSTRACT),
            authors=tuple(names[:MOST_AUTHORS]),
            author_count=len(names),
            published_on=None if announce_type or entry.tag == "item" else stated,
            categories=tuple(clean(category, LONGEST_NAME) for category in categories),
            page_url=f"https://arxiv.org/abs/{arxiv}",
            revision=_revision(
                announce_type,
                _text(entry, f"{_ARXIV}comment"),
                _ANNOUNCEMENT.sub("", abstract),
            ),
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


def _revision(announce_type: str, comment: str, abstract: str) -> str:
    """Return what arXiv did with a paper; of a withdrawn one, its comment or abstract says so."""
    if _WITHDRAWN.match(comment) or _WITHDRAWN.match(abstract):
        return Revision.WITHDRAWN
    return Revision.REPLACED if announce_type.startswith("replace") else ""


def _split_names(creator: str) -> list[str]:
    """Split a feed's ``dc:creator`` at commas, but for those inside parentheses."""
    return re.findall(r"(?:[^,(]|\([^()]*\)|\()+", creator)


def _mail_date(text: str) -> date | None:
    try:
        return parsedate_to_datetime(text).date()
    except (ValueError, OverflowError):
        return None
