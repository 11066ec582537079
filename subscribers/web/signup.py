"""The pages to join by double opt-in, and to get a new link by email.

The answer to a form is the same whatever is known of the address, and the email goes out after
it, so that nobody learns from it who subscribes.
"""

from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus

from fastapi import APIRouter, BackgroundTasks, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse

from subscribers.errors import AddressError, SubscriberError, TopicError
from subscribers.model import CONFIRM_LINK, Consent, Standing, Subscriber
from subscribers.preferences_form import Fields, PreferencesForm, last
from subscribers.tokens import Purpose
from subscribers.topics import LONGEST_TOPIC, MOST_TOPICS, TopicFilter
from subscribers.web.form_view import FormView
from subscribers.web.page_context import Context, FormFields, PageContext, SentPapers, When

# Stored as evidence. Raise the number when the form's words change.
FORM = "sign-up form, text 5"
EMBEDDED = "form of {site}, text 1"
LONGEST_SITE = 48  # characters of it in the evidence
HONEYPOT = "website"  # a hidden field, which only programs fill in

PROOF = "altcha"  # the name that ALTCHA's own field has

routes = APIRouter()


@routes.get("/challenge")
def challenge(context: Context) -> JSONResponse:
    """Return what a browser has to solve before it sends the sign-up form."""
    if context.proof_of_work is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return JSONResponse(context.proof_of_work.challenge(context.clock()))


@routes.post("/subscribe")
def subscribe(
    context: Context,
    request: Request,
    afterwards: BackgroundTasks,
    fields: FormFields,
    papers: SentPapers,
) -> HTMLResponse:
    typed = last(fields, "address")
    try:
        topics, preferences = sent_form(context, fields).read(context.defaults)
        address = context.address_policy.admit(typed)
        site = context.other_site(request)
        context.check_proof(last(fields, PROOF))
        if not context.may_mail(address, request):
            return context.try_later()
        context.address_policy.check_domain(address)
    except SubscriberError as error:
        return context.page(
            "subscribe",
            HTTPStatus.UNPROCESSABLE_ENTITY,
            form=shown_form(context, fields, papers),
            address=typed,
            error=error,
        )
    given = context.given_papers(papers)
    is_person = not last(fields, HONEYPOT)
    now, client = context.clock(), context.client_of(request)
    if is_person and (
        asked := context.registry.ask(
            address, topics, preferences, source=_form_of(site), now=now, client=client
        )
    ):
        if asked.consent is Consent.PENDING:  # else the request changes nothing
            context.registry.own_papers.replace(asked.public_id, given.papers)
        afterwards.add_task(context.mail.confirm, asked)
    return context.in_language_of(preferences).page(
        "check-your-inbox", address=address, given=given
    )


def _form_of(site: str) -> str:
    if len(site) > LONGEST_SITE:
        site = f"{site[: LONGEST_SITE - 1]}…"
    return EMBEDDED.format(site=site) if site else FORM


@routes.get("/confirm/{token}")
def ask_to_confirm(context: Context, token: str) -> HTMLResponse:
    now = context.clock()
    person = context.registry.by_public_id(context.tokens.read_at(Purpose.CONFIRM, token, now))
    return context.page("confirm", reader=person, first=context.first_digest(now).when)


@routes.post("/confirm/{token}")
def confirm(
    context: Context, request: Request, token: str, afterwards: BackgroundTasks
) -> HTMLResponse:
    now, client = context.clock(), context.client_of(request)
    public_id = context.tokens.read_at(Purpose.CONFIRM, token, now)
    change = context.registry.confirm(public_id, source=CONFIRM_LINK, now=now, client=client)
    if change is None:
        return context.left(None)
    if not change.is_news:
        return context.welcome(change.person)
    first = context.first_digest(now)
    if first.when is When.LATER:  # else it is planned, and who gets none is welcomed then
        afterwards.add_task(_send_welcome, context, change.person)
    return context.welcome(change.person, first)


def _send_welcome(context: PageContext, person: Subscriber) -> None:
    """Send a welcome, if the operator wants that and the person may be mailed."""
    if context.welcomes and context.registry.standing(person.id) is Standing.MAY_RECEIVE:
        context.mail.welcome(person)


@routes.get("/link")
def ask_for_link(context: Context) -> HTMLResponse:
    return context.page("link", address="", error=None)


@routes.post("/link")
def send_link(
    context: Context, request: Request, afterwards: BackgroundTasks, fields: FormFields
) -> HTMLResponse:
    """Send a subscriber a new link. The answer does not tell whether the address subscribes."""
    typed = last(fields, "address")
    try:
        address = context.address_policy.admit(typed)
    except AddressError as error:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return context.page("link", status, address=typed, error=error)
    if not context.may_mail(address, request):
        return context.try_later()
    if file := context.registry.file_of(address):
        person = file.subscriber
        match context.registry.standing(person.id):
            case Standing.MAY_RECEIVE:
                afterwards.add_task(context.mail.settings_link, person)
            case Standing.NOT_CONFIRMED:
                afterwards.add_task(context.mail.confirm, person)
    return context.page("link-sent", address=address)


def prefilled_form(context: PageContext, topics: Sequence[str]) -> FormView:
    """Return the form for somebody who has typed nothing yet, with these topics ticked.

    They come from a link: what is no topic is left out, and so are more than anybody may have.
    """
    ticked: dict[str, str] = {}
    for topic in filter(None, map(_topic, topics[:MOST_TOPICS])):
        ticked.setdefault(topic.text.casefold(), topic.text)
    return shown_form(context, {"topic": tuple(ticked.values())})


def _topic(typed: str) -> TopicFilter | None:
    try:
        return TopicFilter.parse(typed[: LONGEST_TOPIC + 1])
    except TopicError:
        return None


def sent_form(context: PageContext, fields: Fields) -> PreferencesForm:
    """Return the form as a new reader sent it. Raises PreferenceError if it is too long."""
    assert context.visit
    spoken = replace(context.defaults, locale=context.visit.language.code)
    return PreferencesForm.of((), spoken).filled(fields)


def shown_form(
    context: PageContext, fields: Fields, papers: Sequence[str | bytes] = ()
) -> FormView:
    """Return the form as a new reader sent it, to be shown again; empty if it is too long."""
    try:
        form = sent_form(context, fields)
    except SubscriberError:
        form = sent_form(context, {})
    typed = "\n".join(text for text in papers if isinstance(text, str))  # a file is sent anew
    return context.form_view(form, typed)
