"""Write the status in words, for `digest status`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo

from digest.cli.terminal import outcomes
from digest.ledger.health import Queue, SourceHealth
from digest.ledger.last_runs import Job
from digest.ledger.live_workers import LiveWorker
from digest.ledger.provider_queues import name_of
from digest.model.deliveries import BounceKind
from digest.model.summaries import Verdict
from digest.model.wording import length, truncate
from digest.monitoring.status import (
    LastRun,
    Rates,
    Readers,
    RunState,
    Schedule,
    Status,
    Summaries,
)
from subscribers.model import Consent

SHOWN_INTERVALS = 3  # the slowest
SHOWN_HOSTS = 8
LONGEST_WHY = 200  # characters

_Moment = Callable[[datetime], str]


def status_lines(status: Status, readers: Readers, zone: tzinfo) -> Iterator[tuple[str, str]]:
    """Yield a label and a line for everything but the editions; moments are in a time zone."""

    def moment(at: datetime) -> str:
        return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"

    def short(at: datetime) -> str:
        is_today = at.astimezone(zone).date() == status.at.astimezone(zone).date()
        return f"{at.astimezone(zone):%H:%M}" if is_today else moment(at)

    if status.editions and (missing := status.editions[0].missing):
        day = status.editions[0].day
        yield "Incomplete", f"the edition of {day} has no papers of {', '.join(missing)}"
    yield "Next", _next(status.schedule, short)
    yield "Jobs", _done(status.schedule, short)
    first = f", the next {short(readers.next_due)}" if readers.next_due else ""
    yield "Due", f"{readers.due_within_a_day} within a day{first}"
    yield "Queue", _queue(status.queue, status.at, moment)
    yield from _announced(status, moment)
    yield from _machines(status)
    for pause in status.pauses:
        yield "Paused", f"{name_of(pause.provider)}, since {moment(pause.since)}"
    if rates := _rates(status.rates):
        yield "Rate", rates
    if status.intervals:
        yield "Slowed", _intervals(status.intervals)
    yield "Came back", f"in 7 days {_counts(status.came_back)}"
    if status.review.since:
        since = moment(status.review.since)
        yield "To read", f"{status.review.count} emails in the inbox wait for you, since {since}"
    for source in status.sources:
        yield f"Source {source.name}", _source(source, moment)
    if status.summaries:
        yield "Summaries", _summaries(status.summaries)
    yield "Last run", _run(status.last_run, moment) if status.last_run else "none yet"
    yield "Subscribers", _counts(status.subscribers)


def _announced(status: Status, moment: _Moment) -> Iterator[tuple[str, str]]:
    for its in status.announcements:
        stopped = f", stopped {moment(its.stopped_at)}" if its.stopped_at else ""
        planned = ", being planned" if its.balance.is_being_planned else ""
        line = f"{its.subject!r}, {moment(its.at)}: {outcomes(its.balance)}{planned}{stopped}"
        yield f"Announced {its.number}", line


def _next(schedule: Schedule, short: _Moment) -> str:
    collection = short(schedule.next_collection) if schedule.next_collection else "due"
    since = schedule.edition_overdue_since if schedule.done[Job.PLANNED] else None
    late = f" (late since {short(since)})" if since else ""
    return f"edition {short(schedule.next_edition)}{late}, collection {collection}"


def _done(schedule: Schedule, short: _Moment) -> str:
    done = [
        f"{job} {short(at)}"
        for job in (Job.PLANNED, Job.INBOX, Job.TIDIED)
        if (at := schedule.done[job])
    ]
    return ", ".join(done) or "no job has run yet"


def _rates(rates: Rates) -> str:
    """Return the limits; empty if there is none."""
    limits = {
        "in all": rates.all,
        "to a provider": rates.per_provider,
        "over a connection": rates.per_connection,
    }
    said = [f"{rate:g} a minute {which}" for which, rate in limits.items() if rate]
    if rates.sending_hours:
        said.append("from {:%H:%M} to {:%H:%M}".format(*rates.sending_hours))
    if rates.most_today is not None:
        said.append(f"{rates.sent_today} of {rates.most_today} today")
    return ", ".join(said)


def _queue(queue: Queue, now: datetime, moment: _Moment) -> str:
    line = f"{queue.waiting} waiting"
    if queue.put_off and queue.put_off_from and queue.put_off_until:
        first, last = moment(queue.put_off_from), moment(queue.put_off_until)
        until = first if first == last else f"{first} … {last}"
        line += f", {queue.put_off} put off until {until}"
    line += f", {queue.being_sent} being sent, {queue.uncertain} uncertain"
    if queue.oldest_since:
        age = timedelta(seconds=int((now - queue.oldest_since).total_seconds()))
        line += f"; the oldest for {length(max(age, timedelta()))}"
    return line


def _machines(status: Status) -> Iterator[tuple[str, str]]:
    if status.workers:
        yield "Workers", _workers(status.workers)
    if status.shards:
        yield "Shards", f"{status.shards.running} being sent, {status.shards.waiting} waiting"


def _workers(workers: Sequence[LiveWorker]) -> str:
    """Return how many workers there are, and when each machine's was heard last."""
    by_host: dict[str, list[LiveWorker]] = {}
    for worker in workers:
        by_host.setdefault(worker.host, []).append(worker)
    shown = [
        f"{host} {len(its)} (heard {min(worker.silent_for for worker in its).seconds} s ago)"
        for host, its in sorted(by_host.items())[:SHOWN_HOSTS]
    ]
    more = len(by_host) - len(shown)
    return f"{len(workers)}: {', '.join(shown)}" + (f", and {more} more machines" if more else "")


def _intervals(intervals: Mapping[str, float]) -> str:
    """Return the intervals of providers that asked to be slower, the longest first."""
    slowest = sorted(intervals.items(), key=lambda interval: (-interval[1], interval[0]))
    shown = [
        f"{name_of(queue)}: one email every {interval:.1f} s"
        for queue, interval in slowest[:SHOWN_INTERVALS]
    ]
    more = len(slowest) - len(shown)
    return "; ".join(shown) + (f"; and {more} more" if more else "")


def _source(source: SourceHealth, moment: _Moment) -> str:
    if source.collected_at is None:
        return "not collected yet"
    line = f"{moment(source.collected_at)}, {source.sightings} papers seen"
    if source.failure:
        return f"{line}, then it failed"
    if source.doubt:
        line += f"; in doubt: {source.doubt}"
    if source.failed_at:
        why = truncate(source.last_failure, LONGEST_WHY)
        line += f"; failed last {moment(source.failed_at)}: {why}"
    return line


def _summaries(today: Summaries) -> str:
    """Return what the model was asked today, what came, and what is left of the day's bounds."""
    told = [f"today {today.asked} asked, {today.used} made"]
    for what, reasons in (("dropped", today.dropped), ("failed", today.failed)):
        if reasons:
            told.append(f"{sum(reasons.values())} {what} ({_counts(reasons)})")
    bounds = [f"{today.tokens:,} tokens, {today.tokens_left:,} left"]
    if today.cost is not None:
        left = "" if today.cost_left is None else f", {today.cost_left:.4f} left"
        bounds.append(f"cost {today.cost:.4f}{left}")
    return "; ".join([", ".join(told), *bounds])


def _run(run: LastRun, moment: _Moment) -> str:
    match run.state:
        case RunState.UNDER_WAY:
            how = "under way"
        case RunState.BROKEN_OFF:
            how = "broken off"
        case RunState.ENDED:
            trouble = "with trouble" if run.trouble else "no trouble"
            how = f"{run.tried} tried, sending took {length(run.sending)}, {trouble}"
    return f"{moment(run.started_at)}, {how}"


def _counts(
    counts: Mapping[BounceKind, int] | Mapping[Consent, int] | Mapping[Verdict, int],
) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())
