"""The pages behind the links in each email: preferences, own data, address, ratings."""

from dataclasses import replace
from datetime import date
from http import HTTPStatus
from zoneinfo import ZoneInfo

from fastapi import APIRouter, BackgroundTasks, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse

from subscribers.due_times import check_pause, local_date, next_mail
from subscribers.errors import AddressError, PreferenceError, SubscriberError, TokenError
from subscribers.model import AddressChange, Subscriber, Verdict
from subscribers.preferences_form import PreferencesForm, last
from subscribers.tokens import Purpose
from subscribers.transfer import to_record
from subscribers.web.form_view import form_view
from subscribers.web.page_context import TO_ACT, TO_LOOK, Context, FormFields, PageContext

NEW_ADDRESS = "link in the mail to the new address"  # stored as evidence

routes = APIRouter()


# ---- preferences -----------------------------------------------------------------------------


@routes.api_route("/preferences/{token}", methods=TO_LOOK)
def show(context: Context, token: str) -> HTMLResponse:
    return preferences_page(context, context.reader(Purpose.PREFERENCES, token))


@routes.api_route("/preferences/{token}", methods=TO_ACT)
def save(context: Context, token: str, fields: FormFields) -> HTMLResponse:
    person = context.reader(Purpose.PREFERENCES, token)
    form = PreferencesForm.of(person.topics, person.preferences)
    try:
        if "topics" not in fields:
            raise PreferenceError("the form arrived without its topics")
        form = form.filled(fields)
        topics, preferences = form.read(person.preferences)
        check_pause(preferences, context.clock())
    except SubscriberError as error:
        return preferences_page(context, person, form, error=str(error))
    saved = context.registry.set_preferences(person.public_id, topics, preferences)
    return preferences_page(context, saved or person, saved=True)


def preferences_page(
    context: PageContext,
    person: Subscriber,
    form: PreferencesForm | None = None,
    *,
    saved: bool = False,
    address: str = "",
    error: str = "",
) -> HTMLResponse:
    """Show a subscriber's own page with what is stored or, after an error, what was typed."""
    now, preferences = context.clock(), person.preferences
    until = preferences.paused_until
    if until and until <= local_date(preferences, now):
        preferences, until = replace(preferences, paused_until=None), None
    due = next_mail(preferences, now).astimezone(ZoneInfo(preferences.timezone))
    return context.page(
        "preferences",
        HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        address=person.address,
        token=context.tokens.make(Purpose.PREFERENCES, person.public_id),
        form=form_view(form or PreferencesForm.of(person.topics, preferences), ()),
        paused_until=until and _long_date(until),
        next_digest=f"{_long_date(due)} at {due:%H:%M}",
        typed_address=address,
        saved=saved,
        error=error,
    )


def _long_date(day: date) -> str:
    return f"{day:%A}, {day.day} {day:%B %Y}"


@routes.api_route("/preferences/{token}/resume", methods=TO_ACT)
def resume(context: Context, token: str) -> HTMLResponse:
    """End a pause."""
    person = context.reader(Purpose.PREFERENCES, token)
    preferences = replace(person.preferences, paused_until=None)
    saved = context.registry.set_preferences(person.public_id, person.topics, preferences)
    return preferences_page(context, saved or person, saved=True)


# ---- own data --------------------------------------------------------------------------------


@routes.api_route("/preferences/{token}/export", methods=TO_LOOK)
def export(context: Context, token: str) -> JSONResponse:
    """Return everything that is stored about the person; an empty object if that is nothing."""
    person = _anybody(context, token)
    file = person and context.registry.file_of(person.address)
    name = 'attachment; filename="paper-digest.json"'
    return JSONResponse(to_record(file) if file else {}, headers={"Content-Disposition": name})


@routes.api_route("/preferences/{token}/delete", methods=TO_LOOK)
def ask_to_delete(context: Context, token: str) -> HTMLResponse:
    person = _anybody(context, token)
    return context.page("delete", address=person.address) if person else context.page("deleted")


@routes.api_route("/preferences/{token}/delete", methods=TO_ACT)
def delete(context: Context, token: str) -> HTMLResponse:
    if person := _anybody(context, token):
        context.registry.remove(person.address)
    return context.page("deleted")


def _anybody(context: PageContext, token: str) -> Subscriber | None:
    """Return the person that a link belongs to, even if they have left. Raises TokenError."""
    return context.registry.by_public_id(context.tokens.read(Purpose.PREFERENCES, token))


# ---- another address -------------------------------------------------------------------------


@routes.api_route("/preferences/{token}/address", methods=TO_ACT)
def ask_for_address_change(
    context: Context, request: Request, token: str, afterwards: BackgroundTasks, fields: FormFields
) -> HTMLResponse:
    """Start a change of address. The answer does not tell whether the new one is known."""
    person = context.reader(Purpose.PREFERENCES, token)
    typed = last(fields, "address")
    try:
        address = context.address_policy.admit(typed)
        if address == person.address:
            raise AddressError(f"{address} is already your address")
        if not context.may_mail(address, request):
            return context.try_later()
        context.address_policy.check_domain(address)
    except AddressError as error:
        return preferences_page(context, person, address=typed, error=str(error))
    change = context.registry.address_changes.ask(person, address, context.clock())
    if context.registry.suppressions.allow_request(address):
        afterwards.add_task(context.mail.confirm_address, change)
    return context.page("check-new-inbox", address=address, before=person.address)


@routes.api_route("/address/{token}", methods=TO_LOOK)
def ask_to_confirm_address(context: Context, token: str) -> HTMLResponse:
    public_id = context.tokens.read_at(Purpose.ADDRESS, token, context.clock())
    change = _standing(context.registry.address_changes.find(public_id))
    if change.is_done:
        return _changed(context, change)
    return context.page("confirm-address", address=change.address, before=change.person.address)


@routes.api_route("/address/{token}", methods=TO_ACT)
def confirm_address(
    context: Context, request: Request, token: str, afterwards: BackgroundTasks
) -> HTMLResponse:
    now, client = context.clock(), context.client_of(request)
    public_id = context.tokens.read_at(Purpose.ADDRESS, token, now)
    try:
        change = _standing(
            context.registry.address_changes.complete(
                public_id, source=NEW_ADDRESS, now=now, client=client
            )
        )
    except AddressError as error:
        return context.page("address-taken", HTTPStatus.CONFLICT, error=str(error))
    if not change.is_done:  # this request has done it
        afterwards.add_task(context.mail.address_changed, change)
    return _changed(context, change)


def _standing(change: AddressChange | None) -> AddressChange:
    if change is None:
        raise TokenError("this change of address no longer stands")
    return change


def _changed(context: PageContext, change: AddressChange) -> HTMLResponse:
    token = context.tokens.make(Purpose.PREFERENCES, change.person.public_id)
    return context.page("address-changed", address=change.address, preferences=token)


# ---- ratings: more like this, or not for me --------------------------------------------------

# A paper is named by its canonical id, such as arxiv:2602.00001; an old arXiv id has a slash.
_RATING = "/opinion/{token}/{paper:path}"


@routes.api_route(_RATING, methods=TO_LOOK)
def show_rating(context: Context, token: str, paper: str, verdict: str = "") -> HTMLResponse:
    """Show both buttons; that of ``verdict``, the link that was followed, stands out."""
    person = context.reader(Purpose.RATING, token)
    return _rating_page(context, person, paper, _title(context, paper), verdict, saved=False)


@routes.api_route(_RATING, methods=TO_ACT)
def rate(context: Context, token: str, paper: str, fields: FormFields) -> HTMLResponse:
    """Store a verdict; any other value removes it."""
    person = context.reader(Purpose.RATING, token)
    title, sent, is_sent = _title(context, paper), last(fields, "verdict"), "verdict" in fields
    if is_sent:
        verdict = Verdict(sent) if sent in set(Verdict) else None
        context.registry.ratings.rate(person.id, paper, verdict, context.clock())
    return _rating_page(context, person, paper, title, sent, saved=is_sent)


def _rating_page(
    context: PageContext, person: Subscriber, paper: str, title: str, wanted: str, *, saved: bool
) -> HTMLResponse:
    return context.page(
        "rating",
        title=title,
        verdict=context.registry.ratings.on(person.id, paper),
        wanted=wanted,
        saved=saved,
        preferences=context.tokens.make(Purpose.PREFERENCES, person.public_id),
    )


def _title(context: PageContext, paper: str) -> str:
    # PostgreSQL refuses a NUL in any text, even in a query.
    title = context.title_of(paper) if paper.isprintable() else None
    if title is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return title
