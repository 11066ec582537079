"""Papers that were read for searches, ready to be ranked; those used last are kept.

To read a paper and its words takes some tenths of a millisecond, and to rank it a hundredth of one.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np
from scipy import sparse

from digest.ledger.searched_papers import SearchedPapers
from digest.model.papers import Facts
from digest.rank.literal import PROMINENT
from digest.rank.reference_corpus import Embed, Floats, Ints, Papers, ReferenceCorpus, text_of
from digest.rank.words import stem_counts

MOST_KEPT = 16_000  # papers, of some six kilobytes each


@dataclass(frozen=True, slots=True, eq=False)
class ReadPaper:
    """A paper as the ranking reads it by one reference corpus.

    ``columns`` are the corpus's words in it, with their ``counts``, and ``place`` is that in the
    space of LSA. ``strange`` are its prominent terms that the corpus does not know.
    """

    key: str
    facts: Facts
    columns: Ints
    counts: Floats
    place: Floats
    strange: frozenset[str]
    embedding: Floats | None


class ReadPapers:
    """The papers of one ledger that were read last. ``embed`` is the sentence model, if any."""

    def __init__(
        self, papers: SearchedPapers, embed: Embed | None = None, most: int = MOST_KEPT
    ) -> None:
        self._papers = papers
        self._embed = embed
        self._most = most
        self._lock = Lock()
        self._kept: OrderedDict[int, ReadPaper] = OrderedDict()
        self._corpus: ReferenceCorpus | None = None

    def take(self, ids: Sequence[int], corpus: ReferenceCorpus) -> dict[int, ReadPaper]:
        """Return papers by number, in the order of ``ids``; leave out those that do not exist."""
        with self._lock:  # several searches at once must not read the same papers
            if self._corpus is not corpus:
                self._corpus = corpus
                self._kept.clear()
            lacking = [number for number in ids if number not in self._kept]
            for number, paper in self._read(lacking, corpus):
                self._kept[number] = paper
            found = {number: self._kept[number] for number in ids if number in self._kept}
            for number in found:
                self._kept.move_to_end(number)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
            return found

    def forget(self, changed: Sequence[int]) -> None:
        """Forget papers that have changed."""
        with self._lock:
            for number in changed:
                self._kept.pop(number, None)

    def clear(self) -> None:
        """Forget all papers."""
        with self._lock:
            self._kept.clear()

    def _read(self, ids: Sequence[int], corpus: ReferenceCorpus) -> Iterator[tuple[int, ReadPaper]]:
        stored = self._papers.by_number(ids)
        facts = [facts for _, facts in stored.values()]
        counts = [stem_counts(its_facts) for its_facts in facts]
        matrix = corpus.matrix(counts)
        places = corpus.positions(matrix)
        embeddings = None
        if self._embed and corpus.embeddings is not None and facts:
            embeddings = self._embed([text_of(its_facts) for its_facts in facts])
        for row, (number, (key, its_facts)) in enumerate(stored.items()):
            start, end = matrix.indptr[row], matrix.indptr[row + 1]
            yield (
                number,
                ReadPaper(
                    key,
                    its_facts,
                    matrix.indices[start:end].copy(),
                    matrix.data[start:end].copy(),
                    places[row].copy(),
                    frozenset(
                        term
                        for term, count in counts[row].items()
                        if count >= PROMINENT and term not in corpus.column_of
                    ),
                    None if embeddings is None else embeddings[row].copy(),
                ),
            )


def ready(read: Sequence[ReadPaper], corpus: ReferenceCorpus) -> Papers:
    """Return papers as topics are compared with them, but without what only likes need."""
    columns = [paper.columns for paper in read] or [np.zeros(0, np.int32)]
    values = [paper.counts for paper in read] or [np.zeros(0, np.float32)]
    ends = np.cumsum([0, *(len(paper.columns) for paper in read)])
    shape = (len(read), len(corpus.words))
    counts = sparse.csr_matrix((np.concatenate(values), np.concatenate(columns), ends), shape)
    places = [paper.place for paper in read] or [np.zeros((0, corpus.axes.shape[1]), np.float32)]
    embeddings = [paper.embedding for paper in read if paper.embedding is not None]
    return Papers(
        bm25=corpus.bm25(counts),
        tfidf=sparse.csr_matrix(shape, dtype=np.float32),
        positions=np.vstack(places),
        lengths=corpus.lengths(counts),
        embeddings=np.vstack(embeddings) if embeddings else None,
        prominent=_Prominent(counts, read, corpus),
    )


class _Prominent(Mapping[str, Ints]):
    """The papers in which a term is prominent, looked for when it is asked."""

    def __init__(
        self, counts: sparse.csr_matrix, read: Sequence[ReadPaper], corpus: ReferenceCorpus
    ) -> None:
        self._counts = counts
        self._read = read
        self._corpus = corpus

    def __getitem__(self, term: str) -> Ints:
        column = self._corpus.column_of.get(term)
        if column is None:
            found = [n for n, paper in enumerate(self._read) if term in paper.strange]
            return np.array(found, np.int32)
        places = np.flatnonzero(self._counts.indices == column)
        places = places[self._counts.data[places] >= PROMINENT]
        rows = np.searchsorted(self._counts.indptr, places, "right") - 1
        return np.asarray(rows, np.int32)

    def __iter__(self) -> Iterator[str]:
        return iter(self._corpus.words)

    def __len__(self) -> int:
        return len(self._corpus.words)
