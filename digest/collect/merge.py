"""Merge sightings into papers, over sources and days. Pure.

A work is keyed by its arXiv id, else by its title. A title-only paper that later turns up with an
arXiv id is the same paper, and takes that id as its key; two papers with different arXiv ids are
never one, whatever their titles.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from digest.model.identity import paper_key, title_key
from digest.model.papers import (
    Facts,
    KnownPaper,
    Listing,
    MergedPaper,
    Observation,
    Sighting,
    Signals,
)


def keys_of(sightings: Iterable[Sighting]) -> tuple[set[str], set[str]]:
    """Return the canonical ids and the title keys under which these papers may be known."""
    facts = [sighting.facts for sighting in sightings]
    return (
        {paper_key(paper.arxiv_id, paper.title) for paper in facts},
        {title_key(paper.title) for paper in facts},
    )


def merge(known: Iterable[KnownPaper], sightings: Iterable[Sighting]) -> list[MergedPaper]:
    """Return the papers in ``sightings``, each once, merged into what is known of them.

    Later sightings win over earlier ones; of the same moment, those that come later here.
    """
    index = _Index(known)
    for sighting in sorted(sightings, key=lambda sighting: sighting.seen_at):
        index.paper_of(sighting).see(sighting)
    return [paper.merged() for paper in index.seen.values()]


@dataclass(slots=True)
class _Paper:
    """A paper that is being merged."""

    key: str
    facts: Facts
    first_seen: datetime
    known: KnownPaper | None = None
    signals: dict[str, Signals] = field(default_factory=dict)
    new_listings: dict[Listing, None] = field(default_factory=dict)
    new_observations: list[Observation] = field(default_factory=list)

    def see(self, sighting: Sighting) -> None:
        self.facts = self.facts.then(sighting.facts)
        if self.facts.arxiv_id and self.key.startswith("title:"):
            self.key = paper_key(self.facts.arxiv_id, self.facts.title)
        if sighting.listed_on is not None:
            listing = Listing(sighting.source, sighting.listed_on)
            if self.known is None or listing not in self.known.listings:
                self.new_listings[listing] = None
        before = self.signals.get(sighting.source, Signals())
        after = before.then(sighting.signals)
        if after != before:
            self.signals[sighting.source] = after
            self.new_observations.append(Observation(sighting.source, sighting.seen_at, after))

    def merged(self) -> MergedPaper:
        return MergedPaper(
            known_id=None if self.known is None else self.known.id,
            key=self.key,
            title_key=title_key(self.facts.title),
            facts=self.facts,
            first_seen=self.first_seen,
            facts_changed=self.known is not None
            and (self.facts, self.key) != (self.known.facts, self.known.key),
            new_listings=tuple(self.new_listings),
            new_observations=tuple(self.new_observations),
        )


class _Index:
    """Papers by key and by title; ``seen`` are those with a sighting, in order, by id()."""

    def __init__(self, known: Iterable[KnownPaper]) -> None:
        self._by_key: dict[str, _Paper] = {}
        self._by_title: dict[str, list[_Paper]] = defaultdict(list)
        self.seen: dict[int, _Paper] = {}
        for paper in known:
            first_seen = datetime.min  # noqa: DTZ901  the ledger keeps its own
            self._add(_Paper(paper.key, paper.facts, first_seen, paper, dict(paper.signals)))

    def paper_of(self, sighting: Sighting) -> _Paper:
        key = paper_key(sighting.facts.arxiv_id, sighting.facts.title)
        paper = self._by_key.get(key) or self._same_title(sighting.facts)
        if paper is None:
            paper = _Paper(key, sighting.facts, sighting.seen_at)
            self._add(paper)
        self._by_key[key] = paper
        self.seen[id(paper)] = paper
        return paper

    def _same_title(self, facts: Facts) -> _Paper | None:
        papers = self._by_title[title_key(facts.title)]
        if facts.arxiv_id:
            return next((paper for paper in papers if not paper.facts.arxiv_id), None)
        return papers[0] if len(papers) == 1 else None

    def _add(self, paper: _Paper) -> None:
        self._by_key[paper.key] = paper
        self._by_title[title_key(paper.facts.title)].append(paper)
