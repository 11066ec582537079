"""Changes to many people: a page that counts, then a page that has done it."""

from collections.abc import Sequence
from http import HTTPStatus
from itertools import chain
from typing import Annotated

import structlog
from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from digest.studio.people_context import PeopleContext
from digest.studio.people_page import (
    DONE,
    EFFECTS,
    MOST_NAMED,
    PEOPLE_A_PAGE,
    Action,
    Change,
    ChangeError,
    Chosen,
    address_of,
    mark_of,
    query_of,
    read_change,
    read_search,
)
from subscribers.errors import PreferenceError

MOST_LOGGED = 20  # ids in a line of the log

log = structlog.get_logger()


class ChangeForm(BaseModel):
    """The fields of the forms: ``ticked`` ids, or "all" for ``whom`` and a search.

    ``counted`` and ``mark`` are of the people who were counted.
    """

    action: str = ""
    until: str = ""
    whom: str = ""
    address: str = ""
    state: str = ""
    ticked: list[int] = Field(default=[], max_length=PEOPLE_A_PAGE)
    counted: int = 0
    mark: str = ""

    @property
    def chosen(self) -> Chosen:
        ticked = None if self.whom == "all" else tuple(self.ticked)
        return Chosen(read_search(self.address, self.state), ticked)


Sent = Annotated[ChangeForm, Form()]


def change_routes(context: PeopleContext) -> APIRouter:
    """Return the routes that count whom a change is for, and make it.

    What was counted is what is changed: if others match by then, nobody is changed, and they are
    counted again.
    """
    routes = APIRouter(default_response_class=HTMLResponse)

    @routes.post("/subscribers/count")
    def count(sent: Sent) -> HTMLResponse:
        """Say how many people a change is for; it changes nothing."""
        try:
            change = read_change(sent.action, sent.until, context.today)
        except (ChangeError, PreferenceError) as error:
            return _problem(context, sent.chosen, str(error))
        return _ask(context, sent.chosen, change, _ids_of(context, sent.chosen))

    @routes.post("/subscribers/change")
    def do(request: Request, sent: Sent) -> HTMLResponse:
        """Change those who were counted, or count anew if they are others now."""
        chosen = sent.chosen
        try:
            change = read_change(sent.action, sent.until, context.today)
        except (ChangeError, PreferenceError) as error:
            return _problem(context, chosen, str(error))
        ids = _ids_of(context, chosen)
        if mark_of(ids) != sent.mark:
            return _ask(context, chosen, change, ids, sent.counted)
        changed = _do(context, change, ids)
        log.info(
            "subscribers were changed",
            who=request.state.who,
            action=change.action.value,
            people=len(ids),
            changed=changed,
            subscribers=ids[:MOST_LOGGED],
        )
        return context.pages.html(
            "people-done.html.j2",
            done=DONE[change.action],
            change=change,
            people=len(ids),
            changed=changed,
            back=_back(chosen, ids if change.action is not Action.REMOVE else ()),
        )

    return routes


def _ids_of(context: PeopleContext, chosen: Chosen) -> list[int]:
    directory = context.registry.directory
    if chosen.ids is None:
        return list(chain.from_iterable(directory.blocks(chosen.search, context.today)))
    return directory.known(chosen.ids)


def _ask(
    context: PeopleContext,
    chosen: Chosen,
    change: Change,
    ids: Sequence[int],
    counted: int | None = None,
) -> HTMLResponse:
    """Return the page that counts; ``counted`` is what was counted before, of other people."""
    named = context.registry.directory.entries(ids[:MOST_NAMED])
    return context.pages.html(
        "people-change.html.j2",
        HTTPStatus.OK if counted is None else HTTPStatus.CONFLICT,
        chosen=chosen,
        change=change,
        effect=EFFECTS[change.action],
        people=len(ids),
        named=[entry.subscriber.address for entry in named],
        mark=mark_of(ids),
        counted=counted,
        back=_back(chosen, ids),
    )


def _problem(context: PeopleContext, chosen: Chosen, why: str) -> HTMLResponse:
    return context.pages.html(
        "people-problem.html.j2",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        why=why,
        back=_back(chosen, chosen.ids or ()),
    )


def _back(chosen: Chosen, ids: Sequence[int]) -> str:
    """Return where to go on: the page of the only person, or the list."""
    if chosen.ids is not None and len(ids) == 1 and not query_of(chosen.search):
        return f"/subscribers/{ids[0]}"
    return address_of("/subscribers", query_of(chosen.search))


def _do(context: PeopleContext, change: Change, ids: Sequence[int]) -> int:
    bulk = context.registry.bulk_changes
    match change.action:
        case Action.PAUSE:
            return bulk.pause(ids, change.until)
        case Action.RESUME:
            return bulk.pause(ids, None)
        case Action.BLOCK:
            return bulk.block(ids, context.clock())
        case Action.UNBLOCK:
            return bulk.unblock(ids)
        case Action.REMOVE:
            return bulk.remove(ids)
