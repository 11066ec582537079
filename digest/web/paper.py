"""The page of a paper, and its citations."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from fastapi import APIRouter, HTTPException, Response
from fastapi.responses import HTMLResponse

from digest.compose.language import Language
from digest.compose.paper_phrases import counts, summary
from digest.model.digests import Candidate
from digest.model.page_paths import name_path, paper_path
from digest.model.papers import Facts, Revision
from digest.model.shelf import Choice, Order, chosen, folded
from digest.model.wording import truncate
from digest.web import linked_data, period_view
from digest.web.browse import image_of
from digest.web.caching import public_route
from digest.web.citations import FORMATS, bibtex, citation_key
from digest.web.follow_links import follows_of
from digest.web.paper_rows import Row, rows
from digest.web.period_view import Link
from digest.web.periods import Kind, around, read_period
from digest.web.site import Site
from digest.web.visit import Visited
from digest.web.vote_plot import vote_plot
from subscribers.follows import FollowKind

SHOWN_AUTHORS = 6
MOST_CITED = 500  # papers in one file
LONGEST_DESCRIPTION = 200
LONGEST_SUMMARY = 1000
_LONGEST_KEY = 100  # of what may be a canonical id


@dataclass(frozen=True, slots=True)
class RelatedRow:
    """A related paper, and what both are about in its own words."""

    row: Row
    common: str


def paper_routes(site: Site) -> APIRouter:
    """Return ``/paper/ID``."""
    routes = APIRouter(
        default_response_class=HTMLResponse, route_class=public_route(site.versions, site.ranking)
    )
    base_url = site.identity.base_url

    @routes.get("/paper/{key:path}")
    def paper(visit: Visited, key: str) -> HTMLResponse:
        language = visit.language
        [candidate] = site.told([_find(site, key)], language.code)
        facts = candidate.facts
        names = [Link(name, name_path(FollowKind.AUTHOR, name)) for name in facts.authors]
        related = site.browsing.find(site.related(candidate.key, facts))
        day = around(Kind.DAY, candidate.listed_on)
        image = image_of(site, [candidate])
        [row] = rows([candidate], site.pictures_at, language)
        short, short_by = summary(candidate, LONGEST_SUMMARY, language)
        return site.page(
            "paper",
            visit,
            row=row,
            short=short,
            short_by=short_by,
            abstract=facts.abstract,
            authors=names[:SHOWN_AUTHORS],
            more_authors=names[SHOWN_AUTHORS:],
            unnamed=max(0, facts.author_count - len(names)),
            warning=_warning(facts, language),
            said=_said(candidate, language),
            identifiers=_identifiers(facts),
            day=Link(period_view.title(day, language), period_view.path_of(day)),
            standing=_standing(site, candidate, language),
            plot=vote_plot(site.browsing.observed(candidate.paper_id), language),
            follows=follows_of(facts, _keywords_of(related), language),
            related=_related(candidate, related, language),
            bibtex=bibtex([facts]),
            downloads=[
                Link(name, f"{paper_path(candidate.key)}/cite.{end}")
                for end, (_, name, _) in FORMATS.items()
            ],
            canonical=visit.canonical(paper_path(candidate.key)),
            about=truncate(facts.abstract or facts.title, LONGEST_DESCRIPTION),
            image=image,
            data=linked_data.article(candidate, base_url, image),
        )

    return routes


def citation_routes(site: Site) -> APIRouter:
    """Return a paper's citation, and those of a day, as files."""
    routes = APIRouter(route_class=public_route(site.versions, site.showing, has_language=False))

    @routes.get("/paper/{key:path}/cite.{end}")
    def cite(key: str, end: str) -> Response:
        if end not in FORMATS:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        facts = _find(site, key).facts
        return _file([facts], end, citation_key(facts))

    @routes.get("/{name:period}/papers.{end}")
    def cite_all(name: str, end: str) -> Response:
        """Return the citations of a day's papers, those with most votes first."""
        period = read_period(name)
        if end not in FORMATS or period is None or period.kind is not Kind.DAY:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        entries = site.browsing.of_days(period.first, period.last)
        if not entries:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        found = site.browsing.candidates(chosen(entries, Choice(Order.VOTES))[:MOST_CITED])
        return _file([candidate.facts for candidate in found], end, f"papers-{period.name}")

    return routes


def _file(papers: Sequence[Facts], end: str, name: str) -> Response:
    media_type, _, write = FORMATS[end]
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.{end}"',  # letters, digits, hyphens
        "X-Robots-Tag": "noindex",
    }
    return Response(
        write(papers).encode(), media_type=f"{media_type}; charset=utf-8", headers=headers
    )


def _find(site: Site, key: str) -> Candidate:
    found = site.browsing.find([key]) if len(key) <= _LONGEST_KEY and "\0" not in key else []
    if not found:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return found[0]


def _said(candidate: Candidate, language: Language) -> list[str]:
    """Return when it was published and listed, where, and how much it is discussed, as phrases."""
    facts = candidate.facts
    published = facts.published_on and language.gettext(
        "published on %(day)s", day=language.medium_date(facts.published_on)
    )
    listed = language.gettext("listed on %(day)s", day=language.medium_date(candidate.listed_on))
    return [said for said in (published, listed, facts.venue, *counts(candidate, language)) if said]


def _warning(facts: Facts, language: Language) -> str:
    """Say what became of a paper after it was listed; mostly nothing."""
    match facts.revision:
        case Revision.WITHDRAWN:
            return language.gettext("The authors have withdrawn this paper.")
        case Revision.REPLACED:
            return language.gettext("There is a newer version of this paper.")
        case _:
            return ""


def _identifiers(facts: Facts) -> list[str]:
    named = (("arXiv", facts.arxiv_id), ("DOI", facts.doi))
    return [f"{kind}:{value}" for kind, value in named if value] + list(facts.categories)


def _standing(site: Site, candidate: Candidate, language: Language) -> str:
    """Return the place of a paper among those of its day, by votes."""
    if candidate.signals.upvotes is None:
        return ""
    day = candidate.listed_on
    entries = chosen(site.browsing.of_days(day, day), Choice(Order.VOTES))
    ids = [entry.paper_id for entry in entries]
    if candidate.paper_id not in ids:
        return ""
    return language.gettext(
        "No. %(place)s of %(papers)s by votes",
        place=language.number(ids.index(candidate.paper_id) + 1),
        papers=language.number(len(ids)),
    )


def _keywords_of(papers: Sequence[Candidate]) -> set[str]:
    return {folded(keyword) for paper in papers for keyword in paper.facts.keywords}


def _related(
    candidate: Candidate, related: Sequence[Candidate], language: Language
) -> list[RelatedRow]:
    own = {folded(keyword) for keyword in candidate.facts.keywords}
    found = []
    for row, other in zip(rows(related, None, language), related, strict=True):
        common = [word for word in other.facts.keywords if folded(word) in own][:2]
        words = language.listed(common)
        said = language.gettext("also on %(topics)s", topics=words) if words else ""
        found.append(RelatedRow(row, said))
    return found
