"""A subscriber's digest from an edition: For you, then Trending. Pure and deterministic."""

from collections.abc import Iterable
from dataclasses import dataclass

from digest.model import Candidate, Digest, Edition, Match, Pick, Section
from digest.rank.match import Matcher
from subscribers.topics import TopicFilter


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of each section, and the score that a match needs (0..1)."""

    for_you: int
    trending: int
    threshold: float


class Ranker:
    """Ranks one edition for any number of subscribers."""

    def __init__(self, edition: Edition, limits: Limits) -> None:
        self._edition = edition
        self._limits = limits
        self._matcher = Matcher(edition.candidates)
        self._by_votes = by_popularity(edition.candidates)

    def digest(
        self,
        topics: tuple[TopicFilter, ...],
        *,
        exclusions: tuple[TopicFilter, ...] = (),
        most: int | None = None,
        trending: bool = True,
    ) -> Digest | None:
        """The digest for these topics, or none: nothing matched what was asked for.

        Votes break ties between equal scores, and order Trending, which is made of the rest.
        Without topics there is only Trending. Papers that mention an exclusion are in neither.
        ``most`` is what the subscriber wants of the first section, within the limits.
        """
        excluded = {each for topic in exclusions for each in self._matcher.mentioning(topic)}
        eligible = [each for each in self._by_votes if each.paper_id not in excluded]
        best = self._best_matches(topics)
        matched = [each for each in eligible if each.paper_id in best]
        if not eligible or (topics and not matched):
            return None
        for_you_limit = min(self._limits.for_you, most or self._limits.for_you)
        matched.sort(key=lambda each: -best[each.paper_id].score)  # stable: votes decide ties
        for_you = matched[:for_you_limit]
        shown = {each.paper_id for each in for_you}
        rest = [each for each in eligible if each.paper_id not in shown]
        # Whoever gave no topics gets as many trending papers as others get on theirs.
        room = for_you_limit if not topics else self._limits.trending if trending else 0
        picks = [Pick(Section.FOR_YOU, each, best[each.paper_id]) for each in for_you]
        picks += [Pick(Section.TRENDING, each) for each in rest[:room]]
        return Digest(self._edition.day, topics, tuple(picks), len(self._edition.candidates))

    def _best_matches(self, topics: tuple[TopicFilter, ...]) -> dict[int, Match]:
        """The best match of each paper over the topics; of equals, that of the earlier topic."""
        best: dict[int, Match] = {}
        for topic in topics:
            for paper_id, found in self._matcher.matches(topic).items():
                if found.score >= self._limits.threshold and (
                    paper_id not in best or found.score > best[paper_id].score
                ):
                    best[paper_id] = found
        return best


def by_popularity(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Most upvotes first, then comments, stars, and the id, so that ties are fixed.

    A source without votes says nothing, which comes after those who said 0.
    """
    return sorted(candidates, key=_popularity)


def _popularity(candidate: Candidate) -> tuple[int, int, int, str]:
    signals = candidate.signals
    return (
        -_or_less(signals.upvotes),
        -_or_less(signals.comments),
        -_or_less(signals.stars),
        candidate.facts.arxiv_id or candidate.facts.title,
    )


def _or_less(count: int | None) -> int:
    return -1 if count is None else count
