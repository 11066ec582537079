"""The pages about people: all of them, and one of them."""

from collections.abc import Iterator
from datetime import date
from http import HTTPStatus
from typing import Annotated, Final, Literal

import structlog
from fastapi import APIRouter, Form, HTTPException, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from digest.studio.history_text import words
from digest.studio.people_context import PeopleContext
from digest.studio.people_page import (
    CONSENTS_SAID,
    PEOPLE_A_PAGE,
    STATES_SAID,
    Action,
    address_of,
    list_page,
    query_of,
    read_search,
)
from subscribers.errors import SubscriberError
from subscribers.model import PersonFile, Verdict
from subscribers.store.directory import PeopleSearch
from subscribers.topics import parse_topics, split_topics
from subscribers.transfer import csv_lines, json_line

EXPORTED_AT_ONCE = 200  # people
DELIVERIES = 60  # the latest, on a person's page
SOURCE = "operator"  # stored as evidence, as of `digest subscribers add`
_KINDS: Final = {"csv": "text/csv", "jsonl": "application/jsonl"}

# Bounded by what a database can count to.
SubscriberId = Annotated[int, Path(ge=1, le=2**31 - 1)]
Bound = Annotated[int | None, Query(ge=0, le=2**31 - 1)]

log = structlog.get_logger()


def people_routes(context: PeopleContext) -> APIRouter:
    """Return the routes ``/subscribers``… that show people, and the one that adds somebody."""
    routes = APIRouter(default_response_class=HTMLResponse)
    registry, directory = context.registry, context.registry.directory
    said = {**words(context.zone), "consents_said": CONSENTS_SAID, "states_said_of": STATES_SAID}

    def page_of(name: str, status: HTTPStatus = HTTPStatus.OK, **values: object) -> HTMLResponse:
        return context.pages.html(f"people-{name}.html.j2", status, **said, **values)

    @routes.get("/subscribers")
    def people(
        address: str = "", state: str = "", before: Bound = None, after: Bound = None
    ) -> HTMLResponse:
        """List those that a search matches, newest first."""
        search, today = read_search(address, state), context.today
        found = directory.page(search, today, PEOPLE_A_PAGE + 1, before=before, after=after)
        counts = directory.counts(today)
        everybody = sum(registry.overview.by_consent().values())
        if search.address:
            total = directory.count(search, today)
        else:
            total = counts[search.state] if search.state else everybody
        return page_of(
            "list",
            page=list_page(search, found, before, after),
            total=total,
            everybody=everybody,
            counts=counts,
            today=today,
            actions=list(Action),
            exports={
                kind: address_of(f"/subscribers/export.{kind}", query_of(search)) for kind in _KINDS
            },
        )

    @routes.get("/subscribers/export.{kind}")
    def export(
        kind: Literal["csv", "jsonl"], address: str = "", state: str = ""
    ) -> StreamingResponse:
        """Return those that a search matches as `digest subscribers export` does."""
        files = _files(context, read_search(address, state))
        lines = csv_lines(files) if kind == "csv" else map(json_line, files)
        headers = {"Content-Disposition": f'attachment; filename="subscribers.{kind}"'}
        return StreamingResponse(lines, media_type=_KINDS[kind], headers=headers)

    @routes.get("/subscribers/add")
    def form() -> HTMLResponse:
        return page_of("add", address="", topics="", problem="")

    @routes.post("/subscribers/add")
    def add(
        request: Request,
        address: Annotated[str, Form()] = "",
        topics: Annotated[str, Form()] = "",
    ) -> Response:
        """Add somebody who asked the operator to, or change their topics."""
        try:
            typed = [topic for line in topics.splitlines() for topic in split_topics(line)]
            admitted = context.address_policy.admit(address)
            person = registry.add(admitted, parse_topics(typed), source=SOURCE, now=context.clock())
        except SubscriberError as error:
            status = HTTPStatus.UNPROCESSABLE_ENTITY
            return page_of("add", status, address=address, topics=topics, problem=str(error))
        log.info("a subscriber was added", who=request.state.who, subscriber=person.id)
        to = f"{context.root}/subscribers/{person.id}"
        return RedirectResponse(to, HTTPStatus.SEE_OTHER)

    @routes.get("/subscribers/{subscriber_id}")
    def person(subscriber_id: SubscriberId, day: date | None = None) -> HTMLResponse:
        """Show one person: preferences, consents, deliveries, and what `digest why` says."""
        file = registry.file_by_id(subscriber_id)
        if file is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        verdicts = [rating.verdict for rating in file.ratings]
        return page_of(
            "person",
            file=file,
            who=file.subscriber,
            preferences=file.subscriber.preferences,
            likes=verdicts.count(Verdict.LIKE),
            mutes=verdicts.count(Verdict.MUTE),
            deliveries=context.outcomes.of_person(subscriber_id, DELIVERIES),
            most=DELIVERIES,
            day=day,
            today=context.today,
            why=list(context.why(file, day, context.clock())),
        )

    return routes


def _files(context: PeopleContext, search: PeopleSearch) -> Iterator[PersonFile]:
    for ids in context.registry.directory.blocks(search, context.today, EXPORTED_AT_ONCE):
        yield from context.registry.files_of(ids)
