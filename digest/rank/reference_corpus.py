"""What papers are like in general: what a topic's scores are measured against. Pure.

A corpus is some hundreds to thousands of recent papers as counts of stems. From them come the
weights of words (BM25: Robertson and Zaragoza 2009; TF-IDF), and a space of few dimensions in which
words that occur in the same papers lie close (LSA: Deerwester et al. 1990, by the randomized
decomposition of Halko, Martinsson and Tropp 2011, algorithm 4.4).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits

from digest.model.papers import Facts
from digest.rank.abbreviations import OtherForms, other_forms
from digest.rank.vocabulary import Vocabulary

K1, B = 1.2, 0.75  # BM25's saturation of counts, and its correction for length
DIMENSIONS = 200
_OVERSAMPLED = 20
_POWER_ITERATIONS = 4

Floats = NDArray[np.float32]

# Texts as rows of length 1 that are near where the texts mean the same: a model's sentence
# embeddings. Without a model there are none, and topics are compared without.
Embed = Callable[[Sequence[str]], Floats]


def text_of(facts: Facts) -> str:
    """What of a paper is embedded."""
    return f"{facts.title}. {facts.abstract}"


@dataclass(frozen=True, eq=False)
class Papers:
    """Some papers, as topics are compared with them: a row for each in every matrix.

    ``bm25`` has what each word adds to the score, ``tfidf`` rows of length 1, ``positions`` the
    places in the space of LSA; ``embeddings`` are there where a model is used.
    """

    bm25: sparse.csr_matrix
    tfidf: sparse.csr_matrix
    positions: Floats
    embeddings: Floats | None = None


@dataclass(frozen=True, eq=False)
class ReferenceCorpus:
    """``counts`` has a row for each paper, named by its canonical id in ``keys``.

    ``abbreviations`` maps a short form to its long one, both as they are written. ``embeddings``
    has a row for each paper as well; there is none in the shipped corpus, which has no texts.
    """

    vocabulary: Vocabulary
    counts: sparse.csr_matrix
    keys: tuple[str, ...] = ()
    abbreviations: Mapping[str, str] = field(default_factory=dict)
    embeddings: Floats | None = None

    @classmethod
    def of(
        cls,
        counts: Sequence[Mapping[str, float]],
        keys: Iterable[str] = (),
        abbreviations: Mapping[str, str] | None = None,
        embeddings: Floats | None = None,
    ) -> "ReferenceCorpus":
        vocabulary = Vocabulary.of(counts)
        matrix = vocabulary.matrix(counts)
        return cls(vocabulary, matrix, tuple(keys), abbreviations or {}, embeddings)

    @property
    def size(self) -> int:
        """The number of papers."""
        return int(self.counts.shape[0])

    @cached_property
    def frequency(self) -> Floats:
        """In how many papers each word stands."""
        return np.bincount(self.counts.indices, minlength=len(self.vocabulary)).astype(np.float32)

    @cached_property
    def idf(self) -> Floats:
        """BM25's weight of each word: above 0, the higher the rarer."""
        rest = self.size - self.frequency
        return np.log1p((rest + 0.5) / (self.frequency + 0.5)).astype(np.float32)

    @property
    def highest_idf(self) -> float:
        """The weight of a word that nobody knows."""
        return float(np.log1p((self.size + 0.5) / 0.5))

    @cached_property
    def _mean_length(self) -> float:
        return float(self.counts.sum(axis=1).mean()) or 1.0

    def bm25(self, counts: sparse.csr_matrix) -> sparse.csr_matrix:
        """Counts as what each word adds to the BM25 score of its paper."""
        lengths = np.asarray(counts.sum(axis=1)).ravel()
        norm = K1 * (1 - B + B * lengths / self._mean_length)
        n = counts.data
        weights = n * (K1 + 1) / (n + norm[_row_of_each(counts)]) * self.idf[counts.indices]
        return _like(counts, weights)

    def tfidf(self, counts: sparse.csr_matrix) -> sparse.csr_matrix:
        """Counts as weights, each row of length 1: logarithmic counts, smoothed inverse frequency.

        Their product is the cosine of two texts.
        """
        smooth = np.log((1 + self.size) / (1 + self.frequency)) + 1
        n = counts.data
        logarithmic = np.minimum(n, 1) * (1 + np.log(np.maximum(n, 1)))
        weights = logarithmic * smooth[counts.indices]
        rows = _row_of_each(counts)
        squares = np.bincount(rows, weights**2, minlength=counts.shape[0])
        return _like(counts, weights / np.sqrt(squares)[rows])

    def positions(self, counts: sparse.csr_matrix) -> Floats:
        """Where texts lie in the space of LSA, each row of length 1 (or 0, if nothing is known)."""
        return unit(np.asarray(self.tfidf(counts) @ self._factors, np.float32))

    def read(self, counts: sparse.csr_matrix, embeddings: Floats | None = None) -> Papers:
        """Papers, given by their counts, to be compared with topics."""
        return Papers(self.bm25(counts), self.tfidf(counts), self.positions(counts), embeddings)

    @cached_property
    def papers(self) -> Papers:
        """The corpus's own papers."""
        return self.read(self.counts, self.embeddings)

    @cached_property
    def row_of(self) -> dict[str, int]:
        """The row of each paper, by its canonical id."""
        return {key: row for row, key in enumerate(self.keys)}

    @cached_property
    def other_forms(self) -> OtherForms:
        return other_forms(self.abbreviations)

    @cached_property
    def presence(self) -> sparse.csr_matrix:
        """1 where a word stands in a paper."""
        return _like(self.counts, np.ones_like(self.counts.data))

    @cached_property
    def shares(self) -> sparse.csr_matrix:
        """The part that each word has of its paper, times the word's weight."""
        lengths = np.asarray(self.counts.sum(axis=1)).ravel()
        shares = self.counts.data / lengths[_row_of_each(self.counts)]
        return _like(self.counts, shares * self.idf[self.counts.indices])

    @cached_property
    def _factors(self) -> Floats:
        """The space's axes: words by dimensions."""
        # On matrices this narrow the threads of BLAS mostly wait for each other.
        with threadpool_limits(limits=1, user_api="blas"):
            return _axes(self.tfidf(self.counts))


def _axes(papers: sparse.csr_matrix) -> Floats:
    """The strongest axes of a matrix. The seed is fixed, so that they are as well."""
    wanted = min(DIMENSIONS, *papers.shape)
    start = np.random.default_rng(0).standard_normal(
        (papers.shape[1], min(wanted + _OVERSAMPLED, *papers.shape))
    )
    basis = papers @ start.astype(np.float32)
    for _ in range(_POWER_ITERATIONS):
        basis = papers @ (papers.T @ np.linalg.qr(basis)[0])
    basis = np.linalg.qr(basis)[0]
    small = (papers.T @ basis).astype(np.float64)
    # Of a matrix this narrow the eigenvectors of its square are the quicker way.
    strengths, directions = np.linalg.eigh(small.T @ small)
    strongest = np.argsort(-strengths)[:wanted]
    scale = np.sqrt(np.maximum(strengths[strongest], 1e-12))
    return np.asarray(small @ directions[:, strongest] / scale, np.float32)


def unit(rows: Floats) -> Floats:
    """Rows of length 1; a row of zeros stays."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1), np.float32)


def _row_of_each(matrix: sparse.csr_matrix) -> NDArray[np.intp]:
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))


def _like(matrix: sparse.csr_matrix, values: NDArray[np.floating]) -> sparse.csr_matrix:
    """A matrix with other values in the same places."""
    return sparse.csr_matrix(
        (values.astype(np.float32), matrix.indices, matrix.indptr), matrix.shape
    )
