"""The composition root: settings become objects here, and only here."""

import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path

import structlog
from sqlalchemy import Engine

from digest.backgrounds import Backgrounds
from digest.checks.baseline import OWN as OWN_BASELINE
from digest.checks.baseline import SHIPPED as SHIPPED_BASELINE
from digest.checks.baseline import read_baseline
from digest.checks.rules import Rules
from digest.collect.arxiv import Arxiv
from digest.collect.arxiv import source as arxiv_source
from digest.collect.http import Http
from digest.collect.snapshots import Snapshots
from digest.collect.source import Source, find_sources
from digest.compose.composer import Composer
from digest.compose.environment import Templates
from digest.compose.language import language
from digest.compose.letters import LetterComposer
from digest.compose.sender import Sender, sender_for_looking, sender_of
from digest.config_reading import read_settings
from digest.deliver.transport import Transport, make_transport
from digest.embedding import find_embedder
from digest.embedding_store import EmbeddingStore
from digest.errors import DigestError, LedgerError, TransportError
from digest.inbox.inbox import Inbox
from digest.ledger.database import ensure_current, open_database, upgrade
from digest.ledger.ledger import Ledger
from digest.letters import Alerts
from digest.model import Digest, Message, Outcome
from digest.pipeline import Pipeline
from digest.proofs import Proofs
from subscribers.addresses import AddressGate, normalise_address
from subscribers.store.registry import Registry
from subscribers.topics import TopicFilter

log = structlog.get_logger()


def utc_now() -> datetime:
    return datetime.now(UTC)


class App:
    """Everything the commands work with, made when it is first asked for.

    ``fixed`` holds settings (as text, by field name) that win over the environment and ``.env``.
    Raises SettingError.
    """

    def __init__(
        self,
        environment: Mapping[str, str] | None = None,
        dotenv: Path | None = Path(".env"),
        **fixed: str,
    ) -> None:
        given = os.environ if environment is None else environment
        self.settings, self.origins = read_settings(given, dotenv, **fixed)

    @cached_property
    def engine(self) -> Engine:
        """The database, its schema current. Raises LedgerError."""
        engine = open_database(self.settings.database)
        ensure_current(engine)
        return engine

    def upgrade_database(self) -> str:
        return upgrade(open_database(self.settings.database))

    @cached_property
    def ledger(self) -> Ledger:
        return Ledger(self.engine)

    @cached_property
    def registry(self) -> Registry:
        return Registry(self.engine)

    @cached_property
    def http(self) -> Http:
        return Http(
            Snapshots(self.settings.home / "raw"),
            timeout=self.settings.http_timeout,
            attempts=self.settings.http_attempts,
        )

    def sources(self) -> list[Source]:
        """The configured sources. Raises SourceError for one that is not installed."""
        return find_sources(self.settings.sources, self.settings, self.http)

    @cached_property
    def arxiv(self) -> Arxiv:
        """arXiv, for look-ups by id."""
        return arxiv_source(self.settings, self.http)

    @cached_property
    def pipeline(self) -> Pipeline:
        return Pipeline(
            self.settings,
            self.ledger,
            self.registry,
            self.sources,
            self.backgrounds.current,
            self.embedder,
        )

    @cached_property
    def backgrounds(self) -> Backgrounds:
        return Backgrounds(self.ledger.papers, self.embedder)

    @cached_property
    def embedder(self) -> EmbeddingStore | None:
        """The model for semantic ranking; none if none is set. Raises SettingError."""
        model = self.settings.semantic_model
        if model is None:
            return None
        found = find_embedder(model, fetch=self.settings.semantic_fetch)
        return EmbeddingStore(found, self.settings.home)

    @cached_property
    def sender(self) -> Sender:
        """Raises SettingError naming what is missing to send."""
        return sender_of(self.settings)

    @cached_property
    def templates(self) -> Templates:
        own = self.settings.templates
        return Templates(own, language(self.settings.language, own))

    def proofs(self, sender: Sender, folder: Path | None = None) -> Proofs:
        """Mails to look at and to check, from the templates (of ``folder``) as they are now."""
        own = folder or self.settings.templates
        templates = Templates(own, language(self.settings.language, own))
        hosts = self.settings.link_hosts
        rules = Rules(
            allowed_hosts=frozenset(hosts) if hosts else None,
            baseline=read_baseline(self.baseline),
        )
        return Proofs(templates, sender, rules)

    @property
    def baseline(self) -> Path:
        """The file that says what clients need not support: the operator's, else the shipped."""
        own = self.settings.templates and self.settings.templates / OWN_BASELINE
        return own if own and own.exists() else SHIPPED_BASELINE

    @cached_property
    def composer(self) -> Composer:
        return Composer(self.templates, self.sender)

    @cached_property
    def letter_composer(self) -> LetterComposer:
        return LetterComposer(self.templates, self.sender)

    @cached_property
    def preview_composer(self) -> Composer:
        """For looking only: what is not set yet has a stand-in."""
        return Composer(self.templates, sender_for_looking(self.settings))

    @cached_property
    def transport(self) -> Transport:
        return make_transport(self.settings)

    def post(self, message: Message) -> Outcome:
        """Send one message that is no delivery, over a connection of its own.

        Raises TransportError.
        """
        with make_transport(self.settings) as transport:
            return transport.send(message)

    @cached_property
    def gate(self) -> AddressGate:
        """Which addresses may subscribe."""
        return AddressGate(self._takes_smtputf8, self.settings.refused_domains or frozenset())

    def _takes_smtputf8(self) -> bool:
        """Whether the relay takes addresses beyond ASCII; no, while it cannot be asked."""
        try:
            return self._relay_takes_smtputf8
        except TransportError as error:
            log.warning("the relay cannot be asked for SMTPUTF8", why=str(error))
            return False

    @cached_property
    def _relay_takes_smtputf8(self) -> bool:
        with make_transport(self.settings) as transport:
            return transport.takes_smtputf8

    @cached_property
    def inbox(self) -> Inbox:
        return Inbox(self.registry, self.sender.tokens)

    def test_message(self, to: str, topics: tuple[TopicFilter, ...], day: date | None) -> Message:
        """A digest marked as a test, in nobody's name. Raises DigestError where there is none."""
        digest = self._draft(topics, day)
        return self.composer.compose(
            digest,
            to=normalise_address(to),
            public_id="test",
            now=utc_now(),
            subject_mark="[test]",
        )

    def write_preview(self, topics: tuple[TopicFilter, ...], day: date | None) -> list[Path]:
        """The HTML and the text of a digest as files; their paths."""
        digest = self._draft(topics, day)
        content = self.preview_composer.render(digest, "preview")
        folder = self.settings.home / "preview"
        folder.mkdir(parents=True, exist_ok=True)
        files = {folder / "digest.html": content.html, folder / "digest.txt": content.text}
        for path, text in files.items():
            path.write_text(text, encoding="utf-8")
        return list(files)

    def _draft(self, topics: tuple[TopicFilter, ...], day: date | None) -> Digest:
        day = day or self.ledger.papers.latest_day()
        if day is None:
            raise LedgerError("nothing is collected yet: run digest collect")
        digest = self.pipeline.draft(day, topics)
        if digest is None:
            what = "matches these topics" if topics else "is listed"
            raise LedgerError(f"no paper of {day} {what}")
        return digest

    def daily_run(self) -> None:
        """What `digest schedule` does each day: collect the latest, then one pass."""
        now = utc_now()
        try:
            days = self.pipeline.days_for(self.pipeline.edition_day(now))
            collected = self.pipeline.collect(days, now)
            run = self.pipeline.run(self.composer, self.transport, now)
        except DigestError as error:
            self._alert([str(error)], now, broken_off=True)
            raise
        # A source that fails while an edition is collected for would be told of twice.
        if troubles := list(dict.fromkeys(collected.failures + run.trouble)):
            self._alert(troubles, now, broken_off=False)
        log.info("the daily run is done", balance=asdict(run.balance), trouble=run.trouble)

    def _alert(self, troubles: list[str], since: datetime, *, broken_off: bool) -> None:
        """Tell the operator of a run that had trouble, if there is an address to tell it to."""
        if self.settings.operator is None:
            return
        where = f"{socket.gethostname()}, {self.settings.home.resolve()}"
        alerts = Alerts(self.settings.operator, where, lambda: self.letter_composer, self.post)
        local = since.astimezone(self.settings.timezone)
        alerts.tell(troubles, local, broken_off=broken_off)


def configure_logs() -> None:
    """Logs go to standard error: for people on a terminal, as JSON lines elsewhere."""
    # Traces without the values in them: those may be addresses and tokens.
    for_people = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    for_programs = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            *([for_people] if sys.stderr.isatty() else for_programs),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
