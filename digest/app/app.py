"""The composition root: settings become objects here, and only here."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Engine

from digest.collect.source import Source, find_sources, installed
from digest.errors import TransportError
from digest.ledger.database import ensure_current, open_database
from digest.ledger.ledger import Ledger
from digest.maintenance.instance_guard import FILE as INSTANCE_FILE
from digest.maintenance.instance_guard import InstanceGuard
from digest.model.messages import Message, Outcome
from digest.model.progress import Progress, silent
from digest.monitoring.gathering import gather_status
from digest.monitoring.logs import configure_logs, mask_in_logs, show_logs_as
from digest.monitoring.status import Held, Status
from digest.settings.reading import read_settings
from subscribers.addresses import AddressPolicy
from subscribers.model import PersonFile
from subscribers.store.registry import Registry

if TYPE_CHECKING:
    from digest.collect.arxiv import Arxiv
    from digest.collect.collector import Collector
    from digest.collect.http import Http
    from digest.collect.snapshots import Snapshots
    from digest.compose.composer import Composer
    from digest.compose.environment import Templates
    from digest.compose.from_identity import FromIdentity
    from digest.compose.transactional_mail import TransactionalComposer
    from digest.deliver.delivery_worker import DeliveryWorker
    from digest.deliver.transport.transport import Transport
    from digest.deliver.worker_pool import WorkerPool
    from digest.inbound.diagnostics import Table
    from digest.inbound.feedback_handler import FeedbackHandler
    from digest.inbound.inbox import Inbox
    from digest.maintenance.resolve_uncertain import UncertainResolver
    from digest.maintenance.retention import Tidied
    from digest.model.verp import Verp
    from digest.monitoring.why import Why
    from digest.pipeline import Pipeline
    from digest.plan.planning import Planning
    from digest.rank.corpora import ReferenceCorpora
    from digest.rank.embedding_store import EmbeddingStore

log = structlog.get_logger()


def utc_now() -> datetime:
    return datetime.now(UTC)


class App:
    """The objects that commands work with, each made, and its module imported, on first use.

    ``clock`` tells the time to what runs by itself. ``fixed`` holds settings (as text, by field
    name) that win over the environment and ``.env``. Raises SettingError.
    """

    def __init__(
        self,
        environment: Mapping[str, str] | None = None,
        dotenv: Path | None = Path(".env"),
        clock: Callable[[], datetime] = utc_now,
        **fixed: str,
    ) -> None:
        given = os.environ if environment is None else environment
        self.clock = clock
        # Makes the same App in another process: its arguments are pickled.
        self.another = partial(App, dict(given), dotenv, clock, **fixed)
        self.settings, self.origins = read_settings(given, dotenv, **fixed)
        secrets = (secret for origin in self.origins for secret in origin.secrets)
        mask_in_logs(secrets, addresses=self.settings.log_addresses)
        show_logs_as(self.settings.log_format)

    @cached_property
    def engine(self) -> Engine:
        """The database. Raises LedgerError if its schema is not current."""
        engine = open_database(self.settings.database)
        ensure_current(engine)
        return engine

    @cached_property
    def ledger(self) -> Ledger:
        return Ledger(self.engine)

    @cached_property
    def registry(self) -> Registry:
        return Registry(self.engine)

    @cached_property
    def snapshots(self) -> Snapshots:
        from digest.collect.snapshots import Snapshots

        return Snapshots(self.settings.home / "raw")

    def tidy(self, now: datetime, progress: Progress = silent) -> Tidied:
        """Delete what is past its retention time."""
        from digest.maintenance.retention import tidy

        return tidy(self.settings, self.ledger, self.registry, self.snapshots, now, progress)

    @cached_property
    def http(self) -> Http:
        from digest.collect.http import Http

        return Http(
            self.snapshots,
            timeout=self.settings.http_timeout,
            attempts=self.settings.http_attempts,
        )

    def sources(self) -> list[Source]:
        """Return the sources of DIGEST_SOURCES. Raises SourceError if one is not installed."""
        return find_sources(self.settings.sources, self.settings, self.http)

    @cached_property
    def arxiv(self) -> Arxiv:
        """The arXiv source, for look-ups by id."""
        from digest.collect.arxiv import source

        return source(self.settings, self.http)

    @cached_property
    def collector(self) -> Collector:
        from digest.collect.collector import Collector

        return Collector(self.ledger, self.sources, self.edition_day)

    @cached_property
    def planning(self) -> Planning:
        from digest.plan.planning import Planning

        return Planning(
            self.settings,
            self.ledger,
            self.registry,
            self.corpora.current,
            self.embedder,
            _mx_owners if self.settings.mx_lookups and self._is_relayed else None,
        )

    @cached_property
    def pipeline(self) -> Pipeline:
        from digest.pipeline import Pipeline

        return Pipeline(
            self.settings, self.ledger, self.collector, self.planning, self.deliver, self.clock
        )

    def edition_day(self, now: datetime) -> date:
        """Return the day that ``now`` is in the operator's time zone."""
        return now.astimezone(self.settings.timezone).date()

    def explain(self, person: PersonFile, day: date, now: datetime) -> Why:
        """Explain what decided about a subscriber and the edition of a day, or would."""
        from digest.monitoring.explaining import explain

        return explain(self.settings, self.ledger, self.planning, person, day, now)

    @property
    def _is_relayed(self) -> bool:
        """Return whether emails go to providers, who see how fast they come."""
        return self.settings.transport_url.startswith(("smtp", "sendmail"))

    @cached_property
    def corpora(self) -> ReferenceCorpora:
        from digest.rank.corpora import ReferenceCorpora

        return ReferenceCorpora(self.ledger.papers, self.embedder, self.settings.home / "cache")

    @cached_property
    def embedder(self) -> EmbeddingStore | None:
        """The model for semantic ranking; None if none is set. Raises SettingError."""
        from digest.rank.embedding import find_embedder
        from digest.rank.embedding_store import EmbeddingStore

        model = self.settings.semantic_model
        if model is None:
            return None
        found = find_embedder(model, fetch=self.settings.semantic_fetch)
        return EmbeddingStore(found, self.settings.home)

    @cached_property
    def identity(self) -> FromIdentity:
        """From, links and footer of every message. Raises SettingError naming what is missing."""
        from digest.compose.from_identity import from_identity

        return from_identity(self.settings)

    @cached_property
    def templates(self) -> Templates:
        return self.templates_of(self.settings.templates)

    def templates_of(self, own: Path | None) -> Templates:
        """Return the templates of an operator's folder as they are now."""
        from digest.compose.environment import Templates
        from digest.compose.language import language

        cache = self.settings.home / "cache" / "templates"
        return Templates(own, language(self.settings.language, own), cache)

    @cached_property
    def composer(self) -> Composer:
        from digest.compose.composer import Composer

        return Composer(self.templates, self.identity)

    @cached_property
    def transactional_composer(self) -> TransactionalComposer:
        from digest.compose.transactional_mail import TransactionalComposer

        return TransactionalComposer(self.templates, self.identity)

    @cached_property
    def preview_composer(self) -> Composer:
        """A composer for previews: what is not set yet has a stand-in."""
        from digest.compose.composer import Composer
        from digest.compose.from_identity import preview_identity

        return Composer(self.templates, preview_identity(self.settings))

    @cached_property
    def sending(self) -> DeliveryWorker:
        """The worker that sends in this process. Raises SettingError naming what is missing."""
        from digest.deliver.delivery_worker import DeliveryWorker, Parts

        self.transport()  # a setting that is wrong shows now
        parts = Parts(
            settings=self.settings,
            ledger=self.ledger,
            registry=self.registry,
            composer=self.composer,
            transport=self.transport,
            feedback=self.feedback,
            verp=self.verp if self.settings.verp else None,
            diagnostics=self.diagnostics,
        )
        return DeliveryWorker(parts, self.clock)

    @cached_property
    def worker_pool(self) -> WorkerPool:
        """The workers that send, in DIGEST_SEND_PROCESSES processes."""
        from digest.deliver.worker_pool import WorkerPool

        return WorkerPool(
            self.ledger,
            self.sending,
            partial(_delivery_worker_of, self.another),
            processes=self.settings.send_processes,
            connections=self.settings.send_connections,
        )

    def make_ready(self) -> None:
        """Raise DigestError now if anything is missing to send, not when there is something."""
        _ = self.worker_pool, self.pipeline, self.http
        self.instance_guard.check()

    def stop(self) -> None:
        """Finish the emails under way, stop collecting, begin nothing more; from any thread."""
        self.http.stop()
        self.worker_pool.stop()

    @cached_property
    def uncertain_resolver(self) -> UncertainResolver:
        from digest.maintenance.resolve_uncertain import UncertainResolver

        stale_after = timedelta(hours=self.settings.stale_after_hours)
        return UncertainResolver(self.ledger, stale_after)

    @cached_property
    def instance_guard(self) -> InstanceGuard:
        return InstanceGuard(self.engine, self.settings.home, socket.gethostname())

    def status(self, now: datetime) -> Status:
        """Return how things are. Raises SourceError if a source is not installed."""
        installed(self.settings.sources)
        held = self._held_by_guard()
        return gather_status(self.ledger, self.registry, self.settings, now, held)

    def _held_by_guard(self) -> Held | None:
        why = self.instance_guard.objection()
        return Held(why, was_used=(self.settings.home / INSTANCE_FILE).exists()) if why else None

    def deliver(self, now: datetime, progress: Progress = silent) -> tuple[str, ...]:
        """Send what waits. Raises LedgerError if this database must not be used here."""
        self.instance_guard.renew(now)
        return self.worker_pool.send(now, progress)

    def transport(self) -> Transport:
        """Return a new transport, not yet connected. Raises SettingError."""
        from digest.deliver.transport.transport import make_transport

        return make_transport(self.settings)

    def post(self, message: Message) -> Outcome:
        """Send one message that is no delivery, over its own connection. Raises TransportError."""
        with self.transport() as transport:
            return transport.send(message)

    @cached_property
    def address_policy(self) -> AddressPolicy:
        """The rules of which addresses may subscribe."""
        refused = self.settings.refused_domains or frozenset()
        if not self.settings.mx_lookups:
            return AddressPolicy(self._takes_smtputf8, refused)
        from digest.deliver.transport.mx import takes_mail

        return AddressPolicy(self._takes_smtputf8, refused, takes_mail)

    def _takes_smtputf8(self) -> bool:
        """Return whether the relay takes addresses beyond ASCII; no, if it does not answer."""
        try:
            return self._relay_takes_smtputf8
        except TransportError as error:
            log.warning("the relay cannot be asked for SMTPUTF8", why=str(error))
            return False

    @cached_property
    def _relay_takes_smtputf8(self) -> bool:
        with self.transport() as transport:
            return transport.takes_smtputf8

    @cached_property
    def diagnostics(self) -> Table:
        """The meanings of refusals, the operator's rules first. Raises SettingError."""
        from digest.inbound.diagnostics import table_with

        return table_with(self.settings.diagnostics)

    @cached_property
    def verp(self) -> Verp:
        """Envelope senders that name their delivery. Reports are read with them in any case."""
        from digest.model.verp import Verp

        identity = self.identity  # says what is missing
        assert self.settings.secret
        return Verp(self.settings.secret, identity.bounce_address)

    @cached_property
    def feedback(self) -> FeedbackHandler:
        from digest.inbound.bounce_policy import Limits
        from digest.inbound.feedback_handler import FeedbackHandler

        settings = self.settings
        limits = Limits(settings.pause_at_hard_bounces, settings.pause_at_complaints)
        return FeedbackHandler(self.ledger, self.registry, limits)

    @cached_property
    def inbox(self) -> Inbox:
        from digest.inbound.attribution import Attribution
        from digest.inbound.inbox import Inbox

        attribution = Attribution(self.ledger, self.registry, self.verp, self.identity.tokens)
        return Inbox(self.registry, attribution, self.feedback, self.diagnostics)


def _mx_owners(domains: Sequence[str]) -> dict[str, str]:
    from digest.deliver.transport.mx import mx_owners

    return mx_owners(domains)


def _delivery_worker_of(another: Callable[[], App]) -> DeliveryWorker:
    """Return the worker of another process."""
    configure_logs()
    return another().sending
