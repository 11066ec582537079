"""Gather the status from the database and the settings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from digest.collect.watch import find_doubts
from digest.deliver.rate_limit import is_within, most_on
from digest.inbound.bounce_policy import Limits, is_many, too_many
from digest.ledger.bounces import Span
from digest.ledger.daily_stats import DailyStats
from digest.ledger.health import SourceHealth
from digest.ledger.last_runs import Job
from digest.ledger.ledger import Ledger
from digest.model.deliveries import BounceKind
from digest.model.summaries import FAILURES, Verdict
from digest.model.timetable import Timetable
from digest.monitoring.status import (
    AnnouncementStatus,
    Held,
    LastRun,
    Rates,
    Readers,
    RunState,
    Schedule,
    Status,
    Summaries,
)
from digest.monitoring.warnings import find_warnings
from digest.settings.settings import Settings
from digest.summaries.budget import budget_of, day_begins
from subscribers.due_times import next_due
from subscribers.store.registry import Registry

EDITIONS = 7
ANNOUNCEMENTS = 5
ANNOUNCED_WITHIN = timedelta(days=14)
CAME_BACK_WITHIN = timedelta(days=7)
LONGEST_RUN = timedelta(hours=7)  # its pass of sending ends after six
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def gather_status(
    ledger: Ledger,
    registry: Registry,
    settings: Settings,
    now: datetime,
    held: Held | None = None,
) -> Status:
    """Return how things are ``now``."""
    editions = ledger.history.editions(EDITIONS)
    came_back_since = now - CAME_BACK_WITHIN
    came_back = ledger.health.came_back(came_back_since)
    status = Status(
        at=now,
        editions=tuple(editions),
        unbalanced=tuple(ledger.health.unbalanced([stats.day for stats in editions])),
        queue=ledger.health.queue(now),
        pauses=tuple(ledger.provider_queues.paused()),
        refused=tuple(ledger.outcomes.refused_editions()),
        intervals=ledger.provider_queues.intervals(),
        came_back=came_back,
        came_back_since=came_back_since,
        too_many_back=tuple(_too_many(ledger, settings, came_back, came_back_since)),
        review=ledger.reviews.all(),
        sources=tuple(_sources(ledger, settings, now)),
        last_run=_last_run(ledger, now),
        subscribers=registry.overview.by_consent(),
        schedule=_schedule(ledger, settings, editions, now),
        rates=_rates(ledger, settings, now),
        inbox_every=settings.inbox_every if settings.inbox else None,
        held=held,
        announcements=tuple(_announcements(ledger, now)),
        workers=tuple(ledger.live_workers.all()),
        shards=ledger.shards.counts() if settings.engine == "cluster" else None,
        summaries=_summaries(ledger, settings, now) if settings.summaries_url else None,
    )
    warnings = tuple(find_warnings(status))
    return replace(status, warnings=warnings, is_well=not warnings)


def _announcements(ledger: Ledger, now: datetime) -> Iterator[AnnouncementStatus]:
    for announcement in ledger.announcements.latest(ANNOUNCEMENTS, now - ANNOUNCED_WITHIN):
        yield AnnouncementStatus(
            number=announcement.number,
            subject=announcement.draft.subject,
            at=announcement.at,
            to=str(announcement.draft.audience),
            stopped_at=announcement.stopped_at,
            balance=ledger.announcements.balance(announcement),
        )


def gather_readers(registry: Registry, now: datetime) -> Readers:
    """Return how many are due soon. It looks at everybody, so do not ask every few seconds."""
    due = [
        (next_due(schedule.preferences, now), len(schedule.people))
        for schedule in registry.overview.mail_schedules()
    ]
    return Readers(
        due_within_a_day=sum(count for moment, count in due if moment <= now + DAY),
        next_due=min((moment for moment, _ in due), default=None),
    )


def _sources(ledger: Ledger, settings: Settings, now: datetime) -> Iterator[SourceHealth]:
    doubts = {doubt.source: doubt.why for doubt in find_doubts(ledger, settings)}
    for name in settings.source_names:
        yield replace(ledger.health.source(name, now), doubt=doubts.get(name, ""))


def _too_many(
    ledger: Ledger, settings: Settings, came_back: Mapping[BounceKind, int], since: datetime
) -> Iterator[str]:
    """Yield which limits over the list are exceeded, by reports that are no proof as well."""
    limits = Limits(settings.pause_at_hard_bounces, settings.pause_at_complaints)
    emails = Span(since, since)
    for kind in BounceKind:
        if not is_many(kind, came_back[kind]):
            continue
        people = ledger.bounces.recipients(kind, emails)
        why = too_many(kind, people, ledger.bounces.accepted(emails), limits)
        if why and is_many(kind, people):
            yield why


def _schedule(
    ledger: Ledger, settings: Settings, editions: Sequence[DailyStats], now: datetime
) -> Schedule:
    timetable = Timetable(settings.run_at, settings.timezone)
    today = timetable.day_of(now)
    planned_at = timetable.edition_at(today)
    is_overdue = now >= planned_at and today not in {stats.day for stats in editions}
    latest = timetable.intervals(ledger.editions.calendar(1))
    collected = ledger.history.last_collected()
    every = timedelta(hours=settings.collect_every_hours)
    done = ledger.last_runs.all()
    return Schedule(
        done={job: done.get(job) for job in Job},
        next_edition=timetable.next_edition(now),
        next_collection=collected and max(now, collected + every),
        waits_for_sources_until=planned_at + timedelta(minutes=settings.wait_for_sources),
        edition_overdue_since=planned_at if is_overdue else None,
        to_be_planned=min(now, latest[-1].ends) if latest else None,
    )


def _rates(ledger: Ledger, settings: Settings, now: datetime) -> Rates:
    local, before = (moment.astimezone(settings.timezone) for moment in (now, now - HOUR))
    today = local.date()
    most = most_on(today, settings.warm_up_since, settings.warm_up_first)
    sent = None if most is None else ledger.provider_queues.sent_on(today)
    is_open = all(is_within(settings.send_window, moment) for moment in (local, before))
    has_room = most is None or sent is None or (sent < most and today == before.date())
    return Rates(
        all=settings.rate,
        per_provider=settings.rate_per_domain,
        per_connection=settings.rate_per_connection,
        sending_hours=settings.send_window,
        most_today=most,
        sent_today=sent,
        is_free=is_open and has_room,
    )


def _summaries(ledger: Ledger, settings: Settings, now: datetime) -> Summaries:
    since = day_begins(now)
    counts, spent = ledger.summaries.counts(since), ledger.summaries.spent(since)
    left, prices = budget_of(settings, spent), settings.summaries_prices
    has_bound = prices is not None and settings.summaries_cost_per_day is not None
    others = {verdict: counts[verdict] for verdict in Verdict if verdict in counts}
    used = others.pop(Verdict.USED, 0)
    return Summaries(
        asked=sum(counts.values()),
        used=used,
        dropped={verdict: count for verdict, count in others.items() if verdict not in FAILURES},
        failed={verdict: count for verdict, count in others.items() if verdict in FAILURES},
        tokens=spent.total,
        tokens_left=max(0, left.tokens),
        cost=spent.cost(prices) if prices else None,
        cost_left=max(0.0, left.cost) if has_bound else None,
    )


def _last_run(ledger: Ledger, now: datetime) -> LastRun | None:
    runs = ledger.history.runs(1)
    if not runs:
        return None
    [run] = runs
    if run.ended_at is not None:
        state = RunState.ENDED
    else:
        # Its locks do not tell: it lets them go while it sends, for others to plan meanwhile.
        may_live = now - run.started_at <= LONGEST_RUN
        state = RunState.UNDER_WAY if may_live else RunState.BROKEN_OFF
    return LastRun(
        run.day, run.started_at, run.ended_at, run.sending, run.tried, run.trouble, state
    )
