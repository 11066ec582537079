"""Make the pages. They are apart from the App because FastAPI is slow to import."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import lru_cache, partial
from time import monotonic

import httpx
import structlog
from fastapi import FastAPI

from digest.app.app import App
from digest.app.background import in_background
from digest.compose.stamp import stamp
from digest.deliver.edition_messages import digest_of
from digest.deliver.rate_limit import is_within
from digest.deliver.transactional_mail import alert_operator
from digest.errors import MessageTooLarge, NothingToShow
from digest.inbound.attribution import Attribution
from digest.inbound.webhook_signatures import Headers
from digest.inbound.webhooks import WebhookAnswer, Webhooks
from digest.ledger.database import what_is_missing
from digest.ledger.provider_queues import ALL
from digest.model.timetable import AHEAD, Timetable
from digest.monitoring.metrics import exposition, gather_counts
from digest.plan.drafts import Drafts
from digest.rank.related import Related
from digest.rank.search import Search
from digest.web.caching import Versions
from digest.web.limiter import Limiter
from digest.web.pages import web_app
from digest.web.privacy import privacy_of
from digest.web.sample import Kept, sample_of
from digest.web.site import Site, page_renderer
from digest.web.suggestions import suggest
from digest.web.timely_reports import TimelyReports
from subscribers.model import Subscriber
from subscribers.origins import Origins, origin_of
from subscribers.preferences import Preferences
from subscribers.proof_of_work import ProofOfWork
from subscribers.web.page_context import FirstDigest, PageContext, When

SUGGESTED_FROM = timedelta(weeks=3)
NO_SAMPLE = "the landing page has no sample of an email"
LONGEST_FETCH = 10.0  # seconds until a certificate of Amazon SNS is whole
LARGEST_FETCHED = 64 * 1024  # octets of it

log = structlog.get_logger()


def web(app: App) -> FastAPI:
    """Return the web application. Raises DigestError."""
    clock, papers = app.clock, app.ledger.papers
    composer = app.composer

    @lru_cache(maxsize=1)
    def suggestions_at(today: date, _state: tuple[int, ...]) -> list[str]:
        return suggest(papers.keywords_since(today - SUGGESTED_FROM))

    def suggestions() -> list[str]:
        return suggestions_at(clock().date(), papers.state())

    def own_digest(person: Subscriber, day: date) -> str | None:
        digest = app.with_sentences(digest_of(app.ledger, person, day))
        try:
            return (
                composer.render(digest, person.public_id, person.address).html if digest else None
            )
        except (MessageTooLarge, NothingToShow):  # nor was it sent
            return None

    def files() -> str:
        return stamp(folder / "pages" for folder in app.templates.folders)

    def shown() -> str:
        # The topics that the form suggests are those of the last weeks.
        ledger = app.ledger
        stored = (
            papers.state(),
            ledger.editions.state(),
            ledger.pictures.state(),
            ledger.summaries.state(),
        )
        return f"{files()} {stored} {clock().date()}"

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

    settings, ranking = app.settings, Limiter()
    topic_reports = TimelyReports(app.topic_reporter.report, ranking)
    context = PageContext(
        registry=app.registry,
        tokens=app.identity.tokens,
        render=page_renderer(
            app.templates,
            app.identity,
            asks_proof=settings.proof_of_work,
            translates=settings.summaries_url is not None,
        ),
        origins=Origins(origin_of(app.identity.base_url), settings.embed_origins or frozenset()),
        clock=clock,
        mail=app.transactional_mail,
        languages=app.templates.languages,
        address_policy=app.address_policy,
        defaults=Preferences(at=settings.run_at, timezone=settings.timezone.key),
        suggestions=suggestions,
        titles_of=papers.titles_of,
        read_papers=app.read_papers,
        topic_reports=topic_reports,
        first_digest=partial(_first_digest, app),
        keeps_clients=settings.keep_client_addresses,
        welcomes=settings.welcome,
        says_goodbye=settings.goodbye,
        most_sign_ups=settings.sign_ups_per_hour,
        proof_of_work=ProofOfWork(app.identity.tokens.keyed) if settings.proof_of_work else None,
        warn_operator=warn_operator,
    )
    drafts = Drafts(app.ledger, app.planning.ranker_on)
    site = Site(
        identity=app.identity,
        templates=app.templates,
        editions=app.ledger.editions,
        pictures=app.ledger.pictures,
        browsing=app.ledger.browsing,
        told=app.told,
        chosen=app.ledger.chosen,
        context=context,
        privacy=privacy_of(settings),
        draft=drafts.draft,
        search=Search(app.ledger, app.corpora.current, app.embedder).find,
        related=Related(papers, app.corpora.current).to,
        topic_reports=topic_reports.soon,
        reports=app.topic_reporter.report,
        own_digest=own_digest,
        missing=lambda: what_is_missing(app.engine),
        figures=figures,
        webhook=partial(_take, webhooks_of(app), clock),
        versions=Versions(shown, clock),
        file_versions=Versions(files, clock),
        ranking=ranking,
        sample=Kept(
            partial(sample_of, app.ledger.editions, drafts.draft, suggestions),
            shown,
            in_background(1, NO_SAMPLE),
        ),
        sample_mail=lambda digest: composer.render(digest, "").html,
        metrics_tokens=settings.metrics_tokens or (),
        api_tokens=settings.api_tokens or (),
    )
    return web_app(site)


def _first_digest(app: App, now: datetime) -> FirstDigest:
    """Return what somebody who confirms now gets at once, and when the next one comes at first."""
    if app.planning.latest(now) is None:
        return FirstDigest(When.LATER, now)
    settings = app.settings
    is_held = any(pause.provider == ALL for pause in app.ledger.provider_queues.paused())
    is_open = is_within(settings.send_window, now.astimezone(settings.timezone))
    following = Timetable(settings.run_at, settings.timezone).next_edition(now)
    when = When.AT_ONCE if is_open and not is_held else When.WAITS
    return FirstDigest(when, max(now, following - AHEAD))


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
    """Return what is at a URL of Amazon SNS. Raises ValueError if it cannot be got in time."""
    until, body = monotonic() + LONGEST_FETCH, bytearray()
    try:
        # As it is sent: what is packed could be unpacked to any size.
        with httpx.stream("GET", url, headers={"Accept-Encoding": "identity"}) as response:
            for part in response.raise_for_status().iter_raw():
                body += part
                if len(body) > LARGEST_FETCHED or monotonic() > until:
                    raise ValueError(f"{url}: the answer is too large, or takes too long")
        return bytes(body)
    except httpx.HTTPError as error:
        raise ValueError(f"{url}: {error}") from error
