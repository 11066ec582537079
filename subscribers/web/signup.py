"""Joining, by double opt-in: the form, the mail that it leads to, and the page behind its link.

The answer to the form is the same whatever is known of the address, and mail goes out after it, so
that nobody learns from it who subscribes.
"""

from http import HTTPStatus

from fastapi import APIRouter, BackgroundTasks, Request
from fastapi.responses import HTMLResponse

from subscribers.errors import SubscriberError
from subscribers.model import Standing, Subscriber
from subscribers.preferences_form import Fields, WishesForm, last
from subscribers.tokens import Purpose
from subscribers.web.form_view import FormView, form_view
from subscribers.web.page_context import TO_ACT, TO_LOOK, Desk, FormFields

# What is written down as evidence; the number goes up when the form's words change.
FORM = "sign-up form, text 2"
LINK = "link in the confirmation mail"


class SignupPages:
    """``/subscribe`` and ``/confirm/TOKEN``."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> APIRouter:
        routes = APIRouter()
        routes.add_api_route("/subscribe", self.show_form, methods=TO_LOOK)
        routes.add_api_route("/subscribe", self.subscribe, methods=TO_ACT)
        routes.add_api_route("/confirm/{token}", self.ask_to_confirm, methods=TO_LOOK)
        routes.add_api_route("/confirm/{token}", self.confirm, methods=TO_ACT)
        return routes

    def show_form(self) -> HTMLResponse:
        return self._desk.page("subscribe", form=new_form(self._desk), address="", error="")

    def subscribe(
        self, request: Request, afterwards: BackgroundTasks, fields: FormFields
    ) -> HTMLResponse:
        desk = self._desk
        try:
            topics, wishes = sent_form(desk, fields).read(desk.defaults)
            address = desk.gate.admit(last(fields, "address"))
        except SubscriberError as error:
            return self._again(fields, str(error))
        if desk.may_mail(address, request):
            asked = desk.registry.ask(
                address,
                topics,
                wishes,
                source=FORM,
                now=desk.clock(),
                client=desk.client_of(request),
            )
            if asked:
                afterwards.add_task(desk.letters.confirm, asked)
        return desk.page("check-your-inbox", address=address)

    def ask_to_confirm(self, token: str) -> HTMLResponse:
        self._desk.tokens.read_at(Purpose.CONFIRM, token, self._desk.clock())
        return self._desk.page("confirm")

    def confirm(self, request: Request, token: str, afterwards: BackgroundTasks) -> HTMLResponse:
        desk, now = self._desk, self._desk.clock()
        public_id = desk.tokens.read_at(Purpose.CONFIRM, token, now)
        client = desk.client_of(request)
        said = desk.registry.confirm(public_id, source=LINK, now=now, client=client)
        if said is None:
            return desk.page("unsubscribed")
        if said.is_news:
            afterwards.add_task(self._send_welcome, said.person)
        return desk.welcome(said.person)

    def _send_welcome(self, person: Subscriber) -> None:
        """A letter to whoever has just confirmed, and may be mailed."""
        desk = self._desk
        if desk.welcomes and desk.registry.standing(person.id) is Standing.MAY_RECEIVE:
            desk.letters.welcome(person)

    def _again(self, fields: Fields, error: str) -> HTMLResponse:
        return self._desk.page(
            "subscribe",
            HTTPStatus.UNPROCESSABLE_ENTITY,
            form=shown_form(self._desk, fields),
            address=last(fields, "address"),
            error=error,
        )


def new_form(desk: Desk) -> FormView:
    """The form for somebody who has typed nothing yet."""
    return shown_form(desk, {})


def sent_form(desk: Desk, fields: Fields) -> WishesForm:
    """The form as a new reader sent it. Raises PreferenceError for one that nobody typed."""
    return WishesForm.of((), desk.defaults).filled(fields)


def shown_form(desk: Desk, fields: Fields) -> FormView:
    """The form as a new reader sent it, to be shown again; empty, if nobody has typed it."""
    try:
        form = sent_form(desk, fields)
    except SubscriberError:
        form = sent_form(desk, {})
    return form_view(form, desk.suggestions())
