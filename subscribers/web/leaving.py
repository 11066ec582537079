"""Leaving, by the link in each mail, and taking it back.

GET never changes anything: link scanners fetch every link. A page shows a button, and POST acts.
The one-click POST of RFC 8058 is the same POST: no cookie, no login, no redirect, and doing it
twice is doing it once. Its body is never read, so that nothing in it can keep anybody from leaving.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from fastapi import APIRouter, BackgroundTasks, Request
from fastapi.responses import HTMLResponse

from subscribers.model import Consent, Standing, Subscriber
from subscribers.preferences import CADENCES
from subscribers.preferences_form import last
from subscribers.tokens import Purpose
from subscribers.web.choosing import preferences_page
from subscribers.web.page_context import TO_ACT, TO_LOOK, FormFields, PageContext

LINK = "link in a mail"
UNDO_PAGE = "page after leaving"
UNDO_WITHIN = timedelta(hours=24)
PAUSE = timedelta(days=30)


class LeavingPages:
    """``/unsubscribe/TOKEN`` and ``/undo/TOKEN``."""

    def __init__(self, context: PageContext) -> None:
        self._context = context

    def routes(self) -> APIRouter:
        routes = APIRouter()
        routes.add_api_route("/unsubscribe/{token}", self.ask_to_unsubscribe, methods=TO_LOOK)
        routes.add_api_route("/unsubscribe/{token}", self.unsubscribe, methods=TO_ACT)
        routes.add_api_route("/unsubscribe/{token}/instead", self.stay, methods=TO_ACT)
        routes.add_api_route("/undo/{token}", self.ask_to_undo, methods=TO_LOOK)
        routes.add_api_route("/undo/{token}", self.undo, methods=TO_ACT)
        return routes

    def ask_to_unsubscribe(self, token: str) -> HTMLResponse:
        person = self._context.reader(Purpose.UNSUBSCRIBE, token)
        if person is None:
            return self._context.page("unsubscribed")
        is_rare = len(person.preferences.days) == 1
        return self._context.page(
            "unsubscribe", address=person.address, token=token, is_rare=is_rare
        )

    def unsubscribe(
        self, request: Request, token: str, afterwards: BackgroundTasks
    ) -> HTMLResponse:
        context, now = self._context, self._context.clock()
        public_id = context.tokens.read(Purpose.UNSUBSCRIBE, token)
        client = context.client_of(request)
        said = context.registry.withdraw(public_id, source=LINK, now=now, client=client)
        # To undo must not be a way around confirming.
        if said is None or not context.registry.has_confirmed(said.person):
            return context.page("unsubscribed")
        undo_until = now + UNDO_WITHIN
        if said.is_news and said.was is Consent.CONFIRMED:
            afterwards.add_task(self._send_goodbye, said.person, undo_until)
        return context.page(
            "unsubscribed", undo=context.tokens.make_until(Purpose.UNDO, public_id, undo_until)
        )

    def _send_goodbye(self, person: Subscriber, undo_until: datetime) -> None:
        """One last letter, if the operator wants that, and unless a block forbids it.

        It counts as a mail that a form leads to: to leave and undo in turns must flood nobody.
        """
        context = self._context
        if (
            context.says_goodbye
            and context.registry.standing(person.id) is Standing.WITHDRAWN
            and context.may_mail(person.address)
        ):
            context.letters.goodbye(person, undo_until)

    def stay(self, token: str, fields: FormFields) -> HTMLResponse:
        """Fewer mails, or a pause, instead of leaving."""
        context, person = self._context, self._context.reader(Purpose.UNSUBSCRIBE, token)
        if person is None:
            return context.page("unsubscribed")
        wishes = person.preferences
        if last(fields, "instead") == "pause":
            wishes = replace(wishes, paused_until=(context.clock() + PAUSE).date())
        else:
            wishes = replace(wishes, days=CADENCES["weekly"])
        kept = context.registry.set_preferences(person.public_id, person.topics, wishes)
        return preferences_page(context, kept or person, saved=True)

    def ask_to_undo(self, token: str) -> HTMLResponse:
        """The page with the button, for the link in the letter after leaving."""
        context = self._context
        public_id = context.tokens.read_at(Purpose.UNDO, token, context.clock())
        person = context.registry.by_public_id(public_id)
        if person is None:
            return context.page("unsubscribed")
        if person.consent is Consent.CONFIRMED:
            return context.welcome(person)
        return context.page("unsubscribed", undo=token)

    def undo(self, request: Request, token: str) -> HTMLResponse:
        context, now = self._context, self._context.clock()
        public_id = context.tokens.read_at(Purpose.UNDO, token, now)
        client = context.client_of(request)
        said = context.registry.undo(public_id, source=UNDO_PAGE, now=now, client=client)
        return context.page("unsubscribed") if said is None else context.welcome(said.person)
