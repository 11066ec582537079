"""The page to search all collected papers."""

from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from digest.compose.language import Language
from digest.compose.report_words import report_view
from digest.model.search import Found, SearchOrder
from digest.rank.search import PAGE
from digest.web.caching import public_route
from digest.web.follow_links import subscribe_path
from digest.web.list_view import feeds, page_links
from digest.web.paper_rows import rows
from digest.web.period_view import Link
from digest.web.search_form import MOST_PAGES, SearchForm, WrongFieldError
from digest.web.site import Site
from digest.web.visit import Visited
from subscribers.errors import SubscriberError
from subscribers.topic_reports import HintKind, TopicReport

_NOTHING = Found([], 0)


def search_routes(site: Site) -> APIRouter:
    """Return ``/search``."""
    routes = APIRouter(
        default_response_class=HTMLResponse, route_class=public_route(site.versions, site.ranking)
    )

    @routes.get("/search")
    def search(visit: Visited, request: Request) -> HTMLResponse:
        """Show papers that fit ``q``, a topic filter; none if it is empty.

        They are those listed from a day and until one, in an order, and on a page of many.
        """
        language = visit.language
        form = SearchForm.of(request.query_params)
        found, page = _NOTHING, 1
        hints: list[Link] = []
        error: SubscriberError | None = None
        try:
            page = form.page_number()
            if query := form.query():
                found = site.search(query, (page - 1) * PAGE, PAGE)
                _check_page(page, found)
                if not found.total:
                    for report in site.reports([query.topic], query.strictness):
                        hints += _hints(report, form, language)
        except SubscriberError as refused:
            error = refused
        return site.page(
            "search",
            visit,
            HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
            form=form,
            error=error,
            list=rows([pick.candidate for pick in found.picks], site.pictures_at, language),
            hints=hints,
            count=_count(found, language),
            orders=_orders(form, language),
            pages=page_links(form.page_path, page, _last_page(found), language),
            subscribe=subscribe_path(form.q),
            feeds=feeds(form.q, language),
        )

    return routes


def _hints(report: TopicReport, form: SearchForm, language: Language) -> list[Link]:
    """Return links to searches for the topics that a report proposes instead of one."""
    said = report_view(report, language).hints
    return [
        Link(view.text, form.other_path(hint.proposed))
        for hint, view in zip(report.hints, said, strict=True)
        if hint.kind is not HintKind.STRICTNESS
    ]


def _last_page(found: Found) -> int:
    return min(MOST_PAGES, max(1, -(-found.total // PAGE)))


def _check_page(page: int, found: Found) -> None:
    if page > _last_page(found):
        raise WrongFieldError(
            "There is no page %(page)s: the last one is %(last)s.",
            page=page,
            last=_last_page(found),
        )


def _count(found: Found, language: Language) -> str:
    """Say how many papers were found; of very many, not all were looked at."""
    if found.is_cut:
        return language.ngettext(
            "At least %(count)s paper", "At least %(count)s papers", found.total
        )
    return language.ngettext("%(count)s paper", "%(count)s papers", found.total)


def _orders(form: SearchForm, language: Language) -> list[Link]:
    """Return the orders to choose from."""
    names = {
        SearchOrder.BEST: language.gettext("Best match"),
        SearchOrder.NEWEST: language.gettext("Newest"),
        SearchOrder.VOTES: language.gettext("Most votes"),
    }
    chosen = form.sort or SearchOrder.BEST
    return [
        Link(name, form.order_path(order), is_current=order == chosen)
        for order, name in names.items()
    ]
