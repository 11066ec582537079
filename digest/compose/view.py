"""What the templates see: display strings and links, nothing to decide. Pure.

A template gets one ``mail`` (DigestView). Text in it is not escaped; the templates' environment
does that.
"""

import re
from dataclasses import dataclass
from datetime import date
from urllib.parse import quote

from digest.model import Candidate, Digest, Match, Pick, Section
from digest.shorten import shorten

LONGEST_TITLE = 300
LONGEST_TEXT = 360
SHOWN_AUTHORS = 3
RISING_FAST = 5  # upvotes in a day that are worth telling

_SECTIONS = {
    Section.FOR_YOU: ("For you", "Papers on your topics, the closest first."),
    Section.TRENDING: ("Trending", "What the community voted for most."),
}
# A full stop that ends no sentence.
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|et al|cf|vs|approx|resp|Fig|Figs|Eq|Sec|Tab|No|Dr|St|etc)|\b[A-Z])\.$"
)


@dataclass(frozen=True, slots=True)
class Links:
    """The subscriber's own links in one mail.

    ``browser`` is the mail as a page; ``opinions`` is for a paper's canonical id to be added to.
    """

    unsubscribe: str
    preferences: str
    archive: str
    browser: str
    opinions: str


@dataclass(frozen=True, slots=True)
class CardView:
    """One paper as it is shown. Empty strings are left out by the templates.

    ``topic`` and ``why`` are the reason; ``counts`` are ready phrases ("57 upvotes"). Only in
    a subscriber's own mail there is an ``opinion_url``, the page for more like this, or less.
    """

    title: str
    url: str
    topic: str
    why: str
    authors: str
    organisation: str
    text: str
    counts: tuple[str, ...]
    code_url: str
    stars: str
    project_url: str
    opinion_url: str


@dataclass(frozen=True, slots=True)
class SectionView:
    title: str
    about: str
    cards: tuple[CardView, ...]


@dataclass(frozen=True, slots=True)
class DigestView:
    """A whole mail as it is shown."""

    brand: str
    date_line: str
    headline: str
    preheader: str
    top_title: str
    others: int
    sections: tuple[SectionView, ...]
    topics: tuple[str, ...]
    pool: str
    links: Links
    postal_address: str


@dataclass(frozen=True, slots=True)
class LetterView:
    """A mail about a subscription, as it is shown; each kind uses what it needs.

    ``link`` leads to a page with a button, and is good for ``hours``. ``address`` is the one that
    somebody wants, or has moved to, ``before`` the one that they had.
    """

    brand: str
    postal_address: str
    contact: str
    link: str = ""
    hours: int = 0
    topics: tuple[str, ...] = ()
    how_often: str = ""
    address: str = ""
    before: str = ""


def view(digest: Digest, links: Links, *, brand: str, postal_address: str) -> DigestView:
    """Everything a template needs for one subscriber's digest."""
    sections = []
    for section, (title, about) in _SECTIONS.items():
        chosen = [pick for pick in digest.picks if pick.section is section]
        cards = tuple(card(pick, links.opinions) for pick in chosen)
        if cards:
            sections.append(SectionView(title, about, cards))
    titles = [pick.candidate.facts.title for pick in digest.picks]
    return DigestView(
        brand=brand,
        date_line=long_date(digest.day),
        headline=_headline(digest),
        preheader=shorten(" · ".join(shorten(title, 60) for title in titles[1:4]), 180),
        top_title=shorten(titles[0], 70),
        others=len(titles) - 1,
        sections=tuple(sections),
        topics=tuple(topic.text for topic in digest.topics),
        pool=_plural(digest.pool_size, "paper"),
        links=links,
        postal_address=postal_address,
    )


def card(pick: Pick, opinions: str = "") -> CardView:
    """One paper as it is shown; ``opinions`` is the subscriber's own link of that name."""
    candidate = pick.candidate
    facts = candidate.facts
    return CardView(
        title=shorten(facts.title, LONGEST_TITLE),
        url=facts.page_url or _search_url(facts.title),
        topic=_topic(pick.match),
        why=_why(pick.match),
        authors=_authors(facts.authors, facts.author_count),
        organisation=facts.organisation,
        text=shorten(facts.summary, LONGEST_TEXT) or first_sentences(facts.abstract, LONGEST_TEXT),
        counts=_counts(candidate),
        code_url=facts.code_url,
        stars=_rounded(candidate.signals.stars or 0) if candidate.signals.stars else "",
        project_url=facts.project_url,
        opinion_url=f"{opinions}/{quote(candidate.key, safe=':/')}" if opinions else "",
    )


def long_date(day: date) -> str:
    return f"{day:%A}, {day.day} {day:%B %Y}"


def first_sentences(text: str, longest: int) -> str:
    """As many whole sentences from the beginning as fit; the cut first one if none does."""
    end = 0
    for found in re.finditer(r"[.!?](?=\s)", text[: longest + 1]):
        if not _ABBREVIATION.search(text[: found.end()]):
            end = found.end()
    if len(text) <= longest:
        return text
    return text[:end] if end else shorten(text, longest)


def _headline(digest: Digest) -> str:
    for_you = sum(pick.section is Section.FOR_YOU for pick in digest.picks)
    if for_you:
        return f"{_plural(for_you, 'paper')} on your topics"
    return f"{_plural(len(digest.picks), 'trending paper')}"


def _authors(names: tuple[str, ...], count: int) -> str:
    """The first few names and how many more; a source may give only the number."""
    if not names:
        return _plural(count, "author") if count else ""
    shown = names[:SHOWN_AUTHORS]
    more = max(count, len(names)) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _topic(match: Match | None) -> str:
    if match is None:
        return ""
    return match.reason.topic or "Like what you liked"


def _why(match: Match | None) -> str:
    """What speaks for a paper, after the topic: words of its own, or a liked paper's title."""
    if match is None:
        return ""
    liked = match.reason.liked
    return f"“{shorten(liked, 90)}”" if liked else ", ".join(match.reason.words)


def _counts(candidate: Candidate) -> tuple[str, ...]:
    signals = candidate.signals
    counts = ((signals.upvotes, "upvote"), (signals.comments, "comment"))
    said = [_plural(count, noun) for count, noun in counts if count]
    if candidate.risen >= RISING_FAST and signals.upvotes:
        said[0] += f" (+{candidate.risen:,} in a day)"
    return tuple(said)


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _rounded(count: int) -> str:
    for unit, name in ((1_000_000, "M"), (1_000, "k")):
        if count >= unit:
            return f"{count / unit:.1f}{name}".replace(".0", "")
    return str(count)


def _search_url(title: str) -> str:
    """For a paper of which only the title is known: where one would look for it."""
    return f"https://huggingface.co/papers?q={quote(title)}"
