"""The reference corpus: recent papers in general, which scores are measured against. Pure.

A corpus is some hundreds to thousands of papers as counts of terms, which are stems and pairs of
stems that stand side by side (with a blank between them). From them come the weights of
words (BM25: Robertson and Zaragoza 2009; TF-IDF), and a space of few dimensions in which words that
occur in the same papers lie close (LSA: Deerwester et al. 1990, by the randomized decomposition of
Halko, Martinsson and Tropp 2011, algorithm 4.4).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits

from digest.model.papers import Facts
from digest.rank.abbreviations import OtherForms, other_forms

K1, B = 1.2, 0.75  # BM25's saturation of counts, and its correction for length
DIMENSIONS = 200
_OVERSAMPLED = 20
_POWER_ITERATIONS = 4
_SURELY_SPELT = 5  # papers that have a word, for it to be no slip
_COMMON_PAIR = 2  # papers that have a pair, for it to be a term

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

Counts = Mapping[str, float]  # how often each term stands in a text
# For each term, the numbers of the papers in which it is prominent (see literal.py).
Prominent = Mapping[str, Ints]

# Turns texts into a model's sentence embeddings: rows of length 1, near where the meaning is.
Embed = Callable[[Sequence[str]], Floats]


def text_of(facts: Facts) -> str:
    """Return the text of a paper that is embedded."""
    return f"{facts.title}. {facts.abstract}"


@dataclass(frozen=True, eq=False)
class Papers:
    """Some papers as topics are compared with them, with a row for each in every matrix.

    ``bm25`` is what each word adds to the score, ``tfidf`` has rows of length 1, ``positions`` are
    places in the space of LSA, ``lengths`` are counts of known words. ``embeddings`` are there if a
    model is used. ``prominent`` has terms that the corpus knows, and others.
    """

    bm25: sparse.csr_matrix
    tfidf: sparse.csr_matrix
    positions: Floats
    lengths: Floats
    embeddings: Floats | None = None
    prominent: Prominent = field(default_factory=dict)
    _columns: dict[str, Any] = field(default_factory=dict)

    def with_word(self, column: int) -> Ints:
        """Return the numbers of the papers that have the word of a column."""
        words: Any = self.columns("bm25")
        numbers: Ints = words.indices[words.indptr[column] : words.indptr[column + 1]]
        return numbers

    def columns(self, name: str) -> sparse.csr_matrix | Floats:
        """Return one of the matrices with a column for each paper, ready to be multiplied with."""
        if name not in self._columns:
            turned = getattr(self, name).T
            self._columns[name] = turned.tocsr() if sparse.issparse(turned) else turned
        return self._columns[name]


@dataclass(eq=False)
class ReferenceCorpus:
    """Counts of ``words`` (terms, a column each) in papers (a row each, named by ``keys``).

    Pairs come after single stems.
    ``abbreviations`` maps a short form to its long one, both as they are written. ``embeddings``
    has a row for each paper; the shipped corpus, which holds no texts, has none.
    """

    words: tuple[str, ...]
    counts: sparse.csr_matrix
    keys: tuple[str, ...] = ()
    abbreviations: Mapping[str, str] = field(default_factory=dict)
    embeddings: Floats | None = None

    @classmethod
    def of(
        cls,
        counts: Sequence[Counts],
        keys: Iterable[str] = (),
        abbreviations: Mapping[str, str] | None = None,
        embeddings: Floats | None = None,
    ) -> "ReferenceCorpus":
        """Make a corpus of the counts of each paper."""
        papers_with = Counter(term for count in counts for term in count)
        kept = (term for term, n in papers_with.items() if n >= _COMMON_PAIR or " " not in term)
        words = tuple(sorted(kept, key=lambda term: (" " in term, term)))
        matrix = _matrix(_columns(words), counts)
        return cls(words, matrix, tuple(keys), abbreviations or {}, embeddings)

    def matrix(self, counts: Iterable[Counts]) -> sparse.csr_matrix:
        """Return a row for each text: its counts (float32), without words that are not known."""
        return _matrix(self.column_of, counts)

    @cached_property
    def column_of(self) -> dict[str, int]:
        return _columns(self.words)

    @cached_property
    def single(self) -> int:
        """Return how many of the words are single stems."""
        return sum(" " not in word for word in self.words)

    @cached_property
    def familiar(self) -> dict[str, list[str]]:
        """Return the single stems that some papers have, by their first letter."""
        words: dict[str, list[str]] = {}
        for word, papers in zip(self.words[: self.single], self.frequency.tolist(), strict=False):
            if papers >= _SURELY_SPELT:
                words.setdefault(word[0], []).append(word)
        return words

    def papers_with(self, term: str) -> int:
        """Return in how many papers a term stands."""
        column = self.column_of.get(term)
        return 0 if column is None else int(self.frequency[column])

    def weight_of(self, terms: Iterable[str]) -> float:
        """Return the sum of the weights of some terms, known or not."""
        columns = [self.column_of.get(term) for term in terms]
        return sum(self.highest_idf if n is None else float(self.idf[n]) for n in columns)

    @property
    def size(self) -> int:
        """Return the number of papers."""
        return int(self.counts.shape[0])

    @cached_property
    def frequency(self) -> Floats:
        """Return in how many papers each word stands."""
        return np.bincount(self.counts.indices, minlength=len(self.words)).astype(np.float32)

    @cached_property
    def idf(self) -> Floats:
        """Return BM25's weight of each word: above 0, the higher the rarer."""
        rest = self.size - self.frequency
        return np.log1p((rest + 0.5) / (self.frequency + 0.5)).astype(np.float32)

    @property
    def highest_idf(self) -> float:
        """Return the weight of a word that is in no paper."""
        return float(np.log1p((self.size + 0.5) / 0.5))

    @cached_property
    def _mean_length(self) -> float:
        return float(self.counts.sum(axis=1).mean()) or 1.0

    def bm25(self, counts: sparse.csr_matrix) -> sparse.csr_matrix:
        """Return what each word adds to the BM25 score of its text."""
        lengths = np.asarray(counts.sum(axis=1)).ravel()
        norm = K1 * (1 - B + B * lengths / self._mean_length)
        n = counts.data
        weights = n * (K1 + 1) / (n + norm[_row_of_each(counts)]) * self.idf[counts.indices]
        return _like(counts, weights)

    def tfidf(self, counts: sparse.csr_matrix) -> sparse.csr_matrix:
        """Return logarithmic counts times smoothed inverse frequencies, in rows of length 1.

        The product of two rows is the cosine of two texts.
        """
        smooth = np.log((1 + self.size) / (1 + self.frequency)) + 1
        n = counts.data
        logarithmic = np.minimum(n, 1) * (1 + np.log(np.maximum(n, 1)))
        weights = logarithmic * smooth[counts.indices]
        rows = _row_of_each(counts)
        squares = np.bincount(rows, weights**2, minlength=counts.shape[0])
        return _like(counts, weights / np.sqrt(squares)[rows])

    def positions(self, counts: sparse.csr_matrix) -> Floats:
        """Return places in the space of LSA, in rows of length 1 (0 for unknown words)."""
        return unit(np.asarray(self._single_tfidf(counts) @ self.axes, np.float32))

    def lengths(self, counts: sparse.csr_matrix) -> Floats:
        """Return how many known words, which are single stems, each text has."""
        return np.asarray(counts[:, : self.single].sum(axis=1), np.float32).ravel()

    def _single_tfidf(self, counts: sparse.csr_matrix) -> sparse.csr_matrix:
        return self.tfidf(counts)[:, : self.single]

    def read(
        self,
        counts: sparse.csr_matrix,
        embeddings: Floats | None = None,
        prominent: Prominent | None = None,
    ) -> Papers:
        """Make papers, given by their counts, ready to be compared with topics."""
        bm25, tfidf, places = self.bm25(counts), self.tfidf(counts), self.positions(counts)
        return Papers(bm25, tfidf, places, self.lengths(counts), embeddings, prominent or {})

    @cached_property
    def papers(self) -> Papers:
        """Return the corpus's own papers."""
        return self.read(self.counts, self.embeddings)

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Return the row of each paper by its canonical id."""
        return {key: row for row, key in enumerate(self.keys)}

    @cached_property
    def other_forms(self) -> OtherForms:
        return other_forms(self.abbreviations)

    @cached_property
    def presence(self) -> sparse.csr_matrix:
        """Return 1 where a word (row) stands in a paper (column)."""
        return _like(self.counts, np.ones_like(self.counts.data)).T.tocsr()

    @cached_property
    def shares(self) -> sparse.csr_matrix:
        """Return the part that each word has of its paper, times the word's weight."""
        lengths = np.asarray(self.counts.sum(axis=1)).ravel()
        shares = self.counts.data / lengths[_row_of_each(self.counts)]
        return _like(self.counts, shares * self.idf[self.counts.indices])

    @cached_property
    def axes(self) -> Floats:
        """Return the axes of the space of LSA: single stems by dimensions. May be set if known.

        Pairs would only move topics in other words away from the papers they mean.
        """
        # On matrices this narrow the threads of BLAS mostly wait for each other.
        with threadpool_limits(limits=1, user_api="blas"):
            return _axes(self._single_tfidf(self.counts))


def _axes(papers: sparse.csr_matrix) -> Floats:
    """Return the strongest axes of a matrix; the seed is fixed, and so are they."""
    wanted = min(DIMENSIONS, *papers.shape)
    shape = papers.shape[1], min(wanted + _OVERSAMPLED, *papers.shape)
    # What has a row for each word is large: none of these matrices outlives its use.
    basis = papers @ np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    for _ in range(_POWER_ITERATIONS):
        basis = papers @ (papers.T @ np.linalg.qr(basis)[0])
    basis = np.linalg.qr(basis)[0]
    small = (papers.T @ basis).astype(np.float64)
    # Of a matrix this narrow the eigenvectors of its square are the quicker way.
    strengths, directions = np.linalg.eigh(small.T @ small)
    strongest = np.argsort(-strengths)[:wanted]
    axes = small @ directions[:, strongest]
    axes /= np.sqrt(np.maximum(strengths[strongest], 1e-12))
    return np.asarray(axes, np.float32)


def unit(rows: Floats) -> Floats:
    """Return rows of length 1; a row of zeros stays."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1), np.float32)


def _columns(words: Iterable[str]) -> dict[str, int]:
    return {word: column for column, word in enumerate(words)}


def _matrix(column_of: Mapping[str, int], counts: Iterable[Counts]) -> sparse.csr_matrix:
    ends, columns, values = [0], list[int](), list[float]()
    for count in counts:
        known = [(column_of[word], n) for word, n in count.items() if word in column_of]
        columns += [column for column, _ in known]
        values += [n for _, n in known]
        ends.append(len(columns))
    rows = sparse.csr_matrix(
        (np.array(values, np.float32), np.array(columns, np.int32), np.array(ends)),
        (len(ends) - 1, len(column_of)),
    )
    rows.sort_indices()
    return rows


def _row_of_each(matrix: sparse.csr_matrix) -> NDArray[np.intp]:
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))


def _like(matrix: sparse.csr_matrix, values: NDArray[np.floating]) -> sparse.csr_matrix:
    """Return a matrix with other values in the same places."""
    return sparse.csr_matrix(
        (values.astype(np.float32), matrix.indices, matrix.indptr), matrix.shape
    )
