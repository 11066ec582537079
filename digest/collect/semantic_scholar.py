"""Semantic Scholar: what it knows of papers that sources have listed. It lists none itself.

``POST /graph/v1/paper/batch`` takes at most 500 ids. It answers with a list, in which a paper that
it does not know is null: https://api.semanticscholar.org/api-docs/graph
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from digest.collect.answer_reader import Reading, count, json_in, read_each
from digest.collect.http import Http, Throttle
from digest.errors import SourceError
from digest.model.identity import arxiv_id, doi
from digest.model.papers import Facts, Harvest, Sighting
from digest.model.text import LONGEST_NAME, LONGEST_TITLE, clean, printable_line

NAME = "semanticscholar"
URL = (
    "https://api.semanticscholar.org/graph/v1/paper/batch"
    "?fields=externalIds,tldr,citationCount,venue"
)
BATCH = 500
INTERVAL = 1.0  # seconds between two requests, as it asks of keys

# It takes these for venues. They are where a preprint was found, which its card says already.
_NO_VENUES = {"arxiv.org", "arxiv", "biorxiv", "medrxiv"}


class SemanticScholar:
    """Looks papers up with the operator's key."""

    def __init__(self, http: Http, key: str, throttle: Throttle | None = None) -> None:
        self._http = http
        self._key = key
        self._throttle = throttle or Throttle(INTERVAL)

    def look_up(self, papers: Sequence[Facts], now: datetime) -> Iterator[Harvest]:
        """Yield what is known of papers with an arXiv id or a DOI, batch by batch.

        Raises SourceError if one fails.
        """
        for start in range(0, len(papers), BATCH):
            yield self._batch(papers[start : start + BATCH], now)

    def _batch(self, papers: Sequence[Facts], now: datetime) -> Harvest:
        ids = [
            f"ARXIV:{facts.arxiv_id}" if facts.arxiv_id else f"DOI:{facts.doi}" for facts in papers
        ]
        answer = self._http.post(URL, {"ids": ids}, {"x-api-key": self._key}, self._throttle)
        if answer.status != 200:
            said = printable_line(answer.body[:1000].decode(errors="replace"), 200)
            raise SourceError(f"{URL}: HTTP {answer.status}: {said}")
        return read_answer(json_in(answer.body, URL), papers, now)


def read_answer(entries: Any, papers: Sequence[Facts], now: datetime) -> Harvest:
    """Read what an answer says about ``papers``. Raises SourceError for what is no list."""
    if not isinstance(entries, list):
        raise SourceError(f"{URL}: expected a list, got {type(entries).__name__}")
    asked = {
        identifier: facts
        for facts in papers
        for identifier in (facts.arxiv_id, facts.doi)
        if identifier
    }
    known = (entry for entry in entries if entry is not None)
    return read_each(Reading(URL, now), known, partial(_read_entry, asked))


def _read_entry(asked: Mapping[str, Facts], raw: Any, reading: Reading) -> Sighting:
    """Read one entry, which says itself what it is about. Raises ValueError."""
    identifiers = raw["externalIds"]
    facts = asked.get(arxiv_id(str(identifiers.get("ArXiv")))) or asked.get(
        doi(str(identifiers.get("DOI")))
    )
    if facts is None:
        raise ValueError("it is about no paper that was asked for")
    tldr, venue = raw.get("tldr"), clean(raw.get("venue"), LONGEST_NAME)
    return Sighting(
        source=NAME,
        seen_at=reading.seen_at,
        listed_on=None,
        facts=Facts(
            title=facts.title,
            arxiv_id=facts.arxiv_id,
            doi=facts.doi,
            tldr=clean(tldr.get("text"), LONGEST_TITLE) if isinstance(tldr, dict) else "",
            venue="" if venue.casefold() in _NO_VENUES else venue,
            citations=count(raw.get("citationCount")) or 0,
        ),
    )
