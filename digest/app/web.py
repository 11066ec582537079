"""The composition root of the pages, apart from the rest because FastAPI is slow to load."""

from datetime import date, timedelta

import structlog
from fastapi import FastAPI

from digest.app.app import App
from digest.compose.transactional_mail import TransactionalMail, alert_operator
from digest.deliver.edition_messages import digest_of
from digest.errors import MessageTooLarge, NothingToShow
from digest.ledger.database import what_is_missing
from digest.monitoring.metrics import exposition, gather_counts
from digest.rank.search import Search
from digest.web.limiter import Limiter
from digest.web.pages import web_app
from digest.web.site import Site, page_renderer
from digest.web.suggestions import suggest
from subscribers.model import Subscriber
from subscribers.preferences import Preferences
from subscribers.web.page_context import PageContext

SUGGESTED_FROM = timedelta(weeks=3)

log = structlog.get_logger()


def web(app: App) -> FastAPI:
    """The web application over what ``app`` has. Raises DigestError."""
    clock, papers = app.clock, app.ledger.papers
    composer = app.composer
    search, ranking = Search(app.ledger, app.corpora.current, app.embedder), Limiter()

    def suggestions() -> list[str]:
        return suggest(papers.keywords_since(clock().date() - SUGGESTED_FROM))

    def own_digest(subscriber: Subscriber, day: date) -> str | None:
        digest = digest_of(app.ledger, subscriber, day)
        try:
            return composer.render(digest, subscriber.public_id).html if digest else None
        except (MessageTooLarge, NothingToShow):  # nor was it sent
            return None

    def figures() -> bytes:
        now = clock()
        return exposition(app.status(now), gather_counts(app.ledger, app.registry, now))

    def warn_operator(trouble: str) -> None:
        log.warning("sign-ups are limited", why=trouble)
        if operator := settings.operator:
            composer = app.transactional_composer
            where, now = str(settings.home.resolve()), clock().astimezone(settings.timezone)
            alert_operator(
                lambda: composer.alert(
                    operator, (trouble,), broken_off=False, where=where, now=now
                ),
                app.post,
            )

    settings = app.settings
    context = PageContext(
        registry=app.registry,
        tokens=app.identity.tokens,
        render=page_renderer(app.templates, app.identity),
        clock=clock,
        mail=TransactionalMail(app.transactional_composer, app.post, clock),
        address_policy=app.address_policy,
        defaults=Preferences(at=settings.run_at, timezone=settings.timezone.key),
        suggestions=suggestions,
        title_of=papers.title_of,
        keeps_clients=settings.keep_client_addresses,
        welcomes=settings.welcome,
        says_goodbye=settings.goodbye,
        most_sign_ups=settings.sign_ups_per_hour,
        warn_operator=warn_operator,
    )
    site = Site(
        identity=app.identity,
        templates=app.templates,
        editions=app.ledger.editions,
        context=context,
        draft=ranking.limited(app.planning.draft),
        search=ranking.limited(search.find),
        own_digest=own_digest,
        missing=lambda: what_is_missing(app.engine),
        figures=figures,
        metrics_tokens=settings.metrics_tokens or (),
        api_tokens=settings.api_tokens or (),
    )
    return web_app(site)
