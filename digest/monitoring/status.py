"""How things are, in one value, gathered from the ledger. worries.py says what wants a person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from digest.deliver.rate_limit import is_within, most_on
from digest.ledger.daily_stats import DailyStats
from digest.ledger.health import Queue, SourceHealth
from digest.ledger.history import PastRun
from digest.ledger.last_runs import Job
from digest.ledger.ledger import Ledger
from digest.ledger.provider_queues import Pause
from digest.model.deliveries import BounceKind
from digest.model.timetable import Timetable
from digest.settings.settings import Settings
from subscribers.due_times import next_due
from subscribers.model import Consent
from subscribers.store.registry import Registry

EDITIONS = 7
CAME_BACK_WITHIN = timedelta(days=7)
LONGEST_RUN = timedelta(hours=7)  # its pass of sending ends after six
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


class RunState(StrEnum):
    """How far a run has come."""

    ENDED = "ended"
    UNDER_WAY = "under-way"
    BROKEN_OFF = "broken-off"  # it has no end, and had the time for one


@dataclass(frozen=True, slots=True)
class LastRun:
    """The latest run, and how far it has come."""

    run: PastRun
    state: RunState


@dataclass(frozen=True, slots=True)
class Ticks:
    """What is done by itself: when each was done last, and when the next are to come.

    ``overdue_since`` is when the day's edition was to be made, if it is not; it may wait for
    sources until ``patient_until``. ``to_be_planned`` is up to when everybody due could have been
    planned for by now; none before the first edition.
    """

    done: dict[Job, datetime]
    next_edition: datetime
    next_collection: datetime | None  # none: at once
    patient_until: datetime
    overdue_since: datetime | None = None
    to_be_planned: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rates:
    """What is set for the pace: mails a minute, the hours, and how many may go on the day.

    Of those ``sent`` have gone, where a warm-up counts them. ``is_free`` is whether for an hour
    neither the hours nor that number have been in the way.
    """

    all: float | None
    per_provider: float | None
    per_connection: float | None
    window: tuple[time, time] | None
    most_today: int | None
    sent: int
    is_free: bool


@dataclass(frozen=True, slots=True)
class Readers:
    """How many are due within a day, and when the next is; pauses aside."""

    within_a_day: int
    next: datetime | None


@dataclass(frozen=True, slots=True)
class Held:
    """Why this ledger sends nothing from here (see guard.py), and whether anything ever did."""

    why: str
    was_used: bool


@dataclass(frozen=True, slots=True)
class Status:
    """How things are at a moment.

    ``editions`` are the latest, newest first; those of the days in ``unbalanced`` have lost
    deliveries, by what their balance says. ``intervals`` are the seconds between two mails to those
    providers that want it slower than is set. ``came_back`` is since CAME_BACK_WITHIN.
    ``inbox_every`` is how often the inbox is read, if one is set.
    """

    at: datetime
    editions: tuple[DailyStats, ...]
    unbalanced: tuple[date, ...]
    queue: Queue
    pauses: tuple[Pause, ...]
    intervals: dict[str, float]
    came_back: dict[BounceKind, int]
    sources: tuple[SourceHealth, ...]
    last_run: LastRun | None
    subscribers: dict[Consent, int]
    ticks: Ticks
    rates: Rates
    inbox_every: timedelta | None
    held: Held | None


def gather_status(
    ledger: Ledger,
    registry: Registry,
    settings: Settings,
    sources: Sequence[str],
    now: datetime,
    held: Held | None = None,
) -> Status:
    """How things are ``now``, ``sources`` being the names of those that are set."""
    editions = ledger.history.editions(EDITIONS)
    return Status(
        at=now,
        editions=tuple(editions),
        unbalanced=tuple(ledger.health.unbalanced([each.day for each in editions])),
        queue=ledger.health.queue(now),
        pauses=tuple(ledger.provider_queues.paused()),
        intervals=ledger.provider_queues.intervals(),
        came_back=ledger.health.came_back(now - CAME_BACK_WITHIN),
        sources=tuple(ledger.health.source(name, now) for name in sources),
        last_run=_last_run(ledger, now),
        subscribers=registry.overview.by_consent(),
        ticks=_ticks(ledger, settings, editions, now),
        rates=_rates(ledger, settings, now),
        inbox_every=timedelta(seconds=settings.inbox_every) if settings.inbox else None,
        held=held,
    )


def gather_readers(registry: Registry, now: datetime) -> Readers:
    """Who is due soon. Everybody is looked at, so it is not asked every few seconds."""
    moments = [(next_due(each.wishes, now), len(each.people)) for each in registry.schedules.all()]
    return Readers(
        within_a_day=sum(count for moment, count in moments if moment <= now + DAY),
        next=min((moment for moment, _ in moments), default=None),
    )


def _ticks(
    ledger: Ledger, settings: Settings, editions: Sequence[DailyStats], now: datetime
) -> Ticks:
    timetable = Timetable(settings.run_at, settings.timezone)
    today = timetable.day_of(now)
    made = {each.day for each in editions}
    planned_at = timetable.edition_at(today)
    is_overdue = now >= planned_at and today not in made
    latest = timetable.intervals(ledger.editions.calendar(1))
    collected = ledger.history.last_collected()
    every = timedelta(hours=settings.collect_every_hours)
    return Ticks(
        done=ledger.last_runs.all(),
        next_edition=timetable.next_edition(now),
        next_collection=collected and max(now, collected + every),
        overdue_since=planned_at if is_overdue else None,
        patient_until=planned_at + timedelta(minutes=settings.wait_for_sources),
        to_be_planned=min(now, latest[-1].ends) if latest else None,
    )


def _rates(ledger: Ledger, settings: Settings, now: datetime) -> Rates:
    local, before = (each.astimezone(settings.timezone) for each in (now, now - HOUR))
    today = local.date()
    most = most_on(today, settings.warm_up_since, settings.warm_up_first)
    sent = 0 if most is None else ledger.provider_queues.sent_on(today)
    is_open = all(is_within(settings.send_window, each) for each in (local, before))
    has_room = most is None or (sent < most and today == before.date())
    return Rates(
        all=settings.rate,
        per_provider=settings.rate_per_domain,
        per_connection=settings.rate_per_connection,
        window=settings.send_window,
        most_today=most,
        sent=sent,
        is_free=is_open and has_room,
    )


def _last_run(ledger: Ledger, now: datetime) -> LastRun | None:
    found = ledger.history.runs(1)
    if not found:
        return None
    [run] = found
    if run.ended_at is not None:
        return LastRun(run, RunState.ENDED)
    # Its locks do not tell: it has let them go while it sends, for others to plan meanwhile.
    may_live = now - run.started_at <= LONGEST_RUN
    return LastRun(run, RunState.UNDER_WAY if may_live else RunState.BROKEN_OFF)
