"""The composition root of the studio, apart from the rest because FastAPI is slow to load."""

from dataclasses import replace
from datetime import date
from pathlib import Path

from fastapi import APIRouter, FastAPI
from sqlalchemy.exc import SQLAlchemyError

from digest.app.app import App, utc_now
from digest.compose.content import OF_EDITIONS
from digest.compose.environment import built_in_templates
from digest.compose.from_identity import sender_for_looking
from digest.compose.language import SHIPPED
from digest.compose.message import build_message
from digest.errors import LedgerError
from digest.model.digests import Digest
from digest.model.messages import Outcome
from digest.studio.access import require_password
from digest.studio.context import Workbench
from digest.studio.history import HistoryPages
from digest.studio.preview import Proof
from digest.studio.preview_request import Choice
from digest.studio.render import Pages
from digest.studio.templates_routes import template_routes
from digest.studio.watch import Watch
from digest.studio.web import studio_app
from subscribers.addresses import normalise_address
from subscribers.topics import parse_topics

MOST_DAYS = 60  # of editions to choose from


def studio(app: App, host: str = "127.0.0.1", watch: Watch | None = None) -> FastAPI:
    """The studio over what ``app`` has, to be served on ``host``.

    ``watch`` is for whoever wants to end it. Raises SettingError where a password is needed.
    """
    settings = app.settings
    require_password(host, settings.studio_password)
    pages = Pages(settings.from_name)
    bench = workbench(app, watch or Watch(folders(app)))
    routers = [template_routes(bench, pages), _history(app, pages)]
    return studio_app(routers, pages, host=host, password=settings.studio_password)


def folders(app: App) -> list[Path]:
    """Where what mails are made of may change."""
    own = app.settings.templates
    return [*([own] if own else []), built_in_templates(), SHIPPED]


def workbench(app: App, watch: Watch) -> Workbench:
    built_in = built_in_templates()
    folder = (app.settings.templates or built_in).resolve()
    return Workbench(
        folder=folder,
        built_in=built_in,
        watch=watch,
        proofs=lambda folder: app.proofs(sender_for_looking(app.settings), folder),
        proofs_to_send=lambda: app.proofs(app.sender, folder),
        digest=lambda choice: _digest_if_possible(app, choice),
        days=lambda: _days(app),
        send=lambda proof, to: _send(app, proof, to),
    )


def _history(app: App, pages: Pages) -> APIRouter:
    """The pages about what happened. Templates can be edited without a database; these need it."""
    try:
        return HistoryPages(
            app.ledger, app.registry, app.pipeline, pages.html, utc_now, app.settings.timezone
        ).routes()
    except (LedgerError, SQLAlchemyError) as error:
        why = error

    def tell() -> None:
        raise why

    missing = APIRouter()
    for path in ("/editions", "/runs"):
        missing.add_api_route(path, tell)
    return missing


def _digest_if_possible(app: App, choice: Choice) -> Digest:
    """As ``_digest``, but a database that fails is a LedgerError like any other."""
    try:
        return _digest(app, choice)
    except SQLAlchemyError as error:
        raise LedgerError(f"the database failed: {str(error).splitlines()[0]}") from error


def _digest(app: App, choice: Choice) -> Digest:
    """What somebody got or would get. Raises LedgerError, AddressError or TopicError."""
    day = choice.day or app.ledger.papers.latest_day()
    if day is None:
        raise LedgerError("nothing is collected yet: run digest collect, or choose a sample")
    if choice.reader:
        person = app.registry.file_of(choice.reader)
        if person is None:
            raise LedgerError(f"there is no subscriber {choice.reader}")
        who = person.subscriber
        digest = app.pipeline.digest_of(who, day)
        digest = digest or app.pipeline.draft(day, who.topics, who.preferences)
    else:
        digest = app.pipeline.draft(day, parse_topics(choice.typed_topics))
    if digest is None:
        raise LedgerError(f"of {day} there is nothing for such a reader")
    return digest


def _days(app: App) -> list[date]:
    """The days with editions, newest first; without a database there are none."""
    try:
        return [day for day, _ in app.ledger.editions.days(MOST_DAYS)]
    except (LedgerError, SQLAlchemyError):
        return []


def _send(app: App, proof: Proof, to: str) -> Outcome:
    now = utc_now()
    content = replace(proof.content, subject=f"[test] {proof.content.subject}")
    message = build_message(
        content,
        app.sender,
        to=normalise_address(to),
        public_id="test",
        what=f"test-{now:%Y%m%d%H%M%S%f}",
        now=now,
        campaign="" if proof.mail in OF_EDITIONS else proof.mail,
    )
    return app.post(message)
