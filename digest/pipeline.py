"""THE PATH: collect -> rank -> compose -> deliver, for one moment ``now``.

``Pipeline.run`` is where to begin.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Lock

import structlog

from digest.collect.collector import Collector
from digest.collect.source import Source
from digest.deliver.edition_messages import planned_digest
from digest.errors import Stopped
from digest.ledger.ledger import Ledger
from digest.ledger.locks import advisory_lock
from digest.model.deliveries import Balance
from digest.model.digests import Digest, Edition
from digest.model.papers import Collected, Harvest
from digest.model.progress import Progress, silent
from digest.model.timetable import Timetable
from digest.monitoring.explaining import Explaining
from digest.monitoring.why import Why
from digest.plan.mail_domains import LookUp
from digest.plan.planning import Planning, reader_of
from digest.rank.reference_corpus import Embed, ReferenceCorpus
from digest.settings.settings import Settings
from subscribers.model import PersonFile, Subscriber
from subscribers.preferences import Preferences
from subscribers.store.registry import Registry
from subscribers.topics import TopicFilter

ASK_AGAIN = timedelta(minutes=10)  # a source that failed

# What composes and delivers all that waits, from a moment on; what kept it from that, in lines.
Send = Callable[[datetime, Progress], tuple[str, ...]]

_NO_PREFERENCES = Preferences()

log = structlog.get_logger()


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Run:
    """What one pass came to; ``trouble`` is what kept it from doing all it should.

    There is no balance where too few papers were there for an edition.
    """

    balance: Balance | None
    trouble: tuple[str, ...] = ()


class Pipeline:
    """The way of the papers from the sources to the subscribers."""

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        registry: Registry,
        sources: Callable[[], Sequence[Source]],
        corpus: Callable[[], ReferenceCorpus],
        embed: Embed | None = None,
        look_up: LookUp | None = None,
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        """``look_up`` asks the DNS who takes the mail of domains, if that may be done.

        ``clock`` only measures how long a run takes: what it does, it does as of its ``now``.
        """
        self._settings = settings
        self._ledger = ledger
        self._registry = registry
        self._timetable = Timetable(settings.run_at, settings.timezone)
        self._collector = Collector(ledger, sources, self.edition_day)
        self._planning = Planning(settings, ledger, registry, corpus, embed, look_up)
        self._explaining = Explaining(settings, ledger, self._planning)
        self._clock = clock
        # Two threads of one process wait for each other, where others are refused.
        self._run_lock = Lock()
        self._collecting = Lock()

    def run(
        self, send: Send, now: datetime, progress: Progress = silent, asking: Progress = silent
    ) -> Run:
        """One pass for everybody due, who each get the day's edition once, however often it runs.

        ``send`` composes and delivers what waits (see sending.py); ``progress`` is that of the
        mails, ``asking`` that of the sources, before. Raises Busy when another run
        is under way, and Stopped when told to stop while it collects. A source or a relay that
        fails is told in the result: what it concerns stays to be done by a later run.
        """
        with advisory_lock(self._ledger.engine, "run"):
            began = self._clock()
            run = self._ledger.history.begin_run(self.edition_day(now), now)
            self._prepare(now)
            try:
                edition, trouble = self._collected_edition(now, asking)
            except Stopped as stopped:
                ended = now + self._since(began)
                self._ledger.history.end_run(run, ended, timedelta(), (str(stopped),))
                raise
            if edition:
                self._planning.today(edition, now)
            sending_began = self._clock()
            trouble += self._compose_and_deliver(send, now, progress)
            sending = self._since(sending_began)
            balance = self._ledger.editions.close(edition) if edition else None
            self._ledger.history.end_run(run, now + self._since(began), sending, trouble)
            return Run(balance, trouble)

    def make_edition(self, send: Send, now: datetime) -> Run | None:
        """The day's edition, if it is time for it and there is none yet; else None.

        It is frozen from what is collected now, and one pass made for those whose own time has
        come. The others' comes later: see ``plan_due``. A source that fails is asked again later,
        for as long as DIGEST_WAIT_FOR_SOURCES. Otherwise as ``run``; but others may plan while this
        sends.
        """
        day = self.edition_day(now)
        if not self._is_time_for_edition(now) or self._ledger.history.failed_after(now - ASK_AGAIN):
            return None
        collected = self.collect(self.days_for(day), now)
        if collected.failures and now < self._patience_ends(day):
            return None
        return self._run_day(collected, send, now)

    def _patience_ends(self, day: date) -> datetime:
        """When an edition waits no longer for a source that fails; in good time that day."""
        patience = timedelta(minutes=self._settings.wait_for_sources)
        last_call = self._timetable.end_of(day) - 2 * ASK_AGAIN
        return min(self._timetable.edition_at(day) + patience, last_call)

    def _is_time_for_edition(self, now: datetime) -> bool:
        """Whether the day's edition is to be made, and is not."""
        day = self.edition_day(now)
        return now >= self._timetable.edition_at(day) and self._ledger.editions.on(day) is None

    def _run_day(self, collected: Collected, send: Send, now: datetime) -> Run:
        began = self._clock()
        trouble = collected.failures
        with self._run_lock, advisory_lock(self._ledger.engine, "run"):
            edition = self._freeze(collected, now)
            if edition is None:
                return Run(None, (*trouble, self._too_few))
            run = self._ledger.history.begin_run(edition.day, now)
            self._prepare(now)
            self._plan_due(now)
        sending_began = self._clock()
        trouble += self._compose_and_deliver(send, now, silent)
        sending = self._since(sending_began)
        balance = self._ledger.editions.close(edition)
        self._ledger.history.end_run(run, now + self._since(began), sending, trouble)
        return Run(balance, trouble)

    def plan_due(self, now: datetime) -> None:
        """Plan for everybody whose own time has come; what is planned waits to be sent.

        Raises Busy when a run is under way, which does the same.
        """
        with self._run_lock, advisory_lock(self._ledger.engine, "run"):
            self._plan_due(now)

    def _plan_due(self, now: datetime) -> None:
        # Also of older editions: what was missed is written down in theirs.
        self._close(map(self._ledger.editions.get, self._planning.due(now)))

    # ---- collect -----------------------------------------------------------------------------

    def collect(
        self, days: Sequence[date], now: datetime, progress: Progress = silent
    ) -> Collected:
        """Ask every source for some days, and keep what they say.

        A source that fails is among the rejected; what it gave before, and the others', is kept.
        Raises Stopped when told to stop: then nothing is.
        """
        with self._collecting:
            return self._collector.collect(days, now, progress)

    def collect_due(self, now: datetime) -> Collected | None:
        """Collect if the last time is DIGEST_COLLECT_EVERY_HOURS ago; None if it is not.

        Counts are seen to rise that way, and an edition that was empty may get papers.
        """
        every = timedelta(hours=self._settings.collect_every_hours)
        last = self._ledger.history.last_collected()
        is_fresh = last is not None and timedelta() <= now - last < every
        if is_fresh or self._is_time_for_edition(now):  # for which there is a collection anyway
            return None
        day = self.edition_day(now)
        collected = self.collect(self.days_for(day), now)
        edition = self._ledger.editions.on(day)
        if edition and not edition.candidates:
            with self._run_lock, advisory_lock(self._ledger.engine, "run"):
                self._freeze(collected, now)
        return collected

    def collect_files(
        self, paths: Sequence[Path], day: date | None, now: datetime, progress: Progress = silent
    ) -> Collected:
        """Read recorded answers and saved pages, or folders of them, and keep what they say."""
        return self._collector.collect_files(paths, day, now, progress)

    def keep(self, harvest: Harvest) -> Collected:
        """Merge sightings into the ledger."""
        return self._collector.keep(harvest)

    def days_for(self, day: date) -> list[date]:
        """The listing days that an edition of ``day`` is made of."""
        first = self._ledger.editions.first_day_for(day, self._settings.lookback_days)
        return [first + timedelta(days=n) for n in range((day - first).days + 1)]

    def edition_day(self, now: datetime) -> date:
        """The day it is for the operator."""
        return self._timetable.day_of(now)

    def _collected_edition(
        self, now: datetime, progress: Progress
    ) -> tuple[Edition | None, tuple[str, ...]]:
        """The day's edition, and trouble. If nothing was collected for it, that is done first."""
        day = self.edition_day(now)
        days = self.days_for(day)
        edition = self._ledger.editions.on(day)
        if (edition and edition.candidates) or self._ledger.editions.eligible(day, days[0]):
            return self._ledger.editions.freeze(day, days[0], now), ()
        collected = self.collect(days, now, progress)
        edition = self._freeze(collected, now)
        return edition, collected.failures + (() if edition else (self._too_few,))

    def _freeze(self, collected: Collected, now: datetime) -> Edition | None:
        """The day's edition from what is there; None if a source failed and that is too few."""
        day = self.edition_day(now)
        first = self.days_for(day)[0]
        there_are = self._ledger.editions.eligible(day, first)
        if collected.failures and there_are < self._settings.enough_papers:
            return None
        return self._ledger.editions.freeze(day, first, now, collected.failed_sources)

    @property
    def _too_few(self) -> str:
        least = self._settings.enough_papers
        return f"no edition: fewer than {least} papers are there (DIGEST_ENOUGH_PAPERS)"

    # ---- rank --------------------------------------------------------------------------------

    def draft(
        self, day: date, topics: tuple[TopicFilter, ...], wishes: Preferences = _NO_PREFERENCES
    ) -> Digest | None:
        """The digest of a day for somebody with these wishes, for looking at; none if it is empty.

        From the day's edition if there is one, else from what it would hold. Nothing is stored.
        """
        edition = self._ledger.editions.on(day)
        if edition is None or not edition.candidates:
            edition = self._ledger.editions.draft(day, self.days_for(day)[0])
        return self._planning.ranker(edition, {}).digest(reader_of(topics, wishes))

    def explain(self, person: PersonFile, day: date, now: datetime) -> Why:
        """What decided about a subscriber and the edition of a day, or would: see explaining.py."""
        return self._explaining.explain(person, day, now)

    # ---- compose, deliver --------------------------------------------------------------------

    def send_waiting(self, send: Send, now: datetime) -> tuple[str, ...]:
        """Send what earlier runs have left and may be sent now; what kept it from that, in lines.

        Others may do so at the same time, and a run may be under way.
        """
        self._take_over(now)
        if not self._ledger.deliveries.waiting(now):
            return ()
        return self._compose_and_deliver(send, now, silent)

    def _compose_and_deliver(
        self, send: Send, now: datetime, progress: Progress
    ) -> tuple[str, ...]:
        """Send what waits. What is not sent is still pending: mend what is told, run again."""
        unfinished = self._ledger.editions.unfinished()
        trouble = send(now, progress)
        self._close(unfinished)
        return trouble

    def _close(self, editions: Iterable[Edition]) -> None:
        for edition in editions:
            self._ledger.editions.close(edition)

    def digest_of(self, subscriber: Subscriber, day: date) -> Digest | None:
        """What a subscriber's digest or note of a day is made of, sent or not; none without."""
        edition = self._ledger.editions.on(day)
        if edition is None:
            return None
        delivery = self._ledger.deliveries.of(edition, subscriber.id)
        if delivery is None:
            return None
        papers = self._ledger.editions.papers_of(edition)
        digest = planned_digest(self._ledger, delivery, edition, papers, subscriber)
        return digest if digest.picks or digest.why_nothing else None

    # ---- before and after --------------------------------------------------------------------

    def _take_over(self, now: datetime) -> None:
        """Settle what earlier runs left: unanswered ones become uncertain, stale ones skipped."""
        uncertain = self._ledger.live_workers.resolve_orphaned(now)
        if uncertain:
            log.warning("a sender died while sending; mails may have arrived", count=uncertain)
        stale_before = now - timedelta(hours=self._settings.stale_after_hours)
        stale = self._ledger.deliveries.expire(stale_before, now)
        if uncertain or stale:
            self._close(self._ledger.editions.changed_at(now))

    def _prepare(self, now: datetime) -> None:
        """What comes before a run plans anything."""
        self._take_over(now)
        if self._settings.resend_uncertain:
            self._ledger.uncertain.resend(None, now)

    def _since(self, began: datetime) -> timedelta:
        return self._clock() - began
