"""Find the papers that are most like one, for its page."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

import numpy as np
from scipy import sparse

from digest.ledger.papers import Papers
from digest.model.papers import Facts
from digest.rank.reference_corpus import Floats, ReferenceCorpus
from digest.rank.words import stem_counts

MOST = 4000  # papers to look among, the newest
SHOWN = 5
LEAST = 0.5  # of what two papers have in common, at most 2, to be related


@dataclass(frozen=True, eq=False)
class _Shelved:
    """The papers to look among: their canonical ids, words, and places in the space of LSA."""

    corpus: ReferenceCorpus
    state: tuple[int, ...]
    keys: tuple[str, ...]
    tfidf: sparse.csr_matrix
    positions: Floats


class Related:
    """The related papers in one ledger, by the words and the meaning that the ranking reads.

    What two papers have in common is the sum of two cosines: of their words, which tells what
    exactly they are about, and of their places, which tells the field. To ask costs some
    milliseconds. The papers are read again after a collection, by the first who asks; meanwhile
    others look among those that are kept.
    """

    def __init__(self, papers: Papers, corpus: Callable[[], ReferenceCorpus]) -> None:
        self._papers = papers
        self._corpus = corpus
        self._reading = Lock()
        self._kept: _Shelved | None = None

    def to(self, key: str, facts: Facts) -> list[str]:
        """Return the canonical ids of the papers that are most like one, the closest first."""
        shelved = self._shelved()
        if not shelved.keys:
            return []
        counts = shelved.corpus.matrix([stem_counts(facts)])
        if not counts.nnz:
            return []
        words = (shelved.tfidf @ shelved.corpus.tfidf(counts).T).toarray().ravel()
        common = words + shelved.positions @ shelved.corpus.positions(counts)[0]
        best = np.argsort(-common, kind="stable")[: SHOWN + 1].tolist()
        return [shelved.keys[n] for n in best if common[n] >= LEAST and shelved.keys[n] != key][
            :SHOWN
        ]

    def _shelved(self) -> _Shelved:
        kept, state = self._kept, self._papers.state()
        if kept and kept.state == state:
            return kept
        if not self._reading.acquire(blocking=kept is None) and kept:
            return kept
        try:
            if self._kept is None or self._kept.state != state:
                self._kept = self._read(self._corpus(), state)
            return self._kept
        finally:
            self._reading.release()

    def _read(self, corpus: ReferenceCorpus, state: tuple[int, ...]) -> _Shelved:
        """Read the newest papers; those of the corpus are read already."""
        newest = self._papers.newest(MOST)
        known = [key for key in newest if key in corpus.row_of]
        rows = [corpus.row_of[key] for key in known]
        others = self._papers.facts_of(key for key in newest if key not in corpus.row_of)
        counts = corpus.matrix(stem_counts(facts) for facts in others.values())
        return _Shelved(
            corpus,
            state,
            (*known, *others),
            sparse.vstack([corpus.papers.tfidf[rows], corpus.tfidf(counts)]).tocsr(),
            np.vstack([corpus.papers.positions[rows], corpus.positions(counts)]),
        )
