"""Topics against papers: scores, what restricts, and the reason for each match. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from digest.model.digests import Candidate, Reason
from digest.model.papers import Facts
from digest.rank.out_of_domain import OUT_OF_DOMAIN
from digest.rank.popularity import standing
from digest.rank.reasons import reason
from digest.rank.reference_corpus import Embed, Floats, Papers, ReferenceCorpus, text_of, unit
from digest.rank.relevance import BLOCK, Meanings, Profiles, Query
from digest.rank.restrict import Text
from digest.rank.vocabulary import stem_counts
from digest.rank.words import stems
from subscribers.filters import Filter, read_filter

# A filter may only restrict, and ask for nothing that says anything: then all that it lets in is
# wanted, and votes make the difference, from this score to 1.
_LEAST_UNRANKED = 0.9
_DECIMALS = 4  # of a score
_TELLING = 2  # papers of the corpus that have a word, for it to be told as a reason


@dataclass(frozen=True, slots=True)
class Topic:
    """What papers are matched with: a filter's text, liked papers (canonical ids), or both."""

    text: str = ""
    likes: tuple[str, ...] = ()

    @property
    def filter(self) -> Filter:
        return read_filter(self.text)

    @property
    def query(self) -> Query:
        return Query(" ".join(self.filter.query) if self.text else "", self.likes)


class Matching:
    """Some candidates, to be matched with any topics.

    ``facts_of`` gives the facts of papers that somebody liked, by canonical id. With ``embed``,
    and a corpus with embeddings, papers are matched by meaning as well.
    """

    def __init__(
        self,
        corpus: ReferenceCorpus,
        candidates: Sequence[Candidate],
        facts_of: Mapping[str, Facts] | None = None,
        embed: Embed | None = None,
    ) -> None:
        self._corpus = corpus
        self._embed = None if corpus.embeddings is None else embed
        self._facts_of = facts_of or {}
        self.candidates = candidates
        self.standing = standing(candidates)

    def match(self, topics: Sequence[Topic]) -> "Matched":
        """The topics matched with all candidates."""
        liked = self._liked(topics)
        profiles = []
        for start in range(0, len(topics), BLOCK):
            queries = [topic_filter.query for topic_filter in topics[start : start + BLOCK]]
            meanings = self._meanings(queries)
            profiles.append(Profiles(self._corpus, queries, liked, meanings))
        empty = np.zeros((0, len(self.candidates)), np.float32)
        scores = np.vstack([empty, *(profile.scores(self.papers) for profile in profiles)])
        # How a product is summed up depends on the size of its matrices. Papers that are alike
        # must not change places for that when another one joins them.
        scores = scores.round(_DECIMALS)
        for row, topic in zip(scores, topics, strict=True):
            self._restrict(row, topic)
        return Matched(self, topics, scores, profiles)

    def mentioning(self, text: str) -> NDArray[np.bool_]:
        """For each candidate whether it has all that a filter says, as an exclusion means it."""
        said = read_filter(text)
        words = " ".join(said.query)
        found = [text.has_words(words) and text.satisfies(said.restriction) for text in self._texts]
        return np.array(found, np.bool_)

    @cached_property
    def papers(self) -> Papers:
        counts = self._counts(candidate.facts for candidate in self.candidates)
        return self._corpus.read(counts, self._embeddings)

    @cached_property
    def likeness(self) -> Floats:
        """The cosine of each two candidates' words."""
        return np.asarray((self.papers.tfidf @ self.papers.tfidf.T).toarray(), np.float32)

    def words_utility(
        self, weights: sparse.csr_matrix, number: int, own: set[str]
    ) -> dict[str, float]:
        """What each word adds to a candidate's score, for words of these weights.

        A word of one paper only, such as the name of what it presents, tells a reader nothing and
        is left out, unless it is the topic's ``own``.
        """
        row = weights.multiply(self.papers.bm25[number]).tocoo()
        words, papers_with = self._corpus.vocabulary.words, self._corpus.frequency
        return {
            words[column]: float(utility)
            for column, utility in zip(row.col, row.data, strict=True)
            if utility > 0 and (papers_with[column] >= _TELLING or words[column] in own)
        }

    def closest_liked(self, topic: Topic, number: int) -> str:
        """The title of the liked paper that a candidate is most like."""
        place = self.papers.positions[number]
        near = {
            key: float(self._corpus.positions(counts)[0] @ place)
            for key, counts in self._liked([topic]).items()
        }
        return self._facts_of[max(near, key=lambda key: (near[key], key))].title

    @cached_property
    def _texts(self) -> list[Text]:
        return [Text(candidate, self._corpus.other_forms) for candidate in self.candidates]

    def _restrict(self, scores: Floats, topic: Topic) -> None:
        if not topic.text:
            return
        if topic.filter.restriction is not None:
            if not stems(topic.query.words) and not topic.likes:
                scores[:] = _LEAST_UNRANKED + (1 - _LEAST_UNRANKED) * self.standing
            kept = [text.satisfies(topic.filter.restriction) for text in self._texts]
            scores[~np.array(kept, bool)] = 0

    def _liked(self, topics: Sequence[Topic]) -> dict[str, sparse.csr_matrix]:
        keys = {key for topic in topics for key in topic.likes if key in self._facts_of}
        return {key: self._counts([self._facts_of[key]]) for key in sorted(keys)}

    @property
    def _embeddings(self) -> Floats | None:
        if self._embed is None or not self.candidates:
            return None
        return self._embed([text_of(candidate.facts) for candidate in self.candidates])

    def _meanings(self, queries: Sequence[Query]) -> Meanings | None:
        if self._embed is None:
            return None
        facts = self._facts_of
        return Meanings(
            self._mean_of([[query.words] if query.words else [] for query in queries]),
            self._mean_of(
                [[text_of(facts[key]) for key in query.likes if key in facts] for query in queries]
            ),
            self._anchors,
        )

    @cached_property
    def _anchors(self) -> Floats:
        assert self._embed
        return self._embed(OUT_OF_DOMAIN)

    def _mean_of(self, texts: Sequence[Sequence[str]]) -> Floats:
        """For each row of texts the mean of what they mean, of length 1; 0 where there are none."""
        assert self._embed
        assert self._corpus.embeddings is not None
        rows = np.zeros((len(texts), self._corpus.embeddings.shape[1]), np.float32)
        distinct = list(dict.fromkeys(text for row in texts for text in row))
        if distinct:
            place = dict(zip(distinct, self._embed(distinct), strict=True))
            for number, row in enumerate(texts):
                if row:
                    rows[number] = np.mean([place[text] for text in row], axis=0)
        return unit(rows)

    def _counts(self, facts: Iterable[Facts]) -> sparse.csr_matrix:
        return self._corpus.vocabulary.matrix(stem_counts(fact) for fact in facts)


@dataclass(eq=False)
class Matched:
    """Topics matched with candidates: ``scores`` has a row for each topic, from 0 to 1.

    A candidate that a topic's restriction keeps out has 0.
    """

    matching: Matching
    topics: Sequence[Topic]
    scores: Floats
    profiles: Sequence[Profiles]
    _reasons: dict[tuple[int, int], Reason] = field(default_factory=dict)

    def reason(self, topic: int, candidate: int) -> Reason:
        """Why a candidate fits a topic, both by number; only to be asked where it does."""
        asked = (topic, candidate)
        if asked not in self._reasons:
            self._reasons[asked] = self._reason(topic, candidate)
        return self._reasons[asked]

    def _reason(self, topic: int, candidate: int) -> Reason:
        about = self.topics[topic]
        if not about.text:
            return Reason("", liked=self.matching.closest_liked(about, candidate))
        weights = self.profiles[topic // BLOCK].word_weights(topic % BLOCK)
        own = stems(about.query.words)
        utility = self.matching.words_utility(weights, candidate, set(own))
        return reason(about.text, own, utility, self.matching.candidates[candidate])
