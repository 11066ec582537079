"""Word digests for emails, in the reader's language. Pure."""

from collections.abc import Sequence
from functools import lru_cache

from digest.compose.groups import Group, Size
from digest.compose.language import Language
from digest.compose.names import joined, short_name
from digest.model.digests import Digest, Match, Pick, Reason, Section, SkipReason
from digest.model.wording import truncate
from subscribers.preferences import WEEKDAYS

FOR_YOU = Section.FOR_YOU
LONGEST_HEADING = 80
LONGEST_LIKED = 90  # of a liked paper's title
LONGEST_NAMES = 58  # in a subject, of which phones show some 40 characters
LONGEST_PREHEADER = 180
LONGEST_IN_CONTENTS = 30  # of a topic
MOST_IN_CONTENTS = 4  # topics that are named
ROOM_FOR_CONTENTS = 84  # characters, two lines of a phone
SOURCES = {  # as they write themselves
    "huggingface": "Hugging Face",
    "arxiv": "arXiv",
    "biorxiv": "bioRxiv",
    "medrxiv": "medRxiv",
}
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
