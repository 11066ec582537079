"""Word papers, counts and days for emails, in the reader's language. Pure."""

from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache

from digest.compose.groups import Group, Size
from digest.compose.language import Language
from digest.compose.names import joined, short_name
from digest.model.digests import Candidate, Digest, Match, Pick, Reason, Section, SkipReason
from digest.model.papers import Facts, Revision
from digest.model.wording import truncate
from subscribers.preferences import WEEKDAYS

FOR_YOU = Section.FOR_YOU
NBSP = "\N{NO-BREAK SPACE}"
LONGEST_HEADING = 80
LONGEST_LIKED = 90  # of a liked paper's title
LONGEST_NAMES = 58  # in a subject, of which phones show some 40 characters
LONGEST_PREHEADER = 180
LONGEST_IN_CONTENTS = 30  # of a topic
MOST_IN_CONTENTS = 4  # topics that are named
ROOM_FOR_CONTENTS = 84  # characters, two lines of a phone
DAYS_WITHOUT_YEAR = 300
RISING_FAST = 5  # upvotes in a day that are worth telling
RISING_FAST_IN_ROW = 10
SOURCES = {  # as they write themselves
    "huggingface": "Hugging Face",
    "arxiv": "arXiv",
    "biorxiv": "bioRxiv",
    "medrxiv": "medRxiv",
}
SITES = {"huggingface.co": SOURCES["huggingface"], "arxiv.org": SOURCES["arxiv"]}
_WEEKEND = (5, 6)


def heading(group: Group, digest: Digest, language: Language) -> tuple[str, str]:
    """Return the heading of a group of papers, and the phrase beside it."""
    count = len(group.papers)
    papers = language.ngettext("%(count)s paper", "%(count)s papers", count)
    match group.first.section, group.first.match:
        case Section.FOR_YOU, Match(reason=Reason(followed=followed)) if followed:
            return language.gettext("From those you follow"), papers
        case Section.FOR_YOU, Match(reason=Reason(topic="")):
            return language.gettext("Like what you liked"), papers
        case Section.FOR_YOU, Match(reason=reason):
            return _capital(truncate(reason.topic, LONGEST_HEADING)), papers
        case Section.RISING, _:
            about = language.gettext("older papers that gained votes")
            return language.gettext("Rising"), about
        case _, _ if _has_match(digest):
            about = language.gettext("beyond your topics") if digest.topics else papers
            return language.gettext("Also trending"), about
        case _:
            return _trending(digest, language), papers


def content(groups: Sequence[Group], language: Language) -> str:
    """Say how many papers are on something: 4 on video generation. Several topics are counted."""
    first, count = groups[0].first, sum(len(group.papers) for group in groups)
    match first.section, first.match:
        case Section.FOR_YOU, _ if len(groups) > 1:
            said = language.ngettext(
                "%(papers)s on %(count)s other topic",
                "%(papers)s on %(count)s other topics",
                len(groups),
                papers=language.number(count),
            )
        case Section.FOR_YOU, Match(reason=Reason(followed=followed)) if followed:
            said = language.ngettext(
                "%(count)s from those you follow", "%(count)s from those you follow", count
            )
        case Section.FOR_YOU, Match(reason=Reason(topic="")):
            said = language.ngettext(
                "%(count)s like what you liked", "%(count)s like what you liked", count
            )
        case Section.FOR_YOU, Match(reason=reason):
            topic = language.isolated(truncate(reason.topic, LONGEST_IN_CONTENTS))
            said = language.ngettext(
                "%(count)s on %(topic)s", "%(count)s on %(topic)s", count, topic=topic
            )
        case Section.RISING, _:
            said = language.ngettext("%(count)s rising", "%(count)s rising", count)
        case _:
            said = language.ngettext("%(count)s trending", "%(count)s trending", count)
    return said


def contents(groups: Sequence[Group], language: Language) -> list[tuple[str, int]]:
    """Return the contents of an email: what each part says, and the number of its first group.

    Two lines of a phone have room for it: of many topics the last are counted together.
    """
    for_you = [number for number, group in enumerate(groups) if group.first.section is FOR_YOU]
    others = [number for number in range(len(groups)) if number not in for_you]
    for named in range(min(len(for_you), MOST_IN_CONTENTS), -1, -1):
        together = for_you[named:]
        if len(together) == 1 and named:
            continue  # a name is not longer than "1 on 1 other topics"
        parts = [[number] for number in for_you[:named]]
        parts += [together] if together else []
        parts += [[number] for number in others]
        said = [(content([groups[n] for n in part], language), part[0]) for part in parts]
        if sum(len(text) + 3 for text, _ in said) <= ROOM_FOR_CONTENTS:
            break
    return said


def subject(picks: Sequence[Pick], language: Language) -> str:
    """Return the subject of a digest: the number of papers for a reader, and the first names."""
    for_you = [pick for pick in picks if pick.section is FOR_YOU]
    titles = [pick.candidate.facts.title for pick in for_you or picks]
    if len(titles) == 1:
        return language.isolated(truncate(titles[0], LONGEST_NAMES))
    its_names = [_name(title, language) for title in titles]
    names = joined(its_names, LONGEST_NAMES, comma=language.comma)
    if for_you:
        return language.ngettext(
            "%(count)s for you: %(names)s", "%(count)s for you: %(names)s", len(titles), names=names
        )
    return language.ngettext(
        "%(count)s trending: %(names)s", "%(count)s trending: %(names)s", len(titles), names=names
    )


def preheader(
    picks: Sequence[Pick], subject: str, contents: Sequence[str], language: Language
) -> str:
    """Return what inboxes show beside the subject: the names that it lacks, and the contents.

    If there is one paper only, it speaks for itself.
    """
    if len(picks) == 1:
        facts = picks[0].candidate.facts
        return truncate(facts.abstract or facts.title, LONGEST_PREHEADER)
    names = (_name(pick.candidate.facts.title, language) for pick in picks)
    others = [name for name in names if name not in subject]
    counted = " · ".join(contents)
    if others:
        room = LONGEST_PREHEADER - len(counted)
        names_of_others = joined(
            others, max(room, LONGEST_NAMES), most=len(others), comma=language.comma
        )
        also = language.gettext("Also %(names)s.", names=names_of_others)
        counted = f"{also} {counted}"
    return truncate(counted, LONGEST_PREHEADER)


@lru_cache(maxsize=10_000)  # each reader's subject has some
def _name(title: str, language: Language) -> str:
    return language.isolated(short_name(title))


def topic(match: Match | None, language: Language) -> str:
    """Return what a paper was matched with: a topic as typed, or what stands in its place."""
    if match is None:
        return ""
    if match.reason.followed:
        return language.gettext(
            "You follow %(name)s", name=language.isolated(match.reason.followed)
        )
    return match.reason.topic or language.gettext("Like what you liked")


def why(match: Match | None, language: Language) -> str:
    """Return what speaks for a paper, after the topic: its own words, or a liked paper's title."""
    if match is None:
        return ""
    if liked := match.reason.liked:
        return _quoted(truncate(liked, LONGEST_LIKED), language)
    return language.comma.join(_quoted(word, language) for word in match.reason.words)


def reason(match: Match | None, size: Size, language: Language) -> str:
    """Say in a sentence why a paper is in a reader's email; empty where the heading says it."""
    if match is None:
        said = language.gettext("What others voted for most")
        return said if size is Size.LEAD else ""
    if match.reason.followed:
        return topic(match, language)
    words = why(match, language)
    if size is Size.LEAD:
        return _best_match(match.reason, words, language)
    if match.reason.liked:
        return language.gettext("Like %(words)s", words=words)
    return language.gettext("Match: %(words)s", words=words) if words else ""


def _best_match(reason: Reason, words: str, language: Language) -> str:
    if reason.liked:
        return language.gettext("Your best match: like %(words)s", words=words)
    if words:
        return language.gettext("Your best match: %(words)s", words=words)
    return language.gettext("Your best match")


def because(address: str, brand: str, language: Language) -> str:
    """Say why somebody gets a digest; nothing of an address if it is not known."""
    if address:
        return language.gettext(
            "You get this because %(address)s subscribed to %(brand)s.",
            address=address,
            brand=brand,
        )
    return language.gettext("You get this because you subscribed to %(brand)s.", brand=brand)


def _quoted(text: str, language: Language) -> str:
    return language.gettext("“%(title)s”", title=language.isolated(text))


def _capital(topic: str) -> str:
    """Begin a heading with a capital, unless its first word has its own spelling, as in mRNA."""
    return topic[:1].upper() + topic[1:] if topic.split(" ", 1)[0].islower() else topic


def _has_match(digest: Digest) -> bool:
    return any(pick.section is FOR_YOU for pick in digest.picks)


def _trending(digest: Digest, language: Language) -> str:
    """Name the time that Trending is of; not where its papers are of other days than usual."""
    candidates = [pick.candidate for pick in digest.picks if pick.section is Section.TRENDING]
    match digest.cadence:
        case "daily" | "weekdays" if all(candidate.since is None for candidate in candidates):
            return language.gettext("Trending today")
        case cadence if cadence == "weekly" or cadence in WEEKDAYS:
            return language.gettext("Trending this week")
        case "monthly":
            return language.gettext("Trending this month")
        case _:
            return language.gettext("Trending")


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
    """Say why a note has no papers; empty for a digest with papers."""
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
    """Say which sources had failed, or had listed too few papers; empty if none had.

    The words are true of a list that never came as of half a list, and on the pages of later days.
    """
    if not sources:
        return ""
    names = language.listed([SOURCES.get(source, source) for source in sources])
    return language.ngettext(
        "The list of %(sources)s was not fully available, so papers may be missing.",
        "The lists of %(sources)s were not fully available, so papers may be missing.",
        len(sources),
        sources=names,
    )


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
