"""Say in words what a topic would have matched, for pages and commands. Pure."""

from dataclasses import dataclass

from digest.compose.language import ENGLISH, Language
from digest.model.page_paths import paper_path
from subscribers.preferences import Strictness
from subscribers.preferences_form import INSTEAD, MATCH
from subscribers.topic_reports import Amount, Hint, HintKind, TopicReport


@dataclass(frozen=True, slots=True)
class HintView:
    """A sentence with a proposal, and the button that takes it: its label, field and value."""

    text: str
    press: str
    field: str
    value: str


@dataclass(frozen=True, slots=True)
class PaperLink:
    """A paper's title, and the path of its page."""

    title: str
    path: str


@dataclass(frozen=True, slots=True)
class ReportView:
    """A report in words, with the best papers and proposals."""

    text: str
    best: list[PaperLink]
    hints: list[HintView]


def report_view(report: TopicReport, language: Language = ENGLISH) -> ReportView:
    """Put a report into sentences of a language."""
    hints = [_hint_view(hint, report, language) for hint in report.hints]
    best = [PaperLink(paper.title, paper_path(paper.key)) for paper in report.best]
    return ReportView(_said(report, language), best, hints)


def _said(report: TopicReport, language: Language) -> str:
    if report.language:
        return language.gettext(
            "This looks like %(language)s; the papers here are in English, so it will hardly ever "
            "match.",
            language=language.name_of(report.language),
        )
    if report.amount is Amount.NONE and report.only_restricts:
        return language.gettext(
            "No paper of the last 30 days meets this condition. One that does will be in an email."
        )
    if report.amount is Amount.NONE:
        return language.gettext("No paper of the last 30 days matches.")
    if report.amount is Amount.FLOOD:
        return language.gettext(
            "%(papers)s of the %(of)s papers of the last 30 days match. That is a lot: only the "
            "best of them fit into an email. A narrower topic says better what you want.",
            papers=language.number(report.papers),
            of=language.number(report.of),
        )
    return language.ngettext(
        "%(count)s paper of the last 30 days matches.",
        "%(count)s papers of the last 30 days match.",
        report.papers,
    )


def _hint_view(hint: Hint, report: TopicReport, language: Language) -> HintView:
    if hint.kind is HintKind.STRICTNESS:
        name = strictness_name(Strictness(hint.proposed), language)
        text = language.ngettext(
            "Matched as “%(proposed)s”, it is %(count)s paper.",
            "Matched as “%(proposed)s”, it is %(count)s papers.",
            hint.papers,
            proposed=name,
        )
        press = language.gettext("Match: %(strictness)s", strictness=name)
        return HintView(text, press, MATCH, hint.proposed)
    match hint.kind:
        case HintKind.SPELLING | HintKind.NAME:
            text = language.ngettext(
                "Did you mean “%(proposed)s”? It matches %(count)s paper.",
                "Did you mean “%(proposed)s”? It matches %(count)s papers.",
                hint.papers,
                proposed=hint.proposed,
            )
        case HintKind.FORM:
            text = language.ngettext(
                "Written as “%(proposed)s”, it matches %(count)s paper.",
                "Written as “%(proposed)s”, it matches %(count)s papers.",
                hint.papers,
                proposed=hint.proposed,
            )
        case HintKind.BROADER:
            text = language.ngettext(
                "A broader topic is “%(proposed)s”, with %(count)s paper.",
                "A broader topic is “%(proposed)s”, with %(count)s papers.",
                hint.papers,
                proposed=hint.proposed,
            )
        case HintKind.NARROWER:
            text = language.ngettext(
                "A narrower topic is “%(proposed)s”, with %(count)s paper.",
                "A narrower topic is “%(proposed)s”, with %(count)s papers.",
                hint.papers,
                proposed=hint.proposed,
            )
        case HintKind.CONDITIONS:
            text = language.ngettext(
                "Without conditions, “%(proposed)s” matches %(count)s paper.",
                "Without conditions, “%(proposed)s” matches %(count)s papers.",
                hint.papers,
                proposed=hint.proposed,
            )
        case HintKind.TRANSLATION:
            text = language.ngettext(
                "A language model translates it as “%(proposed)s”, which matches %(count)s paper.",
                "A language model translates it as “%(proposed)s”, which matches %(count)s papers.",
                hint.papers,
                proposed=hint.proposed,
            )
    press = language.gettext("Use “%(proposed)s”", proposed=hint.proposed)
    return HintView(text, press, INSTEAD, f"{report.topic}\n{hint.proposed}")


def strictness_name(strictness: Strictness, language: Language) -> str:
    """Name a strictness as the form does."""
    return {
        Strictness.STRICT: language.gettext("Strict"),
        Strictness.NORMAL: language.gettext("Normal"),
        Strictness.BROAD: language.gettext("Broad"),
    }[strictness]
