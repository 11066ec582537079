"""Rank an edition for its readers: For you, Trending, Rising. Pure and deterministic."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from digest.model.digests import Digest, Edition, Match, Pick, Reason, Section
from digest.model.packed_picks import pack
from digest.model.papers import Facts, Revision
from digest.rank.following import Followed
from digest.rank.matching import DECIMALS, Matched, Matching, Topic
from digest.rank.popularity import by_gain, trending
from digest.rank.readers import Limits, Reader
from digest.rank.reference_corpus import Embed, Floats, ReferenceCorpus
from digest.rank.select import NONE, Ints, Pool, best_for, first_free, first_rows, groups_of
from subscribers.follows import Follow

_TO_TELL = 0.01  # the least score of a best paper that is named; less says nothing
_TOO_ALIKE = 0.5  # cosine of two papers' words, above which they are nearly the same
_BLOCK = 4096  # readers at a time
_MOST_TOPICS = 5000  # that are remembered with their scores

T = TypeVar("T")
Mask = NDArray[np.bool_]
# A paper by number, its section and, for For you, the topic by number or what the reader follows.
_Chosen = tuple[Section, int, int | Follow | None]


@dataclass(frozen=True, slots=True)
class TopicFit:
    """The number of an edition's papers that fit a topic, and title and score of the best.

    There is no best, and the title is empty, where no paper has to do with it at all.
    """

    topic: str
    fitting: int
    best: str
    score: float


class Ranker:
    """The ranking of one edition.

    ``facts_of`` has the papers that readers liked or muted, by canonical id; ``embed`` is the
    sentence model, if there is one. Threads may share it; they take turns.
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
        self._papers = (*edition.candidates, *edition.rising)
        self._matching = Matching(corpus, self._papers, facts_of, embed)
        self._number_of = {candidate.key: n for n, candidate in enumerate(self._papers)}
        self._number_of_id = {candidate.paper_id: n for n, candidate in enumerate(self._papers)}
        # For all readers of the edition, however many times they are asked about.
        self._matched = self._matching.match([])
        self._lock = Lock()
        self._mentioning: dict[str, Mask] = {}
        self._picks: dict[_Chosen, Pick] = {}
        self._lines: dict[_Chosen, str] = {}

    def digest(self, reader: Reader) -> Digest | None:
        """Return the digest of one reader; see ``digests``."""
        return next(self.digests([reader]))

    def digests(self, readers: Sequence[Reader]) -> Iterator[Digest | None]:
        """Yield the digest of each reader; None if too little matches what they ask for.

        What they follow comes first. Then the score decides; votes only among papers that match
        about as well, and no topic takes all places while others match well. Trending and Rising
        are made of the rest. A reader without topics, and without matches for what they liked, gets
        as many papers there as others get on their topics. What an exclusion mentions, what was
        muted or shown before, or was withdrawn, is nowhere.
        """
        edition = self._edition
        size, missing = len(edition.candidates), edition.missing
        for reader, picks in self._told(readers, self._pick):
            digest = Digest(edition.day, reader.topics, tuple(picks), size, missing)
            yield digest if picks else None

    def packed(self, readers: Sequence[Reader]) -> Iterator[str]:
        """Yield the picks of each reader's digest as a text (see packed_picks); "" for none."""
        for _, lines in self._told(readers, self._line):
            yield "\n".join(lines)

    def fits(self, reader: Reader) -> list[TopicFit]:
        """Return how well each topic of a reader fits the edition, exclusions aside."""
        topics = self._wanted(reader)
        if not self._edition.candidates or not topics:
            return []
        threshold = self._limits.threshold(reader)
        found = []
        for topic, scores in zip(topics, self._matching.match(topics).scores, strict=True):
            best = int(scores.argmax())
            score = float(scores[best])
            title = self._papers[best].facts.title if score >= _TO_TELL else ""
            fitting = int((scores >= threshold).sum())
            own = (
                "liked papers"
                if topic.likes == reader.likes
                else f"own papers ({len(topic.likes)})"
            )
            name = topic.text or own
            found.append(TopicFit(name, fitting, title, score))
        return found

    # ---- what is chosen ----

    def _told(
        self, readers: Sequence[Reader], tell: Callable[[_Chosen], T]
    ) -> Iterator[tuple[Reader, list[T]]]:
        """Yield what each reader gets, as told; nothing if too little matches what they ask for."""
        if not self._edition.candidates:
            yield from ((reader, []) for reader in readers)
            return
        for start in range(0, len(readers), _BLOCK):
            block = readers[start : start + _BLOCK]
            with self._lock:
                told = [[tell(one) for one in chosen] for chosen in self._chosen(block)]
            yield from zip(block, told, strict=True)

    def _chosen(self, readers: Sequence[Reader]) -> Iterator[list[_Chosen]]:
        """Yield what each reader of a block gets."""
        if len(self._matched.topics) > _MOST_TOPICS:
            self._forget()
        wanted = [self._wanted(reader) for reader in readers]
        self._matched.extend(topic for topics in wanted for topic in topics)
        self._matched.extend(topic for reader in readers for topic in reader.unwanted)
        follows = dict.fromkeys(follow for reader in readers for follow in reader.follows)
        by = {follow: papers for follow in follows if (papers := self._followed.by(follow))}
        choice = _Choice(self._matched, by, self._groups, self._limits)
        excluded = self._excluded(readers)
        numbers, because = choice.for_you(readers, wanted, excluded)
        taken = excluded.copy()
        rows, places = np.nonzero(numbers != NONE)
        taken[rows, numbers[rows, places]] = True
        most = max(self._limits.for_you, self._limits.trending)
        trending = first_free(self._by_votes, taken, most).tolist()
        rising = first_free(self._by_gain, taken, self._limits.rising).tolist()
        for reader, *of_reader in zip(
            readers, numbers.tolist(), because.tolist(), trending, rising, strict=True
        ):
            yield self._in_sections(reader, choice, *of_reader)

    def _in_sections(
        self,
        reader: Reader,
        choice: "_Choice",
        numbers: list[int],
        because: list[int],
        by_votes: list[int],
        by_gain: list[int],
    ) -> list[_Chosen]:
        for_you = [
            (Section.FOR_YOU, number, choice.why(topic))
            for number, topic in zip(numbers, because, strict=True)
            if number != NONE
        ]
        if reader.topics and len(for_you) < max(1, reader.least):
            return []
        if not reader.topics and not for_you:
            room = min(self._limits.for_you, reader.most or self._limits.for_you)
        else:
            room = self._limits.trending if reader.trending else 0
        rising = [(Section.RISING, number, None) for number in by_gain if number != NONE]
        rising = rising[: room // 2]
        trending = [(Section.TRENDING, number, None) for number in by_votes if number != NONE]
        return [*for_you, *trending[: room - len(rising)], *rising]

    def _pick(self, chosen: _Chosen) -> Pick:
        if chosen not in self._picks:
            section, number, why = chosen
            self._picks[chosen] = Pick(section, self._papers[number], self._match(number, why))
        return self._picks[chosen]

    def _line(self, chosen: _Chosen) -> str:
        if chosen not in self._lines:
            self._lines[chosen] = pack([self._pick(chosen)])
        return self._lines[chosen]

    def _match(self, number: int, why: int | Follow | None) -> Match | None:
        """Return how well a paper fits the topic that it was chosen for, both by number."""
        if why is None:
            return None
        if isinstance(why, Follow):
            return Match(1.0, Reason("", followed=why.name))
        # As short as it was rounded: 0.7312, not that of single precision, 0.73119997.
        score = round(float(self._matched.scores[why, number]), DECIMALS)
        return Match(score, self._matched.reason(why, number))

    def _forget(self) -> None:
        """Forget the topics: of a million readers, each may have some that nobody else has."""
        self._matching.forget()
        self._matched = self._matching.match([])
        self._picks.clear()
        self._lines.clear()
        self._mentioning.clear()

    # ---- what is asked of it ----

    def _excluded(self, readers: Sequence[Reader]) -> Mask:
        """Return which papers each reader must not see."""
        out = np.tile(self._withdrawn, (len(readers), 1))
        for row, reader in enumerate(readers):
            for exclusion in reader.exclusions:
                if exclusion.text not in self._mentioning:
                    mentioning = self._matching.mentioning(exclusion.text)
                    self._mentioning[exclusion.text] = mentioning
                out[row] |= self._mentioning[exclusion.text]
            numbers = [self._number_of[key] for key in reader.mutes if key in self._number_of]
            numbers += [self._number_of_id[number] for number in reader.shown]
            out[row, numbers] = True
        return out

    def _wanted(self, reader: Reader) -> list[Topic]:
        """Return the topics of a reader, and the interests in their own papers as more of them.

        One of these is enough: whoever names a paper means it, as a click may not.
        """
        interests = self._matching.interests(reader.own)
        return list(dict.fromkeys([*reader.wanted, *interests])) if interests else reader.wanted

    @cached_property
    def _followed(self) -> Followed:
        return Followed(self._papers)

    @cached_property
    def _withdrawn(self) -> Mask:
        revisions = [candidate.facts.revision for candidate in self._papers]
        return np.array([revision == Revision.WITHDRAWN for revision in revisions], bool)

    @cached_property
    def _by_votes(self) -> Ints:
        numbers = [
            self._number_of[candidate.key] for candidate in trending(self._edition.candidates)
        ]
        return np.array(numbers, np.int32)

    @cached_property
    def _by_gain(self) -> Ints:
        numbers = [self._number_of[candidate.key] for candidate in by_gain(self._edition.rising)]
        return np.array(numbers, np.int32)

    @cached_property
    def _groups(self) -> Ints:
        order = np.argsort(-self._matching.standing, kind="stable")
        return groups_of(self._matching.likeness, _TOO_ALIKE, order.tolist())


class _Choice:
    """The choice of papers for For you, for readers of one edition whose topics are matched.

    ``by`` has the papers of what they follow, by number; to choose, each of these is a topic more,
    after "no topic".
    """

    def __init__(
        self, matched: Matched, by: Mapping[Follow, Sequence[int]], groups: Ints, limits: Limits
    ) -> None:
        self._matched = matched
        self._follows = list(by)
        self._first = first_rows(list(by.values()), matched.matching.standing)
        self._place_of = {follow: place for place, follow in enumerate(by, len(matched.topics) + 1)}
        self._groups = groups
        self._limits = limits
        self._pool = Pool(
            scores=matched.scores,
            weights=np.array([topic.filter.weight for topic in matched.topics], np.float32),
            standing=matched.matching.standing,
        )
        self._utility: dict[float, Floats] = {}

    def why(self, topic: int) -> int | Follow:
        """Return the topic that a paper was chosen for, by number, or what is followed."""
        followed = topic - len(self._matched.topics) - 1
        return topic if followed < 0 else self._follows[followed]

    def for_you(
        self, readers: Sequence[Reader], wanted: Sequence[Sequence[Topic]], excluded: Mask
    ) -> tuple[Ints, Ints]:
        """Return for each reader papers, the best first, and the topics they fit, by number."""
        chosen = np.full((len(readers), self._limits.for_you), NONE, np.int32)
        because = chosen.copy()
        topics = self._topics_of(readers, wanted)
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
            utility = self._pool.utility(threshold)
            self._utility[threshold] = np.vstack([utility, self._first])
        return self._utility[threshold]

    def _topics_of(self, readers: Sequence[Reader], wanted: Sequence[Sequence[Topic]]) -> Ints:
        """Return a row of topics for each reader, filled up with the number of "no topic"."""
        row_of = self._matched.row_of
        rows = [
            [row_of[topic] for topic in topics]
            + [self._place_of[follow] for follow in reader.follows if follow in self._place_of]
            for reader, topics in zip(readers, wanted, strict=True)
        ]
        width = max(1, *map(len, rows))
        nothing = [len(row_of)] * width
        return np.array([row + nothing[len(row) :] for row in rows], np.int32)

    def _pushed_back(self, readers: Sequence[Reader]) -> Floats | None:
        """Return by how much each paper is pushed back, for being like what a reader muted."""
        if not any(reader.unwanted for reader in readers):
            return None
        pushed = np.zeros((len(readers), self._matched.scores.shape[1]), np.float32)
        for row, reader in enumerate(readers):
            for topic in reader.unwanted:
                pushed[row] = self._matched.scores[self._matched.row_of[topic]]
        return pushed
