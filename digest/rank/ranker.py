"""Rank an edition for its readers: For you, then Trending. Pure and deterministic."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from digest.model.digests import Digest, Edition, Match, Pick, Section
from digest.model.papers import Facts
from digest.rank.matching import Matched, Matching, Topic
from digest.rank.popularity import trending
from digest.rank.reference_corpus import Embed, Floats, ReferenceCorpus
from digest.rank.select import NONE, Ints, Pool, best_for, first_free, groups_of
from subscribers.preferences import Strictness
from subscribers.topics import TopicFilter

# The score that a match needs, by how strict a reader is.
THRESHOLDS = {Strictness.STRICT: 0.7, Strictness.NORMAL: 0.5, Strictness.BROAD: 0.3}

ENOUGH_RATINGS = 3  # liked papers that are a topic of their own; muted ones that push others back
_TOO_ALIKE = 0.5  # cosine of two papers' words, above which they are nearly the same
_BLOCK = 4096  # readers at a time

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Limits:
    """The size of each section, and the strictness where a reader states none."""

    for_you: int
    trending: int
    strictness: Strictness = Strictness.NORMAL

    def threshold(self, reader: "Reader") -> float:
        """Return the score that a match needs for a reader."""
        return THRESHOLDS[reader.strictness or self.strictness]


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader as the ranking sees them.

    ``least`` papers on the topics there must be, ``most`` there may be; where ``most`` or
    ``strictness`` is None, the limits hold. ``likes`` and ``mutes`` are canonical ids of papers.
    """

    topics: tuple[TopicFilter, ...] = ()
    exclusions: tuple[TopicFilter, ...] = ()
    least: int = 1
    most: int | None = None
    strictness: Strictness | None = None
    trending: bool = True
    likes: tuple[str, ...] = ()
    mutes: tuple[str, ...] = ()

    @property
    def wanted(self) -> list[Topic]:
        """Return each topic, and enough liked papers as one more."""
        topics = [Topic(topic.text) for topic in self.topics]
        return topics + ([Topic(likes=self.likes)] if len(self.likes) >= ENOUGH_RATINGS else [])

    @property
    def unwanted(self) -> list[Topic]:
        """Return enough muted papers, as a topic that pushes papers back."""
        return [Topic(likes=self.mutes)] if len(self.mutes) >= ENOUGH_RATINGS else []


@dataclass(frozen=True, slots=True)
class TopicFit:
    """How many papers of an edition fit a topic, and title and score of the best."""

    topic: str
    fitting: int
    best: str
    score: float


class Ranker:
    """The ranking of one edition.

    ``facts_of`` has the papers that readers liked or muted, by canonical id; ``embed`` is the
    sentence model, if there is one.
    """

    def __init__(
        self,
        edition: Edition,
        corpus: ReferenceCorpus,
        limits: Limits,
        facts_of: Mapping[str, Facts] | None = None,
        embed: Embed | None = None,
    ) -> None:
        self._edition = edition
        self._limits = limits
        self._matching = Matching(corpus, edition.candidates, facts_of, embed)
        self._number_of = {candidate.key: n for n, candidate in enumerate(edition.candidates)}
        self._mentioning: dict[str, Mask] = {}

    def digest(self, reader: Reader) -> Digest | None:
        """Return the digest of one reader; see ``digests``."""
        return next(self.digests([reader]))

    def digests(self, readers: Sequence[Reader]) -> Iterator[Digest | None]:
        """Yield the digest of each reader; None if too little matches what they ask for.

        The score decides; votes only among papers that match about as well, and no topic takes all
        places while others match well. Trending is made of the rest. A reader without topics, and
        without matches for what they liked, gets as many papers there as others get on their
        topics. What an exclusion mentions, or what was muted, is in neither.
        """
        if not self._edition.candidates:
            yield from (None for _ in readers)
            return
        asked = [topic for reader in readers for topic in (*reader.wanted, *reader.unwanted)]
        matched = self._matching.match(list(dict.fromkeys(asked)))
        choice = _Choice(matched, self._groups, self._limits)
        for start in range(0, len(readers), _BLOCK):
            yield from self._block(choice, readers[start : start + _BLOCK])

    def fits(self, reader: Reader) -> list[TopicFit]:
        """Return how well each topic of a reader fits the edition, exclusions aside."""
        topics = reader.wanted
        if not self._edition.candidates or not topics:
            return []
        threshold = self._limits.threshold(reader)
        found = []
        for topic, scores in zip(topics, self._matching.match(topics).scores, strict=True):
            best = int(scores.argmax())
            title = self._edition.candidates[best].facts.title
            fitting = int((scores >= threshold).sum())
            name = topic.text or "liked papers"
            found.append(TopicFit(name, fitting, title, float(scores[best])))
        return found

    def _block(self, choice: "_Choice", readers: Sequence[Reader]) -> Iterator[Digest | None]:
        excluded = np.array([self._excluded(reader) for reader in readers])
        chosen, because = choice.for_you(readers, excluded)
        taken = excluded.copy()
        rows, places = np.nonzero(chosen != NONE)
        taken[rows, chosen[rows, places]] = True
        most = max(self._limits.for_you, self._limits.trending)
        free = first_free(self._by_votes, taken, most)
        for row, reader in enumerate(readers):
            pairs = zip(chosen[row].tolist(), because[row].tolist(), strict=True)
            candidates = self._edition.candidates
            for_you = [
                Pick(Section.FOR_YOU, candidates[number], choice.match(topic, number))
                for number, topic in pairs
                if number != NONE
            ]
            yield self._made(reader, for_you, [n for n in free[row].tolist() if n != NONE])

    def _made(self, reader: Reader, for_you: list[Pick], free: list[int]) -> Digest | None:
        if reader.topics and len(for_you) < max(1, reader.least):
            return None
        room = self._limits.trending if reader.trending else 0
        if not reader.topics and not for_you:
            room = min(self._limits.for_you, reader.most or self._limits.for_you)
        rest = [Pick(Section.TRENDING, self._edition.candidates[number]) for number in free[:room]]
        if not for_you and not rest:
            return None
        edition, picks = self._edition, (*for_you, *rest)
        return Digest(edition.day, reader.topics, picks, len(edition.candidates), edition.missing)

    def _excluded(self, reader: Reader) -> Mask:
        out = np.zeros(len(self._edition.candidates), bool)
        for exclusion in reader.exclusions:
            if exclusion.text not in self._mentioning:
                self._mentioning[exclusion.text] = self._matching.mentioning(exclusion.text)
            out |= self._mentioning[exclusion.text]
        out[[self._number_of[key] for key in reader.mutes if key in self._number_of]] = True
        return out

    @cached_property
    def _by_votes(self) -> Ints:
        numbers = [
            self._number_of[candidate.key] for candidate in trending(self._edition.candidates)
        ]
        return np.array(numbers, np.int32)

    @cached_property
    def _groups(self) -> Ints:
        order = np.argsort(-self._matching.standing, kind="stable")
        return groups_of(self._matching.likeness, _TOO_ALIKE, order.tolist())


class _Choice:
    """The choice of papers for For you, for readers of one edition whose topics are matched."""

    def __init__(self, matched: Matched, groups: Ints, limits: Limits) -> None:
        self._matched = matched
        self._groups = groups
        self._limits = limits
        self._row_of = {topic: row for row, topic in enumerate(matched.topics)}
        self._pool = Pool(
            scores=matched.scores,
            weights=np.array([topic.filter.weight for topic in matched.topics], np.float32),
            standing=matched.matching.standing,
        )
        self._utility: dict[float, Floats] = {}

    def match(self, topic: int, number: int) -> Match:
        """Return how well a candidate fits the topic that it was chosen for, both by number."""
        score = float(self._matched.scores[topic, number])
        return Match(score, self._matched.reason(topic, number))

    def for_you(self, readers: Sequence[Reader], excluded: Mask) -> tuple[Ints, Ints]:
        """Return for each reader papers, the best first, and the topics they fit, by number."""
        chosen = np.full((len(readers), self._limits.for_you), NONE, np.int32)
        because = chosen.copy()
        topics = self._topics_of(readers)
        pushed = self._pushed_back(readers)
        thresholds = np.array([self._limits.threshold(reader) for reader in readers])
        for threshold in np.unique(thresholds).tolist():
            rows = np.flatnonzero(thresholds == threshold)
            found = best_for(
                self._utility_at(threshold),
                topics[rows],
                excluded[rows],
                None if pushed is None else pushed[rows],
                self._groups,
                self._limits.for_you,
            )
            width = found[0].shape[1]
            chosen[rows, :width], because[rows, :width] = found
        for row, reader in enumerate(readers):
            chosen[row, reader.most or self._limits.for_you :] = NONE
        return chosen, because

    def _utility_at(self, threshold: float) -> Floats:
        if threshold not in self._utility:
            self._utility[threshold] = self._pool.utility(threshold)
        return self._utility[threshold]

    def _topics_of(self, readers: Sequence[Reader]) -> Ints:
        """Return a row of topics for each reader, filled up with the number of "no topic"."""
        rows = [[self._row_of[topic] for topic in reader.wanted] for reader in readers]
        width = max(1, *map(len, rows))
        topics = np.full((len(rows), width), len(self._matched.topics), np.int32)
        for row, own in zip(topics, rows, strict=True):
            row[: len(own)] = own
        return topics

    def _pushed_back(self, readers: Sequence[Reader]) -> Floats | None:
        """Return by how much each paper is pushed back, for being like what a reader muted."""
        if not any(reader.unwanted for reader in readers):
            return None
        pushed = np.zeros((len(readers), self._matched.scores.shape[1]), np.float32)
        for row, reader in enumerate(readers):
            for topic in reader.unwanted:
                pushed[row] = self._matched.scores[self._row_of[topic]]
        return pushed
