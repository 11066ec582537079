"""Read a saved Daily Papers page: HTML, or text in either of two layouts."""

import html
import json
import re
from collections.abc import Iterator
from datetime import date, datetime
from itertools import pairwise

from digest.collect.answer_reader import Reading, read_each
from digest.collect.huggingface import NAME, read_entries
from digest.errors import SourceError
from digest.model.papers import Facts, Harvest, Sighting, Signals
from digest.model.text import LONGEST_ABSTRACT, LONGEST_NAME, LONGEST_TITLE, clean

_PROPS = re.compile(r'data-target="DailyPapers"\s+data-props="(?P<json>[^"]*)"')
_INVITATION = "Get trending papers in your email inbox"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE = re.compile(
    rf"^(?P<month>{'|'.join(_MONTHS)}) (?P<day>\d{{1,2}})(?:, (?P<year>\d{{4}}))?"
    r"(?: (?P<comments>\d{1,9}))?$"
)
_AUTHORS = re.compile(r"^•\s*(?P<count>\d{1,9}) authors?$")
# In the layout without blank lines only length tells a title from an abstract.
_LONGEST_TITLE_LINE = 250


def is_html_page(text: str) -> bool:
    return _PROPS.search(text) is not None


def is_text_page(text: str) -> bool:
    return _INVITATION in text[:2_000]


def read_html_page(text: str, reading: Reading) -> Harvest:
    """Read the page's own data: JSON, HTML-escaped, in an attribute."""
    found = _PROPS.search(text)
    if found is None:
        raise SourceError(f"{reading.file}: no Daily Papers data in this page")
    try:
        props = json.loads(html.unescape(found["json"]))
        entries = props["dailyPapers"]
        stated = date.fromisoformat(props["dateString"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SourceError(f"{reading.file}: the page's data cannot be read: {error!r}") from None
    return read_entries(entries, Reading(reading.file, reading.seen_at, day=reading.day or stated))


def read_text_page(text: str, reading: Reading) -> Harvest:
    """Read titles and abstracts; if the page has dates, also authors and comments."""
    lines = list(filter(None, map(str.strip, text.splitlines())))
    return _read_dated(lines, reading) if "·" in lines else _read_undated(lines, reading)


# ---- with dates: title, abstract, "• 5 authors" or an organisation, "·", date and comments ---


def _read_dated(lines: list[str], reading: Reading) -> Harvest:
    dates = [found for found in map(_DATE.match, lines) if found]
    year = reading.day.year if reading.day else _year_of_page(dates, reading.seen_at)
    page_date = next((number for number, line in enumerate(lines) if _DATE.match(line)), -1)
    dots = [number for number, line in enumerate(lines) if line == "·"]
    if 0 <= page_date < dots[0]:
        stated, start = _day(_DATE.match(lines[page_date]), year), page_date + 1
    else:
        stated, start = None, 0
    # A block ends with the line after its dot: the date.
    ends = [start, *(dot + 2 for dot in dots)]
    blocks = [lines[a:b] for a, b in pairwise(ends)]

    def read_block(block: list[str], reading: Reading) -> Sighting:
        return _read_block(block, reading, reading.listing_day(stated), year)

    harvest = read_each(reading, blocks, read_block)
    if rest := lines[ends[-1] :]:
        why = f"the page ends in the middle of a paper: {clean(rest[0], 60)!r}"
        return harvest + Harvest(rejected=(reading.reject(f"entry {len(blocks) + 1}", why),))
    return harvest


def _read_block(block: list[str], reading: Reading, listed_on: date, year: int) -> Sighting:
    if len(block) < 4:
        raise ValueError(f"not a title, an abstract, who, a dot and a date: {block!r}"[:200])
    title, *abstract, who, _dot, dated = block
    authors = _AUTHORS.match(who)
    found = _DATE.match(dated)
    if found is None:
        raise ValueError(f"no date, but {clean(dated, 60)!r}")
    return _sighting(
        reading,
        listed_on,
        Facts(
            title=clean(title, LONGEST_TITLE),
            abstract=clean(" ".join(abstract), LONGEST_ABSTRACT),
            author_count=int(authors["count"]) if authors else 0,
            organisation="" if authors else _organisation(who),
            published_on=_day(found, year),
        ),
        comments=int(found["comments"]) if found["comments"] else None,
    )


def _year_of_page(dates: list[re.Match[str]], seen_at: datetime) -> int:
    """Return the page's own year, which it omits: the one after the latest that it states."""
    stated = [int(found["year"]) for found in dates if found["year"]]
    return min(max(stated) + 1, seen_at.year) if stated else seen_at.year


def _day(found: re.Match[str] | None, year: int) -> date | None:
    if found is None:
        return None
    try:
        month = _MONTHS.index(found["month"]) + 1
        return date(int(found["year"] or year), month, int(found["day"]))
    except ValueError:
        return None


def _organisation(line: str) -> str:
    """Return the name in "handle Full Name", as a page saved as text has them."""
    handle, _, name = line.partition(" ")
    return clean(name or handle, LONGEST_NAME)


# ---- without dates: title and abstract, line by line ------------------------------------------


def _read_undated(lines: list[str], reading: Reading) -> Harvest:
    def read_pair(pair: tuple[str, str], reading: Reading) -> Sighting:
        title, abstract = pair
        if not title:
            raise ValueError(f"an abstract without a title: {clean(abstract, 60)!r}")
        facts = Facts(title=clean(title, LONGEST_TITLE), abstract=clean(abstract, LONGEST_ABSTRACT))
        return _sighting(reading, reading.listing_day(None), facts)

    return read_each(reading, _pairs(_without_invitation(lines)), read_pair)


def _without_invitation(lines: list[str]) -> list[str]:
    """Cut off the page's head, whose button may be glued to the first title."""
    head = max((n for n, line in enumerate(lines) if line.startswith(_INVITATION)), default=-1)
    body = lines[head + 1 :]
    if body:
        body[0] = body[0].removeprefix("Subscribe")
    return [line for line in body if line]


def _pairs(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Yield titles with their abstracts; either may be missing."""
    title = ""
    for line in lines:
        if len(line) > _LONGEST_TITLE_LINE:
            yield title, line
            title = ""
        else:
            if title:
                yield title, ""
            title = line
    if title:
        yield title, ""


def _sighting(
    reading: Reading, listed_on: date, facts: Facts, comments: int | None = None
) -> Sighting:
    if not facts.title:
        raise ValueError("no title")
    return Sighting(
        source=NAME,
        seen_at=reading.seen_at,
        listed_on=listed_on,
        facts=facts,
        signals=Signals(comments=comments),
    )
