"""What mails say of papers, counts and days, in the reader's language. Pure."""

from collections.abc import Sequence

from digest.compose.language import Language
from digest.model.deliveries import Balance
from digest.model.digests import Candidate, Digest, Section, SkipReason
from digest.model.text import printable_line
from subscribers.preferences import WEEKDAYS, Preferences

SHOWN_AUTHORS = 3
LONGEST_WHY = 120  # in a subject
RISING_FAST = 5  # upvotes in a day that are worth telling
SOURCES = {"huggingface": "Hugging Face", "arxiv": "arXiv"}  # as they write themselves
_WEEKEND = (5, 6)


def section_words(section: Section, language: Language) -> tuple[str, str]:
    """Return a section's title, and what it is."""
    match section:
        case Section.FOR_YOU:
            about = language.gettext("Papers on your topics, the closest first.")
            return language.gettext("For you"), about
        case Section.TRENDING:
            about = language.gettext("What the community voted for most.")
            return language.gettext("Trending"), about


def headline(digest: Digest, language: Language) -> str:
    if digest.why_nothing:
        return language.gettext("Nothing for you today")
    for_you = sum(pick.section is Section.FOR_YOU for pick in digest.picks)
    if for_you:
        return language.ngettext(
            "%(count)s paper on your topics", "%(count)s papers on your topics", for_you
        )
    return language.ngettext(
        "%(count)s trending paper", "%(count)s trending papers", len(digest.picks)
    )


def why_nothing(digest: Digest, language: Language) -> str:
    """Say why a note has nothing; empty for a digest that is none."""
    match digest.why_nothing:
        case None:
            return ""
        case SkipReason.NO_PAPERS if digest.day.weekday() in _WEEKEND and not digest.missing:
            return language.gettext("No new papers came in, as is usual at weekends.")
        case SkipReason.NO_PAPERS:
            return language.gettext("No new papers came in.")
        case _ if digest.topics:
            return language.gettext("Too few of the new papers fit your topics.")
        case _:
            return language.gettext("None of the new papers fits what you asked for.")


def missing(sources: Sequence[str], language: Language) -> str:
    """Tell of the sources that had failed; empty where none had."""
    if not sources:
        return ""
    names = language.listed([SOURCES.get(source, source) for source in sources])
    return language.gettext(
        "Not everything could be collected: papers from %(sources)s may be missing.",
        sources=names,
    )


def authors(names: tuple[str, ...], count: int, language: Language) -> str:
    """List the first few names and how many more; a source may give only the number."""
    if not names:
        return language.ngettext("%(count)s author", "%(count)s authors", count) if count else ""
    shown = ", ".join(names[:SHOWN_AUTHORS])
    more = max(count, len(names)) - len(names[:SHOWN_AUTHORS])
    if not more:
        return shown
    return language.ngettext(
        "%(names)s and %(count)s more", "%(names)s and %(count)s more", more, names=shown
    )


def counts(candidate: Candidate, language: Language) -> tuple[str, ...]:
    upvotes, comments = candidate.signals.upvotes, candidate.signals.comments
    said = []
    if upvotes and candidate.risen >= RISING_FAST:
        risen = language.number(candidate.risen)
        said.append(
            language.ngettext(
                "%(count)s upvote (+%(risen)s in a day)",
                "%(count)s upvotes (+%(risen)s in a day)",
                upvotes,
                risen=risen,
            )
        )
    elif upvotes:
        said.append(language.ngettext("%(count)s upvote", "%(count)s upvotes", upvotes))
    if comments:
        said.append(language.ngettext("%(count)s comment", "%(count)s comments", comments))
    return tuple(said)


def how_often(preferences: Preferences, language: Language) -> str:
    """Say when mail comes, within a sentence: every day, on Monday and Thursday."""
    days = _days(preferences, language)
    if preferences.note_when_nothing:
        return language.gettext("%(how_often)s, also when there is nothing", how_often=days)
    return days


def _days(preferences: Preferences, language: Language) -> str:
    match preferences.cadence:
        case "daily":
            return language.gettext("every day")
        case "weekdays":
            return language.gettext("from Monday to Friday")
        case "weekly":
            return language.gettext("once a week, on Monday")
        case _:
            chosen = [number for number, day in enumerate(WEEKDAYS) if day in preferences.days]
            days = language.listed([language.weekday(number) for number in chosen])
            return language.gettext("on %(days)s", days=days)


def alert_words(
    language: Language, troubles: Sequence[str], *, broken_off: bool, balance: Balance | None
) -> str:
    """Say in a line what matters first about trouble: how many digests did not go out, and why."""
    why = printable_line(next(iter(troubles), ""), LONGEST_WHY)
    if broken_off:
        return language.gettext("The run was broken off: %(why)s", why=why)
    accepted, wanted = (balance.accepted, balance.wanted) if balance else (0, 0)
    if accepted >= wanted:
        return language.gettext("Needs attention: %(why)s", why=why)
    if accepted == 0:
        return language.gettext("No digest went out today: %(why)s", why=why)
    return language.gettext(
        "%(accepted)s of %(wanted)s digests went out: %(why)s",
        accepted=language.number(accepted),
        wanted=language.number(wanted),
        why=why,
    )
