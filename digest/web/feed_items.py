"""Papers as items of feeds."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from urllib.parse import quote, urlsplit

from digest.compose.card import Picture
from digest.compose.language import Language
from digest.model.digests import Candidate, Match, Pick
from digest.model.page_paths import paper_path
from digest.web.feed_writer import FeedItem
from digest.web.paper_rows import LARGE, rows
from digest.web.site import Site
from digest.web.visit import Visit

MOST_AUTHORS = 20
MOST_KEYWORDS = 8
_TAG_DATE = "2026-01-01"  # of all tags: since when this program makes them


def feed_items(
    picks: Sequence[Pick], site: Site, visit: Visit, moments: Sequence[datetime] | None = None
) -> list[FeedItem]:
    """Return papers as items; ``moments`` say when each was chosen, if not when it was listed."""
    moments = moments or [_beginning_of(pick.candidate.listed_on) for pick in picks]
    return [_item(pick, moment, site, visit) for pick, moment in zip(picks, moments, strict=True)]


def _item(pick: Pick, moment: datetime, site: Site, visit: Visit) -> FeedItem:
    paper, facts = pick.candidate, pick.candidate.facts
    base_url, language = site.identity.base_url, visit.language
    [row] = rows([paper], site.pictures_at, language)
    picture = _picture(paper, base_url, row.name, language) if row.picture else None
    said = f"{row.text} ({row.text_by})" if row.text_by else row.text
    html = site.context.render(
        "pages/partials/feed-paper.html.j2",
        visit,
        row=row,
        picture=picture,
        reason=_reason(pick.match, language),
        abstract=facts.abstract or said,
    )
    return FeedItem(
        id=_tag(base_url, paper.key),
        url=f"{visit.base_url}{paper_path(paper.key)}",
        source=facts.page_url,
        title=row.title,
        published=min(_beginning_of(paper.listed_on), moment),
        updated=moment,
        authors=facts.authors[:MOST_AUTHORS],
        keywords=facts.keywords[:MOST_KEYWORDS],
        summary=said,
        html=html,
        picture=picture,
    )


def _picture(paper: Candidate, base_url: str, name: str, language: Language) -> Picture | None:
    if paper.picture is None:
        return None
    about = language.gettext("Figure from %(name)s", name=name)
    return Picture(f"{base_url}{paper.picture.large}", *paper.picture.shown(LARGE), about)


def _reason(match: Match | None, language: Language) -> str:
    """Say why a paper was chosen: the topic, and words of the paper; empty if for its votes."""
    if match is None:
        return ""
    reason = match.reason
    if reason.liked:
        return language.gettext("Like “%(title)s”", title=reason.liked)
    return ": ".join(filter(None, (reason.topic, ", ".join(reason.words))))


def _tag(base_url: str, key: str) -> str:
    """Return the tag URI (RFC 4151) of a paper at this installation."""
    return f"tag:{urlsplit(base_url).hostname},{_TAG_DATE}:{quote(key, safe=':/')}"


def _beginning_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
