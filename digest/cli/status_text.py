"""The status in words, as a person reads it at a terminal."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import TypeVar

from digest.ledger.daily_stats import DailyStats
from digest.ledger.health import Queue, SourceHealth
from digest.ledger.last_runs import Job
from digest.ledger.provider_queues import name_of
from digest.model.wording import length
from digest.monitoring.status import LastRun, Rates, Readers, RunState, Status, Ticks

SHOWN_INTERVALS = 3  # the slowest
LONGEST_WHY = 60

S = TypeVar("S", bound=str)
_Moment = Callable[[datetime], str]


def status_lines(status: Status, readers: Readers, zone: tzinfo) -> list[tuple[str, str]]:
    """All but the editions, line by line, each with what it is about; moments are of a zone."""

    def moment(at: datetime) -> str:
        return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"

    def short(at: datetime) -> str:
        is_today = at.astimezone(zone).date() == status.at.astimezone(zone).date()
        return f"{at.astimezone(zone):%H:%M}" if is_today else moment(at)

    return [
        *(("Lacks", line) for line in _missing(status.editions)),
        ("Next", _next(status.ticks, short)),
        ("Done", _done(status.ticks, short)),
        ("Readers", _readers(readers, short)),
        ("Queue", _queue(status.queue, status.at, moment)),
        *(
            ("Paused", f"{name_of(each.provider)}, since {moment(each.since)}")
            for each in status.pauses
        ),
        *(("Pace", line) for line in _rates(status.rates)),
        *(("Slower", line) for line in _intervals(status.intervals)),
        ("Came back", f"in 7 days {_counts(status.came_back)}"),
        *((f"Source {each.name}", _source(each, moment)) for each in status.sources),
        ("Last run", _run(status.last_run, moment) if status.last_run else "none yet"),
        ("Subscribers", _counts(status.subscribers)),
    ]


def _missing(editions: Sequence[DailyStats]) -> list[str]:
    """What the last edition lacks."""
    if not editions or not editions[0].missing:
        return []
    return [f"the edition of {editions[0].day} has nothing of {', '.join(editions[0].missing)}"]


def _next(ticks: Ticks, short: _Moment) -> str:
    collection = short(ticks.next_collection) if ticks.next_collection else "due"
    since = ticks.overdue_since if Job.PLANNED in ticks.done else None
    late = f" (late since {short(since)})" if since else ""
    return f"edition {short(ticks.next_edition)}{late}, collection {collection}"


def _done(ticks: Ticks, short: _Moment) -> str:
    said = {Job.PLANNED: "planned", Job.INBOX: "inbox", Job.TIDIED: "tidied"}
    done = [
        f"{words} {short(ticks.done[name])}" for name, words in said.items() if name in ticks.done
    ]
    return ", ".join(done) or "nothing by itself yet"


def _readers(readers: Readers, short: _Moment) -> str:
    first = f", the next {short(readers.next)}" if readers.next else ""
    return f"{readers.within_a_day} due within a day{first}"


def _rates(rates: Rates) -> list[str]:
    """What is set; nothing if there is no limit."""
    limits = {
        "in all": rates.all,
        "to a provider": rates.per_provider,
        "over a connection": rates.per_connection,
    }
    said = [f"{rate:g} a minute {which}" for which, rate in limits.items() if rate]
    if rates.window:
        said.append(f"from {rates.window[0]:%H:%M} to {rates.window[1]:%H:%M}")
    if rates.most_today is not None:
        said.append(f"{rates.sent} of {rates.most_today} today")
    return [", ".join(said)] if said else []


def _queue(queue: Queue, now: datetime, moment: _Moment) -> str:
    line = f"{queue.waiting} waiting"
    if queue.put_off and queue.put_off_from and queue.put_off_until:
        first, last = moment(queue.put_off_from), moment(queue.put_off_until)
        until = first if first == last else f"{first} … {last}"
        line += f", {queue.put_off} put off until {until}"
    line += f", {queue.being_sent} being sent, {queue.uncertain} uncertain"
    if queue.oldest_since:
        age = timedelta(seconds=int((now - queue.oldest_since).total_seconds()))
        line += f"; the oldest since {length(max(age, timedelta()))}"
    return line


def _intervals(intervals: Mapping[str, float]) -> list[str]:
    """How slow it is for those that want it slower, the slowest first."""
    slowest = sorted(intervals.items(), key=lambda interval: (-interval[1], interval[0]))
    shown = [
        f"{name_of(queue)}: a mail in {interval:.1f} s"
        for queue, interval in slowest[:SHOWN_INTERVALS]
    ]
    more = len(slowest) - len(shown)
    return ["; ".join(shown) + (f"; and {more} more" if more else "")] if shown else []


def _source(source: SourceHealth, moment: _Moment) -> str:
    if source.collected_at is None:
        return "not collected yet"
    line = f"{moment(source.collected_at)}, {source.sightings} papers seen"
    if source.failure:
        return f"{line}, then it failed"
    if source.failed_at:
        line += f"; failed last {moment(source.failed_at)}: {source.last_failure[:LONGEST_WHY]}"
    return line


def _run(last: LastRun, moment: _Moment) -> str:
    run = last.run
    line = f"{moment(run.started_at)}, "
    match last.state:
        case RunState.UNDER_WAY:
            return line + "under way"
        case RunState.BROKEN_OFF:
            return line + "broken off"
        case RunState.ENDED:
            how = "with trouble" if run.trouble else "no trouble"
            return line + f"{run.tried} tried, sending took {length(run.sending)}, {how}"


def _counts(counts: Mapping[S, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())
