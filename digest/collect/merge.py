"""Merge sightings into papers, over sources and days. Pure.

A work is keyed by its arXiv id, else by its DOI, else by its title. A paper without an identifier
that later turns up with one is the same paper, and takes it as its key; two papers with different
arXiv ids, or different DOIs, are never one, whatever their titles ("Editorial").
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from digest.model.identity import paper_key, title_key
from digest.model.papers import (
    Facts,
    Keys,
    KnownPaper,
    Listing,
    MergedPaper,
    Observation,
    Sighting,
    Signals,
)


def keys_of(sightings: Iterable[Sighting]) -> Keys:
    """Return the keys under which these papers may be known."""
    facts = [sighting.facts for sighting in sightings]
    return Keys(
        {key_of(paper) for paper in facts},
        {paper.doi for paper in facts if paper.doi},
        {title_key(paper.title) for paper in facts},
    )


def key_of(facts: Facts) -> str:
    """Return the canonical id of a paper. Raises ValueError if it has neither id nor title."""
    return paper_key(facts.arxiv_id, facts.doi, facts.title)


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
        if self.facts.arxiv_id or self.facts.doi:
            self.key = key_of(self.facts)
        if sighting.listed_on is not None:
            self._list(Listing(sighting.source, sighting.listed_on), once=sighting.once)
        before = self.signals.get(sighting.source, Signals())
        after = before.then(sighting.signals)
        if after != before:
            self.signals[sighting.source] = after
            self.new_observations.append(Observation(sighting.source, sighting.seen_at, after))

    def _list(self, listing: Listing, *, once: bool) -> None:
        before = {*(self.known.listings if self.known else ()), *self.new_listings}
        if once and any(listing.source == listed.source for listed in before):
            return
        if listing not in before:
            self.new_listings[listing] = None

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
        self._by_doi: dict[str, _Paper] = {}
        self._by_title: dict[str, list[_Paper]] = defaultdict(list)
        self.seen: dict[int, _Paper] = {}
        for paper in known:
            first_seen = datetime.min  # noqa: DTZ901  the ledger keeps its own
            self._add(_Paper(paper.key, paper.facts, first_seen, paper, dict(paper.signals)))

    def paper_of(self, sighting: Sighting) -> _Paper:
        facts, key = sighting.facts, key_of(sighting.facts)
        paper = self._by_key.get(key) or self._same_doi(facts) or self._same_title(facts)
        if paper is None:
            paper = _Paper(key, facts, sighting.seen_at)
            self._add(paper)
        self._by_key[key] = paper
        if facts.doi:
            self._by_doi.setdefault(facts.doi, paper)
        self.seen[id(paper)] = paper
        return paper

    def _same_doi(self, facts: Facts) -> _Paper | None:
        paper = self._by_doi.get(facts.doi)
        return paper if paper and not _differ(paper.facts.arxiv_id, facts.arxiv_id) else None

    def _same_title(self, facts: Facts) -> _Paper | None:
        papers = self._by_title[title_key(facts.title)]
        if not facts.arxiv_id and not facts.doi:
            return papers[0] if len(papers) == 1 else None
        agreeing = (
            paper
            for paper in papers
            if not _differ(paper.facts.arxiv_id, facts.arxiv_id)
            and not _differ(paper.facts.doi, facts.doi)
        )
        return next(agreeing, None)

    def _add(self, paper: _Paper) -> None:
        self._by_key[paper.key] = paper
        if paper.facts.doi:
            self._by_doi.setdefault(paper.facts.doi, paper)
        self._by_title[title_key(paper.facts.title)].append(paper)


def _differ(one: str, other: str) -> bool:
    """Return whether two identifiers are both stated, and not the same."""
    return bool(one and other and one != other)
