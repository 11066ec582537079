"""Match topics with papers: scores, restrictions, and the reason for each match. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from digest.model.digests import Candidate, Reason
from digest.model.papers import Facts
from digest.rank.interests import interests
from digest.rank.literal import prominent_in
from digest.rank.phrase import phrase
from digest.rank.popularity import standing
from digest.rank.reference_corpus import Embed, Floats, Papers, ReferenceCorpus, text_of
from digest.rank.relevance import BLOCK, Meanings, Profiles, Query
from digest.rank.restrict import Text
from digest.rank.words import spelt_stems, stem_counts, stems
from subscribers.filters import And, Filter, Or, Restriction, read_filter

MOST_WORDS = 3  # of a paper, told as a reason
_SHORTEST_WORD = 3  # letters that a word needs to say anything
_TELLING = 2  # papers of the corpus that have a word, for it to be told as a reason
# A filter may only restrict, and ask for nothing that says anything: then all that it lets in is
# wanted, and votes make the difference, from this score to 1.
_LEAST_UNRANKED = 0.9
DECIMALS = 4  # of a score
# Topics that no paper is about. How near a model puts such a topic to papers depends on the model
# and on the papers, so that no fixed cosine could tell.
OUT_OF_DOMAIN = (
    "apple pie and other desserts;training for a marathon;cheap flights and hotels;"
    "Victorian novels;house plants;motorcycle repair;fashion for the summer;mortgage rates;"
    "skin care at home;fishing in lakes;country songs;sewing clothes by hand;"
    "camping with children;old coins and antiques;beer brewing;kitchen renovation;golf courses;"
    "royal families of Europe;horse riding lessons;what to cook for guests on a weekend;"
    "places to see on a journey through Italy;choosing furniture for a small living room;"
    "growing up on a farm;election results"
).split(";")


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic to match papers with: a filter's text, liked papers (canonical ids), or both."""

    text: str = ""
    likes: tuple[str, ...] = ()

    @property
    def filter(self) -> Filter:
        return read_filter(self.text)

    @property
    def query(self) -> Query:
        # What may stand for one another is one concept, whose names are parted by "or".
        if not self.text:
            return Query("", self.likes)
        between = " or " if _has_choice(self.filter.restriction) else " "
        return Query(between.join(self.filter.query), self.likes)


def _has_choice(restriction: Restriction | None) -> bool:
    """Return whether a restriction lets one of several things suffice, in some part of it."""
    if isinstance(restriction, And):
        return any(map(_has_choice, restriction.parts))
    return isinstance(restriction, Or)


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
        self.corpus = corpus
        self._embed = None if corpus.embeddings is None else embed
        self.facts_of = {} if facts_of is None else facts_of  # it may change
        self.candidates = candidates
        self._interests: dict[tuple[str, ...], list[Topic]] = {}
        self.standing = standing(candidates)

    def match(
        self,
        topics: Sequence[Topic],
        least: float = 0.0,
        profiles: Sequence[Profiles] | None = None,
    ) -> "Matched":
        """Match topics with all candidates; what scores less than ``least`` may get 0.

        ``profiles`` are those of the topics, if they were made before.
        """
        profiles = self.profiles(topics) if profiles is None else profiles
        empty = np.zeros((0, len(self.candidates)), np.float32)
        scores = np.vstack([empty, *(profile.scores(self.papers) for profile in profiles)])
        # How a product is summed up depends on the size of its matrices. Papers that are alike
        # must not change places for that when another one joins them.
        scores = scores.round(DECIMALS)
        for row, topic in zip(scores, topics, strict=True):
            self._restrict(row, topic, least)
        places = [(profiles[number // BLOCK], number % BLOCK) for number in range(len(topics))]
        return Matched(self, list(topics), scores, places)

    def profiles(self, topics: Sequence[Topic]) -> list[Profiles]:
        """Make topics ready to be compared with any papers, in blocks."""
        liked = self.liked(topics)
        made = []
        for start in range(0, len(topics), BLOCK):
            queries = [topic.query for topic in topics[start : start + BLOCK]]
            made.append(Profiles(self.corpus, queries, liked, self._meanings(queries)))
        return made

    def mentioning(self, text: str) -> NDArray[np.bool_]:
        """Return for each candidate whether it has all that a filter says, as in an exclusion."""
        said = read_filter(text)
        words = " ".join(said.query)
        found = [text.has_words(words) and text.satisfies(said.restriction) for text in self._texts]
        return np.array(found, np.bool_)

    @cached_property
    def papers(self) -> Papers:
        """Return the candidates as the ranking reads them. May be set if they were read before."""
        embeddings = None
        if self._embed and self.corpus.embeddings is not None:
            texts = [text_of(candidate.facts) for candidate in self.candidates]
            embeddings = self._embed(texts) if texts else self.corpus.embeddings[:0]
        counts = [stem_counts(candidate.facts) for candidate in self.candidates]
        return self.corpus.read(self.corpus.matrix(counts), embeddings, prominent_in(counts))

    @cached_property
    def likeness(self) -> Floats:
        """Return the cosine of each two candidates' words."""
        return np.asarray((self.papers.tfidf @ self.papers.tfidf.T).toarray(), np.float32)

    def liked(self, topics: Iterable[Topic]) -> dict[str, sparse.csr_matrix]:
        """Return the counts of the papers that topics name, as far as they are known."""
        keys = {key for topic in topics for key in topic.likes if key in self.facts_of}
        return {key: self._counts([self.facts_of[key]]) for key in sorted(keys)}

    def forget(self) -> None:
        """Forget the interests of readers who are done with."""
        self._interests.clear()

    def interests(self, papers: tuple[str, ...]) -> list[Topic]:
        """Return a topic for each interest in the papers that a reader named, as far as known."""
        known = tuple(key for key in papers if key in self.facts_of)
        if not known:
            return []
        if known not in self._interests:
            places = self.corpus.positions(self._counts(self.facts_of[key] for key in known))
            self._interests[known] = [Topic(likes=likes) for likes in interests(known, places)]
        return self._interests[known]

    @cached_property
    def _texts(self) -> list[Text]:
        return [Text(candidate, self.corpus.other_forms) for candidate in self.candidates]

    def _restrict(self, scores: Floats, topic: Topic, least: float) -> None:
        if not topic.text or topic.filter.restriction is None:
            return
        if not stems(topic.query.words) and not topic.likes:
            scores[:] = _LEAST_UNRANKED + (1 - _LEAST_UNRANKED) * self.standing
        kept = [
            score >= least and text.satisfies(topic.filter.restriction)
            for score, text in zip(scores.tolist(), self._texts, strict=True)
        ]
        scores[~np.array(kept, bool)] = 0

    def _meanings(self, queries: Sequence[Query]) -> Meanings | None:
        if self._embed is None:
            return None
        assert self.corpus.embeddings is not None
        words = np.zeros((len(queries), self.corpus.embeddings.shape[1]), np.float32)
        rows = [row for row, query in enumerate(queries) if query.words]
        if rows:
            words[rows] = self._embed([queries[row].words for row in rows])
        return Meanings(words, self._anchors)

    @cached_property
    def _anchors(self) -> Floats:
        assert self._embed
        return self._embed(OUT_OF_DOMAIN)

    def _counts(self, facts: Iterable[Facts]) -> sparse.csr_matrix:
        return self.corpus.matrix(stem_counts(fact) for fact in facts)


@dataclass(eq=False)
class Matched:
    """Topics matched with candidates: ``scores`` has a row for each topic, from 0 to 1.

    A candidate that a topic's restriction keeps out has 0. ``places`` says where the profile of
    each topic is.
    """

    matching: Matching
    topics: list[Topic]
    scores: Floats
    places: list[tuple[Profiles, int]]
    _reasons: dict[tuple[int, int], Reason] = field(default_factory=dict)
    _weights: dict[int, sparse.csr_matrix] = field(default_factory=dict)

    @cached_property
    def row_of(self) -> dict[Topic, int]:
        return {topic: row for row, topic in enumerate(self.topics)}

    def extend(self, topics: Iterable[Topic]) -> None:
        """Match more topics; the numbers of those that were matched before stay."""
        new = list(dict.fromkeys(topic for topic in topics if topic not in self.row_of))
        if new:
            more = self.matching.match(new)
            self.row_of.update(
                {topic: len(self.topics) + row for topic, row in more.row_of.items()}
            )
            self.topics += more.topics
            self.scores = np.vstack([self.scores, more.scores])
            self.places += more.places

    def reason(self, topic: int, candidate: int) -> Reason:
        """Return why a candidate fits a topic, both by number; only to be asked where it does."""
        asked = (topic, candidate)
        if asked not in self._reasons:
            about = self.topics[topic]
            self._reasons[asked] = (
                Reason(about.text, self._words(topic, candidate))
                if about.text
                else Reason("", liked=self._closest_liked(about, candidate))
            )
        return self._reasons[asked]

    def _words(self, topic: int, candidate: int) -> tuple[str, ...]:
        """Return a phrase of a candidate that speaks for it, else words, as the paper spells them.

        Those of the topic come first where the paper lacks some of them (else the topic itself says
        it), then what the topic's best papers have in common with this one.
        """
        own = stems(self.topics[topic].query.words)
        utility = self._utility_of_words(topic, candidate, own)
        facts = self.matching.candidates[candidate].facts
        if found := phrase(facts, utility, own):
            return (found,)
        spelt = _spellings(facts)
        best = sorted(
            (stem for stem in utility if stem in spelt and len(spelt[stem]) >= _SHORTEST_WORD),
            key=lambda stem: (stem not in own, -utility[stem], stem),
        )
        if set(own) <= spelt.keys():
            best = [stem for stem in best if stem not in own]
        return tuple(spelt[stem] for stem in best[:MOST_WORDS])

    def _utility_of_words(
        self, topic: int, candidate: int, own: Collection[str]
    ) -> dict[str, float]:
        """Return what each stem adds to a candidate's score.

        A word of one paper only, such as the name of what it presents, tells a reader nothing and
        is left out, unless it is the topic's ``own``.
        """
        if topic not in self._weights:
            profiles, place = self.places[topic]
            self._weights[topic] = profiles.word_weights(place)
        weights, bm25 = self._weights[topic], self.matching.papers.bm25
        row = slice(bm25.indptr[candidate], bm25.indptr[candidate + 1])
        columns, ours, theirs = np.intersect1d(
            weights.indices, bm25.indices[row], assume_unique=True, return_indices=True
        )
        utilities = weights.data[ours] * bm25.data[row][theirs]
        words, papers_with = self.matching.corpus.words, self.matching.corpus.frequency
        return {
            words[column]: utility
            for column, utility in zip(columns.tolist(), utilities.tolist(), strict=True)
            if utility > 0 and (papers_with[column] >= _TELLING or words[column] in own)
        }

    def _closest_liked(self, topic: Topic, candidate: int) -> str:
        """Return the title of the liked paper that a candidate is most like."""
        place = self.matching.papers.positions[candidate]
        near = {
            key: float(self.matching.corpus.positions(counts)[0] @ place)
            for key, counts in self.matching.liked([topic]).items()
        }
        return self.matching.facts_of[max(near, key=lambda key: (near[key], key))].title


@lru_cache(maxsize=1000)  # searches often find the same papers
def _spellings(facts: Facts) -> dict[str, str]:
    """Return how a paper first spells each stem; its title, where capitals say nothing, is last."""
    spelt: dict[str, str] = {}
    for text in (facts.summary, facts.abstract, *facts.keywords, facts.title):
        for stem, word in spelt_stems(text):
            spelt.setdefault(stem, word)
    return spelt
