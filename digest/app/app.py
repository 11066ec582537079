"""The composition root: settings become objects in this room, and only here.

Its classes are a chain, so that one object has all: AppBase, MailParts, PaperParts, App.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from digest.app.garbage import collect_garbage_rarely
from digest.app.papers import PaperParts
from digest.collect.source import installed
from digest.deliver.trouble import standing_trouble
from digest.maintenance.instance_guard import FILE as INSTANCE_FILE
from digest.maintenance.instance_guard import InstanceGuard, guard_of
from digest.model.progress import Progress, silent
from digest.monitoring.gathering import gather_status
from digest.monitoring.logs import configure_logs
from digest.monitoring.status import Held, Status
from subscribers.model import PersonFile, Standing

if TYPE_CHECKING:
    from digest.deliver.delivery_worker import DeliveryWorker, Parts
    from digest.deliver.shard_sender import ShardSender
    from digest.deliver.worker_pool import WorkerPool
    from digest.maintenance.resolve_uncertain import UncertainResolver
    from digest.maintenance.retention import Tidied
    from digest.monitoring.why import Why
    from digest.pipeline import Pipeline
    from digest.plan.planning import Planning


class App(PaperParts):
    """The objects that commands work with, each made, and its module imported, on first use.

    ``clock`` tells the time to what runs by itself. ``fixed`` holds settings (as text, by field
    name) that win over the environment and ``.env``. Raises SettingError.
    """

    @property
    def another(self) -> Callable[[], App]:
        """Make the same App in another process: this can be pickled."""
        return partial(_in_another_process, **self._given)

    def tidy(self, now: datetime, progress: Progress = silent) -> Tidied:
        """Delete what is past its retention time."""
        from digest.maintenance.retention import tidy

        return tidy(self.settings, self.ledger, self.registry, self.snapshots, now, progress)

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
            self._summarize if self.chat else None,
            self.language_of,
        )

    @cached_property
    def pipeline(self) -> Pipeline:
        from digest.pipeline import Pipeline

        return Pipeline(
            self.settings,
            self.ledger,
            self.collector,
            self.planning,
            self.deliver,
            self.clock,
            self.welcome,
        )

    def welcome(self, people: Collection[int]) -> None:
        """Tell people who have just confirmed, and get no digest at once, what will come."""
        if not (self.settings.welcome and self.settings.base_url):  # it leads to the pages
            return
        for person in self.registry.some(people):
            if self.registry.standing(person.id) is Standing.MAY_RECEIVE:
                self.transactional_mail.welcome(person)

    def explain(self, person: PersonFile, day: date, now: datetime) -> Why:
        """Explain what decided about a subscriber and the edition of a day, or would."""
        from digest.monitoring.explaining import explain

        return explain(self.settings, self.ledger, self.planning, person, day, now)

    def why(self, person: PersonFile, day: date | None, now: datetime) -> Why:
        """Explain as ``explain``, the latest edition by default, and what each topic matched."""
        days = self.ledger.editions.days(1)
        latest = days[0][0] if days else self.edition_day(now)
        who = person.subscriber
        reports = self.topic_reporter.report(who.topics, who.preferences.strictness)
        return replace(self.explain(person, day or latest, now), reports=tuple(reports))

    @cached_property
    def sending(self) -> DeliveryWorker:
        """The worker that sends in this process. Raises SettingError naming what is missing."""
        from digest.deliver.delivery_worker import DeliveryWorker

        return DeliveryWorker(self._sending_parts, self.clock)

    def shard_sender(self) -> ShardSender:
        """Return a sender of shards for this process; use it within an event loop."""
        from digest.deliver.shard_sender import ShardSender

        slots = self.settings.send_connections
        return ShardSender(self._sending_parts, self.clock, slots, self.instance_guard.renew)

    @cached_property
    def _sending_parts(self) -> Parts:
        from digest.deliver.delivery_worker import Parts

        self.channel()  # a setting that is wrong shows now
        return Parts(
            settings=self.settings,
            ledger=self.ledger,
            registry=self.registry,
            composer=self.composer,
            sentences=self.sentences,
            channel=self.channel,
            feedback=self.feedback,
            verp=self.verp if self.settings.verp else None,
            diagnostics=self.diagnostics,
        )

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
        _ = self.worker_pool, self.pipeline, self.http, self.chat
        self.instance_guard.check()

    def stop(self) -> None:
        """Finish the emails under way, stop collecting, begin nothing more; from any thread."""
        self.http.stop()
        if self.picture_fetcher:
            self.picture_fetcher.stop()
        if self.chat:
            self.summarizer.stop()
        self.pipeline.stop()
        self.worker_pool.stop()

    @cached_property
    def uncertain_resolver(self) -> UncertainResolver:
        from digest.maintenance.resolve_uncertain import UncertainResolver

        stale_after = timedelta(hours=self.settings.stale_after_hours)
        return UncertainResolver(self.ledger, stale_after)

    @cached_property
    def instance_guard(self) -> InstanceGuard:
        return guard_of(self.settings, self.engine)

    def status(self, now: datetime) -> Status:
        """Return how things are. Raises SourceError if a source is not installed."""
        installed(self.settings.sources)
        held = self._held_by_guard()
        return gather_status(self.ledger, self.registry, self.settings, now, held)

    def _held_by_guard(self) -> Held | None:
        why = self.instance_guard.objection()
        return Held(why, was_used=(self.settings.home / INSTANCE_FILE).exists()) if why else None

    def deliver(self, now: datetime, progress: Progress = silent) -> tuple[str, ...]:
        """Send what waits, or leave it to the workers to which it was handed out.

        Raises LedgerError if this database must not be used here.
        """
        self.instance_guard.renew(now)
        if self.is_cluster:
            return standing_trouble(self.ledger, now)
        return self.worker_pool.send(now, progress)


def _mx_owners(domains: Sequence[str]) -> dict[str, str]:
    from digest.deliver.transport.mx import mx_owners

    return mx_owners(domains)


def _in_another_process(**given: Any) -> App:
    collect_garbage_rarely()
    return App(**given)


def _delivery_worker_of(another: Callable[[], App]) -> DeliveryWorker:
    """Return the worker of another process."""
    configure_logs()
    return another().sending
