"""How many people came and went, day by day."""

from datetime import date, timedelta
from http import HTTPStatus

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from digest.studio.history_text import words
from digest.studio.people_context import PeopleContext
from digest.studio.plots import SIZES, growth_plots
from subscribers.lifecycle import ConsentEvent

DAYS = 31  # in a plot


def growth_routes(context: PeopleContext) -> APIRouter:
    """Return the route ``/subscribers/growth``."""
    routes = APIRouter(default_response_class=HTMLResponse)
    overview = context.registry.overview

    @routes.get("/subscribers/growth")
    def growth(until: date | None = None) -> HTMLResponse:
        """Show how many came and went on each day of a month, up to ``until`` or today."""
        today, month = context.today, timedelta(days=DAYS)
        last = min(max(until or today, date.min + month), today)
        days = [last - timedelta(days=number) for number in reversed(range(DAYS))]
        between = days[0], last, context.zone
        by_themselves = [ConsentEvent.CONFIRMED, ConsentEvent.UNDONE]
        later = min(last + month, today)
        return context.pages.html(
            "people-growth.html.j2",
            HTTPStatus.OK,
            **words(context.zone),
            **SIZES,
            plots=growth_plots(
                days,
                overview.agreements_by_day(by_themselves, *between),
                overview.agreements_by_day([ConsentEvent.VOUCHED], *between),
                overview.withdrawals_by_day(*between),
                overview.blocks_by_day(*between),
            ),
            first=days[0],
            last=last,
            earlier=days[0] - timedelta(days=1),
            later=later if later > last else None,
        )

    return routes
