"""Look for the very words of topics in papers. Pure.

A word that stands in a paper's title, or three times in its text (in the opening, it counts
twice), is *prominent* there; what a longer paper says less often, it mentions in passing. This is
asked of the paper itself and not of the reference corpus, so that a word counts however rare or new
it is.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digest.rank.reference_corpus import Counts, Floats, Ints, Papers, Prominent, ReferenceCorpus
from digest.rank.topic_words import Form, TopicWords
from digest.rank.words import pairs_of

PROMINENT = 3  # times, as many as a title counts for
_MOST = 0.75  # the part of a concept's words that makes it be there, without pairs
_HALF = 0.5  # of its pairs; and of its words, to be more than mentioned
_SHORT = 60  # words, with a title as stem_counts counts it: such a text says nothing in passing
_IN_PHRASE = 3  # papers that have two words side by side, for these to be a phrase

Shares = Mapping[str, float]  # of each term in the weight of its form


def prominent_in(papers: Iterable[Counts]) -> Prominent:
    """Return for each term in which papers it is prominent, in order."""
    found: dict[str, list[int]] = defaultdict(list)
    for number, counts in enumerate(papers):
        for term, count in counts.items():
            if count >= PROMINENT:
                found[term].append(number)
    return {term: np.array(numbers, np.int32) for term, numbers in found.items()}


class Literal:
    """Some topics, to be looked for in papers to the letter."""

    def __init__(self, topics: Sequence[TopicWords], corpus: ReferenceCorpus) -> None:
        self._corpus = corpus
        self._topics = [
            [_Concept.of(forms, corpus) for forms in topic.concepts] for topic in topics
        ]

    def coverage(self, papers: Papers) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        """Return how fully papers have a topic's concepts prominently: on average, and at least.

        A concept of several words is there as far as its pairs are; on average, its words will do.
        Both are matrices of topics by papers, from 0 to 1. The third tells where a paper has a
        concept at most in passing: it is not short, and less than half of the words are prominent.
        """
        many = papers.bm25.shape[0]
        mean = np.zeros((len(self._topics), many), np.float32)
        least = np.zeros_like(mean)
        in_passing = np.zeros(mean.shape, np.bool_)
        for row, concepts in enumerate(self._topics):
            if concepts:
                prominent = papers.prominent.get
                found = [_best(concept.pairs, prominent, many) for concept in concepts]
                words = [_best(concept.words, prominent, many) for concept in concepts]
                either = np.maximum(found, words)
                mean[row] = either.mean(axis=0)
                least[row] = np.min(found, axis=0)
                in_passing[row] = (np.min(words, axis=0) < _HALF) & (papers.lengths >= _SHORT)
        return mean, least, in_passing

    def absence(self, papers: Papers) -> tuple[NDArray[np.bool_], Floats]:
        """Return where papers lack a concept of a topic, and how far they have one in pieces.

        A paper has a concept that it has most words of, or half of the pairs. It has one in pieces
        if other papers put its words side by side and this one does not, the more so the less
        prominent they are. Both are matrices of topics by papers.
        """

        def having(term: str) -> Ints | None:
            column = self._corpus.column_of.get(term)
            return prominent(term) if column is None else papers.with_word(column)

        prominent = papers.prominent.get
        many = papers.bm25.shape[0]
        lacks = np.zeros((len(self._topics), many), np.bool_)
        in_pieces = np.zeros((len(self._topics), many), np.float32)
        for row, concepts in enumerate(self._topics):
            for concept in concepts:
                is_apart = _best(concept.pairs, having, many) < _HALF
                has_most = _best(concept.words, having, many) >= _MOST
                lacks[row] |= is_apart & ~has_most
                if concept.is_phrase:
                    weak = 1 - ramp(_best(concept.words, prominent, many), _MOST, 1)
                    np.maximum(in_pieces[row], weak * (is_apart & has_most), out=in_pieces[row])
        return lacks, in_pieces


@dataclass(frozen=True, slots=True)
class _Concept:
    """The forms of a concept, each by its words and by its pairs (its only word if it has one).

    It is a phrase if papers put two of its words side by side.
    """

    words: Sequence[Shares]
    pairs: Sequence[Shares]
    is_phrase: bool

    @classmethod
    def of(cls, forms: Iterable[Form], corpus: ReferenceCorpus) -> "_Concept":
        words, pairs = [], []
        is_phrase = False
        for form in forms:
            side_by_side = pairs_of(form)
            words.append(_shares(form, corpus))
            pairs.append(_shares(side_by_side or form, corpus))
            is_phrase |= any(corpus.papers_with(pair) >= _IN_PHRASE for pair in side_by_side)
        return cls(words, pairs, is_phrase)


def ramp(values: Floats, low: float, high: float) -> Floats:
    """Return 0 for values up to ``low``, 1 from ``high`` on, and what is between in proportion."""
    return np.asarray(np.clip((values - low) / (high - low), 0, 1))


def _shares(terms: Iterable[str], corpus: ReferenceCorpus) -> Shares:
    weights = {term: corpus.weight_of([term]) for term in terms}
    whole = sum(weights.values())
    return {term: weight / whole for term, weight in weights.items()}


def _best(forms: Iterable[Shares], having: Callable[[str], Ints | None], many: int) -> Floats:
    """Return how fully each of many papers has the form that it has most of."""
    best = np.zeros(many, np.float32)
    for form in forms:
        found = np.zeros(many, np.float32)
        for term, share in form.items():
            if (numbers := having(term)) is not None:
                found[numbers] += share
        np.maximum(best, found, out=best)
    return best
