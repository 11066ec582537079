"""Make the pages. They are apart from the App because FastAPI is slow to import."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import lru_cache, partial

import httpx
import structlog
from fastapi import FastAPI

from digest.app.app import App
from digest.compose.transactional_mail import TransactionalMail, alert_operator
from digest.deliver.edition_messages import digest_of
from digest.errors import MessageTooLarge, NothingToShow
from digest.inbound.attribution import Attribution
from digest.inbound.webhook_signatures import Headers
from digest.inbound.webhooks import WebhookAnswer, Webhooks
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
    """Return the web application. Raises DigestError."""
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
                lambda: composer.alert(operator, (trouble,), where=where, now=now),
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
        webhook=partial(_take, webhooks_of(app), clock),
        metrics_tokens=settings.metrics_tokens or (),
        api_tokens=settings.api_tokens or (),
    )
    return web_app(site)


def webhooks_of(app: App) -> Webhooks:
    """Return what takes the webhooks of mail services that a secret is set for."""
    settings = app.settings
    secrets = {
        "ses": settings.webhook_ses,
        "postmark": settings.webhook_postmark,
        "sendgrid": settings.webhook_sendgrid,
        "mailgun": settings.webhook_mailgun,
        "brevo": settings.webhook_brevo,
        "generic": settings.webhook_generic,
    }
    attribution = Attribution(app.ledger, app.registry, app.verp, app.identity.tokens)
    return Webhooks(
        {service: keys for service, keys in secrets.items() if keys},
        attribution,
        app.feedback,
        app.diagnostics,
        lru_cache(maxsize=8)(_fetched),
    )


def _take(
    webhooks: Webhooks, clock: Callable[[], datetime], service: str, headers: Headers, body: bytes
) -> WebhookAnswer:
    return webhooks.take(service, headers, body, clock())


def _fetched(url: str) -> bytes:
    """Return what is at a URL of Amazon SNS. Raises ValueError if it cannot be got."""
    try:
        return httpx.get(url, timeout=10).raise_for_status().content
    except httpx.HTTPError as error:
        raise ValueError(f"{url}: {error}") from error
