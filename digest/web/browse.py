"""The pages to browse all collected papers: a day, a week, a month, and the archive."""

from collections.abc import Sequence
from datetime import date
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.convertors import StringConvertor, register_url_convertor

from digest.compose.language import Language
from digest.compose.phrases import missing
from digest.model.digests import Candidate
from digest.model.page_paths import ARCHIVE
from digest.model.shelf import Order, chosen, filters, rising
from digest.web import linked_data, list_view, period_view
from digest.web.caching import public_route
from digest.web.follow_links import subscribe_path
from digest.web.list_view import Place, read_choice
from digest.web.paper_rows import rows
from digest.web.period_view import Link, path_of
from digest.web.periods import PATTERN, Kind, Period, around, read_period
from digest.web.site import Site
from digest.web.visit import Visited

MOST_PAGES = 1000
LONGEST_NAME = 200  # of what is filtered by

PageNumber = Annotated[int, Query(ge=1, le=MOST_PAGES)]
Name = Annotated[str, Query(max_length=LONGEST_NAME)]
Year = Annotated[int | None, Query(ge=1900, le=9000)]


class _PeriodConvertor(StringConvertor):
    regex = PATTERN


register_url_convertor("period", _PeriodConvertor())


def browse_routes(site: Site) -> APIRouter:
    """Return ``/2026-11-30``, ``/2026-W49``, ``/2026-11``, ``/today`` and ``/archive``."""
    routes = APIRouter(
        default_response_class=HTMLResponse, route_class=public_route(site.versions, site.showing)
    )
    base_url, browsing = site.identity.base_url, site.browsing

    @routes.get("/today")
    def today(visit: Visited) -> Response:
        """Lead to the last day with papers."""
        span = browsing.span()
        path = path_of(around(Kind.DAY, span[1])) if span else ARCHIVE
        return RedirectResponse(f"{visit.root}{path}", HTTPStatus.TEMPORARY_REDIRECT)

    @routes.get("/{name:period}")
    def papers_of(
        visit: Visited,
        name: str,
        sort: str = "",
        keyword: Name = "",
        organisation: Name = "",
        code: str = "",
        page: PageNumber = 1,
    ) -> HTMLResponse:
        language = visit.language
        period, newest = _collected(site, name)
        place = Place(path_of(period), read_choice(sort, keyword, organisation, code))
        entries = browsing.of_days(period.first, period.last)
        found = chosen(entries, place.choice)
        shown = list_view.on_page(found, page)
        if page > 1 and not shown:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        offered, risers = filters(entries, place.choice), rising(entries)
        candidates = browsing.candidates([*shown, *risers])
        papers, risen = candidates[: len(shown)], candidates[len(shown) :]
        of_day, wanted = period.kind is Kind.DAY, list_view.as_topic(place.choice)
        return site.page(
            "period",
            visit,
            period=period,
            title=period_view.title(period, language),
            days="" if of_day else language.days_between(period.first, period.last),
            of_day=of_day,
            is_newest=of_day and period.first == newest,
            kinds=period_view.kinds(period, newest, language),
            before=_neighbour(language, period, browsing.last_day(before=period.first)),
            after=_neighbour(language, period, browsing.first_day(after=period.last)),
            strip=period_view.strip(
                period, browsing.counts(*period_view.days_to_show(period)), language
            ),
            missing=missing(browsing.missing(period.first), language) if of_day else "",
            offered=offered,
            chips=list_view.chips(place, offered, language),
            organisations=list_view.organisations(place, offered, language),
            sorts=list_view.sorts(place, language),
            choice=place.choice,
            has_lead=page == 1 and place.choice.order is not Order.NEWEST,
            rows=rows(
                site.told(papers, language.code),
                site.pictures_at,
                language,
                None if of_day else newest,
            ),
            risers=rows(risen, site.pictures_at, language),
            found=len(found),
            pages=list_view.pages(place, page, len(found), language),
            canonical=visit.canonical(place.path),
            is_canonical=place.page(page) == place.path and bool(entries),
            everything=place.path,
            image=image_of(site, papers),
            subscribe=subscribe_path(wanted),
            feeds=list_view.feeds(wanted, language),
            data=linked_data.item_list(papers, base_url),
        )

    @routes.get("/archive")
    def archive(visit: Visited, year: Year = None) -> HTMLResponse:
        """Show the calendar of a year, with links to all that was collected."""
        span = browsing.span()
        if span is None:
            return site.page("archive", visit, months=[], years=[], weekdays=[])
        language = visit.language
        first, last = span
        shown = last.year if year is None else year
        if not first.year <= shown <= last.year:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        counts = browsing.counts(date(shown, 1, 1), date(shown, 12, 31))
        years = [
            Link(
                str(other),
                ARCHIVE if other == last.year else f"{ARCHIVE}?year={other}",
                is_current=other == shown,
            )
            for other in range(last.year, first.year - 1, -1)
        ]
        return site.page(
            "archive",
            visit,
            months=period_view.calendar(shown, counts, language),
            years=years,
            year=shown,
            papers=sum(counts.values()),
            first_day=language.long_date(first),
            weekdays=[language.weekday(number, short=True) for number in range(7)],
        )

    # The addresses of earlier versions, which are in emails.
    @routes.get("/archive/{name:period}")
    @routes.get("/archive/week/{name:period}")
    @routes.get("/archive/month/{name:period}")
    def moved(visit: Visited, name: str) -> Response:
        return RedirectResponse(f"{visit.root}/{name}", HTTPStatus.PERMANENT_REDIRECT)

    return routes


def _collected(site: Site, name: str) -> tuple[Period, date]:
    """Return a period, and the last day with papers; answer 404 if it is before or after all."""
    period, span = read_period(name), site.browsing.span()
    if period is None or span is None or period.last < span[0] or period.first > span[1]:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return period, span[1]


def _neighbour(language: Language, period: Period, day: date | None) -> Link | None:
    """Return a link to the period of the same length that a day with papers is in."""
    if day is None:
        return None
    other = around(period.kind, day)
    title = period_view.title(other, language)
    return Link(period_view.short_title(other, language), path_of(other), title)


def image_of(site: Site, papers: Sequence[Candidate]) -> str:
    """Return the address of the first picture, for previews of the page; empty without any."""
    if not site.identity.pictures:
        return ""
    found = (paper.picture for paper in papers if paper.picture)
    return next((f"{site.identity.base_url}{picture.large}" for picture in found), "")
