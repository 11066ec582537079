"""What the templates see: display strings and links, nothing to decide. Pure.

A template gets one ``mail`` (DigestView). Text in it is not escaped; the templates' environment
does that.
"""

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from digest.compose.language import ENGLISH, Language
from digest.compose.phrases import authors, counts, headline, missing, section_words, why_nothing
from digest.model.digests import Candidate, Digest, Match, Pick, Section
from digest.model.papers import Facts
from digest.model.wording import truncate

LONGEST_TITLE = 300
LONGEST_TEXT = 360

_ITS_PAGE = "https://huggingface.co/papers/"
_ITS_PICTURE = "https://cdn-thumbnails.huggingface.co/social-thumbnails/papers"

# A full stop that ends no sentence.
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|et al|cf|vs|approx|resp|Fig|Figs|Eq|Sec|Tab|No|Dr|St|etc)|\b[A-Z])\.$"
)


@dataclass(frozen=True, slots=True)
class Links:
    """The subscriber's own links in one mail.

    ``edition`` has all of the day's papers; ``browser`` is the mail as a page; ``opinions`` is for
    a paper's canonical id to be added to.
    """

    unsubscribe: str
    preferences: str
    archive: str
    edition: str
    browser: str
    opinions: str


@dataclass(frozen=True, slots=True)
class Picture:
    """An image at the head of each mail, in the pixels that it is shown with."""

    url: str
    width: int
    height: int
    alt: str


@dataclass(frozen=True, slots=True)
class CardView:
    """One paper as it is shown. Empty strings are left out by the templates.

    ``topic`` and ``why`` are the reason; ``counts`` are ready phrases ("57 upvotes"). Only in
    a subscriber's own mail there is an ``opinion_url``, the page for more like this, or less.
    ``thumbnail`` is the address of a picture of the paper, where the operator wants them.
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
    thumbnail: str = ""


@dataclass(frozen=True, slots=True)
class SectionView:
    title: str
    about: str
    cards: tuple[CardView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """Hold what all messages show. ``direction`` is ltr or rtl."""

    brand: str
    postal_address: str
    language: str = ENGLISH.code
    direction: str = ENGLISH.direction
    header: Picture | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestView(_View):
    """A whole digest as it is shown.

    ``topics`` are the reader's, as one text; ``pool`` is a sentence on the edition, ``missing`` one
    on what it lacks. A note that there is nothing has no sections, and says ``why``.
    """

    date_line: str
    headline: str
    preheader: str
    top_title: str
    others: int
    sections: tuple[SectionView, ...]
    topics: str
    pool: str
    missing: str
    links: Links
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView(_View):
    """A message about a subscription or to the operator, as shown; each uses what it needs.

    ``link`` leads to a page with a button, and is good for ``hours``. ``address`` is the one that
    somebody wants, or has moved to, ``before`` the one that they had. ``unsubscribe`` is the link
    of whoever has confirmed. The last four are for the operator: what went wrong, where and since
    when, and one by one.
    """

    contact: str
    link: str = ""
    hours: int = 0
    topics: str = ""
    how_often: str = ""
    address: str = ""
    before: str = ""
    unsubscribe: str = ""
    what: str = ""
    where: str = ""
    since: str = ""
    troubles: tuple[str, ...] = ()


def view(
    digest: Digest,
    links: Links,
    *,
    brand: str,
    postal_address: str,
    language: Language = ENGLISH,
    header: Picture | None = None,
    thumbnails: bool = False,
) -> DigestView:
    """Return everything a template needs for one subscriber's digest."""
    sections = []
    for section in Section:
        chosen = [pick for pick in digest.picks if pick.section is section]
        cards = tuple(card(pick, links.opinions, language, thumbnails) for pick in chosen)
        if cards:
            sections.append(SectionView(*section_words(section, language), cards))
    return DigestView(
        brand=brand,
        date_line=language.long_date(digest.day),
        headline=headline(digest, language),
        preheader=_preheader(digest, language),
        top_title=truncate(digest.picks[0].candidate.facts.title, 70) if digest.picks else "",
        others=max(0, len(digest.picks) - 1),
        sections=tuple(sections),
        topics=language.listed([topic.text for topic in digest.topics]),
        pool=language.ngettext(
            "Today's edition has %(count)s paper.",
            "Today's edition has %(count)s papers.",
            digest.pool_size,
        )
        if digest.pool_size  # a week's digest may go out on a day without papers of its own
        else "",
        missing=missing(digest.missing, language),
        links=links,
        postal_address=postal_address,
        language=language.code,
        direction=language.direction,
        header=header,
        why=why_nothing(digest, language),
    )


def card(
    pick: Pick, opinions: str = "", language: Language = ENGLISH, thumbnails: bool = False
) -> CardView:
    """Return one paper as shown; ``opinions`` is the subscriber's own link of that name."""
    said_to_all, quoted_key = _said_to_all(pick.candidate, language, thumbnails)
    return CardView(
        **said_to_all,
        topic=_topic(pick.match, language),
        why=_why(pick.match, language),
        opinion_url=f"{opinions}/{quoted_key}" if opinions else "",
    )


@lru_cache(maxsize=2000)  # an edition has some hundred papers, and many readers
def _said_to_all(
    candidate: Candidate, language: Language, thumbnails: bool
) -> tuple[dict[str, Any], str]:
    """Return what a card says to every reader, and the paper's id as links have it."""
    facts, stars = candidate.facts, candidate.signals.stars
    said = {
        "title": truncate(facts.title, LONGEST_TITLE),
        "url": facts.page_url or _search_url(facts.title),
        "authors": authors(facts.authors, facts.author_count, language),
        "organisation": facts.organisation,
        "text": (
            truncate(facts.summary, LONGEST_TEXT) or first_sentences(facts.abstract, LONGEST_TEXT)
        ),
        "counts": counts(candidate, language),
        "code_url": facts.code_url,
        "stars": language.short_number(stars) if stars else "",
        "project_url": facts.project_url,
        "thumbnail": _thumbnail(facts) if thumbnails else "",
    }
    return said, quote(candidate.key, safe=":/")


def _preheader(digest: Digest, language: Language) -> str:
    """Return what an inbox shows beside the subject: more titles, or what the only paper says.

    Of a note, why there is nothing.
    """
    if not digest.picks:
        return why_nothing(digest, language)
    first, *others = (pick.candidate.facts for pick in digest.picks[:4])
    titles = " · ".join(truncate(facts.title, 60) for facts in others)
    return truncate(titles or first.summary or first.abstract or first.title, 180)


def _topic(match: Match | None, language: Language) -> str:
    if match is None:
        return ""
    return match.reason.topic or language.gettext("Like what you liked")


def _why(match: Match | None, language: Language) -> str:
    """Return what speaks for a paper, after the topic: its own words, or a liked paper's title."""
    if match is None:
        return ""
    if match.reason.liked:
        return language.gettext("“%(title)s”", title=truncate(match.reason.liked, 90))
    return ", ".join(match.reason.words)


def long_date(day: date) -> str:
    """Return a day as the pages show it."""
    return ENGLISH.long_date(day)


def first_sentences(text: str, longest: int) -> str:
    """Return as many whole sentences as fit; the first one, truncated, if none does."""
    end = 0
    for found in re.finditer(r"[.!?](?=\s)", text[: longest + 1]):
        if not _ABBREVIATION.search(text[: found.end()]):
            end = found.end()
    if len(text) <= longest:
        return text
    return text[:end] if end else truncate(text, longest)


def _thumbnail(facts: Facts) -> str:
    """Return the picture that Hugging Face makes of every paper that it has a page for."""
    name = facts.page_url.removeprefix(_ITS_PAGE)
    known = facts.arxiv_id and facts.page_url.startswith(_ITS_PAGE)
    return f"{_ITS_PICTURE}/{name}.png" if known else ""


def _search_url(title: str) -> str:
    """Return where one would look for a paper of which only the title is known."""
    return f"https://huggingface.co/papers?q={quote(title)}"
