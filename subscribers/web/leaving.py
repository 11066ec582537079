"""The pages to leave by the link in each email, and to undo it.

GET never changes anything, because link scanners fetch every link: a page shows a button, and POST
acts. The one-click POST of RFC 8058 is the same POST: no cookie, no login, no redirect, idempotent.
Its body is never read, so that nothing in it can keep anybody from leaving.
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
from subscribers.web.page_context import UNDO_WITHIN, Context, FormFields, PageContext

LINK = "link in a mail"  # stored as evidence
UNDO_PAGE = "page after leaving"
PAUSE = timedelta(days=30)

routes = APIRouter()


@routes.get("/unsubscribe/{token}")
def ask_to_unsubscribe(context: Context, token: str) -> HTMLResponse:
    person = context.reader(Purpose.UNSUBSCRIBE, token)
    is_rare = len(person.preferences.days) == 1
    return context.page(
        "unsubscribe", reader=person, address=person.address, token=token, is_rare=is_rare
    )


@routes.post("/unsubscribe/{token}")
def unsubscribe(
    context: Context, request: Request, token: str, afterwards: BackgroundTasks
) -> HTMLResponse:
    now, client = context.clock(), context.client_of(request)
    public_id = context.tokens.read(Purpose.UNSUBSCRIBE, token)
    change = context.registry.withdraw(public_id, source=LINK, now=now, client=client)
    if change and change.is_news and change.was is Consent.CONFIRMED:
        afterwards.add_task(_send_goodbye, context, change.person, now + UNDO_WITHIN)
    return context.left(change.person if change else None)


def _send_goodbye(context: PageContext, person: Subscriber, undo_until: datetime) -> None:
    """Send a last email if the operator wants that, unless the address is blocked.

    It counts against the limits, so that leaving and undoing in turns floods nobody.
    """
    if (
        context.says_goodbye
        and context.registry.standing(person.id) is Standing.WITHDRAWN
        and context.may_mail(person.address)
    ):
        context.mail.goodbye(person, undo_until)


@routes.post("/unsubscribe/{token}/instead")
def stay(context: Context, token: str, fields: FormFields) -> HTMLResponse:
    """Send fewer emails, or pause, instead of leaving."""
    person = context.reader(Purpose.UNSUBSCRIBE, token)
    if last(fields, "instead") == "pause":
        until = (context.clock() + PAUSE).date()
        preferences = replace(person.preferences, paused_until=until)
    else:
        preferences = replace(person.preferences, days=CADENCES["weekly"])
    saved = context.registry.set_preferences(person.public_id, person.topics, preferences)
    return preferences_page(context, saved or person, saved=True)


@routes.get("/undo/{token}")
def ask_to_undo(context: Context, token: str) -> HTMLResponse:
    """Show the page with the button, for the link in the email after leaving."""
    public_id = context.tokens.read_at(Purpose.UNDO, token, context.clock())
    person = context.registry.by_public_id(public_id)
    if person is not None and person.consent is Consent.CONFIRMED:
        return context.welcome(person)
    return context.left(person)


@routes.post("/undo/{token}")
def undo(context: Context, request: Request, token: str) -> HTMLResponse:
    now, client = context.clock(), context.client_of(request)
    public_id = context.tokens.read_at(Purpose.UNDO, token, now)
    change = context.registry.undo(public_id, source=UNDO_PAGE, now=now, client=client)
    return context.welcome(change.person) if change else context.left(None)
