"""Compare the engines: the same list is sent by `digest worker`, of the one and of the other.

They take turns, on PostgreSQL, to the same kind of sink, over as many connections. A worker is the
command as operators start it, so all that an engine does beside sending is counted.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from statistics import median

from digest.app.base import utc_now
from digest.bench.bench import TURNS, Bench, Setup
from digest.bench.measured_run import Job, app_of, in_own_process
from digest.bench.scratch_folder import scratch_folder
from digest.bench.usage import tree_processor_seconds
from digest.errors import LedgerError, ServiceError
from digest.ledger.database import open_database
from digest.ledger.editions import Editions
from digest.model.deliveries import Balance
from digest.model.progress import silent
from digest.settings.settings import PREFIX, variable
from subscribers.importing import import_people

EMBEDDED, CLUSTER = "embedded", "cluster"  # as DIGEST_ENGINE
_UNTIL = 0.1  # of the messages are sent, processes start
_LOOK_EVERY = 0.5  # seconds
_LONGEST_PAUSE = 120.0  # seconds without a new message
_LONGEST_END = 60.0  # seconds that a worker may take to end
# The jobs of the schedule are done as well, but nobody is asked for papers.
_NO_SOURCE = {"sources": "feeds", "feeds": "nobody=http://127.0.0.1:1/", "http_attempts": "1"}


@dataclass(frozen=True, slots=True)
class Sent:
    """Tell how a list was sent.

    Processor's time is that of the workers: of a message while they send, and ``start_seconds``
    until a tenth is sent. Without /proc it is 0.
    """

    messages: int
    messages_per_second: float
    processor_ms: float
    start_seconds: float


@dataclass(frozen=True, slots=True)
class Engine:
    """Tell how an engine sent with so many processes: medians.

    The ratios are to the embedded one with as many.
    """

    name: str
    processes: int
    sent: Sent
    ratio: float
    processor_ratio: float


@dataclass(frozen=True, slots=True)
class EngineFigures:
    """The result: the engines, for each number of processes the embedded one first."""

    setup: Setup
    processors: int
    engines: tuple[Engine, ...]
    trouble: tuple[str, ...]


def compare_engines(
    setup: Setup, workers: Sequence[int], tell: Callable[[str], None] = lambda _: None
) -> EngineFigures:
    """Have a list sent by so many processes of the embedded engine and of the other, in turns.

    Raises DigestError.
    """
    if not (setup.database or "").startswith("postgresql"):
        raise LedgerError("several machines need PostgreSQL: --database postgresql+psycopg://…")
    with scratch_folder() as folder:
        bench = Bench(setup, folder, tell)
        tell("making the list and building the templates …")
        bench.prepare()
        trouble: list[str] = []
        all_sent: dict[tuple[str, int], list[Sent]] = {
            (name, many): [] for many in workers for name in (EMBEDDED, CLUSTER)
        }
        for turn in range(1, TURNS + 1):
            for (name, many), sent in all_sent.items():
                tell(f"turn {turn} of {TURNS}: {name}, processes: {many} …")
                one, lines = _run(bench, f"turn-{turn}-{name}-{many}", name, many)
                sent.append(one)
                trouble += (f"{name}, {many}: {line}" for line in lines)
        engines = tuple(
            _engine(name, many, sent, all_sent[EMBEDDED, many])
            for (name, many), sent in all_sent.items()
        )
        return EngineFigures(setup.shown, os.cpu_count() or 1, engines, tuple(trouble))


def _engine(name: str, processes: int, sent: list[Sent], embedded: list[Sent]) -> Engine:
    """Compare turn by turn: what disturbs the machine for a while disturbs both."""
    turns = list(zip(sent, embedded, strict=True))
    return Engine(
        name,
        processes,
        Sent(
            sent[0].messages,
            median(one.messages_per_second for one in sent),
            median(one.processor_ms for one in sent),
            median(one.start_seconds for one in sent),
        ),
        median(one.messages_per_second / other.messages_per_second for one, other in turns),
        median(one.processor_ms / (other.processor_ms or 1) for one, other in turns),
    )


# ---- one run ---------------------------------------------------------------------------------


def _run(bench: Bench, folder: str, name: str, many: int) -> tuple[Sent, list[str]]:
    """Have a list sent by so many processes of an engine. Return the trouble as well."""
    with bench.place(folder) as place:
        settings = {**place.job.settings, **_NO_SOURCE, "engine": CLUSTER}
        planned_at = in_own_process(place.log, _plan, replace(place.job, settings=settings))
        engine = open_database(settings["database_url"])
        try:
            editions = Editions(engine)
            edition = editions.on(planned_at.date())
            assert edition
            count = partial(editions.balance, edition)
            its = {**settings, "engine": name, "send_processes": str(many)}
            with _workers(its, many if name == CLUSTER else 1, place.log) as workers:
                sent = _watched(count, workers)
            balance = count()
        finally:
            engine.dispose()
    taken = place.sink.taken.messages
    if taken == balance.accepted == balance.wanted:
        return sent, []
    return sent, [f"of {balance.wanted} messages {balance.accepted} are accepted, {taken} arrived"]


def _plan(job: Job) -> datetime:
    """Write down the deliveries, as of now: workers leave what is old. Return the moment."""
    app, now = app_of(job.settings), utc_now()
    import_people(app.registry, app.address_policy, job.people, now, silent)
    app.collector.collect_files([job.papers], now.date(), now)
    app.pipeline.tick(now, everybody=True)
    return now


@contextmanager
def _workers(
    settings: dict[str, str], many: int, log: Path
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run so many times `digest worker`, which share the connections; end them at the end."""
    connections = int(settings["send_connections"])
    others = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    given = {**others, **{variable(name): value for name, value in settings.items()}}
    workers: list[subprocess.Popen[bytes]] = []
    try:
        with log.open("ab") as said:
            for number in range(many):
                slots = max(1, len(range(number, connections, many)))
                command = [sys.executable, "-m", "digest", "worker", "--slots", str(slots)]
                # Not where the operator's own .env is.
                worker = subprocess.Popen(command, cwd=settings["home"], env=given, stderr=said)  # noqa: S603
                workers.append(worker)
        yield workers
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            try:
                worker.wait(_LONGEST_END)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()


def _watched(count: Callable[[], Balance], workers: list[subprocess.Popen[bytes]]) -> Sent:
    """Watch workers until nothing waits. Raises ServiceError if one ends, or none goes on."""

    def used() -> float:
        return sum(tree_processor_seconds(worker.pid) for worker in workers)

    balance = count()
    waited = balance.pending
    began_at = moved_at = time.monotonic()
    before, used_before = balance.accepted, 0.0
    has_begun = False
    while balance.pending or balance.deferred:
        time.sleep(_LOOK_EVERY)
        last, balance, now = balance, count(), time.monotonic()
        moved_at = now if balance != last else moved_at
        if ended := [worker.returncode for worker in workers if worker.poll() is not None]:
            raise ServiceError(f"a worker ended (status {ended[0]})")
        if now - moved_at > _LONGEST_PAUSE:
            raise ServiceError(f"{balance.pending + balance.deferred} messages are not sent")
        if not has_begun and balance.accepted >= _UNTIL * waited:
            has_begun, began_at = True, now
            before, used_before = balance.accepted, used()
    many = max(1, balance.accepted - before)
    return Sent(
        balance.accepted,
        many / (time.monotonic() - began_at),
        1000 * (used() - used_before) / many,
        used_before,
    )
