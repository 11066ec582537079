"""One paper as templates see it: display strings and links, nothing to decide. Pure."""

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote

from digest.compose.groups import Size
from digest.compose.language import ENGLISH, Language
from digest.compose.names import own_name, short_name
from digest.compose.paper_phrases import (
    authors,
    counts,
    details,
    marks,
    origin,
    site_of,
    summary,
    title_translation,
    votes,
    votes_in_words,
)
from digest.compose.phrases import reason, topic, why
from digest.model.digests import Candidate, Pick
from digest.model.page_paths import paper_path
from digest.model.pictures import SMALL, PaperPicture
from digest.model.wording import truncate

LONGEST_TITLE = 300
LONGEST_TEXT = 360
LONGEST_SHORT_TEXT = 200  # of a paper that does not lead
LONGEST_IN_ROW = 60  # characters of a title

_FREE = 552  # pixels for a picture in an email, beside its paddings

# A full stop that ends no sentence.
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|et al|cf|vs|approx|resp|Fig|Figs|Eq|Sec|Tab|No|Dr|St|etc)|\b[A-Z])\.$"
)


class Picture(NamedTuple):
    """An image in an email or on a page, in the pixels that it is shown with."""

    url: str
    width: int
    height: int
    alt: str


class Way(NamedTuple):
    """A link and its text: a way to a paper, such as its PDF, or a line of the contents."""

    text: str
    url: str


class CardView(NamedTuple):
    """One paper as it is shown. Empty strings are left out by the templates.

    ``size`` says how much room it gets. ``name`` is short, for links; ``start`` is the name that
    the title begins with, if it does, and ``rest`` the rest, cut in a row. ``read_url`` is our
    own page of it, else that of its source, which ``url`` is; ``ways`` are all others to it.
    ``text_by`` says which machine made the text, if one did; then a link to ``read_url``, where the
    abstract is, stands beside it. ``title_translation`` is only there for who wants it.
    ``reason`` says why it is here, of which ``topic`` and ``why`` are the parts.

    ``meta`` says who wrote it, when it was published and what is said of it; a row has less of it.
    ``marks`` are "Rising" and "New". ``upvotes`` are short; ``votes`` are with what they gained,
    and so is ``votes_in_words``, for plain text and screen readers. Only in a subscriber's own
    email there is an ``opinion_url``, the page for more like this, or less. ``picture`` is one of
    the paper, ``small_picture`` a small form of it, where there is one and the reader wants to see
    it. Ready phrases for own templates are ``counts`` and ``origin``.

    It is a tuple because each email has a dozen: a dataclass takes ten times as long to make.
    """

    size: Size
    title: str
    name: str
    start: str
    rest: str
    url: str
    read_url: str
    authors: str
    organisation: str
    meta: str
    marks: str
    text: str
    text_by: str
    title_translation: str
    upvotes: str
    votes: str
    votes_in_words: str
    counts: tuple[str, ...]
    origin: tuple[str, ...]
    ways: tuple[Way, ...]
    code_url: str
    stars: str
    project_url: str
    picture: Picture | None
    small_picture: Picture | None
    # The last ones are a reader's own.
    topic: str
    why: str
    reason: str
    opinion_url: str


@dataclass(frozen=True, slots=True)
class Shown:
    """Say how papers are shown: in the edition of ``day``, or in none.

    ``base_url`` is what our pages of papers begin with, if there are links to them; ``pictures``
    what the paths of pictures are added to, if they are shown. ``marks_new`` tells
    new papers apart, ``translated_titles`` adds translations of titles. ``page_query`` is added to
    the addresses of our pages.
    """

    language: Language = ENGLISH
    day: date | None = None
    pictures: str | None = None
    base_url: str = ""
    marks_new: bool = True
    page_query: str = ""
    translated_titles: bool = False


def card(pick: Pick, shown: Shown = Shown(), size: Size = Size.LEAD) -> CardView:
    """Return one paper as it is shown to everybody."""
    return of_reader(shared_card(pick, shown, size), "")


def of_reader(shared: CardView, opinions: str) -> CardView:
    """Return a card as one reader sees it; ``opinions`` is their own link of that name."""
    opinion_url = f"{opinions}/{shared.opinion_url}" if opinions else ""
    return CardView._make((*shared[:-1], opinion_url))


@lru_cache(maxsize=10_000)  # many readers have a topic, in some languages
def shared_card(pick: Pick, shown: Shown, size: Size) -> CardView:
    """Return a card for those who asked for the same.

    Its ``opinion_url`` is only the end of one, after a reader's own link.
    """
    said_to_all, quoted_key = _said_to_all(pick.candidate, shown, size)
    of_match = (
        topic(pick.match, shown.language),
        why(pick.match, shown.language),
        reason(pick.match, size, shown.language),
    )
    return CardView._make((*said_to_all, *of_match, quoted_key))


@lru_cache(maxsize=4000)  # an edition has some hundred papers, and many readers
def _said_to_all(candidate: Candidate, shown: Shown, size: Size) -> tuple[tuple[Any, ...], str]:
    """Return what a card says to every reader, and the paper's id as links have it."""
    facts, signals, language, day = candidate.facts, candidate.signals, shown.language, shown.day
    own_page = paper_path(candidate.key)
    url = facts.page_url or _search_url(facts.title)
    title = truncate(facts.title, LONGEST_TITLE)
    start = name if title.startswith(name := own_name(title)) else ""
    is_row = size is Size.ROW
    by, organisation = (
        authors(facts.authors, facts.author_count, language),
        language.isolated(facts.organisation),
    )
    meta = (
        (organisation or by,) if is_row else (by, organisation, *details(candidate, day, language))
    )
    picture = candidate.picture if shown.pictures is not None else None
    alt = language.gettext("Picture from %(name)s", name=language.isolated(short_name(title)))
    longest = LONGEST_TEXT if size is Size.LEAD else LONGEST_SHORT_TEXT
    text, text_by = summary(candidate, longest, language)
    translation = (
        title_translation(candidate, LONGEST_TITLE, language) if shown.translated_titles else ""
    )
    said = {
        "size": size,
        "title": title,
        "name": short_name(title),
        "start": start,
        "rest": (truncate(title, LONGEST_IN_ROW) if is_row else title).removeprefix(start),
        "url": url,
        "read_url": f"{shown.base_url}{own_page}{shown.page_query}" if shown.base_url else url,
        "authors": by,
        "organisation": organisation,
        "meta": " · ".join(filter(None, meta)),
        "marks": " · ".join(marks(candidate, day, shown.marks_new, size, language)),
        "text": text or first_sentences(facts.abstract, longest),
        "text_by": text_by,
        "title_translation": translation,
        "upvotes": language.short_number(signals.upvotes) if signals.upvotes else "",
        "votes": votes(candidate, day, language),
        "votes_in_words": votes_in_words(candidate, day, language),
        "counts": counts(candidate, language),
        "origin": origin(candidate, day, language),
        "ways": ways(candidate, size, language),
        "code_url": facts.code_url,
        "stars": language.short_number(signals.stars) if signals.stars else "",
        "project_url": facts.project_url,
        "picture": picture and _large(picture, f"{shown.pictures}{picture.large}", alt),
        "small_picture": picture and _small(f"{shown.pictures}{picture.small}", alt),
    }
    in_order = (said[name] for name in CardView._fields if name in said)
    return tuple(in_order), quote(candidate.key, safe=":/")


def ways(candidate: Candidate, size: Size, language: Language) -> tuple[Way, ...]:
    """Return the links to a paper, its code and its project; to the last two only in a row."""
    facts, stars = candidate.facts, candidate.signals.stars
    code = (
        language.gettext("Code ★ %(stars)s", stars=language.short_number(stars))
        if stars
        else language.gettext("Code")
    )
    arxiv = f"https://arxiv.org/abs/{facts.arxiv_id}" if facts.arxiv_id else ""
    links = (
        ("PDF", arxiv.replace("/abs/", "/pdf/")),
        ("arXiv", arxiv),
        (site_of(facts.page_url), facts.page_url if facts.page_url != arxiv else ""),
        (code, facts.code_url),
        (language.gettext("Project"), facts.project_url),
    )
    shown = links[3:] if size is Size.ROW else links
    return tuple(Way(text, url) for text, url in shown if url)


def _large(picture: PaperPicture, url: str, alt: str) -> Picture:
    return Picture(url, *picture.shown(_FREE), alt)


def _small(url: str, alt: str) -> Picture:
    """Return the small form, which has twice the pixels that it is shown with."""
    width, height = SMALL
    return Picture(url, width // 2, height // 2, alt)


def first_sentences(text: str, longest: int) -> str:
    """Return as many whole sentences as fit; the first one, truncated, if none does."""
    end = 0
    for found in re.finditer(r"[.!?](?=\s)", text[: longest + 1]):
        if not _ABBREVIATION.search(text[: found.end()]):
            end = found.end()
    if len(text) <= longest:
        return text
    return text[:end] if end else truncate(text, longest)


def _search_url(title: str) -> str:
    """Return where one would look for a paper of which only the title is known."""
    return f"https://huggingface.co/papers?q={quote(title)}"
