"""Joining, by double opt-in: the form, the mail that it leads to, and the page behind its link.

The answer to the form is the same whatever is known of the address, and mail goes out after it, so
that nobody learns from it who subscribes.
"""

from http import HTTPStatus

from fastapi import APIRouter, BackgroundTasks, Request
from fastapi.responses import HTMLResponse

from subscribers.errors import SubscriberError
from subscribers.model import Standing, Subscriber
from subscribers.preferences_form import Fields, PreferencesForm, last
from subscribers.tokens import Purpose
from subscribers.web.form_view import FormView, form_view
from subscribers.web.page_context import TO_ACT, TO_LOOK, FormFields, PageContext

# What is written down as evidence; the number goes up when the form's words change.
FORM = "sign-up form, text 2"
LINK = "link in the confirmation mail"


class SignupPages:
    """``/subscribe`` and ``/confirm/TOKEN``."""

    def __init__(self, context: PageContext) -> None:
        self._context = context

    def routes(self) -> APIRouter:
        routes = APIRouter()
        routes.add_api_route("/subscribe", self.show_form, methods=TO_LOOK)
        routes.add_api_route("/subscribe", self.subscribe, methods=TO_ACT)
        routes.add_api_route("/confirm/{token}", self.ask_to_confirm, methods=TO_LOOK)
        routes.add_api_route("/confirm/{token}", self.confirm, methods=TO_ACT)
        return routes

    def show_form(self) -> HTMLResponse:
        return self._context.page("subscribe", form=new_form(self._context), address="", error="")

    def subscribe(
        self, request: Request, afterwards: BackgroundTasks, fields: FormFields
    ) -> HTMLResponse:
        context = self._context
        try:
            topics, wishes = sent_form(context, fields).read(context.defaults)
            address = context.address_policy.admit(last(fields, "address"))
        except SubscriberError as error:
            return self._again(fields, str(error))
        if context.may_mail(address, request):
            asked = context.registry.ask(
                address,
                topics,
                wishes,
                source=FORM,
                now=context.clock(),
                client=context.client_of(request),
            )
            if asked:
                afterwards.add_task(context.letters.confirm, asked)
        return context.page("check-your-inbox", address=address)

    def ask_to_confirm(self, token: str) -> HTMLResponse:
        self._context.tokens.read_at(Purpose.CONFIRM, token, self._context.clock())
        return self._context.page("confirm")

    def confirm(self, request: Request, token: str, afterwards: BackgroundTasks) -> HTMLResponse:
        context, now = self._context, self._context.clock()
        public_id = context.tokens.read_at(Purpose.CONFIRM, token, now)
        client = context.client_of(request)
        said = context.registry.confirm(public_id, source=LINK, now=now, client=client)
        if said is None:
            return context.page("unsubscribed")
        if said.is_news:
            afterwards.add_task(self._send_welcome, said.person)
        return context.welcome(said.person)

    def _send_welcome(self, person: Subscriber) -> None:
        """A letter to whoever has just confirmed, and may be mailed."""
        context = self._context
        if context.welcomes and context.registry.standing(person.id) is Standing.MAY_RECEIVE:
            context.letters.welcome(person)

    def _again(self, fields: Fields, error: str) -> HTMLResponse:
        return self._context.page(
            "subscribe",
            HTTPStatus.UNPROCESSABLE_ENTITY,
            form=shown_form(self._context, fields),
            address=last(fields, "address"),
            error=error,
        )


def new_form(context: PageContext) -> FormView:
    """The form for somebody who has typed nothing yet."""
    return shown_form(context, {})


def sent_form(context: PageContext, fields: Fields) -> PreferencesForm:
    """The form as a new reader sent it. Raises PreferenceError for one that nobody typed."""
    return PreferencesForm.of((), context.defaults).filled(fields)


def shown_form(context: PageContext, fields: Fields) -> FormView:
    """The form as a new reader sent it, to be shown again; empty, if nobody has typed it."""
    try:
        form = sent_form(context, fields)
    except SubscriberError:
        form = sent_form(context, {})
    return form_view(form, context.suggestions())
