"""Report what topics would have matched among some papers, and what would match better. Pure.

A proposal is made only where it really matches more papers or, if there are too many, fewer: each
is ranked as the topic itself is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from digest.model.papers import Revision
from digest.rank.matching import Matching, Topic
from digest.rank.proposals import Proposals
from digest.rank.readers import THRESHOLDS
from digest.rank.reference_corpus import Ints
from digest.rank.topic_language import foreign_language
from digest.rank.words import stems
from subscribers.errors import TopicError
from subscribers.filters import read_filter
from subscribers.preferences import Strictness
from subscribers.topic_reports import Amount, BestPaper, Hint, HintKind, TopicReport
from subscribers.topics import MOST_TOPICS, TopicFilter

SHOWN = 3  # best papers
MOST_HINTS = 3
KEPT = 5000  # reports

_ENOUGH = 3  # papers; fewer are few
_FLOOD_SHARE = 0.2  # of all papers
_FLOOD = 30  # papers, at least
_MUCH_LESS = 0.6  # of the papers of a flood

_LEVELS = (Strictness.STRICT, Strictness.NORMAL, Strictness.BROAD)
_BROADEST = THRESHOLDS[Strictness.BROAD]

_Proposed = Sequence[tuple[HintKind, str]]


@dataclass(frozen=True, eq=False)
class _Matches:
    """The papers that a topic matches: how many at each strictness; their numbers, best first."""

    at: Mapping[Strictness, int]
    numbers: Ints


class TopicReports:
    """Reports on topics among the papers of the days until one; each is made once, and kept."""

    def __init__(self, matching: Matching, until: date) -> None:
        self._matching = matching
        self._until = until
        self._others = Proposals(matching)
        self._made: dict[tuple[str, Strictness], TopicReport] = {}

    def of(self, topics: Sequence[TopicFilter], strictness: Strictness) -> list[TopicReport]:
        """Return a report on each of the first topics; none if there are no papers."""
        if not self._matching.candidates:
            return []
        wanted = [topic.text for topic in topics[:MOST_TOPICS]]
        kept = {text: self._made.get((text, strictness)) for text in wanted}
        made = self._reports([text for text, report in kept.items() if not report], strictness)
        if len(self._made) >= KEPT:
            self._made = {}
        self._made |= {(text, strictness): report for text, report in made.items()}
        return [kept[text] or made[text] for text in wanted]

    def _reports(self, texts: Sequence[str], strictness: Strictness) -> dict[str, TopicReport]:
        matches = self._match(texts)
        reports = {text: self._report(text, matches[text], strictness) for text in texts}
        proposed = {
            text: self._proposed(report, matches[text].numbers) for text, report in reports.items()
        }
        others = self._match(other for found in proposed.values() for _, other in found)
        return {
            text: replace(report, hints=self._hints(report, proposed[text], others))
            for text, report in reports.items()
        }

    def _match(self, texts: Iterable[str]) -> dict[str, _Matches]:
        wanted = list(dict.fromkeys(texts))
        matched = self._matching.match([Topic(text) for text in wanted], _BROADEST)
        found = {}
        for text, scores in zip(wanted, matched.scores, strict=True):
            scores[self._withdrawn] = 0
            at = {level: int((scores >= THRESHOLDS[level]).sum()) for level in _LEVELS}
            numbers = np.flatnonzero(scores >= _BROADEST).astype(np.int32)
            standing = self._matching.standing[numbers]
            found[text] = _Matches(at, numbers[np.lexsort((-standing, -scores[numbers]))])
        return found

    @cached_property
    def _withdrawn(self) -> NDArray[np.bool_]:
        papers = self._matching.candidates
        return np.array([paper.facts.revision == Revision.WITHDRAWN for paper in papers], bool)

    def _report(self, text: str, matches: _Matches, strictness: Strictness) -> TopicReport:
        """Return a report without proposals."""
        said = read_filter(text)
        words = " ".join(said.query)
        papers = matches.at[strictness]
        best = [self._matching.candidates[n] for n in matches.numbers[: min(papers, SHOWN)]]
        hardly_matches = papers < _ENOUGH
        return TopicReport(
            topic=text,
            strictness=strictness,
            papers=papers,
            of=len(self._matching.candidates),
            until=self._until,
            amount=self._amount(papers),
            at=matches.at,
            best=tuple(BestPaper(paper.key, paper.facts.title) for paper in best),
            language=foreign_language(words, self._matching.corpus) if hardly_matches else "",
            only_restricts=said.restriction is not None and not stems(words),
        )

    def _amount(self, papers: int) -> Amount:
        if papers < _ENOUGH:
            return Amount.FEW if papers else Amount.NONE
        return Amount.FLOOD if papers >= self._flood else Amount.SOME

    @property
    def _flood(self) -> float:
        return max(_FLOOD, _FLOOD_SHARE * len(self._matching.candidates))

    def _proposed(self, report: TopicReport, numbers: Ints) -> _Proposed:
        """Return topics that may do better than one; nothing for one that does well."""
        if report.amount is Amount.SOME or report.language:
            return ()
        if report.amount is Amount.FLOOD and report.only_restricts:
            return ()
        others, ways = self._others, list[tuple[HintKind, list[str]]]()
        said = read_filter(report.topic)
        words = " ".join(said.query)
        if report.amount is Amount.FLOOD:
            narrower = others.narrower(words, numbers[: report.papers].tolist())
            ways.append((HintKind.NARROWER, narrower))
        elif said.restriction is not None:
            ways.append((HintKind.CONDITIONS, [words]))
            ways.append((HintKind.NAME, others.names(said.restriction)))
        else:
            ways.append((HintKind.SPELLING, others.spellings(words)))
            ways.append((HintKind.FORM, others.forms(words)))
            if report.amount is Amount.NONE:
                ways.append((HintKind.BROADER, others.broader(words)))
        return [(kind, other) for kind, found in ways for other in found if _is_topic(other)]

    def _hints(
        self, report: TopicReport, proposed: _Proposed, matches: Mapping[str, _Matches]
    ) -> tuple[Hint, ...]:
        """Return the proposals that help: the likeliest of each kind, and another strictness."""
        if report.amount is Amount.SOME or report.language:
            return ()
        found = [
            Hint(kind, other, matches[other].at[report.strictness]) for kind, other in proposed
        ]
        # Of spellings, the one that most papers have is the likeliest.
        found.sort(key=lambda hint: -hint.papers if hint.kind is HintKind.SPELLING else 0)
        levels = _LEVELS[::-1] if report.amount is Amount.FLOOD else _LEVELS
        found += [Hint(HintKind.STRICTNESS, level, report.at[level]) for level in levels]
        hints: dict[HintKind, Hint] = {}
        for hint in found:
            if self._helps(hint, report):
                hints.setdefault(hint.kind, hint)
        return tuple(hints.values())[:MOST_HINTS]

    def _helps(self, hint: Hint, report: TopicReport) -> bool:
        """Return whether a proposal matches a better number of papers than a topic."""
        match hint.kind:
            case HintKind.STRICTNESS if report.amount is Amount.FLOOD:
                return _ENOUGH <= hint.papers <= _MUCH_LESS * report.papers
            case HintKind.NARROWER:
                return _ENOUGH <= hint.papers < self._flood
            case HintKind.NAME:
                return hint.papers > report.papers
            case HintKind.CONDITIONS | HintKind.SPELLING:
                return hint.papers >= max(_ENOUGH, report.papers + 1)
            case _:
                return max(_ENOUGH, report.papers + 1) <= hint.papers < self._flood


def _is_topic(text: str) -> bool:
    try:
        return TopicFilter.parse(text).text == text
    except TopicError:
        return False
