"""bioRxiv and medRxiv: ``GET /details/{server}/{from}/{to}/{cursor}`` of https://api.biorxiv.org.

A row is a version of a preprint. Counts come as texts at times, dates as ``2026-6-30`` as well as
``2026-07-15``, and how many rows an answer has is the server's own affair.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote

from digest.collect.answer_reader import Reading, json_in, read_each
from digest.collect.http import Http, Throttle
from digest.errors import SourceError
from digest.model.identity import doi
from digest.model.papers import Facts, Harvest, Rejection, Sighting
from digest.model.text import LONGEST_ABSTRACT, LONGEST_NAME, LONGEST_TITLE, clean
from digest.settings.settings import Settings

BIORXIV, MEDRXIV = "biorxiv", "medrxiv"
MOST_PAGES = 50
MOST_AUTHORS = 200
INTERVAL = 1.0  # seconds between two requests

_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")


class Preprints:
    """The Source for one of the two servers; without ``categories`` all of its papers."""

    has_votes = False

    def __init__(
        self,
        http: Http,
        name: str,
        base_url: str,
        categories: Sequence[str] = (),
        throttle: Throttle | None = None,
    ) -> None:
        self.name = name
        self._http = http
        self._base_url = base_url
        self._categories = set(map(_plain, categories))
        self._throttle = throttle

    def collect(self, days: Sequence[date], now: datetime) -> Iterator[Harvest]:
        """Yield the pages of each day; of a day that fails those before the fault, and the fault.

        A day that has not begun at UTC is not asked for.
        """
        for day in days:
            if day <= now.astimezone(UTC).date():
                try:
                    yield from self._day(day, now)
                except SourceError as error:
                    yield Harvest(rejected=(Rejection.of_day(self.name, day, str(error)),))

    def _day(self, day: date, now: datetime) -> Iterator[Harvest]:
        cursor = 0
        for _ in range(MOST_PAGES):
            url = f"{self._base_url}/details/{self.name}/{day}/{day}/{cursor}"
            answer = self._http.get(url, throttle=self._throttle)
            if answer.status != 200:
                raise SourceError(f"{answer.url}: HTTP {answer.status}")
            rows = rows_in(answer.body, answer.url)
            if not rows:
                return
            reading = Reading(answer.url, seen_at=now, fallback_day=day)
            yield read_rows(filter(self._is_wanted, rows), reading, self.name)
            cursor += len(rows)
        raise SourceError(f"{self._base_url}: more than {MOST_PAGES} pages for {day}")

    def _is_wanted(self, row: Any) -> bool:
        if not self._categories or not isinstance(row, dict):  # what is no row is rejected
            return True
        return _plain(row.get("category")) in self._categories


def biorxiv(settings: Settings, http: Http) -> Preprints:
    """Return the source bioRxiv; this is its entry point."""
    return _source(BIORXIV, settings, http, settings.biorxiv_categories)


def medrxiv(settings: Settings, http: Http) -> Preprints:
    """Return the source medRxiv; this is its entry point."""
    return _source(MEDRXIV, settings, http, settings.medrxiv_categories)


def _source(
    name: str, settings: Settings, http: Http, categories: tuple[str, ...] | None
) -> Preprints:
    throttle = Throttle(INTERVAL)
    return Preprints(http, name, settings.biorxiv_url, categories or (), throttle)


def rows_in(body: bytes, file: str) -> list[Any]:
    """Return the rows of an answer; without any it has another status than "ok", and no fault."""
    content = json_in(body, file)
    rows = content.get("collection") if isinstance(content, dict) else None
    if not isinstance(rows, list):
        raise SourceError(f"{file}: no list 'collection' in it")
    return rows


def read_rows(rows: Iterable[Any], reading: Reading, name: str) -> Harvest:
    """Read rows. Of one preprint the latest version comes last, so that it wins when merged."""

    def read_row(row: Any, reading: Reading) -> Sighting:
        return _read_row(row, reading, name)

    return read_each(reading, sorted(rows, key=_version), read_row)


def _read_row(row: Any, reading: Reading, name: str) -> Sighting:
    """Read a row. The first version lists its preprint, a later one only changes what is known."""
    if not isinstance(row, dict):
        raise ValueError("no object")  # noqa: TRY004  one kind for every bad entry
    title = clean(row.get("title"), LONGEST_TITLE)
    its_doi = doi(clean(row.get("doi"), LONGEST_NAME))
    if not title or not its_doi:
        raise ValueError("no title, or no DOI")
    stated, version = _date(row.get("date")), _version(row)
    names = [_name(author) for author in clean(row.get("authors"), LONGEST_ABSTRACT).split(";")]
    names = [author for author in names if author]
    category = clean(row.get("category"), LONGEST_NAME)
    return Sighting(
        source=name,
        seen_at=reading.seen_at,
        listed_on=reading.listing_day(stated) if version == 1 else None,
        facts=Facts(
            title=title,
            doi=its_doi,
            abstract=clean(row.get("abstract"), LONGEST_ABSTRACT),
            authors=tuple(names[:MOST_AUTHORS]),
            author_count=len(names),
            published_on=stated if version == 1 else None,
            organisation=clean(row.get("author_corresponding_institution"), LONGEST_NAME),
            categories=(category,) if category else (),
            page_url=f"https://www.{name}.org/content/{quote(its_doi)}v{version}",
        ),
    )


def _version(row: Any) -> int:
    """Return the number of a version, which may come as a text; 1 if there is none."""
    text = str(row.get("version")) if isinstance(row, dict) else ""
    return int(text) if text.isdecimal() and len(text) < 4 else 1


def _date(value: Any) -> date | None:
    found = _DATE.fullmatch(value) if isinstance(value, str) else None
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def _name(author: str) -> str:
    """Return a name in the order in which it is said; "Duck, A. B." gives "A. B. Duck"."""
    family, _, given = author.partition(",")
    return clean(f"{given} {family}", LONGEST_NAME)


def _plain(category: Any) -> str:
    """Return a category as it is compared: the server writes "cell biology" and "cell_biology"."""
    return clean(category, LONGEST_NAME).casefold().replace("_", " ").replace("-", " ")
