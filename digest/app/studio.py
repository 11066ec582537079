"""Make the studio. It is apart from the App because FastAPI is slow to import."""

from contextlib import suppress
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

from fastapi import APIRouter, FastAPI
from sqlalchemy.exc import SQLAlchemyError

from digest.app.app import App
from digest.app.base import utc_now
from digest.app.previews import previews_of
from digest.app.sample_site import sample_site
from digest.compose.content import OF_LIST
from digest.compose.environment import Templates, built_in_templates
from digest.compose.from_identity import FromIdentity, preview_identity
from digest.compose.language import SHIPPED
from digest.compose.languages import Languages
from digest.compose.message import build_message
from digest.compose.pseudo import PSEUDO
from digest.deliver.edition_messages import digest_of
from digest.errors import Busy, LedgerError
from digest.model.announcements import Announcement, Draft, previewed
from digest.model.digests import Digest
from digest.model.messages import Outcome
from digest.monitoring.why_text import why_lines
from digest.studio.access import require_password
from digest.studio.announcements import AnnouncementPages, Desk, announcement_routes
from digest.studio.history import history_routes
from digest.studio.outbox import outbox_routes
from digest.studio.people_changes import change_routes
from digest.studio.people_context import PeopleContext
from digest.studio.people_growth import growth_routes
from digest.studio.people_import import import_routes
from digest.studio.people_routes import people_routes
from digest.studio.preview import Preview, Previews
from digest.studio.preview_cache import StudioContext
from digest.studio.preview_request import PreviewRequest
from digest.studio.prompts import prompt_routes
from digest.studio.render import Pages
from digest.studio.site_routes import site_routes
from digest.studio.templates_routes import template_routes
from digest.studio.watch import Watch
from digest.studio.web import studio_app
from digest.summaries.prompts import Prompts
from subscribers.addresses import normalise_address
from subscribers.topics import parse_topics

MOST_DAYS = 60  # of editions to choose from


def studio(
    app: App, host: str = "127.0.0.1", watch: Watch | None = None, root: str = ""
) -> FastAPI:
    """Return the studio, to be served on ``host``. Raises SettingError if a password is needed.

    ``watch`` is given by a caller that will end it. ``root`` is the path that a proxy serves it
    under.
    """
    settings = app.settings
    require_password(host, settings.studio_password)
    outbox = settings.outbox
    pages = Pages(
        settings.from_name,
        root,
        {"Outbox": "/outbox"} if outbox else {},
        has_login=bool(settings.studio_password),
    )
    context = studio_context(app, watch or Watch(folders(app)))
    routers = [
        template_routes(context, pages),
        *_of_the_database(app, pages, root),
        prompt_routes(lambda: Prompts(Templates(settings.templates)), pages),
        site_routes(
            sample_site(settings, context.watch, pages, context.languages, root),
            context.watch,
            pages,
        ),
    ]
    if outbox:
        routers.append(outbox_routes(outbox, pages))
    return studio_app(routers, pages, host=host, password=settings.studio_password, root=root)


def folders(app: App) -> list[Path]:
    """Return the folders of everything that emails are made from."""
    own = app.settings.templates
    return [*([own] if own else []), built_in_templates(), SHIPPED]


def studio_context(app: App, watch: Watch) -> StudioContext:
    built_in = built_in_templates()
    folder = (app.settings.templates or built_in).resolve()

    def languages() -> dict[str, str]:
        return {**Languages(own_folder=folder).own_names, **PSEUDO}

    def previews(identity: FromIdentity, of: Path, code: str) -> Previews:
        return previews_of(app, identity, of, code if code in languages() else "")

    return StudioContext(
        folder=folder,
        built_in=built_in,
        watch=watch,
        previews=partial(previews, preview_identity(app.settings)),
        previews_to_send=lambda code: previews(app.identity, folder, code),
        languages=languages,
        digest=lambda preview_request: _digest_if_possible(app, preview_request),
        days=lambda: _days(app),
        send=lambda preview, to: _send(app, preview, to),
    )


def _of_the_database(app: App, pages: Pages, root: str) -> list[APIRouter]:
    """Return the pages that need a database; editing templates does not."""
    try:
        people = PeopleContext(
            registry=app.registry,
            outcomes=app.ledger.outcomes,
            pages=pages,
            clock=app.clock,
            zone=app.settings.timezone,
            address_policy=app.address_policy,
            read_papers=app.read_papers,
            speaks=app.templates.languages.speaks,
            why=lambda person, day, now: why_lines(
                app.why(person, day, now), app.settings.timezone
            ),
            root=root,
        )
        return [
            history_routes(
                app.ledger,
                app.registry,
                app,
                pages,
                utc_now,
                app.settings.timezone,
                has_model=app.settings.summaries_url is not None,
            ),
            import_routes(people),
            change_routes(people),
            growth_routes(people),
            people_routes(people),
            _announcements(app, pages, root),
        ]
    except (LedgerError, SQLAlchemyError) as error:
        why = error

    def tell() -> None:
        raise why

    missing = APIRouter()
    for path in ("/editions", "/runs", "/subscribers", "/announcements"):
        missing.add_api_route(path, tell)
    return [missing]


def _announcements(app: App, pages: Pages, root: str) -> APIRouter:
    desk = Desk(
        chosen=lambda audience: app.planning.announcing.chosen(audience),  # noqa: PLW0108  when asked
        render=lambda draft: app.preview_composer.render_announcement(previewed(draft), "preview"),
        test=lambda draft, to: app.post(app.announcement_test(draft, to)),
        send=lambda draft: _announce(app, draft),
    )
    languages = Languages(own_folder=app.settings.templates)
    zone = app.settings.timezone
    shown = AnnouncementPages(desk, lambda: languages.own_names, pages, zone, root)
    return announcement_routes(app.ledger, shown, utc_now)


def _announce(app: App, draft: Draft) -> Announcement:
    """Store an announcement, and plan for its readers; if others plan now, they do it."""
    app.instance_guard.check()
    now = utc_now()
    announcement = app.ledger.announcements.create(draft, now)
    with suppress(Busy):
        app.pipeline.plan_announcements(now)
    return announcement


def _digest_if_possible(app: App, preview_request: PreviewRequest) -> Digest:
    """Return what ``_digest`` returns; if the database fails, raise LedgerError."""
    try:
        return _digest(app, preview_request)
    except SQLAlchemyError as error:
        raise LedgerError(f"the database failed: {str(error).splitlines()[0]}") from error


def _digest(app: App, preview_request: PreviewRequest) -> Digest:
    """Return what a reader got or would get. Raises LedgerError, AddressError or TopicError."""
    day = preview_request.day or app.ledger.papers.latest_day()
    if day is None:
        raise LedgerError("nothing is collected yet: run digest collect, or choose a sample")
    locale = None
    if preview_request.reader:
        person = app.registry.file_of(preview_request.reader)
        if person is None:
            raise LedgerError(f"there is no subscriber {preview_request.reader}")
        who = person.subscriber
        digest = app.with_sentences(digest_of(app.ledger, who, day))
        digest = digest or app.planning.draft(day, who.topics, who.preferences)
        locale = who.preferences.locale
    else:
        digest = app.planning.draft(day, parse_topics(preview_request.typed_topics))
    if digest is None:
        raise LedgerError(f"no paper of {day} is for such a reader")
    return replace(digest, locale=None if preview_request.language else locale)


def _days(app: App) -> list[date]:
    """Return the days with editions, newest first; none without a database."""
    try:
        return [day for day, _ in app.ledger.editions.days(MOST_DAYS)]
    except (LedgerError, SQLAlchemyError):
        return []


def _send(app: App, preview: Preview, to: str) -> Outcome:
    now = utc_now()
    content = replace(preview.content, subject=f"[test] {preview.content.subject}")
    message = build_message(
        content,
        app.identity,
        to=normalise_address(to),
        public_id="test",
        what=f"test-{now:%Y%m%d%H%M%S%f}",
        now=now,
        campaign="" if preview.mail in OF_LIST else preview.mail,
    )
    return app.post(message)
