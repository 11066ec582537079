"""Take a list through the real path in a process of its own, and measure each stage.

The stages are import, collect, plan and send. The pipeline may send while it still plans: so
planning is what its thread needs, and sending all else that a tick needs.
"""

import os
import pickle
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

from digest.app.app import App
from digest.app.base import utc_now
from digest.bench.day import NOW
from digest.bench.usage import Span, forget_peak, peak_octets, watched_children
from digest.deliver.edition_messages import digest_of
from digest.deliver.transport.dkim_key import signer_of
from digest.errors import DigestError, ServiceError
from digest.ledger.size import stored_octets, stored_rows
from digest.model.deliveries import Balance
from digest.model.digests import Digest
from digest.model.messages import Message
from digest.model.progress import silent
from digest.monitoring.logs import configure_logs
from subscribers.importing import import_people

_SAMPLES = 100
_spawning = get_context("spawn")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stage:
    """Tell what a stage took.

    ``stored_octets`` is how much the database grew, ``peak_octets`` the most memory of one process
    (0: not known).
    """

    name: str
    seconds: float
    processor_seconds: float
    stored_octets: int
    peak_octets: int


@dataclass(frozen=True, slots=True)
class Sample:
    """A message as it was sent, and what it was made from."""

    digest: Digest
    public_id: str
    message: Message


@dataclass(frozen=True, slots=True)
class MeasuredRun:
    """The result of a run. ``began_at`` is when the tick began, by the monotonic clock."""

    stages: tuple[Stage, ...]
    began_at: float
    balance: Balance
    trouble: tuple[str, ...]
    rows: dict[str, int]
    message_octets: int


@dataclass(frozen=True, slots=True)
class Job:
    """Say what to run: settings, and the files to read; the samples are written to a file."""

    settings: dict[str, str]
    people: Path
    papers: Path
    samples: Path


def app_of(settings: dict[str, str]) -> App:
    """Make the program with these settings and no others."""
    return App({}, None, utc_now, **settings)


def run_measured(job: Job) -> MeasuredRun:
    """Run a job in this process. Raises DigestError."""
    app = app_of(job.settings)
    stages: list[Stage] = []
    size = stored_octets(app.engine)

    def note(name: str, span: Span, peak: int) -> None:
        nonlocal size
        before, size = size, stored_octets(app.engine)
        stages.append(
            Stage(name, span.seconds, span.processor_seconds, max(0, size - before), peak)
        )

    def stage(name: str, work: Callable[[], object]) -> None:
        forget_peak()
        span = Span()
        work()
        span.end()
        note(name, span, peak_octets())

    stage(
        "import",
        lambda: import_people(app.registry, app.address_policy, job.people, NOW, silent),
    )
    stage("collect", lambda: app.collector.collect_files([job.papers], None, NOW))
    planning = _Watched(app.pipeline, "plan", lambda span: note("plan", span, peak_octets()))
    sending = _Watched(app.pipeline, "deliver", lambda _: None)
    forget_peak()
    with watched_children() as children:
        tick = Span()
        run = app.pipeline.tick(NOW, everybody=True)
        tick.end()
    assert run is not None
    assert run.balance is not None
    if sending.span and planning.span:
        sending.span.processor_seconds = tick.processor_seconds - planning.span.processor_seconds
        note("send", sending.span, max(children.octets, peak_octets()))
    samples = _samples(app, run.balance.due)
    job.samples.write_bytes(pickle.dumps(samples))
    octets = sum(len(sample.message.content) for sample in samples) // max(1, len(samples))
    return MeasuredRun(
        tuple(stages), tick.began_at, run.balance, run.trouble, stored_rows(app.engine), octets
    )


class _Watched:
    """A step of the pipeline; ``span`` is from its first call to the end of its last."""

    def __init__(self, pipeline: object, name: str, then: Callable[[Span], None]) -> None:
        self.span: Span | None = None
        step = getattr(pipeline, name)

        def watched(*given: Any, **named: Any) -> Any:
            if self.span is None:
                forget_peak()
                self.span = Span(time.thread_time)
            span = self.span
            try:
                return step(*given, **named)
            finally:
                span.end()
                then(span)

        setattr(pipeline, name, watched)


def _samples(app: App, people: int) -> list[Sample]:
    """Make some messages again, of people all over the list."""
    numbers = range(1, people + 1, max(1, people // _SAMPLES))  # the ids in a new database
    signer, found = signer_of(app.settings), []
    for person in app.registry.some(numbers):
        digest = digest_of(app.ledger, person, NOW.date())
        if digest is None or not digest.picks:
            continue
        message = app.composer.compose(
            digest, to=person.address, public_id=person.public_id, now=NOW
        )
        signed = signer.sign(message, NOW) if signer else message
        found.append(Sample(digest, person.public_id, signed))
    return found


# ---- processes -------------------------------------------------------------------------------


def in_own_process(log: Path, work: Callable[..., T], *given: object) -> T:
    """Return what a function returns in a new process, which ends with this one.

    What it and its processes log is in a file. Raises its DigestError, or ServiceError if it dies.
    """
    here, there = _spawning.Pipe(duplex=False)
    process = _spawning.Process(target=_answer, args=(there, log, work, given))
    process.start()
    there.close()
    try:
        result: Any = here.recv()
    except EOFError:
        process.join()
        raise ServiceError(f"a process that was measured died ({process.exitcode})") from None
    except BaseException:
        process.terminate()
        raise
    finally:
        process.join()
    if isinstance(result, DigestError):
        raise result
    return result  # type: ignore[no-any-return]


def _answer(
    answers: Connection, log: Path, work: Callable[..., object], given: tuple[object, ...]
) -> None:
    with log.open("ab") as file:
        os.dup2(file.fileno(), sys.stderr.fileno())
    configure_logs()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent gets it as well, and ends us
    Thread(target=_end_with_parent, daemon=True).start()
    try:
        result = work(*given)
    except DigestError as error:
        result = DigestError(str(error))  # some others cannot be pickled
    answers.send(result)


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent
    parent.join()
    os._exit(1)
