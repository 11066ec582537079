"""Score how well papers fit topics, from 0 to 1, alike for every topic. Pure.

A topic is compared with a paper in three ways: by its own words and pairs of words (BM25), by those
of the corpus's papers that fit it best (pseudo-relevance feedback: Lavrenko and Croft 2001), and by
place in the space of LSA; liked papers in two, by words and by place. The corpus tells whether a
topic is in the terms that papers use: then its own words count more, and feedback less. With a
model there is one more way for both: the cosine of their embeddings. Each is standardised against
the corpus's papers and not against the day's, so that one paper can be judged as well as a
thousand. The sum, as a part of what the best half per cent of the corpus reaches (of a topic that
many papers are about: the best third of these), becomes the score.

A topic that the corpus knows nothing of has a best half per cent as well. So scores are held
down where the corpus does not know a topic's words, or never has them together. They are not if
the paper has these very words where they weigh (see literal.py), which raises its score by
itself; nor, with a model, if the best of the corpus is near enough to the topic in meaning. A paper
that lacks a concept of a topic is held below the normal threshold, and so is one that only
mentions it, unless it fits well otherwise; one that has the words of a phrase apart scores less.
With a model each score is looked at again: near in meaning it rises, and far it falls.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import sparse

from digest.rank.literal import Literal, ramp
from digest.rank.reference_corpus import Floats, Papers, ReferenceCorpus, unit
from digest.rank.topic_words import TopicWords
from digest.rank.words import pairs_of

BLOCK = 256  # topics that are compared at a time

# Of a small corpus fewer papers and words help: this part of its papers, within these bounds.
_FEEDBACK_PAPERS = (1 / 16, 30, 60)
_FEEDBACK_WORDS = (1 / 5, 40, 200)
_FEEDBACK_WEIGHT = 8.0
_FEEDBACK_ROUNDS = 2  # the second looks where the first has found something
_LIKED_PLACE_WEIGHT = 0.2
_FAR_MORE = 3.0  # times the part of all papers that has a word
_COMMON_POWER = 1.5
_MEANING_WEIGHT = 3.0
_OTHER_FORM_WEIGHT = 0.5  # of an abbreviation's long form, and the other way round
_BEST_SHARE = 0.005
# Of a topic that more papers are about, more are its best: this part of those that have its words.
_BEST_OF_HAVING = 0.3
_HAVING = 0.9  # of the weight of its words

# A topic is in usual terms if the papers that have the most of its words have this part of their
# weight: of topics as people type them nearly all, of the same in other words a third to a half.
_IN_USE = (0.6, 0.9)
_LOOKED_AT = 10  # such papers
_LIFT = 3.0  # of the weight of a topic's own words, in usual terms
_OTHERS_LESS = 0.85  # of the weight of what stands in other papers, and of meaning, then

# The part of the best that half a score stands for, and how steeply the score rises there.
_MIDDLE, _MIDDLE_OF_LIKES = 0.53, 0.4
_STEEPNESS = 6.0

_PARTLY = (0.5, 0.9)  # the mean part of its concepts in a paper, that opens the gate
_FULLY = (0.6, 1.0)  # the least part of its concepts in a paper, that raises the score
_RAISED = 0.5  # of what lacks to 1
_LEFT = 0.49  # of its score, to a paper that lacks a concept
_IN_PASSING = 0.95  # the score that a paper needs that only mentions a concept
_CLOSE = 1 / 20  # below the normal threshold such papers lie as close together, in their order
_IN_PIECES = 1.0  # taken from the logit of a paper that has the words of a phrase apart

# With a model, the logit of a score is weighed against how much nearer a paper is to the topic in
# meaning than papers are in general, in standard deviations: fitted to judgements of a person.
_BY_SCORE, _BY_NEARNESS, _BY_ITSELF = 1.3, 0.5, -1.35
_SURE = 0.001  # no score counts as nearer to 0 or 1 than this

# Below the first number a topic is held down to _HELD_DOWN, above the second not at all. It is more
# than nothing, so that the order of the papers stays for whoever wants to see all of them.
_HELD_DOWN = 0.01
_KNOWN = (0.3, 0.6)  # the part of its words' weight that the corpus knows
_TOGETHER = (0.45, 0.65)  # the part of two of its words that the best papers have together
# How much nearer the best papers are to a topic than to the out-of-domain anchors, in standard
# deviations of these. Of topics that papers have nothing to do with, the nearest of 48 is at 2.4;
# of 26 in other words than papers use, 23 are above.
_NEARER = (2.4, 3.4)


@dataclass(frozen=True, slots=True)
class Query:
    """The question of one topic: words as typed, and the canonical ids of liked papers."""

    words: str
    likes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Meanings:
    """Embeddings of topics' words, a row of length 1 for each, or 0 where there are none.

    ``anchors`` are those of topics that no paper is about.
    """

    words: Floats
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
        cls,
        by: str,
        topics: sparse.csr_matrix | Floats,
        known: Papers,
        weight: float | Floats = 1.0,
    ) -> tuple["_Comparison", Floats]:
        """Standardise by the corpus's papers, which are ``known``; return their scores as well."""
        products = _products(topics, known.columns(by))
        spread = products.std(axis=1, keepdims=True)
        tells = spread > 1e-6  # else rounding, and nothing more
        scale = np.where(tells, weight / np.where(tells, spread, 1), 0).astype(np.float32)
        made = cls(by, topics, products.mean(axis=1, keepdims=True), scale)
        return made, made._standardised(products)

    def scores(self, papers: Papers) -> Floats:
        """Return a row for each topic, a column for each paper."""
        return self._standardised(_products(self.topics, papers.columns(self.by)))

    def _standardised(self, products: Floats) -> Floats:
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
        self._corpus = corpus
        self._meanings = meanings
        self._comparisons: list[_Comparison] = []
        self._nearness: _Comparison | None = None
        self._has_words = np.array([[bool(query.words)] for query in queries])
        topics = [TopicWords.of(query.words, corpus) for query in queries]
        self._literal = Literal(topics, corpus)
        weights, whole = _word_weights(corpus, topics)
        in_papers = _products(weights, corpus.presence) / whole[:, None]
        total = self._compare_words(topics, in_papers)
        if any(query.likes for query in queries):
            total += self._compare_likes(queries, liked)

        many = max(1, round(_BEST_SHARE * corpus.size))
        top = np.argpartition(-total, many - 1, axis=1)[:, :many]
        best = np.take_along_axis(total, top, axis=1).mean(axis=1, keepdims=True)
        wanted = (_BEST_OF_HAVING * (in_papers >= _HAVING).sum(axis=1)).round().astype(int)
        for row in np.flatnonzero(wanted > many):
            best[row] = np.partition(total[row], -wanted[row])[-wanted[row] :].mean()
        self._part = np.where(best > 0, 1 / np.where(best > 0, best, 1), 0)

        several = np.array([max(1.0, len(topic.stems) / 2) for topic in topics])
        together = np.take_along_axis(in_papers, top, axis=1).mean(axis=1) * several
        known_share = weights @ (corpus.frequency > 1) / whole
        gate = ramp(known_share, *_KNOWN) * ramp(together, *_TOGETHER)
        likes = [any(key in liked for key in query.likes) for query in queries]
        self._gate = np.where(likes, 1, np.maximum(gate, _HELD_DOWN))[:, None]
        if meanings and corpus.embeddings is not None:
            self._gate = np.maximum(self._gate, _gate_of_meaning(meanings, corpus.embeddings))
        one_word = np.array([len(topic.stems) == 1 for topic in topics]) & (self._in_use[:, 0] > 0)
        self._middle = np.where(likes, _MIDDLE_OF_LIKES, _MIDDLE)[:, None]
        self._left = np.where(likes | one_word, 1, _LEFT)[:, None]

    def scores(self, papers: Papers) -> Floats:
        """Return a row for each topic, a column for each paper; from 0 to 1."""
        first, *others = (comparison.scores(papers) for comparison in self._comparisons)
        total = sum(others, first)
        partly, fully, in_passing = self._literal.coverage(papers)
        lacks, in_pieces = self._literal.absence(papers)
        logits = _STEEPNESS * (total * self._part - self._middle) - _IN_PIECES * in_pieces
        scores = _logistic(logits) * np.maximum(self._gate, ramp(partly, *_PARTLY))
        scores *= np.where(lacks, self._left, 1)
        held = in_passing & ~lacks & (scores < _IN_PASSING)
        scores = np.where(held, np.minimum(scores, _LEFT - _CLOSE * (1 - scores)), scores)
        if self._nearness:
            scores = np.where(self._has_words, self._looked_at_again(scores, papers), scores)
        return np.asarray(scores + (1 - scores) * _RAISED * ramp(fully, *_FULLY), np.float32)

    def _looked_at_again(self, scores: Floats, papers: Papers) -> Floats:
        """Return scores that nearness in meaning has confirmed or not."""
        assert self._nearness
        logits = np.log((scores + _SURE) / (1 + _SURE - scores))
        weighed = _BY_SCORE * logits + _BY_NEARNESS * self._nearness.scores(papers) + _BY_ITSELF
        return _logistic(np.asarray(weighed, np.float32))

    def word_weights(self, topic: int) -> sparse.csr_matrix:
        """Return the weight of each word of a topic and of its feedback (a single row)."""
        own, more = self._words, self._feedback
        return own.topics[topic] * own.scale[topic, 0] + more.topics[topic] * more.scale[topic, 0]

    def _compare(
        self, by: str, topics: sparse.csr_matrix | Floats, weight: float | Floats = 1.0
    ) -> Floats:
        """Add a comparison; return its scores of the corpus's papers."""
        comparison, scores = _Comparison.of(by, topics, self._corpus.papers, weight)
        self._comparisons.append(comparison)
        return scores

    def _compare_words(self, topics: Sequence[TopicWords], in_papers: Floats) -> Floats:
        """Compare by what is typed; return the sum of the scores of the corpus's papers.

        ``in_papers`` is the part of each topic's weight that each of these has.
        """
        corpus = self._corpus
        own = corpus.matrix(_own_terms(topic, corpus) for topic in topics)
        self._in_use = in_use = _in_use(corpus, own, in_papers)
        others_words = 1 - _OTHERS_LESS * in_use
        total = self._compare("bm25", own, 1 + _LIFT * in_use)
        self._words = self._comparisons[-1]
        total += self._compare("positions", corpus.positions(own))
        if self._meanings:
            weight = _MEANING_WEIGHT * others_words
            total += self._compare("embeddings", self._meanings.words, weight)
            self._nearness, _ = _Comparison.of("embeddings", self._meanings.words, corpus.papers)
        weight = _FEEDBACK_WEIGHT * others_words
        more = np.zeros_like(total)
        for _ in range(_FEEDBACK_ROUNDS):
            words = _feedback(corpus, total + more)
            self._feedback, more = _Comparison.of("bm25", words, corpus.papers, weight)
        self._comparisons.append(self._feedback)
        return np.asarray(total + more)

    def _compare_likes(
        self, queries: Sequence[Query], liked: Mapping[str, sparse.csr_matrix]
    ) -> Floats:
        """Compare with liked papers; return the scores of the corpus's papers but these."""
        words, place = _profile_vectors(self._corpus, queries, liked)
        total = self._compare("tfidf", words)
        total += self._compare("positions", place, _LIKED_PLACE_WEIGHT)
        _leave_out_liked(self._corpus, queries, total)
        return total


def _products(topics: sparse.csr_matrix | Floats, columns: sparse.csr_matrix | Floats) -> Floats:
    """Return the dot product of each topic (a row) with each column, as a dense matrix."""
    products: Any = topics @ columns
    return np.asarray(products.toarray() if sparse.issparse(products) else products)


def _own_terms(topic: TopicWords, corpus: ReferenceCorpus) -> dict[str, float]:
    """Return the weights of a topic's stems and pairs, and of other forms of its concepts."""
    weights: dict[str, float] = {}
    for typed, *others in topic.concepts:
        for form in others:
            # A rare abbreviation counts no more than what it stands for.
            is_short = len(form) < len(typed)
            share = min(1.0, corpus.weight_of(typed) / corpus.weight_of(form)) if is_short else 1.0
            weights |= dict.fromkeys([*form, *pairs_of(form)], _OTHER_FORM_WEIGHT * share)
    return weights | dict.fromkeys([*topic.stems, *pairs_of(topic.stems)], 1.0)


def _word_weights(
    corpus: ReferenceCorpus, topics: Sequence[TopicWords]
) -> tuple[sparse.csr_matrix, Floats]:
    """Return the weight of each topic's stems, and the sum of these and of unknown ones."""
    own = corpus.matrix(dict.fromkeys(topic.stems, 1.0) for topic in topics)
    whole = np.array([corpus.weight_of(topic.stems) for topic in topics], np.float32)
    return own @ sparse.diags(corpus.idf), np.where(whole > 0, whole, np.inf)


def _in_use(corpus: ReferenceCorpus, own: sparse.csr_matrix, in_papers: Floats) -> Floats:
    """Return for each topic, from 0 to 1, whether it is in terms that papers use."""
    scores = _products(own, corpus.papers.columns("bm25"))
    many = min(_LOOKED_AT, corpus.size)
    top = np.argpartition(-scores, many - 1, axis=1)[:, :many]
    return ramp(np.take_along_axis(in_papers, top, axis=1).mean(axis=1), *_IN_USE)[:, None]


def _feedback(corpus: ReferenceCorpus, total: Floats) -> sparse.csr_matrix:
    """Return for each topic the words of the corpus's best papers for it; the strongest is 1."""
    many = min(corpus.size, _bounded(corpus.size, *_FEEDBACK_PAPERS))
    best = np.argpartition(-total, many - 1, axis=1)[:, :many]
    weights = np.maximum(np.take_along_axis(total, best, axis=1), 0)
    rows = np.repeat(np.arange(len(total)), many)
    chosen = sparse.csr_matrix((weights.ravel(), (rows, best.ravel())), total.shape)
    words = (chosen @ corpus.shares).tocsr()
    return _strongest(words, _bounded(corpus.size, *_FEEDBACK_WORDS))


def _bounded(size: int, share: float, least: int, most: int) -> int:
    return min(most, max(least, round(size * share)))


def _strongest(words: sparse.csr_matrix, most: int) -> sparse.csr_matrix:
    """Return the strongest words of each row, in proportion to the first of them."""
    values, columns, ends = [], [], [0]
    for start, end in pairwise(words.indptr.tolist()):
        weights, places = words.data[start:end], words.indices[start:end]
        if len(weights) > most:  # a row has thousands, too many to be sorted
            enough = np.partition(weights, -most)[-most]
            strong = np.flatnonzero(weights >= enough)
            weights, places = weights[strong], places[strong]
        # By column where equal, so that the order in which papers came changes nothing.
        order = np.lexsort((places, -weights))[:most]
        found = weights[order]
        values.append(found / found[0] if len(found) and found[0] > 0 else found)
        columns.append(places[order])
        ends.append(ends[-1] + len(order))
    rows = (np.concatenate(values), np.concatenate(columns), np.array(ends))
    return sparse.csr_matrix(rows, words.shape, dtype=np.float32)


def _profile_vectors(
    corpus: ReferenceCorpus, queries: Sequence[Query], liked: Mapping[str, sparse.csr_matrix]
) -> tuple[sparse.csr_matrix, Floats]:
    """Return what each topic's liked papers have in common in words, and their mean place."""
    words, place = [], []
    for query in queries:
        counts = [liked[key] for key in query.likes if key in liked]
        if counts:
            papers = sparse.vstack(counts, "csr")
            words.append(sparse.csr_matrix(_in_common(corpus, corpus.tfidf(papers))))
            place.append(corpus.positions(papers).mean(axis=0, keepdims=True))
        else:
            words.append(sparse.csr_matrix((1, len(corpus.words)), dtype=np.float32))
            place.append(np.zeros((1, corpus.papers.positions.shape[1]), np.float32))
    return sparse.vstack(words, "csr"), unit(np.vstack(place))


def _in_common(corpus: ReferenceCorpus, liked: sparse.csr_matrix) -> Floats:
    """Return the mean of liked papers, of the words that far more of them have than of all papers.

    What only one of them is about, and what every paper says, would lead astray.
    """
    share = np.bincount(liked.indices, minlength=liked.shape[1]) / liked.shape[0]
    more = np.maximum(share - _FAR_MORE * corpus.frequency / corpus.size, 0)
    return np.asarray(np.asarray(liked.mean(axis=0)) * more**_COMMON_POWER, np.float32)


def _leave_out_liked(corpus: ReferenceCorpus, queries: Sequence[Query], total: Floats) -> None:
    """Leave out liked papers, because they fit themselves better than any other paper can."""
    for topic, query in enumerate(queries):
        rows = [corpus.row_of[key] for key in query.likes if key in corpus.row_of]
        total[topic, rows] = -np.inf


def _gate_of_meaning(meanings: Meanings, known: Floats) -> Floats:
    """Return for each topic, from 0 to 1, whether its best papers are nearer than the anchors'."""
    topics, anchors = _nearness(meanings.words, known), _nearness(meanings.anchors, known)
    spread = max(float(anchors.std()), 1e-6)
    return ramp((topics - anchors.mean()) / spread, *_NEARER)[:, None]


def _nearness(topics: Floats, known: Floats) -> Floats:
    """Return the mean cosine of each topic and the best of the corpus."""
    many = max(1, round(_BEST_SHARE * len(known)))
    nearest = -np.partition(-(topics @ known.T), many - 1, axis=1)[:, :many]
    return np.asarray(nearest.mean(axis=1))


def _logistic(values: Floats) -> Floats:
    """Return 1 / (1 + exp(-values)), as expit of scipy.special, which is slow to load."""
    powers = np.exp(-np.maximum(values, -80).astype(np.float64))  # float32 ends at exp(88)
    return np.asarray(1 / (1 + powers.astype(np.float32)), np.float32)
