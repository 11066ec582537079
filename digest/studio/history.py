"""The pages about what happened: editions, who got what of them, runs, and a month in figures."""

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
    """What these pages ask of the pipeline: the day it is, and why somebody gets what they get.

    The latter is a ``digest.monitoring.why.Why``, which only a template reads.
    """

    def edition_day(self, now: datetime) -> date: ...

    def explain(self, person: PersonFile, day: date, now: datetime) -> object: ...


class HistoryPages:
    """``/editions`` and below, ``/runs`` and ``/month``. Times are shown in ``zone``."""

    def __init__(
        self,
        ledger: Ledger,
        registry: Registry,
        pipeline: Explainer,
        pages: Pages,
        clock: Callable[[], datetime],
        zone: tzinfo,
    ) -> None:
        self._ledger = ledger
        self._history = ledger.history
        self._registry = registry
        self._pipeline = pipeline
        self._pages = pages
        self._clock = clock
        self._zone = zone
        self._words = words(zone)

    def routes(self) -> APIRouter:
        routes = APIRouter(default_response_class=HTMLResponse)
        for path, page in (
            ("/editions", self.editions),
            ("/editions/{day}", self.edition_of),
            ("/editions/{day}/subscribers/{subscriber_id}", self.delivery_to),
            ("/runs", self.runs),
            ("/month", self.month),
        ):
            routes.add_api_route(path, page, response_model=None)
        return routes

    def editions(self, page: PageNumber = 1) -> HTMLResponse:
        """List all editions, newest first."""
        found = self._history.editions(EDITIONS_A_PAGE + 1, (page - 1) * EDITIONS_A_PAGE)
        pager = Pager("/editions", page, has_more=len(found) > EDITIONS_A_PAGE)
        return self._page("editions", editions=found[:EDITIONS_A_PAGE], pager=pager)

    def edition_of(
        self, day: date, address: str = "", state: str = "", page: PageNumber = 1
    ) -> HTMLResponse:
        """Show what was collected for an edition, what became of everybody, and who got what."""
        edition = self._edition(day)
        sought = Sought(
            DeliveryState(state) if state in set(DeliveryState) else None, _typed(address)
        )
        total = self._ledger.outcomes.count(edition, sought)
        skip = (page - 1) * DELIVERIES_A_PAGE
        reports = self._ledger.outcomes.page(edition, sought, DELIVERIES_A_PAGE, skip)
        people = self._registry.overview.addresses_of(
            [report.delivery.subscriber_id for report in reports]
        )
        query = {"address": sought.address, "state": sought.state or ""}
        return self._page(
            "edition",
            day=day,
            papers=len(edition.candidates),
            balance=self._ledger.editions.balance(edition),
            gone=self._ledger.editions.gone(edition),
            collected=self._history.collected_for(day),
            runs=self._history.runs_of(day),
            deliveries=[(report, people.get(report.delivery.subscriber_id)) for report in reports],
            sought=sought,
            states=list(DeliveryState),
            total=total,
            first=skip + 1,
            pager=Pager(f"/editions/{day}", page, skip + len(reports) < total, query),
        )

    def delivery_to(self, day: date, subscriber_id: SubscriberId) -> HTMLResponse:
        """Show what one subscriber got of an edition, with the reasons, and how it went."""
        edition = self._edition(day)
        person = self._registry.file_by_id(subscriber_id)
        report = self._ledger.deliveries.report(edition, subscriber_id)
        if person is None and report is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        attempts = self._ledger.outcomes.attempts(report.delivery) if report else []
        papers = self._ledger.editions.papers_of(edition)
        picks = self._ledger.deliveries.picks(report.delivery, papers) if report else ()
        is_mail = picks or (report and report.delivery.note)
        preview_request = (
            PreviewRequest(EDITION, day, person.subscriber.address) if person and is_mail else None
        )
        return self._page(
            "delivery",
            day=day,
            subscriber_id=subscriber_id,
            person=person,
            report=report,
            gone=self._ledger.editions.gone(edition),
            attempts=attempts,
            picks=picks,
            why=self._pipeline.explain(person, day, self._clock()) if person else None,
            mail=shown_at("/", preview_request) if preview_request else "",
        )

    def runs(self, page: PageNumber = 1) -> HTMLResponse:
        """List all runs, newest first."""
        found = self._history.runs(RUNS_A_PAGE + 1, (page - 1) * RUNS_A_PAGE)
        return self._page(
            "runs",
            runs=found[:RUNS_A_PAGE],
            editions=self._history.editions_on({run.day for run in found}),
            pager=Pager("/runs", page, has_more=len(found) > RUNS_A_PAGE),
        )

    def month(self, until: date | None = None) -> HTMLResponse:
        """Show the days up to one, the last one if none is named, in figures."""
        today = self._pipeline.edition_day(self._clock())
        last = min(max(until or today, date.min + timedelta(days=DAYS_OF_A_MONTH)), today)
        first = last - timedelta(days=DAYS_OF_A_MONTH - 1)
        left = self._registry.overview.withdrawals_by_day(first, last, self._zone)
        later = min(last + timedelta(days=DAYS_OF_A_MONTH), today)
        return self._page(
            "month",
            first=first,
            last=last,
            plots=month_plots(self._history.days(first, last), left),
            **SIZES,
            earlier=first - timedelta(days=1),
            later=later if later > last else None,
        )

    def _page(self, name: str, **values: object) -> HTMLResponse:
        return self._pages.html(f"history-{name}.html.j2", HTTPStatus.OK, **self._words, **values)

    def _edition(self, day: date) -> Edition:
        edition = self._ledger.editions.on(day)
        if edition is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return edition


def _typed(address: str) -> str:
    """Return what was typed to search for, without what no database takes."""
    return "".join(filter(str.isprintable, address.strip()))[:LONGEST_ADDRESS]
