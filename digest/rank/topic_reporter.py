"""Report on topics among the papers of the last 30 days."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from digest.ledger.ledger import Ledger
from digest.rank.recent import Recent, RecentPapers
from digest.rank.reference_corpus import Embed, ReferenceCorpus
from digest.rank.topic_report import TopicReports
from subscribers.preferences import Strictness
from subscribers.topic_reports import Hint, HintKind, TopicReport
from subscribers.topics import TopicFilter

REACH = timedelta(days=29)  # back from the last day that anything was collected for: 30 with it


class TopicReporter:
    """Reports on topics among the papers of one ledger that were collected lately.

    ``strictness`` is that of readers who choose none. ``translate`` returns a topic in the language
    of papers, or nothing; it is given the topic and the code of its language.
    """

    def __init__(
        self,
        ledger: Ledger,
        corpus: Callable[[], ReferenceCorpus],
        embed: Embed | None,
        strictness: Strictness,
        translate: Callable[[str, str], str] | None = None,
    ) -> None:
        self._recent = RecentPapers(ledger, corpus, embed, REACH)
        self._strictness = strictness
        self._translate = translate
        self._kept: tuple[Recent, TopicReports] | None = None

    def report(
        self, topics: Sequence[TopicFilter], strictness: Strictness | None = None
    ) -> list[TopicReport]:
        """Return a report on each topic; none if there are no papers."""
        recent, _ = self._recent.current()
        if not topics or recent.until is None:
            return []
        kept = self._kept
        if kept is None or kept[0] is not recent:
            kept = self._kept = recent, TopicReports(recent.matching, recent.until)
        level, reports = strictness or self._strictness, kept[1]
        return [self._translated(report, reports, level) for report in reports.of(topics, level)]

    def _translated(
        self, report: TopicReport, reports: TopicReports, strictness: Strictness
    ) -> TopicReport:
        """Return the report with a translation as proposal, if papers do not use its language."""
        if not self._translate or not report.language:
            return report
        proposed = self._translate(report.topic, report.language)
        if not proposed:
            return report
        [other] = reports.of([TopicFilter(proposed)], strictness)
        hint = Hint(HintKind.TRANSLATION, proposed, other.papers)
        return replace(report, hints=(*report.hints, hint))
