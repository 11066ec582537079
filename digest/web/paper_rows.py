"""Papers as the lists on pages show them: display strings and links, nothing to decide. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from digest.compose.card import LONGEST_TEXT, LONGEST_TITLE, Picture, Way, first_sentences, ways
from digest.compose.groups import Size
from digest.compose.language import Language
from digest.compose.names import short_name
from digest.compose.paper_phrases import authors, details, summary
from digest.model.digests import Candidate
from digest.model.page_paths import name_path, paper_path
from digest.model.papers import Facts
from digest.model.pictures import SMALL
from digest.model.shelf import LEAST_RISE
from digest.model.wording import truncate
from subscribers.follows import FollowKind

WORTH_TELLING = 2 * LEAST_RISE  # votes gained in a day that a row tells
LARGE = 600  # pixels that the lead's picture is shown with at most


@dataclass(frozen=True, slots=True)
class Row:
    """One paper in a list; ``path`` is that of its own page. Empty strings are left out.

    ``name`` is a short title; ``upvotes`` are short, ``votes`` the same in words. Ready phrases are
    ``said``, such as its day and "3 comments", and ``text_by``, the machine that made the text.
    """

    title: str
    name: str
    path: str
    upvotes: str
    votes: str
    rising: str
    risen: int
    is_new: bool
    authors: str
    organisation: str
    organisation_path: str
    said: tuple[str, ...]
    ways: tuple[Way, ...]
    text: str
    text_by: str
    picture: Picture | None
    small_picture: Picture | None


def rows(
    candidates: Sequence[Candidate],
    pictures: str | None,
    language: Language,
    newest: date | None = None,
) -> list[Row]:
    """Return papers as rows; those of the day ``newest`` are marked as new.

    ``pictures`` is what the paths of pictures are added to; None: there are none.
    """
    return [_row(candidate, pictures, language, newest) for candidate in candidates]


def _row(
    candidate: Candidate, pictures: str | None, language: Language, newest: date | None
) -> Row:
    facts, upvotes = candidate.facts, candidate.signals.upvotes
    picture = candidate.picture if pictures is not None else None
    text, text_by = summary(candidate, LONGEST_TEXT, language)
    return Row(
        title=truncate(facts.title, LONGEST_TITLE),
        name=short_name(facts.title),
        path=paper_path(candidate.key),
        upvotes="" if upvotes is None else language.short_number(upvotes),
        votes=votes_in_words(candidate, language),
        rising=rising(candidate, language),
        risen=candidate.risen,
        is_new=newest is not None and candidate.listed_on == newest,
        authors=authors(facts.authors, facts.author_count, language),
        organisation=facts.organisation,
        organisation_path=organisation_path(facts),
        said=details(candidate, candidate.listed_on, language),
        ways=all_ways(candidate, language),
        text=text or first_sentences(facts.abstract, LONGEST_TEXT),
        text_by=text_by,
        picture=Picture(f"{pictures}{picture.large}", *picture.shown(LARGE), "")
        if picture
        else None,
        small_picture=Picture(f"{pictures}{picture.small}", *SMALL, "") if picture else None,
    )


def votes_in_words(candidate: Candidate, language: Language) -> str:
    """Return how many votes a paper has; empty if no source says it."""
    upvotes = candidate.signals.upvotes
    if upvotes is None:
        return ""
    return language.ngettext("%(count)s vote", "%(count)s votes", upvotes)


def rising(candidate: Candidate, language: Language, least: int = WORTH_TELLING) -> str:
    """Return what a paper gained in the last day; empty for little."""
    if candidate.risen < least:
        return ""
    return language.gettext("Rising: +%(risen)s", risen=language.number(candidate.risen))


def organisation_path(facts: Facts) -> str:
    """Return the path of the page of a paper's organisation; empty if it has none."""
    return name_path(FollowKind.ORGANISATION, facts.organisation) if facts.organisation else ""


def all_ways(candidate: Candidate, language: Language) -> tuple[Way, ...]:
    """Return the links to a paper, its code and its project, and to where its DOI leads."""
    found, doi = ways(candidate, Size.LEAD, language), candidate.facts.doi
    return (*found, Way("DOI", f"https://doi.org/{doi}")) if doi else found
