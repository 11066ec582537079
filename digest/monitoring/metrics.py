"""Give the status as metrics for Prometheus, read from the database whenever they are asked for.

So they cover all processes and machines that work on it. A label has few values, and none is an
address.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TypeVar

from prometheus_client import generate_latest
from prometheus_client.core import GaugeHistogramMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from digest.ledger.daily_stats import DailyStats
from digest.ledger.health import Latencies, Queue, SourceHealth
from digest.ledger.ledger import Ledger
from digest.ledger.provider_queues import name_of
from digest.model.deliveries import DeliveryState
from digest.model.digests import SkipReason
from digest.model.messages import OutcomeKind
from digest.model.summaries import Verdict
from digest.monitoring.status import LastRun, RunState, Status
from subscribers.model import SuppressionReason
from subscribers.store.registry import Registry

PREFIX = "paper_digest_"
MOST_PROVIDERS = 20  # of those paused, and of those that want it slower
MOST_WORKERS = 200
ATTEMPTS_WITHIN = timedelta(hours=24)

Families = Iterator[GaugeMetricFamily | GaugeHistogramMetricFamily]
L = TypeVar("L", bound=str)


@dataclass(frozen=True, slots=True)
class Counts:
    """The counts that metrics have besides the status; attempts by outcome and code."""

    editions: int
    attempts: Mapping[tuple[OutcomeKind, int], int]
    latencies: Latencies
    blocks: Mapping[SuppressionReason, int]
    summaries: Mapping[Verdict, int]


def gather_counts(ledger: Ledger, registry: Registry, now: datetime) -> Counts:
    return Counts(
        editions=ledger.health.editions(),
        attempts=ledger.health.attempts(now - ATTEMPTS_WITHIN),
        latencies=ledger.health.latencies(now - ATTEMPTS_WITHIN),
        blocks=registry.overview.blocks_by_reason(),
        summaries=ledger.summaries.counts(),
    )


def exposition(status: Status, counts: Counts) -> bytes:
    """Return the metrics in the text format of Prometheus."""
    return generate_latest(_Metrics(status, counts))


class _Metrics(Collector):
    def __init__(self, status: Status, counts: Counts) -> None:
        self._status = status
        self._counts = counts

    def collect(self) -> Families:
        status, counts = self._status, self._counts
        about = "Things that need attention, as digest status has them."
        yield _one("warnings", about, len(status.warnings))
        yield _one("editions", "Editions there have been.", counts.editions)
        yield from _editions(status.editions)
        yield from _queue(status.queue, status.at)
        yield from _queues(status)
        yield from _workers(status)
        yield _attempts(counts.attempts)
        yield _latencies(counts.latencies)
        yield _by("came_back", "What came back in seven days.", "kind", status.came_back)
        yield _by("blocked_addresses", "Addresses that get nothing.", "reason", counts.blocks)
        yield _by(
            "subscribers", "Subscribers, by what they have said.", "consent", status.subscribers
        )
        about = "Requests to the language model, by their outcome."
        yield _by("summaries", about, "verdict", counts.summaries)
        yield from _schedule(status)
        yield from _sources(status.sources)
        if status.last_run:
            yield from _run(status.last_run)


# ---- each part -------------------------------------------------------------------------------


def _editions(latest: Sequence[DailyStats]) -> Families:
    """Yield the last edition, and what became of those due for the last seven."""
    if latest:
        last = latest[0]
        midnight = datetime.combine(last.day, time(), UTC)
        yield _one("last_edition_timestamp_seconds", "Its day, at midnight UTC.", _at(midnight))
        yield _one("last_edition_candidates", "Papers in the last edition.", last.papers)
        about = "Sources that it lacks, because they had failed."
        yield _one("last_edition_missing_sources", about, len(last.missing))
        outcomes = _outcomes([last])
        yield _by("last_edition_digests", "Digests of the last edition.", "outcome", outcomes)
    yield _by("digests", "Digests of the last seven editions.", "outcome", _outcomes(latest))
    reasons = Counter({reason.value: 0 for reason in SkipReason})
    for stats in latest:
        reasons.update(stats.balance.skipped_for)
    yield _by("skipped", "Those of them that were skipped.", "reason", reasons)


def _outcomes(editions: Sequence[DailyStats]) -> dict[str, int]:
    # Being sent is no outcome: those are among the pending.
    states = [state for state in DeliveryState if state is not DeliveryState.SENDING]
    return {
        state: sum(getattr(stats.balance, state.value) for stats in editions) for state in states
    }


def _queue(queue: Queue, now: datetime) -> Families:
    states = {
        "waiting": queue.waiting,
        "put-off": queue.put_off,
        "being-sent": queue.being_sent,
        "uncertain": queue.uncertain,
    }
    yield _by("queue", "Deliveries without an end.", "state", states)
    age = (now - queue.oldest_since).total_seconds() if queue.oldest_since else 0
    yield _one("queue_oldest_age_seconds", "Age of the oldest edition that waits.", max(age, 0))


def _workers(status: Status) -> Families:
    """Yield the workers on PostgreSQL by their machine, and the shards of several machines."""
    slots, silence = Counter[str](), dict[str, float]()
    for worker in status.workers[:MOST_WORKERS]:
        name = f"{worker.host}/{worker.pid}"
        slots[name], silence[name] = worker.slots, worker.silent_for.total_seconds()
    yield _by("worker_slots", "Connections of each worker.", "worker", slots)
    yield _by("worker_silence_seconds", "Since each was heard.", "worker", silence)
    counts = status.shards
    shards = {"running": counts.running, "waiting": counts.waiting} if counts else {}
    yield _by("shards", "Shards of deliveries.", "state", shards)


def _queues(status: Status) -> Families:
    paused = {name_of(pause.provider): 1 for pause in status.pauses[:MOST_PROVIDERS]}
    yield _one("pauses", "Providers that nothing goes to.", len(status.pauses))
    yield _by("paused", "1 for each of them.", "provider", paused)
    slowest = sorted(status.intervals.items(), key=lambda interval: (-interval[1], interval[0]))[
        :MOST_PROVIDERS
    ]
    intervals = {name_of(queue): interval for queue, interval in slowest}
    yield _by("interval_seconds", "Between two messages, if slower.", "provider", intervals)


def _attempts(attempts: Mapping[tuple[OutcomeKind, int], int]) -> GaugeMetricFamily:
    about = "SMTP transactions of a day, the latest 10000 of them."
    family = GaugeMetricFamily(f"{PREFIX}attempts", about, labels=["outcome", "code"])
    classes: Counter[tuple[str, str]] = Counter()
    for (outcome, code), count in attempts.items():
        classes[outcome, f"{code // 100}xx" if code else "none"] += count
    for labels, count in sorted(classes.items()):
        family.add_metric(labels, count)
    return family


def _latencies(latencies: Latencies) -> GaugeHistogramMetricFamily:
    within = [(f"{most:g}", count) for most, count in latencies.within.items()]
    within.append(("+Inf", latencies.count))
    about = "How long they took."
    return GaugeHistogramMetricFamily(f"{PREFIX}attempt_seconds", about, within, latencies.total)


def _schedule(status: Status) -> Families:
    """Yield how long ago each job was done."""
    done = {job.value: at for job, at in status.schedule.done.items() if at}
    if status.editions and status.editions[0].made_at:
        done["edition"] = status.editions[0].made_at
    ages = {name: max((status.at - at).total_seconds(), 0) for name, at in done.items()}
    yield _by("done_age_seconds", "Since it was done last.", "what", ages)
    about = "When the next edition is to be made."
    yield _one("next_edition_timestamp_seconds", about, _at(status.schedule.next_edition))
    yield _one("review_waiting", "Inbound emails that wait for a person.", status.review.count)
    about = "Since when the first of them waits; 0 if none does."
    yield _one("review_since_timestamp_seconds", about, _at(status.review.since))
    about = "Whether this database sends nothing before digest db adopt."
    yield _one("held", about, int(status.held is not None))


def _sources(sources: Sequence[SourceHealth]) -> Families:
    known = [source for source in sources if source.collected_at]
    moments = {source.name: _at(source.collected_at) for source in known}
    about = "When a source was collected last."
    yield _by("source_collected_timestamp_seconds", about, "source", moments)
    sightings = {source.name: source.sightings for source in known}
    yield _by("source_sightings", "Papers seen then.", "source", sightings)
    failed = {source.name: int(bool(source.failure)) for source in known}
    yield _by("source_failed", "Whether it failed then.", "source", failed)


def _run(run: LastRun) -> Families:
    yield _one("last_run_start_timestamp_seconds", "When it began.", _at(run.started_at))
    if run.ended_at:
        yield _one("last_run_end_timestamp_seconds", "When it ended.", _at(run.ended_at))
        sending = run.sending.total_seconds()
        yield _one("last_run_sending_seconds", "How long it was about sending.", sending)
    yield _one("last_run_trouble", "Lines of trouble that it had.", len(run.trouble))
    broken_off = int(run.state is RunState.BROKEN_OFF)
    yield _one("last_run_broken_off", "Whether it died.", broken_off)


# ---- how a family is made --------------------------------------------------------------------


def _one(name: str, about: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(PREFIX + name, about, value=value)


def _by(name: str, about: str, label: str, values: Mapping[L, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(PREFIX + name, about, labels=[label])
    for value_of_label, value in values.items():
        family.add_metric([str(value_of_label)], value)
    return family


def _at(moment: datetime | None) -> float:
    return moment.timestamp() if moment else 0.0
