"""The pages to join by double opt-in, and to get a new link by email.

The answer to a form is the same whatever is known of the address, and the email goes out after
it, so that nobody learns from it who subscribes.
"""

from http import HTTPStatus

from fastapi import APIRouter, BackgroundTasks, Request
from fastapi.responses import HTMLResponse

from subscribers.errors import AddressError, SubscriberError
from subscribers.model import Standing, Subscriber
from subscribers.preferences_form import Fields, PreferencesForm, last
from subscribers.tokens import Purpose
from subscribers.web.form_view import FormView, form_view
from subscribers.web.page_context import TO_ACT, TO_LOOK, Context, FormFields, PageContext

# Stored as evidence. Raise the number when the form's words change.
FORM = "sign-up form, text 3"
LINK = "link in the confirmation mail"
HONEYPOT = "website"  # a hidden field, which only programs fill in

routes = APIRouter()


@routes.api_route("/subscribe", methods=TO_LOOK)
def show_form(context: Context) -> HTMLResponse:
    return context.page("subscribe", form=new_form(context), address="", error="")


@routes.api_route("/subscribe", methods=TO_ACT)
def subscribe(
    context: Context, request: Request, afterwards: BackgroundTasks, fields: FormFields
) -> HTMLResponse:
    typed = last(fields, "address")
    try:
        topics, preferences = sent_form(context, fields).read(context.defaults)
        address = context.address_policy.admit(typed)
        if not context.may_mail(address, request):
            return context.try_later()
        context.address_policy.check_domain(address)
    except SubscriberError as error:
        return context.page(
            "subscribe",
            HTTPStatus.UNPROCESSABLE_ENTITY,
            form=shown_form(context, fields),
            address=typed,
            error=str(error),
        )
    is_person = not last(fields, HONEYPOT)
    now, client = context.clock(), context.client_of(request)
    if is_person and (
        asked := context.registry.ask(
            address, topics, preferences, source=FORM, now=now, client=client
        )
    ):
        afterwards.add_task(context.mail.confirm, asked)
    return context.page("check-your-inbox", address=address)


@routes.api_route("/confirm/{token}", methods=TO_LOOK)
def ask_to_confirm(context: Context, token: str) -> HTMLResponse:
    context.tokens.read_at(Purpose.CONFIRM, token, context.clock())
    return context.page("confirm")


@routes.api_route("/confirm/{token}", methods=TO_ACT)
def confirm(
    context: Context, request: Request, token: str, afterwards: BackgroundTasks
) -> HTMLResponse:
    now, client = context.clock(), context.client_of(request)
    public_id = context.tokens.read_at(Purpose.CONFIRM, token, now)
    change = context.registry.confirm(public_id, source=LINK, now=now, client=client)
    if change is None:
        return context.left(None)
    if change.is_news:
        afterwards.add_task(_send_welcome, context, change.person)
    return context.welcome(change.person)


def _send_welcome(context: PageContext, person: Subscriber) -> None:
    """Send a welcome, if the operator wants that and the person may be mailed."""
    if context.welcomes and context.registry.standing(person.id) is Standing.MAY_RECEIVE:
        context.mail.welcome(person)


@routes.api_route("/link", methods=TO_ACT)
def send_link(
    context: Context, request: Request, afterwards: BackgroundTasks, fields: FormFields
) -> HTMLResponse:
    """Send a subscriber a new link. The answer does not tell whether the address subscribes."""
    typed = last(fields, "address")
    try:
        address = context.address_policy.admit(typed)
    except AddressError as error:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return context.page("bad-link", status, address=typed, error=str(error))
    if not context.may_mail(address, request):
        return context.try_later()
    if file := context.registry.file_of(address):
        person = file.subscriber
        match context.registry.standing(person.id):
            case Standing.MAY_RECEIVE:
                afterwards.add_task(context.mail.welcome, person)
            case Standing.NOT_CONFIRMED:
                afterwards.add_task(context.mail.confirm, person)
    return context.page("link-sent", address=address)


def new_form(context: PageContext) -> FormView:
    """Return the form for somebody who has typed nothing yet."""
    return shown_form(context, {})


def sent_form(context: PageContext, fields: Fields) -> PreferencesForm:
    """Return the form as a new reader sent it. Raises PreferenceError if it is too long."""
    return PreferencesForm.of((), context.defaults).filled(fields)


def shown_form(context: PageContext, fields: Fields) -> FormView:
    """Return the form as a new reader sent it, to be shown again; empty if it is too long."""
    try:
        form = sent_form(context, fields)
    except SubscriberError:
        form = sent_form(context, {})
    return form_view(form, context.suggestions())
