"""Search the papers collected lately by topic, for the command line and the public page."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from threading import Lock

import numpy as np

from digest.ledger.ledger import Ledger
from digest.model.digests import Match, Pick, Section
from digest.rank.matching import Matching, Topic
from digest.rank.ranker import THRESHOLDS
from digest.rank.reference_corpus import Embed, ReferenceCorpus
from subscribers.preferences import Strictness
from subscribers.topics import TopicFilter

REACH = timedelta(days=120)  # back from the last day that anything was collected for
MOST = 50


@dataclass(frozen=True, eq=False)
class _Kept:
    """The papers, read and ready to be matched, and what they were read from."""

    corpus: ReferenceCorpus
    state: tuple[int, ...]
    matching: Matching


class Search:
    """The search in one ledger, ranked as for a reader who wants whatever may fit.

    To read thousands of papers takes seconds, and to search them hundredths of one. So they are
    kept until others are collected; while one thread reads these, others search what is kept.
    """

    def __init__(
        self, ledger: Ledger, corpus: Callable[[], ReferenceCorpus], embed: Embed | None = None
    ) -> None:
        self._ledger = ledger
        self._corpus = corpus
        self._embed = embed
        self._reading = Lock()
        self._kept: _Kept | None = None

    def find(self, typed: str, most: int = MOST) -> list[Pick]:
        """Return the papers of the last months that fit a filter, best first. Raises TopicError."""
        topic = TopicFilter.parse(typed)
        matching = self._matching()
        papers, threshold = matching.candidates, THRESHOLDS[Strictness.BROAD]
        if not papers:
            return []
        matched = matching.match([Topic(topic.text)], threshold)
        scores = matched.scores[0]
        found = np.flatnonzero(scores >= threshold)
        best = found[np.lexsort((found, -matching.standing[found], -scores[found]))][:most]
        return [
            Pick(Section.FOR_YOU, papers[n], Match(float(scores[n]), matched.reason(0, n)))
            for n in best.tolist()
        ]

    def _matching(self) -> Matching:
        kept, corpus, state = self._kept, self._corpus(), self._ledger.papers.state()
        if kept and kept.corpus is corpus and kept.state == state:
            return kept.matching
        if not self._reading.acquire(blocking=kept is None) and kept:
            return kept.matching
        try:
            if self._kept is None or self._kept is kept:  # else another thread has read meanwhile
                self._kept = _Kept(corpus, state, self._read(corpus))
            return self._kept.matching
        finally:
            self._reading.release()

    def _read(self, corpus: ReferenceCorpus) -> Matching:
        latest = self._ledger.papers.latest_day()
        papers = self._ledger.editions.draft(latest, _first(latest)).candidates if latest else ()
        matching = Matching(corpus, papers, embed=self._embed)
        matching.papers  # noqa: B018  read now
        return matching


def _first(latest: date) -> date:
    return date.min if latest - date.min < REACH else latest - REACH
