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
from subscribers.web.page_context import TO_ACT, TO_LOOK, Context, FormFields, PageContext

LINK = "link in a mail"
UNDO_PAGE = "page after leaving"
UNDO_WITHIN = timedelta(hours=24)
PAUSE = timedelta(days=30)

routes = APIRouter()


@routes.api_route("/unsubscribe/{token}", methods=TO_LOOK)
def ask_to_unsubscribe(context: Context, token: str) -> HTMLResponse:
    person = context.reader(Purpose.UNSUBSCRIBE, token)
    if person is None:
        return context.page("unsubscribed")
    is_rare = len(person.preferences.days) == 1
    return context.page("unsubscribe", address=person.address, token=token, is_rare=is_rare)


@routes.api_route("/unsubscribe/{token}", methods=TO_ACT)
def unsubscribe(
    context: Context, request: Request, token: str, afterwards: BackgroundTasks
) -> HTMLResponse:
    now, client = context.clock(), context.client_of(request)
    public_id = context.tokens.read(Purpose.UNSUBSCRIBE, token)
    change = context.registry.withdraw(public_id, source=LINK, now=now, client=client)
    # To undo must not be a way around confirming.
    if change is None or not context.registry.has_confirmed(change.person):
        return context.page("unsubscribed")
    undo_until = now + UNDO_WITHIN
    if change.is_news and change.was is Consent.CONFIRMED:
        afterwards.add_task(_send_goodbye, context, change.person, undo_until)
    undo = context.tokens.make_until(Purpose.UNDO, public_id, undo_until)
    return context.page("unsubscribed", undo=undo)


def _send_goodbye(context: PageContext, person: Subscriber, undo_until: datetime) -> None:
    """Send one last message, if the operator wants that, and unless a block forbids it.

    It counts as a mail that a form leads to: to leave and undo in turns must flood nobody.
    """
    if (
        context.says_goodbye
        and context.registry.standing(person.id) is Standing.WITHDRAWN
        and context.may_mail(person.address)
    ):
        context.mail.goodbye(person, undo_until)


@routes.api_route("/unsubscribe/{token}/instead", methods=TO_ACT)
def stay(context: Context, token: str, fields: FormFields) -> HTMLResponse:
    """Send fewer mails, or pause, instead of leaving."""
    person = context.reader(Purpose.UNSUBSCRIBE, token)
    if person is None:
        return context.page("unsubscribed")
    if last(fields, "instead") == "pause":
        until = (context.clock() + PAUSE).date()
        preferences = replace(person.preferences, paused_until=until)
    else:
        preferences = replace(person.preferences, days=CADENCES["weekly"])
    kept = context.registry.set_preferences(person.public_id, person.topics, preferences)
    return preferences_page(context, kept or person, saved=True)


@routes.api_route("/undo/{token}", methods=TO_LOOK)
def ask_to_undo(context: Context, token: str) -> HTMLResponse:
    """Show the page with the button, for the link in the message after leaving."""
    public_id = context.tokens.read_at(Purpose.UNDO, token, context.clock())
    person = context.registry.by_public_id(public_id)
    if person is None:
        return context.page("unsubscribed")
    if person.consent is Consent.CONFIRMED:
        return context.welcome(person)
    return context.page("unsubscribed", undo=token)


@routes.api_route("/undo/{token}", methods=TO_ACT)
def undo(context: Context, request: Request, token: str) -> HTMLResponse:
    now, client = context.clock(), context.client_of(request)
    public_id = context.tokens.read_at(Purpose.UNDO, token, now)
    change = context.registry.undo(public_id, source=UNDO_PAGE, now=now, client=client)
    return context.page("unsubscribed") if change is None else context.welcome(change.person)
