"""The pages about the past: editions, who received what, runs, and a month in figures."""

from collections.abc import Callable
from datetime import date, datetime, timedelta, tzinfo
from http import HTTPStatus
from typing import Annotated, Protocol

from fastapi import APIRouter, HTTPException, Path, Query
from fastapi.responses import HTMLResponse

from digest.ledger.ledger import Ledger
from digest.ledger.outcomes import Sought
from digest.model.deliveries import DeliveryState
from digest.model.digests import Edition
from digest.studio.history_text import Pager, words
from digest.studio.plots import SIZES, month_plots
from digest.studio.preview_request import EDITION, PreviewRequest
from digest.studio.preview_request import address as shown_at
from digest.studio.render import Pages
from subscribers.model import PersonFile
from subscribers.store.registry import Registry

EDITIONS_A_PAGE = 30
RUNS_A_PAGE = 50
DELIVERIES_A_PAGE = 100
DAYS_OF_A_MONTH = 31
LONGEST_ADDRESS = 320

# Bounded by what a database can count to.
SubscriberId = Annotated[int, Path(ge=1, le=2**31 - 1)]
PageNumber = Annotated[int, Query(ge=1, le=1_000_000)]


class Explainer(Protocol):
    """Tells which edition's day it is, and explains who gets what (only a template reads it)."""

    def edition_day(self, now: datetime) -> date: ...

    def explain(self, person: PersonFile, day: date, now: datetime) -> object: ...


def history_routes(
    ledger: Ledger,
    registry: Registry,
    explainer: Explainer,
    pages: Pages,
    clock: Callable[[], datetime],
    zone: tzinfo,
    *,
    has_model: bool = False,
) -> APIRouter:
    """Return the routes ``/editions``…, ``/runs`` and ``/month``; they show times in ``zone``.

    ``has_model``: a language model sums papers up.
    """
    routes = APIRouter(default_response_class=HTMLResponse)
    history = ledger.history
    said = words(zone)

    def page_of(name: str, **values: object) -> HTMLResponse:
        return pages.html(f"history-{name}.html.j2", HTTPStatus.OK, **said, **values)

    def edition_on(day: date) -> Edition:
        if edition := ledger.editions.on(day):
            return edition
        raise HTTPException(HTTPStatus.NOT_FOUND)

    @routes.get("/editions")
    def editions(page: PageNumber = 1) -> HTMLResponse:
        """List all editions, newest first."""
        found = history.editions(EDITIONS_A_PAGE + 1, (page - 1) * EDITIONS_A_PAGE)
        pager = Pager("/editions", page, has_more=len(found) > EDITIONS_A_PAGE)
        return page_of("editions", editions=found[:EDITIONS_A_PAGE], pager=pager)

    @routes.get("/editions/{day}")
    def edition_of(
        day: date, address: str = "", state: str = "", page: PageNumber = 1
    ) -> HTMLResponse:
        """Show what was collected for an edition, the outcomes, and its deliveries."""
        edition = edition_on(day)
        sought = Sought(
            DeliveryState(state) if state in set(DeliveryState) else None, _typed(address)
        )
        total = ledger.outcomes.count(edition, sought)
        skip = (page - 1) * DELIVERIES_A_PAGE
        reports = ledger.outcomes.page(edition, sought, DELIVERIES_A_PAGE, skip)
        people = registry.overview.addresses_of(
            [report.delivery.subscriber_id for report in reports]
        )
        query = {"address": sought.address, "state": sought.state or ""}
        return page_of(
            "edition",
            day=day,
            papers=len(edition.candidates),
            balance=ledger.editions.balance(edition),
            gone=ledger.editions.gone(edition),
            collected=history.collected_for(day),
            runs=history.runs_of(day),
            deliveries=[(report, people.get(report.delivery.subscriber_id)) for report in reports],
            sought=sought,
            states=list(DeliveryState),
            total=total,
            first=skip + 1,
            pager=Pager(f"/editions/{day}", page, skip + len(reports) < total, query),
        )

    @routes.get("/editions/{day}/subscribers/{subscriber_id}")
    def delivery_to(day: date, subscriber_id: SubscriberId) -> HTMLResponse:
        """Show what one subscriber received of an edition, the reasons, and every attempt."""
        edition = edition_on(day)
        person = registry.file_by_id(subscriber_id)
        report = ledger.deliveries.report(edition, subscriber_id)
        if person is None and report is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        picks = ledger.editions.picks(edition, report.delivery) if report else ()
        has_mail = bool(picks or (report and report.delivery.note))
        return page_of(
            "delivery",
            day=day,
            subscriber_id=subscriber_id,
            person=person,
            report=report,
            gone=ledger.editions.gone(edition),
            attempts=ledger.outcomes.attempts(report.delivery) if report else [],
            picks=picks,
            why=explainer.explain(person, day, clock()) if person else None,
            mail=_mail_to(person, day) if person and has_mail else "",
        )

    @routes.get("/runs")
    def runs(page: PageNumber = 1) -> HTMLResponse:
        """List all runs, newest first."""
        found = history.runs(RUNS_A_PAGE + 1, (page - 1) * RUNS_A_PAGE)
        return page_of(
            "runs",
            runs=found[:RUNS_A_PAGE],
            editions=history.editions_on({run.day for run in found}),
            pager=Pager("/runs", page, has_more=len(found) > RUNS_A_PAGE),
        )

    @routes.get("/month")
    def month(until: date | None = None) -> HTMLResponse:
        """Show a month in figures, up to ``until`` or today."""
        today = explainer.edition_day(clock())
        last = min(max(until or today, date.min + timedelta(days=DAYS_OF_A_MONTH)), today)
        first = last - timedelta(days=DAYS_OF_A_MONTH - 1)
        left = registry.overview.withdrawals_by_day(first, last, zone)
        later = min(last + timedelta(days=DAYS_OF_A_MONTH), today)
        return page_of(
            "month",
            first=first,
            last=last,
            plots=month_plots(
                history.days(first, last),
                left,
                ledger.summaries.by_day(list(left), zone) if has_model else None,
            ),
            **SIZES,
            earlier=first - timedelta(days=1),
            later=later if later > last else None,
        )

    return routes


def _mail_to(person: PersonFile, day: date) -> str:
    """Return where the templates page shows the email of somebody for a day."""
    return shown_at("/", PreviewRequest(EDITION, day, person.subscriber.address))


def _typed(address: str) -> str:
    """Return a search text without the characters that no database takes."""
    return "".join(filter(str.isprintable, address.strip()))[:LONGEST_ADDRESS]
