"""The path of the papers: collect -> plan -> deliver. Begin with ``Pipeline.tick``."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from threading import Event, Lock

import structlog

from digest.collect.collector import Collector
from digest.collect.vote_days import vote_days
from digest.collect.watch import find_doubts
from digest.deliver.trouble import standing_trouble
from digest.errors import DigestError, Stopped
from digest.ledger.ledger import Ledger
from digest.ledger.locks import advisory_lock
from digest.ledger.run_record import RunRecord
from digest.model.deliveries import Balance
from digest.model.digests import Edition
from digest.model.papers import Collected
from digest.model.progress import Progress, silent
from digest.model.timetable import Timetable
from digest.plan.planning import Planning, nothing
from digest.settings.settings import Settings

ASK_AGAIN = timedelta(minutes=10)  # after a source has failed
MOST_DAYS = timedelta(days=30)  # that an edition looks back, after however long a standstill

# Sends what waits and may be sent now; returns what kept it from sending everything, in lines.
Deliver = Callable[[datetime, Progress], tuple[str, ...]]

log = structlog.get_logger()


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Run:
    """The result of a tick; ``trouble`` says in lines what could not be done.

    ``balance`` is that of the day's edition: None if there were too few papers to make one.
    """

    balance: Balance | None
    trouble: tuple[str, ...] = ()


class Pipeline:
    """Take papers from the sources to the subscribers.

    The scheduler also calls the steps one by one: planning goes on while a pass sends for hours.
    ``clock`` only measures how long a run takes; all else depends on a ``now``. ``welcome`` is
    called with the ids of people who have just confirmed and get no digest at once.
    """

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        collector: Collector,
        planning: Planning,
        deliver: Deliver,
        clock: Callable[[], datetime] = _utc_now,
        welcome: Callable[[Collection[int]], None] = lambda _: None,
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._collector = collector
        self._planning = planning
        self._deliver = deliver
        self._clock = clock
        self._welcome = welcome
        self._timetable = Timetable(settings.run_at, settings.timezone)
        # Threads of this process wait for each other; other processes are refused.
        self._collecting = Lock()
        self._planning_lock = Lock()
        self._delivering = Lock()
        self._stopping = Event()

    def tick(
        self,
        now: datetime,
        *,
        everybody: bool = False,
        asking: Progress = silent,
        progress: Progress = silent,
    ) -> Run | None:
        """Take the day's papers to everybody who is due at ``now``; idempotent for it.

        Due are those whose own time has come or, with ``everybody``, all who get mail on this day.
        The edition is made when it is time for it or, with ``everybody``, at once. ``asking`` is
        told how many sources have answered, ``progress`` how many messages are sent.

        A source or a relay that fails is named in the result, and a later tick does the rest.
        Returns None, and does nothing, if it is not time for an edition: for those who are due
        later the scheduler calls ``plan`` and ``deliver``. Raises Busy if another run for
        ``everybody`` is under way, and Stopped if asked to stop while it collects or plans.
        """
        engine = self._ledger.engine
        alone = advisory_lock(engine, "run") if everybody else nullcontext()
        with alone, self._recorded(now) as record:
            edition = self._collect_edition(now, record, everybody, asking)
            if not record.is_of_edition:
                return None
            self._take_over(now)
            if self._settings.resend_uncertain:
                self._ledger.uncertain.resend(None, now)
            of_passes: tuple[str, ...] = ()
            if edition or not everybody:
                its = edition if everybody else None
                of_passes = self._deliver_while_planning(now, its, record, progress)
            with record.sending_timed(self._clock):  # what this pass tells is newer
                record.trouble += self.deliver(now, progress) or of_passes
            balance = self._ledger.editions.close(edition) if edition else None
            return Run(balance, tuple(dict.fromkeys(record.trouble)))

    def _deliver_while_planning(
        self, now: datetime, edition: Edition | None, record: RunRecord, progress: Progress
    ) -> tuple[str, ...]:
        """Plan, and send beside that from the first people on; return what went wrong in sending.

        What is still to be sent when planning ends is left. Once something keeps a pass from
        sending all, no other begins.
        """
        news = Event()
        trouble: tuple[str, ...] = ()
        with ThreadPoolExecutor(1, "planning") as beside:
            planning = beside.submit(self.plan, now, edition, news.set)
            planning.add_done_callback(lambda _: news.set())
            news.wait()
            while not planning.done() and not trouble:
                news.clear()
                with record.sending_timed(self._clock):
                    trouble = self.deliver(now, progress)
                if not planning.done():
                    news.wait()
            record.trouble += planning.result()
            return trouble

    def stop(self) -> None:
        """Stop planning after the people whose deliveries are being written; from any thread."""
        self._stopping.set()

    # ---- collect -----------------------------------------------------------------------------

    def collect(
        self,
        days: Sequence[date],
        now: datetime,
        progress: Progress = silent,
        votes_of: Sequence[date] = (),
    ) -> Collected:
        """Ask every source for the papers of some days, and store them.

        The votes of the days ``votes_of`` are asked for as well, where they can change.
        A source that fails is among the rejected; what it gave before that is kept. Raises Stopped
        if asked to stop; nothing is kept in that case.
        """
        with self._collecting:
            collected = self._collector.collect(days, now, progress, votes_of)
        doubts = find_doubts(self._ledger, self._settings)
        day, rising_days = self._timetable.day_of(now), self._settings.rising_days
        rising = self._ledger.editions.count_rising(day, rising_days)
        return replace(collected, doubts=tuple(doubts), rising=rising)

    def collect_for_edition(self, now: datetime, progress: Progress = silent) -> Collected:
        """Collect what the day's edition needs: its papers, and the votes of earlier ones."""
        day = self._timetable.day_of(now)
        earlier = self._ledger.editions.listing_days(
            day - timedelta(days=self._settings.rising_days)
        )
        last = self._ledger.history.last_collected()
        votes_of = vote_days(earlier, self._timetable.edition_at(day), now, last)
        return self.collect(self.days_for(day), now, progress, votes_of)

    def collect_due(self, now: datetime) -> Collected | None:
        """Collect if the last time is DIGEST_COLLECT_EVERY_HOURS ago; return None if it is not.

        This shows how votes rise, and an edition that was empty may get papers.
        """
        every = timedelta(hours=self._settings.collect_every_hours)
        last = self._ledger.history.last_collected()
        is_fresh = last is not None and timedelta() <= now - last < every
        if is_fresh or self._is_time_for_edition(now):  # it collects by itself
            return None
        collected = self.collect_for_edition(now)
        edition = self._ledger.editions.on(self._timetable.day_of(now))
        if edition and not edition.candidates:
            with self._planning_alone():
                self._freeze(collected, now)
        return collected

    def _collect_edition(
        self, now: datetime, record: RunRecord, at_once: bool, asking: Progress
    ) -> Edition | None:
        """Collect for the day's edition and freeze it, if it is time for it or ``at_once``."""
        day = self._timetable.day_of(now)
        if at_once:
            record.begin(day)
            collected = (
                Collected() if self._has_papers(day) else self.collect_for_edition(now, asking)
            )
        elif not self._is_time_for_edition(now) or self._ledger.history.failed_after(
            now - ASK_AGAIN
        ):
            return None
        else:
            collected = self.collect_for_edition(now, asking)
            if collected.failures and now < self._patience_ends(day):
                return None
        record.is_of_edition = True
        record.trouble += (*collected.failures, *map(str, collected.doubts))
        with self._planning_alone():
            edition = self._freeze(collected, now)
        if edition is None:
            least = self._settings.enough_papers
            why = f"no edition: fewer than {least} papers are there (DIGEST_ENOUGH_PAPERS)"
            record.trouble += (why,)
        else:
            record.begin(day)
        return edition

    def _is_time_for_edition(self, now: datetime) -> bool:
        """Return whether the day's edition should be made by now, and is not."""
        day = self._timetable.day_of(now)
        return now >= self._timetable.edition_at(day) and self._ledger.editions.on(day) is None

    def _patience_ends(self, day: date) -> datetime:
        """Return until when an edition waits for a source that fails, on its own day."""
        patience = timedelta(minutes=self._settings.wait_for_sources)
        last_call = self._timetable.end_of(day) - 2 * ASK_AGAIN
        return min(self._timetable.edition_at(day) + patience, last_call)

    def _has_papers(self, day: date) -> bool:
        """Return whether there are papers for the edition of a day, without asking a source."""
        edition = self._ledger.editions.on(day)
        if edition and edition.candidates:
            return True
        return self._ledger.editions.eligible(day, self._first_eligible(day)) > 0

    def _freeze(self, collected: Collected, now: datetime) -> Edition | None:
        """Make the day's edition; None if a source failed and there are too few papers."""
        day = self._timetable.day_of(now)
        first = self._first_eligible(day)
        there_are = self._ledger.editions.eligible(day, first)
        if collected.failures and there_are < self._settings.enough_papers:
            return None
        days = self._settings.rising_days
        return self._ledger.editions.freeze(day, first, now, collected.missing_sources, days)

    def days_for(self, day: date) -> list[date]:
        """Return the listing days of the papers in an edition of ``day``, in order."""
        first = self._ledger.editions.first_day_for(day, self._settings.lookback_days)
        first = max(first, day - MOST_DAYS)
        return [first + timedelta(days=n) for n in range((day - first).days + 1)]

    def _first_eligible(self, day: date) -> date:
        """Return the first listing day of an edition; earlier if a source owed papers of it."""
        first = self.days_for(day)[0]
        return min([first, *self._collector.incomplete_days(first)])

    # ---- plan --------------------------------------------------------------------------------

    def plan_first(self, now: datetime) -> tuple[str, ...]:
        """Plan the latest edition for those who have just confirmed; return as ``plan`` does."""
        if not self._planning.newcomers(now):
            return ()
        with self._planning_alone():
            planned, empty_handed = self._planning.first(now)
            trouble = self._close(map(self._ledger.editions.get, sorted(planned)))
        self._welcome(empty_handed)
        return trouble

    def plan(
        self,
        now: datetime,
        edition: Edition | None = None,
        between: Callable[[], None] = nothing,
    ) -> tuple[str, ...]:
        """Write a row for everybody who is due, before anything is sent to them.

        Due are those whose own time has come or, with ``edition``, all who get mail on its day.
        Some thousand are planned for at a time, and may be sent to from then on; if others are to
        come, ``between`` is called. Returns the editions whose balance does not add up, in lines.
        Raises Busy while another process plans, and Stopped if asked to stop; the next call does
        the rest.
        """

        def goes_on() -> None:
            between()
            self._raise_if_stopped()

        with self._planning_alone():
            self._take_over(now)  # the papers of what has become stale are news again
            empty_handed = set[int]()
            if edition:
                its = self._planning.today(edition, now, goes_on)
            else:  # first digests before others: nobody gets an older edition after a newer one
                its, empty_handed = self._planning.first(now)
                its |= self._planning.due(now, goes_on)
            trouble = self._close(map(self._ledger.editions.get, sorted(its)))
            trouble += self._plan_announcements(now, goes_on)  # after digests, which cannot wait
        self._welcome(empty_handed)
        return trouble

    def plan_announcements(self, now: datetime) -> tuple[str, ...]:
        """Write a row for everybody whom a new announcement is for; return as ``plan`` does.

        If it is broken off, the next ``plan`` does the rest. Raises as ``plan`` does.
        """
        with self._planning_alone():
            return self._plan_announcements(now, self._raise_if_stopped)

    def _plan_announcements(self, now: datetime, between: Callable[[], None]) -> tuple[str, ...]:
        planned = self._planning.announcing.plan(now, between)
        balances = map(self._ledger.announcements.balance, planned)
        return tuple(balance.discrepancy for balance in balances if balance.discrepancy)

    def _raise_if_stopped(self) -> None:
        if self._stopping.is_set():
            raise Stopped("planning was stopped; the next run continues it")

    # ---- deliver -----------------------------------------------------------------------------

    def deliver(self, now: datetime, progress: Progress = silent) -> tuple[str, ...]:
        """Send what waits and may be sent now; return what prevented it, in lines.

        Other processes may send at the same time. If this process sends already, that pass also
        sends what was planned since, and there is nothing to do here.
        """
        if not self._delivering.acquire(blocking=False):
            return ()
        try:
            self._take_over(now)
            if not self._ledger.deliveries.waiting(now):
                return standing_trouble(self._ledger, now)
            unfinished = self._ledger.editions.unfinished()
            trouble = self._deliver(now, progress)
            return (*trouble, *self._close(unfinished))
        finally:
            self._delivering.release()

    def settle(self, now: datetime) -> tuple[str, ...]:
        """Settle what dead workers left, and store the balances of what others have sent.

        Return what prevents sending, in lines.
        """
        self._take_over(now)
        return (*standing_trouble(self._ledger, now), *self._close(self._ledger.editions.open()))

    @property
    def is_delivering(self) -> bool:
        """Return whether this process is sending."""
        return self._delivering.locked()

    def _take_over(self, now: datetime) -> None:
        """Settle what dead processes left: unanswered becomes uncertain, stale is skipped."""
        uncertain = self._ledger.live_workers.resolve_orphaned(now)
        if uncertain:
            log.warning("a process died while sending; emails may have arrived", count=uncertain)
        stale_before = now - timedelta(hours=self._settings.stale_after_hours)
        stale = self._ledger.deliveries.expire(stale_before, now)
        if uncertain or stale:
            self._close(self._ledger.editions.changed_at(now))

    def _close(self, editions: Iterable[Edition]) -> tuple[str, ...]:
        """Store the balance of each edition; return those that do not add up, in lines."""
        balances = [self._ledger.editions.close(edition) for edition in editions]
        return tuple(balance.discrepancy for balance in balances if balance.discrepancy)

    # ---- runs --------------------------------------------------------------------------------

    @contextmanager
    def _planning_alone(self) -> Iterator[None]:
        """Keep others from planning or freezing an edition. Raises Busy if a process does."""
        with self._planning_lock, advisory_lock(self._ledger.engine, "planning"):
            yield

    @contextmanager
    def _recorded(self, now: datetime) -> Iterator[RunRecord]:
        """Record a run in the history if one begins, and its end, however it ends."""
        record = RunRecord(self._ledger, now)
        began = self._clock()
        try:
            yield record
        except DigestError as error:
            record.trouble += (str(error),)
            raise
        finally:
            record.end(self._clock() - began)
