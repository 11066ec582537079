"""The JSON API over HTTP: the same as the command ``digest subscribers``."""

from collections.abc import Sequence
from http import HTTPStatus
from itertools import chain, islice
from typing import Annotated

from fastapi import (
    APIRouter,
    BackgroundTasks,
    Depends,
    FastAPI,
    Path,
    Query,
    Response,
)
from fastapi.responses import JSONResponse

from subscribers.addresses import normalise_address
from subscribers.due_times import check_pause
from subscribers.errors import PreferenceError
from subscribers.model import Consent, PersonFile, Subscriber, SuppressionReason
from subscribers.preferences import Preferences, Strictness
from subscribers.sentences import Sentence
from subscribers.topics import MOST_TOPICS, parse_topics
from subscribers.transfer import to_record
from subscribers.web.api_model import (
    Asked,
    NewSubscriber,
    People,
    Person,
    Reported,
    SentPreferences,
)
from subscribers.web.api_rules import (
    Refusal,
    documented,
    refuse_with_problems,
    requires_token,
    takes,
)
from subscribers.web.api_transfer import batches, transfer_routes
from subscribers.web.page_context import Context, PageContext

SOURCE = "API"  # stored as evidence


def api_app(context: PageContext, tokens: Sequence[str], url: str) -> FastAPI:
    """Build the application of the API at a path, for clients that show one of the tokens."""
    api = FastAPI(
        title="Paper Digest",
        version="1",
        description=__doc__,
        docs_url=None,  # these pages load scripts from other hosts
        redoc_url=None,
        servers=[{"url": url}],
        root_path_in_servers=False,
        redirect_slashes=False,
        dependencies=[Depends(requires_token(tokens))],
        responses=documented(HTTPStatus.UNAUTHORIZED),
        generate_unique_id_function=lambda route: route.name,
    )
    api.state.context = context
    for router in (_routes, transfer_routes):
        api.include_router(router)
    refuse_with_problems(api, [_routes, transfer_routes])
    return api


# ---- parameters ------------------------------------------------------------------------------

Email = Annotated[str, Path(description="An email address.", examples=["ada@example.org"])]
Limit = Annotated[int, Query(ge=1, le=1000, description="The most people on a page.")]
After = Annotated[str, Query(pattern="^([0-9a-f]{32})?$", description="`next` of the page before.")]
OfConsent = Annotated[Consent | None, Query(description="Only those with this consent.")]
OfTopic = Annotated[str, Query(description="Only those with this text in a topic.")]
SentTopics = Annotated[
    list[str],
    Query(
        min_length=1,
        max_length=MOST_TOPICS,
        description="A topic; up to twenty, each as a parameter of its own.",
        examples=[["difusion models"]],
    ),
]
Blocked = Annotated[bool | None, Query(description="Only those with a block, or without.")]

_BODY = (400, 413, 415, 422)  # refusals of a body

_routes = APIRouter()


# ---- people ----------------------------------------------------------------------------------


@_routes.get("/subscribers", responses={200: {"model": People}, **documented(422)})
def list_subscribers(
    context: Context,
    consent: OfConsent = None,
    topic: OfTopic = "",
    suppressed: Blocked = None,
    after: After = "",
    limit: Limit = 100,
) -> JSONResponse:
    """List people in the order they joined, a page at a time."""

    def is_wanted(file: PersonFile) -> bool:
        person, is_blocked = file.subscriber, file.suppression is not None
        topics = "\n".join(topic_filter.text for topic_filter in person.topics)
        return (
            consent in (None, person.consent)
            and suppressed in (None, is_blocked)
            and topic.casefold() in topics.casefold()
        )

    last = context.registry.by_public_id(after) if after else None
    if after and last is None:
        why = Sentence("after: expected the next of a page")
        raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "after", why)
    people = chain.from_iterable(batches(context.registry, last.id if last else 0))
    wanted = filter(is_wanted, people)
    found = list(islice(wanted, limit + 1))  # one more, to tell whether there is a next page
    page = found[:limit]
    more = page[-1].subscriber.public_id if len(found) > limit else None
    return JSONResponse({"subscribers": [to_record(file) for file in page], "next": more})


@_routes.post(
    "/subscribers",
    dependencies=[takes("application/json")],
    responses={
        200: {"model": Person, "description": "Vouched for; the person was known already."},
        201: {"model": Person, "description": "Vouched for, and new."},
        202: {"model": Asked, "description": "The person is being asked, or cannot be."},
        **documented(409, *_BODY),
    },
)
def subscribe(context: Context, sent: NewSubscriber, afterwards: BackgroundTasks) -> JSONResponse:
    """Subscribe a person: ask them by email to confirm, or vouch that they asked you.

    Vouching for a known person changes only the fields that you send. A person who left is neither
    asked nor brought back (409): only they can return, by the sign-up form.
    """
    address = context.address_policy.admit(sent.email)
    topics = parse_topics(sent.topics)
    known = context.registry.file_of(address)
    if sent.consent == "vouched":
        preferences = _filled(
            sent, known.subscriber.preferences if known else context.defaults, context
        )
        added = context.registry.add(address, topics, source=SOURCE, now=context.clock())
        context.registry.set_preferences(added.public_id, added.topics, preferences)
        _set_papers(context, added, sent)
        return _record(context, address, HTTPStatus.OK if known else HTTPStatus.CREATED)
    preferences = _filled(sent, context.defaults, context)
    asked = None
    has_left = known is not None and known.subscriber.consent is Consent.WITHDRAWN
    if not has_left and context.may_mail(address):
        asked = context.registry.ask(
            address, topics, preferences, source=SOURCE, now=context.clock()
        )
    if asked:
        if asked.consent is Consent.PENDING:
            _set_papers(context, asked, sent)
        afterwards.add_task(context.mail.confirm, asked)
    state = "asked" if asked else "nothing-sent"
    return JSONResponse({"email": address, "state": state}, HTTPStatus.ACCEPTED)


@_routes.get(
    "/subscribers/{email:path}", responses={200: {"model": Person}, **documented(404, 422)}
)
def show(context: Context, email: Email) -> JSONResponse:
    """Show everything that is stored about a person."""
    return _record(context, email)


@_routes.patch(
    "/subscribers/{email:path}",
    dependencies=[takes("application/json")],
    responses={200: {"model": Person}, **documented(404, *_BODY)},
)
def change(context: Context, email: Email, sent: SentPreferences) -> JSONResponse:
    """Change a person's topics and preferences. Fields that are not sent stay unchanged."""
    file = context.registry.file_of(email)
    if file is None:
        raise _unknown(email)
    person = file.subscriber
    topics = parse_topics(sent.topics) if "topics" in sent.model_fields_set else person.topics
    preferences = _filled(sent, person.preferences, context)
    context.registry.set_preferences(person.public_id, topics, preferences)
    _set_papers(context, person, sent)
    return _record(context, email)


@_routes.delete("/subscribers/{email:path}", status_code=204, responses=documented(404, 422))
def remove(context: Context, email: Email) -> Response:
    """Delete a person and everything stored about them, except for a block."""
    if not context.registry.remove(email):
        raise _unknown(email)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _set_papers(context: PageContext, person: Subscriber, sent: SentPreferences) -> None:
    """Replace a person's own papers, if any were sent."""
    if "papers" in sent.model_fields_set:
        given = context.given_papers(sent.papers or ())
        context.registry.own_papers.replace(person.public_id, given.papers)


def _filled(sent: SentPreferences, before: Preferences, context: PageContext) -> Preferences:
    """Return preferences with the fields that were sent. Raises PreferenceError and TopicError."""
    record, defaults = before.to_json(), context.defaults.to_json()
    for name in sent.model_fields_set & record.keys():
        value = getattr(sent, name)
        record[name] = defaults[name] if value is None else value
    preferences = Preferences.from_json(record)
    locale, languages = preferences.locale, context.languages
    if locale and locale != before.locale and not languages.speaks(locale):
        raise PreferenceError(
            "locale: %(typed)s is not spoken here: expected one of %(names)s",
            typed=repr(locale),
            names=", ".join(languages.own_names),
        )
    if "paused_until" in sent.model_fields_set:
        check_pause(preferences, context.clock())
    return preferences


def _record(context: PageContext, email: str, status: HTTPStatus = HTTPStatus.OK) -> JSONResponse:
    file = context.registry.file_of(email)
    if file is None:
        raise _unknown(email)
    return JSONResponse(to_record(file), status)


def _unknown(email: str) -> Refusal:
    why = Sentence("there is no subscriber %(email)s", email=email)
    return Refusal(HTTPStatus.NOT_FOUND, "unknown-subscriber", why)


# ---- topics ----------------------------------------------------------------------------------


@_routes.get("/topics", responses={200: {"model": Reported}, **documented(422, 503)})
def report_on_topics(
    context: Context, topic: SentTopics, strictness: Strictness | None = None
) -> JSONResponse:
    """Tell what topics would have matched in the last 30 days, and what would match better.

    Nothing is stored. Refused (503) while the papers are being read: try again.
    """
    reports = context.topic_reports(parse_topics(topic), strictness)
    if reports is None:
        why = Sentence("the papers are being read: try again in some seconds")
        raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "not-ready", why, {"Retry-After": "5"})
    return JSONResponse({"topics": [report.to_json() for report in reports]})


# ---- blocks ----------------------------------------------------------------------------------


@_routes.put("/suppressions/{email:path}", status_code=204, responses=documented(404, 409, 422))
def suppress(context: Context, email: Email) -> Response:
    """Block an address: it gets no email until the block is lifted."""
    address = normalise_address(email)
    context.registry.suppressions.add(address, SuppressionReason.OPERATOR, now=context.clock())
    return Response(status_code=HTTPStatus.NO_CONTENT)


@_routes.delete("/suppressions/{email:path}", status_code=204, responses=documented(404, 422))
def unsuppress(context: Context, email: Email) -> Response:
    """Lift the block on an address."""
    if not context.registry.suppressions.lift(normalise_address(email)):
        why = Sentence("there is no block on %(email)s", email=email)
        raise Refusal(HTTPStatus.NOT_FOUND, "no-block", why)
    return Response(status_code=HTTPStatus.NO_CONTENT)
