"""Hugging Face's Daily Papers: ``GET /api/daily_papers?date=YYYY-MM-DD&p=0&limit=100``.

In place of ``date`` it takes ``sort=trending``, ``week=2026-W53`` and ``month=2026-12``.

The raw JSON is read, not the official client's objects, which drop nested fields and make no
difference between 0 upvotes and none.
"""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote

from digest.collect.answer_reader import Reading, count, iso_date, json_in, read_each
from digest.collect.http import Http
from digest.errors import SourceError, Unreachable
from digest.model.identity import arxiv_id
from digest.model.papers import Facts, Harvest, Rejection, Sighting, Signals
from digest.model.text import (
    LONGEST_ABSTRACT,
    LONGEST_NAME,
    LONGEST_TITLE,
    clean,
    clean_url,
    printable_line,
)
from digest.settings.settings import Settings

NAME = "huggingface"
PAGE_SIZE = 100
MOST_PAGES = 50
MOST_AUTHORS = 200
MOST_KEYWORDS = 30
MOST_MEDIA = 10


class HuggingFace:
    """The Source. ``lists`` are asked for as well, each by its name in DIGEST_HUGGINGFACE_LISTS."""

    name = NAME

    def __init__(self, http: Http, base_url: str, lists: Sequence[str] = ()) -> None:
        self._http = http
        self._url = f"{base_url}/api/daily_papers"
        self._lists = lists

    def collect(self, days: Sequence[date], now: datetime) -> Iterator[Harvest]:
        """Yield the pages of each day; of a day that fails those before the fault, and the fault.

        A day that has not begun at UTC, by which this source counts, is not asked for. If nothing
        answers, the other days fail without being asked for: each takes several attempts.
        """
        silence = ""
        for day in days:
            if day <= now.astimezone(UTC).date():
                try:
                    if silence:
                        raise Unreachable(silence)
                    yield from self._day(day, now)
                except SourceError as error:
                    silence = str(error) if isinstance(error, Unreachable) else ""
                    yield Harvest(rejected=(Rejection.of_day(NAME, day, str(error)),))
        if silence:
            return
        for name in self._lists:
            yield self._popular(name, now.astimezone(UTC).date(), now)

    def _popular(self, name: str, day: date, now: datetime) -> Harvest:
        """Return what is popular now, for its votes: it lists nothing, and costs itself only."""
        try:
            entries, url = self._ask(query_of(name, day))
            harvest = read_entries(entries, Reading(file=url, seen_at=now, day=day))
        except SourceError as error:
            return Harvest(rejected=(Rejection(NAME, f"list {name}", str(error)),))
        unlisted = (replace(sighting, listed_on=None) for sighting in harvest.sightings)
        return Harvest(tuple(unlisted), harvest.rejected)

    def _day(self, day: date, now: datetime) -> Iterator[Harvest]:
        before = None
        for page in range(MOST_PAGES):
            entries, url = self._ask({"date": day.isoformat(), "p": str(page)})
            harvest = read_entries(entries, Reading(file=url, seen_at=now, day=day))
            # Until an empty page: a short one proves nothing, and days of exactly 50 exist. A
            # mirror that ignores ``p`` would give the same page for ever.
            if not entries or entries == before:
                return
            yield harvest
            before = entries
        raise SourceError(f"{self._url}: more than {MOST_PAGES} pages for {day}")

    def _ask(self, query: dict[str, str]) -> tuple[Any, str]:
        """Return the entries of an answer, and its address."""
        answer = self._http.get(self._url, {**query, "limit": str(PAGE_SIZE)})
        if answer.status != 200:
            said = printable_line(answer.body[:1000].decode(errors="replace"), 200)
            raise SourceError(f"{answer.url}: HTTP {answer.status}: {said}")
        return json_in(answer.body, answer.url), answer.url


def query_of(name: str, day: date) -> dict[str, str]:
    """Return the query for a list: what trends, or the week or month of a day.

    Weeks are those of ISO 8601: the first of January may be in week 53 of the year before.
    """
    if name == "trending":
        return {"sort": "trending"}
    if name == "month":
        return {"month": f"{day:%Y-%m}"}
    return {"week": f"{day:%G-W%V}"}


def source(settings: Settings, http: Http) -> HuggingFace:
    """Return the source; this is its entry point."""
    return HuggingFace(http, settings.huggingface_url, settings.huggingface_lists or ())


def read_entries(entries: Any, reading: Reading) -> Harvest:
    """Read the entries of one answer, in some archives each a Python literal.

    Raises SourceError for what is no list.
    """
    if not isinstance(entries, list):
        raise SourceError(f"{reading.file}: expected a list, got {type(entries).__name__}")
    return read_each(reading, entries, _read_entry)


def _read_entry(raw: Any, reading: Reading) -> Sighting:
    """Read one entry. Raises ValueError saying what is missing."""
    entry = _from_literal(raw) if isinstance(raw, str) else raw
    paper = entry.get("paper") if isinstance(entry, dict) else None
    if not isinstance(paper, dict):
        raise ValueError("no object 'paper' in it")  # noqa: TRY004  one kind for every bad entry
    # The entry's own title has no line breaks; the paper's has those of the PDF.
    title = clean(entry.get("title"), LONGEST_TITLE) or clean(paper.get("title"), LONGEST_TITLE)
    if not title:
        raise ValueError("no title")
    identifier = clean(paper.get("id"), LONGEST_NAME)
    authors = [
        author
        for author in _list(paper.get("authors"))
        if isinstance(author, dict) and author.get("hidden") is not True
    ]
    names = [clean(author.get("name"), LONGEST_NAME) for author in authors]
    keywords = [clean(keyword, LONGEST_NAME) for keyword in _list(paper.get("ai_keywords"))]
    return Sighting(
        source=NAME,
        seen_at=reading.seen_at,
        listed_on=reading.listing_day(iso_date(paper.get("submittedOnDailyAt"))),
        facts=Facts(
            title=title,
            arxiv_id=arxiv_id(identifier),
            abstract=clean(paper.get("summary") or entry.get("summary"), LONGEST_ABSTRACT),
            summary=clean(paper.get("ai_summary"), LONGEST_TITLE),
            authors=tuple(name for name in names if name)[:MOST_AUTHORS],
            author_count=len(names),
            published_on=iso_date(paper.get("publishedAt")),
            organisation=_organisation(paper) or _organisation(entry),
            keywords=tuple(keyword for keyword in keywords if keyword)[:MOST_KEYWORDS],
            page_url=f"https://huggingface.co/papers/{quote(identifier)}" if identifier else "",
            code_url=clean_url(paper.get("githubRepo")),
            project_url=clean_url(paper.get("projectPage")),
            picture_url=_picture_url(entry, paper),
        ),
        signals=Signals(
            upvotes=count(paper.get("upvotes")),
            comments=count(entry.get("numComments")),
            stars=count(paper.get("githubStars")),
        ),
    )


def _from_literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"a text that is no Python literal: {error}") from None


def _organisation(holder: dict[str, Any]) -> str:
    organisation = holder.get("organization")
    if not isinstance(organisation, dict):
        return ""
    names = (clean(organisation.get(field), LONGEST_NAME) for field in ("fullname", "name"))
    return next(filter(None, names), "")


def _picture_url(entry: dict[str, Any], paper: dict[str, Any]) -> str:
    """Return the address of a figure that somebody chose or, without one, of the service's own."""
    urls = [clean_url(url) for url in _list(paper.get("mediaUrls"))[:MOST_MEDIA]]
    figures = [url for url in urls if url.lower().endswith((".png", ".jpg", ".jpeg", ".webp"))]
    return next(iter(figures), "") or clean_url(entry.get("thumbnail"))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
