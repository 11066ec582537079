"""The pages behind the link to one's preferences: topics, a pause, own data, another address."""

from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus

from fastapi import APIRouter, BackgroundTasks, Request
from fastapi.responses import HTMLResponse, JSONResponse

from subscribers.due_times import check_pause, local_date
from subscribers.errors import AddressError, PreferenceError, SubscriberError, TokenError
from subscribers.model import AddressChange, Subscriber, Verdict
from subscribers.own_papers import GivenPapers
from subscribers.preferences import parse_date
from subscribers.preferences_form import PreferencesForm, last
from subscribers.sentences import Sentence
from subscribers.tokens import Purpose
from subscribers.transfer import to_record
from subscribers.web.page_context import Context, FormFields, NextDigest, PageContext
from subscribers.web.rating import is_known, verdict_in

SHOWN_RATINGS = 200
PAUSES = {"7": timedelta(days=7), "30": timedelta(days=30)}  # that a button is for
NEW_ADDRESS = "link in the mail to the new address"  # stored as evidence

routes = APIRouter()


# ---- preferences -----------------------------------------------------------------------------


@routes.get("/preferences/{token}")
def show(context: Context, token: str) -> HTMLResponse:
    return preferences_page(context, context.reader(Purpose.PREFERENCES, token))


@routes.post("/preferences/{token}")
def save(context: Context, token: str, fields: FormFields) -> HTMLResponse:
    person = context.reader(Purpose.PREFERENCES, token)
    form = PreferencesForm.of(person.topics, person.preferences)
    try:
        if "topics" not in fields:
            raise PreferenceError("the form arrived without its topics")
        form = form.filled(fields)
        topics, preferences = form.read(person.preferences)
    except SubscriberError as error:
        return preferences_page(context, person, form, error=error)
    saved = context.registry.set_preferences(person.public_id, topics, preferences)
    return preferences_page(context, saved or person, saved=True)


@routes.post("/preferences/{token}/try")
def try_out(context: Context, token: str, fields: FormFields) -> HTMLResponse:
    """Show the form as it was sent, and what its topics would have matched. Nothing is saved."""
    person = context.reader(Purpose.PREFERENCES, token)
    form = PreferencesForm.of(person.topics, person.preferences)
    try:
        form = form.filled(fields)
        topics, preferences = form.read(person.preferences)
    except SubscriberError as error:
        return preferences_page(context, person, form, error=error)
    tried = replace(person, topics=topics, preferences=preferences)
    # What was typed is ticked from now on.
    form = PreferencesForm.of(topics, preferences)
    return preferences_page(context, tried, form, unsaved=True)


def preferences_page(
    context: PageContext,
    person: Subscriber,
    form: PreferencesForm | None = None,
    *,
    saved: bool = False,
    given: GivenPapers | None = None,
    too_many: int = 0,
    unsaved: bool = False,
    removed: tuple[str, Verdict] | None = None,
    address: str = "",
    opened: str = "",
    error: Sentence | None = None,
) -> HTMLResponse:
    """Show a subscriber's own page with what is stored or, after an error, what was typed.

    ``unsaved``: the person is as they would be if the form was saved. A rating that was removed is
    ``removed``: the paper, and what the verdict was. Most parts of the page are folded; ``opened``
    is the id of the one that was used.
    """
    now, preferences = context.clock(), person.preferences
    today, until = local_date(preferences, now), preferences.paused_until
    if until and until <= today:
        preferences, until = replace(preferences, paused_until=None), None
    rated = context.registry.ratings.of(person.id)[:SHOWN_RATINGS]
    papers = [rating.paper for rating in rated] + ([removed[0]] if removed else [])
    return context.page(
        "preferences",
        HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        reader=person,
        address=person.address,
        token=context.tokens.make(Purpose.PREFERENCES, person.public_id),
        unsubscribe=context.tokens.make(Purpose.UNSUBSCRIBE, person.public_id),
        form=context.form_view(form or PreferencesForm.of(person.topics, preferences)),
        paused_until=until,
        tomorrow=today + timedelta(days=1),
        next_digest=NextDigest.of(preferences, now),
        follows=person.preferences.follows,
        own_papers=context.registry.own_papers.of(person.id),
        feed=context.feed_token(person),
        given=given,
        too_many=too_many,
        ratings=rated,
        titles=context.titles_of(papers),
        removed=removed,
        typed_address=address,
        opened=opened,
        saved=saved,
        unsaved=unsaved,
        error=error,
        reports=() if error else context.topic_reports(person.topics, preferences.strictness),
    )


@routes.post("/preferences/{token}/pause")
def pause(context: Context, token: str, fields: FormFields) -> HTMLResponse:
    """Begin a pause of so many ``days``, or one ``until`` a day; it replaces another one."""
    person = context.reader(Purpose.PREFERENCES, token)
    now = context.clock()
    try:
        if days := PAUSES.get(last(fields, "days")):
            until = local_date(person.preferences, now) + days
        else:
            until = parse_date(last(fields, "until"))
        preferences = replace(person.preferences, paused_until=until)
        check_pause(preferences, now)
    except PreferenceError as error:
        return preferences_page(context, person, error=error)
    saved = context.registry.set_preferences(person.public_id, person.topics, preferences)
    return preferences_page(context, saved or person, saved=True)


@routes.post("/preferences/{token}/resume")
def resume(context: Context, token: str) -> HTMLResponse:
    """End a pause."""
    person = context.reader(Purpose.PREFERENCES, token)
    preferences = replace(person.preferences, paused_until=None)
    saved = context.registry.set_preferences(person.public_id, person.topics, preferences)
    return preferences_page(context, saved or person, saved=True)


@routes.post("/preferences/{token}/rating")
def set_rating(context: Context, token: str, fields: FormFields) -> HTMLResponse:
    """Remove one of the person's ratings, or bring it back: any other verdict than the two removes.

    A paper that is unknown changes nothing.
    """
    person = context.reader(Purpose.PREFERENCES, token)
    ratings, paper = context.registry.ratings, last(fields, "paper")
    if not is_known(context, paper):
        return preferences_page(context, person)
    before, after = ratings.on(person.id, paper), verdict_in(fields)
    ratings.rate(person.id, paper, after, context.clock())
    removed = (paper, before) if before and after is None else None
    return preferences_page(context, person, saved=not removed, removed=removed, opened="ratings")


# ---- own data --------------------------------------------------------------------------------


@routes.get("/preferences/{token}/export")
def export(context: Context, token: str) -> JSONResponse:
    """Return everything that is stored about the person; an empty object if that is nothing."""
    person = _anybody(context, token)
    file = person and context.registry.file_of(person.address)
    name = 'attachment; filename="paper-digest.json"'
    return JSONResponse(to_record(file) if file else {}, headers={"Content-Disposition": name})


@routes.get("/preferences/{token}/delete")
def ask_to_delete(context: Context, token: str) -> HTMLResponse:
    person = _anybody(context, token)
    if person is None:
        return context.page("deleted")
    return context.page("delete", reader=person, address=person.address)


@routes.post("/preferences/{token}/delete")
def delete(context: Context, token: str) -> HTMLResponse:
    person = _anybody(context, token)
    if person:
        context.registry.remove(person.address)
    return context.page("deleted", reader=person)


def _anybody(context: PageContext, token: str) -> Subscriber | None:
    """Return the person that a link belongs to, even if they have left. Raises TokenError."""
    return context.registry.by_public_id(context.tokens.read(Purpose.PREFERENCES, token))


# ---- another address -------------------------------------------------------------------------


@routes.post("/preferences/{token}/address")
def ask_for_address_change(
    context: Context, request: Request, token: str, afterwards: BackgroundTasks, fields: FormFields
) -> HTMLResponse:
    """Start a change of address. The answer does not tell whether the new one is known."""
    person = context.reader(Purpose.PREFERENCES, token)
    typed = last(fields, "address")
    try:
        address = context.address_policy.admit(typed)
        if address == person.address:
            raise AddressError("%(address)s is already your address", address=address)
        if not context.may_mail(address, request):
            return context.try_later()
        context.address_policy.check_domain(address)
    except AddressError as error:
        return preferences_page(
            context, person, address=typed, opened="address-change", error=error
        )
    change = context.registry.address_changes.ask(person, address, context.clock())
    if context.registry.suppressions.allow_request(address):
        afterwards.add_task(context.mail.confirm_address, change)
    return context.page("check-new-inbox", reader=person, address=address, before=person.address)


@routes.get("/address/{token}")
def ask_to_confirm_address(context: Context, token: str) -> HTMLResponse:
    public_id = context.tokens.read_at(Purpose.ADDRESS, token, context.clock())
    change = _standing(context.registry.address_changes.find(public_id))
    if change.is_done:
        return _changed(context, change)
    return context.page(
        "confirm-address",
        reader=change.person,
        address=change.address,
        before=change.person.address,
    )


@routes.post("/address/{token}")
def confirm_address(
    context: Context, request: Request, token: str, afterwards: BackgroundTasks
) -> HTMLResponse:
    now, client = context.clock(), context.client_of(request)
    public_id = context.tokens.read_at(Purpose.ADDRESS, token, now)
    asked = _standing(context.registry.address_changes.find(public_id))
    try:
        change = _standing(
            context.registry.address_changes.complete(
                public_id, source=NEW_ADDRESS, now=now, client=client
            )
        )
    except AddressError as error:
        return context.page("address-taken", HTTPStatus.CONFLICT, reader=asked.person, error=error)
    if not change.is_done:  # this request has done it
        afterwards.add_task(context.mail.address_changed, change)
    return _changed(context, change)


def _standing(change: AddressChange | None) -> AddressChange:
    if change is None:
        raise TokenError("this change of address no longer stands")
    return change


def _changed(context: PageContext, change: AddressChange) -> HTMLResponse:
    token = context.tokens.make(Purpose.PREFERENCES, change.person.public_id)
    return context.page(
        "address-changed", reader=change.person, address=change.address, preferences=token
    )
