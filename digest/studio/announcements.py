"""The pages about announcements: write one, see it, send it as a test, and to its readers."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Path
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from digest.compose.content import Content
from digest.errors import DigestError
from digest.ledger.ledger import Ledger
from digest.model.announcements import (
    LONGEST_SUBJECT,
    LONGEST_TEXT,
    Announcement,
    Audience,
    Draft,
    audience_of,
    draft_of,
)
from digest.model.messages import Outcome, OutcomeKind
from digest.studio.history_text import words
from digest.studio.picture import picture, policy
from digest.studio.preview_request import Scheme
from digest.studio.render import Pages
from subscribers.errors import SubscriberError

MOST_DRAFTS = 50  # that are kept; of those that nobody has looked at longest, the rest is forgotten
SHOWN = 50  # announcements

Typed = Annotated[str, Form()]
Key = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
Number = Annotated[int, Path(ge=1, le=2**30 - 1)]


@dataclass(frozen=True, slots=True)
class Desk:
    """What the pages do with a draft. Each may raise DigestError, and ``test`` AddressError.

    ``send`` stores it, and plans for its readers; the workers of the installation send it.
    """

    chosen: Callable[[Audience], int]
    render: Callable[[Draft], Content]
    test: Callable[[Draft, str], Outcome]
    send: Callable[[Draft], Announcement]


class AnnouncementPages:
    """Fills these pages, and keeps the drafts: in memory, because what matters is typed anew."""

    def __init__(
        self,
        desk: Desk,
        languages: Callable[[], dict[str, str]],
        pages: Pages,
        zone: tzinfo,
        root: str = "",
    ) -> None:
        self.desk = desk
        self._languages = languages
        self._pages = pages
        self._said = words(zone)
        self._root = root
        self._drafts: OrderedDict[str, Draft] = OrderedDict()

    def keep(self, draft: Draft) -> None:
        """Keep a draft, and forget the one that was looked at longest ago if there are many."""
        self._drafts[draft.key] = draft
        while len(self._drafts) > MOST_DRAFTS:
            self._drafts.popitem(last=False)

    def draft(self, key: str) -> Draft:
        """Return a draft that is kept. Raises HTTPException if there is none."""
        if key not in self._drafts:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        self._drafts.move_to_end(key)
        return self._drafts[key]

    def page(self, name: str, status: HTTPStatus = HTTPStatus.OK, **values: object) -> HTMLResponse:
        return self._pages.html(name, status, **self._said, here="announcements", **values)

    def form(self, draft: Draft | None, why: str = "", **values: object) -> HTMLResponse:
        """Return the form to write in, with a draft or what is wrong with it."""
        return self.page(
            "announcement-draft.html.j2",
            HTTPStatus.UNPROCESSABLE_ENTITY if why else HTTPStatus.OK,
            draft=draft,
            why=why,
            languages=self._languages(),
            longest_subject=LONGEST_SUBJECT,
            longest_text=LONGEST_TEXT,
            **{"told": "", "is_good": False, "count": None, "text": "", **values},
        )

    def of_draft(self, draft: Draft, told: str = "", *, is_good: bool = False) -> HTMLResponse:
        """Return the page of a draft: the email, how many readers it would go to, and buttons."""
        try:
            content, count = self.desk.render(draft), self.desk.chosen(draft.audience)
        except DigestError as error:
            return self.form(draft, str(error))
        return self.form(draft, count=count, text=content.text, told=told, is_good=is_good)

    def to(self, path: str) -> Response:
        return RedirectResponse(f"{self._root}/announcements{path}", HTTPStatus.SEE_OTHER)


def draft_routes(pages: AnnouncementPages) -> APIRouter:
    """Return the routes ``/announcements/new`` and ``/announcements/drafts``…"""
    routes = APIRouter(default_response_class=HTMLResponse)
    desk = pages.desk

    @routes.get("/new")
    def new() -> HTMLResponse:
        return pages.form(None)

    @routes.post("/new")
    def write(
        subject: Typed = "",
        text: Typed = "",
        topic: Typed = "",
        language: Typed = "",
        addresses: Typed = "",
    ) -> Response:
        """Keep what was typed, and show it."""
        try:
            draft = draft_of(subject, text, audience_of(topic, language, addresses))
        except DigestError as error:
            typed = Audience(topic, language, tuple(addresses.split()))
            return pages.form(Draft(subject, text, typed), str(error))
        pages.keep(draft)
        return pages.to(f"/drafts/{draft.key}")

    @routes.get("/drafts/{key}")
    def shown(key: Key) -> HTMLResponse:
        return pages.of_draft(pages.draft(key))

    @routes.get("/drafts/{key}/picture")
    def look(key: Key, scheme: Scheme = Scheme.LIGHT) -> Response:
        """Return the email for a frame."""
        html = picture(desk.render(pages.draft(key)).html, scheme)
        return HTMLResponse(html, headers={"Content-Security-Policy": policy(images=True)})

    @routes.post("/drafts/{key}/test")
    def test(key: Key, address: Typed = "") -> Response:
        draft = pages.draft(key)
        try:
            outcome = desk.test(draft, address)
        except (DigestError, SubscriberError) as error:
            return pages.of_draft(draft, f"To {address}: {error}")
        told = f"To {address}: {outcome.kind.value}: {outcome.text}"
        return pages.of_draft(draft, told, is_good=outcome.kind is OutcomeKind.ACCEPTED)

    @routes.post("/drafts/{key}/send")
    def send(key: Key, count: Annotated[int, Form(ge=1)]) -> Response:
        """Send a draft to its readers, if there are as many as the page said."""
        draft = pages.draft(key)
        if (by_now := desk.chosen(draft.audience)) != count:
            return pages.of_draft(draft, f"It is {by_now} readers by now. Look, and press again.")
        return pages.to(f"/{desk.send(draft).number}")

    return routes


def announcement_routes(
    ledger: Ledger, pages: AnnouncementPages, clock: Callable[[], datetime]
) -> APIRouter:
    """Return the routes ``/announcements``…; only a POST changes anything."""
    routes = APIRouter(prefix="/announcements", default_response_class=HTMLResponse)
    routes.include_router(draft_routes(pages))

    def announcement(number: int) -> Announcement:
        if found := ledger.announcements.numbered(number):
            return found
        raise HTTPException(HTTPStatus.NOT_FOUND)

    @routes.get("")
    def every() -> HTMLResponse:
        """List the announcements, newest first."""
        found = ledger.announcements.latest(SHOWN)
        balances = [(each, ledger.announcements.balance(each)) for each in found]
        return pages.page("announcements.html.j2", announcements=balances)

    @routes.get("/{number}")
    def one(number: Number) -> HTMLResponse:
        """Show an announcement, and what became of it."""
        found = announcement(number)
        balance = ledger.announcements.balance(found)
        return pages.page("announcement.html.j2", announcement=found, balance=balance)

    @routes.post("/{number}/stop")
    def stop(number: Number) -> Response:
        """Drop what still waits."""
        ledger.announcements.stop(announcement(number), clock())
        return pages.to(f"/{number}")

    return routes
