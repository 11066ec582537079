"""Score how well papers fit topics, from 0 to 1, alike for every topic. Pure.

A topic is compared with a paper in three ways: by its own words (BM25), by the words of the
corpus's papers that fit it best (pseudo-relevance feedback: Lavrenko and Croft 2001), and by
place in the space of LSA; liked papers in two, by words and by place. With a model there is one
more for both: the cosine of their embeddings. Each is standardised against the corpus's papers and
not against the day's, so that one paper can be judged as well as a thousand. The sum, as a part of
what the best half per cent of the corpus reaches, becomes the score.

A topic that the corpus knows nothing of has a best half per cent as well. So scores are held
down where the corpus does not know a topic's words, or never has them together. With a model
they are not, if the best of the corpus is near enough to the topic in meaning.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import sparse

from digest.rank.abbreviations import in_other_form
from digest.rank.reference_corpus import Floats, Papers, ReferenceCorpus, unit
from digest.rank.words import stems

BLOCK = 256  # topics that are compared at a time

_FEEDBACK_PAPERS = 20
_FEEDBACK_WORDS = 30
_FEEDBACK_WEIGHT = 3.0
_FEEDBACK_ROUNDS = 2  # the second looks where the first has found something
_MEANING_WEIGHT = 3.0  # more gains in other words than people type, and loses in those
_OTHER_FORM_WEIGHT = 0.5  # of an abbreviation's long form, and the other way round
_BEST_SHARE = 0.005

# The part of the best that half a score stands for, and how steeply the score rises there.
_MIDDLE = 0.4
_STEEPNESS = 6.0

# Below the first number a topic is held down to _HELD_DOWN, above the second not at all. It is more
# than nothing, so that the order of the papers stays for whoever wants to see all of them.
_HELD_DOWN = 0.01
_KNOWN = (0.3, 0.6)  # the part of its words' weight that the corpus knows
_TOGETHER = (0.45, 0.65)  # the part of two of its words that the best papers have together
# How much nearer the best papers are to a topic than to the out-of-domain anchors, in standard
# deviations of these. Of topics that papers have nothing to do with, the nearest of 48 is at 2.4;
# of 26 in other words than papers use, 23 are above.
_NEARER = (2.0, 3.0)


@dataclass(frozen=True, slots=True)
class Query:
    """What one topic asks for: words as typed, and the canonical ids of liked papers."""

    words: str
    likes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Meanings:
    """Embeddings of topics, a row of length 1 for each: of their words, and of their liked papers.

    A row is 0 where there is nothing to embed. ``anchors`` are those of topics that no paper is
    about.
    """

    words: Floats
    likes: Floats
    anchors: Floats


@dataclass(frozen=True, eq=False)
class _Comparison:
    """One way to compare: a vector for each topic, and how the corpus answers to it.

    ``by`` names the matrix of Papers that the vectors are compared with.
    """

    by: str
    topics: sparse.csr_matrix | Floats
    mean: Floats
    scale: Floats  # weight over standard deviation; 0 where all papers are alike

    @classmethod
    def of(
        cls, by: str, topics: sparse.csr_matrix | Floats, known: Papers, weight: float = 1.0
    ) -> "_Comparison":
        """Standardise by the corpus's papers, which are ``known``."""
        products = _products(topics, known.columns(by))
        spread = products.std(axis=1, keepdims=True)
        tells = spread > 1e-6  # else rounding, and nothing more
        scale = np.where(tells, weight / np.where(tells, spread, 1), 0).astype(np.float32)
        return cls(by, topics, products.mean(axis=1, keepdims=True), scale)

    def scores(self, papers: Papers) -> Floats:
        """Return a row for each topic, a column for each paper."""
        products = _products(self.topics, papers.columns(self.by))
        return np.asarray((products - self.mean) * self.scale, np.float32)


class Profiles:
    """Some topics, made ready to be compared with any papers."""

    def __init__(
        self,
        corpus: ReferenceCorpus,
        queries: Sequence[Query],
        liked: Mapping[str, sparse.csr_matrix],
        meanings: Meanings | None = None,
    ) -> None:
        """``liked`` has the counts of the papers that queries name; unknown ones count nothing.

        ``meanings`` may only be given if the corpus has embeddings.
        """
        typed = [list(dict.fromkeys(stems(query.words))) for query in queries]
        known, own = corpus.papers, _own_words(corpus, typed)
        self._words = _Comparison.of("bm25", own, known)
        self._more = [_Comparison.of("positions", corpus.positions(own), known)]
        if meanings:
            near = _Comparison.of("embeddings", meanings.words, known, _MEANING_WEIGHT)
            self._more.append(near)
        alone = total = _sum([self._words, *self._more], known)
        for _ in range(_FEEDBACK_ROUNDS):
            words = _feedback(corpus, total)
            self._feedback = _Comparison.of("bm25", words, known, _FEEDBACK_WEIGHT)
            total = alone + self._feedback.scores(known)

        self._by_likes: list[_Comparison] = []
        if any(query.likes for query in queries):
            words, place = _profile_vectors(corpus, queries, liked)
            self._by_likes.append(_Comparison.of("tfidf", words, known))
            self._by_likes.append(_Comparison.of("positions", place, known))
            if meanings:
                near = _Comparison.of("embeddings", meanings.likes, known, _MEANING_WEIGHT)
                self._by_likes.append(near)
            total += _sum(self._by_likes, known)
            _leave_out_liked(corpus, queries, total)

        many = max(1, round(_BEST_SHARE * corpus.size))
        top = np.argpartition(-total, many - 1, axis=1)[:, :many]
        best = np.take_along_axis(total, top, axis=1).mean(axis=1, keepdims=True)
        self._part = np.where(best > 0, 1 / np.where(best > 0, best, 1), 0)
        likes = [any(key in liked for key in query.likes) for query in queries]
        self._gate = np.where(np.array(likes)[:, None], 1, _gate(corpus, typed, top))
        if meanings and known.embeddings is not None:
            self._gate = np.maximum(self._gate, _gate_of_meaning(meanings, known.embeddings))

    def scores(self, papers: Papers) -> Floats:
        """Return a row for each topic, a column for each paper; from 0 to 1."""
        total = _sum([self._words, self._feedback], papers) + _sum(self._more, papers)
        if self._by_likes:
            total += _sum(self._by_likes, papers)
        part = total * self._part
        return np.asarray(self._gate * _logistic(_STEEPNESS * (part - _MIDDLE)), np.float32)

    def word_weights(self, topic: int) -> sparse.csr_matrix:
        """Return the weight of each word of a topic and of its feedback (a single row)."""
        own, more = self._words, self._feedback
        return own.topics[topic] * own.scale[topic, 0] + more.topics[topic] * more.scale[topic, 0]


def _sum(comparisons: Sequence[_Comparison], papers: Papers) -> Floats:
    first, *others = (comparison.scores(papers) for comparison in comparisons)
    return sum(others, first)


def _products(topics: sparse.csr_matrix | Floats, columns: sparse.csr_matrix | Floats) -> Floats:
    """Return the dot product of each topic (a row) with each column, as a dense matrix."""
    products: Any = topics @ columns
    return np.asarray(products.toarray() if sparse.issparse(products) else products)


def _own_words(corpus: ReferenceCorpus, typed: Sequence[list[str]]) -> sparse.csr_matrix:
    """Return each topic's words, with other forms of its abbreviations at less weight."""
    others = [in_other_form(words, corpus.other_forms) for words in typed]
    return corpus.matrix(
        dict.fromkeys(words, 1.0) | dict.fromkeys(more, _OTHER_FORM_WEIGHT)
        for words, more in zip(typed, others, strict=True)
    )


def _feedback(corpus: ReferenceCorpus, total: Floats) -> sparse.csr_matrix:
    """Return for each topic the words of the corpus's best papers for it; the strongest is 1."""
    many = min(_FEEDBACK_PAPERS, corpus.size)
    best = np.argpartition(-total, many - 1, axis=1)[:, :many]
    weights = np.maximum(np.take_along_axis(total, best, axis=1), 0)
    rows = np.repeat(np.arange(len(total)), many)
    chosen = sparse.csr_matrix((weights.ravel(), (rows, best.ravel())), total.shape)
    return _strongest((chosen @ corpus.shares).tocsr())


def _strongest(words: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return the strongest words of each row, in proportion to the first of them."""
    values, columns, ends = [], [], [0]
    for start, end in pairwise(words.indptr.tolist()):
        weights, places = words.data[start:end], words.indices[start:end]
        if len(weights) > _FEEDBACK_WORDS:  # a row has thousands, too many to be sorted
            enough = np.partition(weights, -_FEEDBACK_WORDS)[-_FEEDBACK_WORDS]
            strong = np.flatnonzero(weights >= enough)
            weights, places = weights[strong], places[strong]
        # By column where equal, so that the order in which papers came changes nothing.
        order = np.lexsort((places, -weights))[:_FEEDBACK_WORDS]
        found = weights[order]
        values.append(found / found[0] if len(found) and found[0] > 0 else found)
        columns.append(places[order])
        ends.append(ends[-1] + len(order))
    rows = (np.concatenate(values), np.concatenate(columns), np.array(ends))
    return sparse.csr_matrix(rows, words.shape, dtype=np.float32)


def _profile_vectors(
    corpus: ReferenceCorpus, queries: Sequence[Query], liked: Mapping[str, sparse.csr_matrix]
) -> tuple[sparse.csr_matrix, Floats]:
    """Return the mean of each topic's liked papers, in words and in place."""
    words, place = [], []
    for query in queries:
        counts = [liked[key] for key in query.likes if key in liked]
        if counts:
            papers = sparse.vstack(counts, "csr")
            words.append(sparse.csr_matrix(corpus.tfidf(papers).mean(axis=0)))
            place.append(corpus.positions(papers).mean(axis=0, keepdims=True))
        else:
            words.append(sparse.csr_matrix((1, len(corpus.words)), dtype=np.float32))
            place.append(np.zeros((1, corpus.papers.positions.shape[1]), np.float32))
    return sparse.vstack(words, "csr"), unit(np.vstack(place))


def _leave_out_liked(corpus: ReferenceCorpus, queries: Sequence[Query], total: Floats) -> None:
    """Leave out liked papers: that they fit themselves says nothing of how well others can."""
    for topic, query in enumerate(queries):
        rows = [corpus.row_of[key] for key in query.likes if key in corpus.row_of]
        total[topic, rows] = -np.inf


def _gate(corpus: ReferenceCorpus, typed: Sequence[list[str]], top: np.ndarray) -> Floats:
    """Return for each topic, from 0 to 1, whether the corpus knows what it is about."""
    own = corpus.matrix(dict.fromkeys(words, 1.0) for words in typed)
    weights = own @ sparse.diags(corpus.idf)
    unknown = np.array([len(words) for words in typed]) - np.diff(own.indptr)
    whole = np.asarray(weights.sum(axis=1)).ravel() + unknown * corpus.highest_idf
    whole = np.where(whole > 0, whole, np.inf)

    known = weights @ (corpus.frequency > 1) / whole
    in_papers = _products(weights, corpus.presence)
    in_best = np.take_along_axis(in_papers, top, axis=1).mean(axis=1) / whole
    several = np.array([max(1.0, len(words) / 2) for words in typed])

    gate = _ramp(known, *_KNOWN) * _ramp(in_best * several, *_TOGETHER)
    return np.asarray(np.maximum(gate, _HELD_DOWN)[:, None], np.float32)


def _gate_of_meaning(meanings: Meanings, known: Floats) -> Floats:
    """Return for each topic, from 0 to 1, whether its best papers are nearer than the anchors'."""
    topics, anchors = _nearness(meanings.words, known), _nearness(meanings.anchors, known)
    spread = max(float(anchors.std()), 1e-6)
    return _ramp((topics - anchors.mean()) / spread, *_NEARER)[:, None]


def _nearness(topics: Floats, known: Floats) -> Floats:
    """Return the mean cosine of each topic and the best of the corpus."""
    many = max(1, round(_BEST_SHARE * len(known)))
    nearest = -np.partition(-(topics @ known.T), many - 1, axis=1)[:, :many]
    return np.asarray(nearest.mean(axis=1))


def _logistic(values: Floats) -> Floats:
    """Return 1 / (1 + exp(-values)), as expit of scipy.special, which is slow to load."""
    powers = np.exp(-np.maximum(values, -80).astype(np.float64))  # float32 ends at exp(88)
    return np.asarray(1 / (1 + powers.astype(np.float32)), np.float32)


def _ramp(values: Floats, low: float, high: float) -> Floats:
    return np.asarray(np.clip((values - low) / (high - low), 0, 1))
