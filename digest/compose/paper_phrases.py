"""Word papers, their counts and days, in the reader's language. Pure."""

from collections.abc import Iterator
from datetime import date

from digest.compose.groups import Size
from digest.compose.language import Language
from digest.compose.phrases import SOURCES
from digest.model.digests import Candidate
from digest.model.papers import Facts, Revision
from digest.model.wording import truncate
from subscribers.preferences import WEEKDAYS

NBSP = "\N{NO-BREAK SPACE}"
DAYS_WITHOUT_YEAR = 300
RISING_FAST = 5  # upvotes in a day that are worth telling
RISING_FAST_IN_ROW = 10
SITES = {"huggingface.co": SOURCES["huggingface"], "arxiv.org": SOURCES["arxiv"]}


def authors(names: tuple[str, ...], count: int, language: Language) -> str:
    """Name the first author and how many more; a source may give only the number."""
    if not names:
        return language.ngettext("%(count)s author", "%(count)s authors", count) if count else ""
    more = max(count, len(names)) - 1
    first = language.isolated(names[0])
    return f"{first} +{NBSP}{language.number(more)}" if more else first


def votes(candidate: Candidate, day: date | None, language: Language) -> str:
    """Write a paper's upvotes and their gain, short: ▲ 148, +96 since Tue. Empty without any."""
    upvotes = candidate.signals.upvotes
    if not upvotes:
        return ""
    gain = gained(candidate, day, language, short=True)
    return _with_gain(f"▲{NBSP}{language.number(upvotes)}", gain, language)


def votes_in_words(candidate: Candidate, day: date | None, language: Language) -> str:
    """Say the same as ``votes`` to who hears it: 148 upvotes, +96 since Tuesday."""
    upvotes = candidate.signals.upvotes
    if not upvotes:
        return ""
    said = language.ngettext("%(count)s upvote", "%(count)s upvotes", upvotes)
    return _with_gain(said, gained(candidate, day, language, short=False), language)


def _with_gain(votes: str, gain: str, language: Language) -> str:
    # Two statements: between them Chinese has another comma than between names.
    return language.gettext("%(votes)s, %(gain)s", votes=votes, gain=gain) if gain else votes


def marks(
    candidate: Candidate, day: date | None, marks_new: bool, size: Size, language: Language
) -> Iterator[str]:
    """Yield what sets a paper apart: that it gains votes, that it is new where most are not."""
    least = RISING_FAST_IN_ROW if size is Size.ROW else RISING_FAST
    if gain := gained(candidate, day, language, short=True, least=least):
        yield language.gettext("Rising: %(gain)s", gain=gain)
    if day and candidate.since is None and marks_new:
        yield language.gettext("New")


def counts(candidate: Candidate, language: Language) -> tuple[str, ...]:
    comments, cited = candidate.signals.comments, candidate.facts.citations
    said = []
    if comments:
        said.append(language.ngettext("%(count)s comment", "%(count)s comments", comments))
    if cited:
        said.append(language.ngettext("%(count)s citation", "%(count)s citations", cited))
    return tuple(said)


def summary(candidate: Candidate, longest: int, language: Language) -> tuple[str, str]:
    """Return a sentence on a paper, and what to say of who made it; both empty if there is none.

    All of them are made by machines: none is shown without being marked.
    """
    facts = candidate.facts
    if candidate.sentence:
        by = language.gettext("Summary by a language model")
        return truncate(candidate.sentence.text, longest), by
    if facts.summary:  # as Hugging Face marks it
        return truncate(facts.summary, longest), language.gettext("AI-generated summary")
    if facts.tldr:
        return truncate(facts.tldr, longest), language.gettext("Summary by Semantic Scholar")
    return "", ""


def title_translation(candidate: Candidate, longest: int, language: Language) -> str:
    """Return the title in the language, marked as a translation; empty if there is none."""
    if not candidate.sentence or not candidate.sentence.title:
        return ""
    title = language.isolated(truncate(candidate.sentence.title, longest))
    return language.gettext("%(title)s (translated by a language model)", title=title)


def origin(candidate: Candidate, day: date | None, language: Language) -> tuple[str, ...]:
    """Tell where a paper was found, when it was published, and how old it is to the edition."""
    published = candidate.facts.published_on
    said = [_revision(candidate.facts, language)]
    if site := site_of(candidate.facts.page_url):
        said.append(language.isolated(site))
    said.append(language.isolated(candidate.facts.venue))
    if published:
        said.append(language.gettext("published on %(day)s", day=language.medium_date(published)))
    if day and candidate.since is None:
        said.append(language.gettext("new"))
    elif day and (age := (day - candidate.listed_on).days):
        said.append(language.ngettext("listed %(count)s day ago", "listed %(count)s days ago", age))
    return tuple(filter(None, said))


def details(candidate: Candidate, day: date | None, language: Language) -> tuple[str, ...]:
    """Tell what became of a paper, when and where it was published, and what is said of it."""
    facts, published = candidate.facts, ""
    if facts.published_on:
        is_near = day and 0 <= (day - facts.published_on).days < DAYS_WITHOUT_YEAR
        write = language.day_and_month if is_near else language.medium_date
        published = write(facts.published_on).replace(" ", NBSP)
    venue = language.isolated(facts.venue)
    said = (_revision(facts, language), published, venue, *counts(candidate, language))
    return tuple(filter(None, said))


def site_of(url: str) -> str:
    """Return the name of the site that an address leads to."""
    host = url.partition("://")[2].partition("/")[0].removeprefix("www.")
    return SITES.get(host, host)


def _revision(facts: Facts, language: Language) -> str:
    match facts.revision:
        case Revision.WITHDRAWN:
            return language.gettext("withdrawn")
        case Revision.REPLACED:
            return language.gettext("replaced by a new version")
        case _:
            return ""


def gained(
    candidate: Candidate,
    day: date | None,
    language: Language,
    *,
    short: bool,
    least: int = RISING_FAST,
) -> str:
    """Tell what a paper gained; empty for little. A day of the last week is named by weekday."""
    if candidate.risen < least:
        return ""
    risen, since = language.number(candidate.risen), candidate.since
    if since is None:
        return language.gettext("+%(risen)s in a day", risen=risen)
    if day and (day - since).days < len(WEEKDAYS):
        name = language.weekday(since.weekday(), short=short)
    else:
        name = language.short_date(since)
    return language.gettext("+%(risen)s since %(day)s", risen=risen, day=name)
