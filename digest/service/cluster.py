"""The engine for several machines: Procrastinate, in the same PostgreSQL.

It is imported nowhere else. It hands out shards to workers, starts the recurring jobs on any of
them, and retries what failed. Nothing depends on it for being right: a job is a hint that somebody
should look at the ledger's rows (see ledger/shards.py).

A worker is two processes: this one sends, and its child does all else. Ranking may hold the
interpreter's lock for long, and a process that sends must show that it lives.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from threading import Thread
from typing import Any

import procrastinate
import structlog
from procrastinate import BaseRetryStrategy, PsycopgConnector, RetryDecision
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status
from structlog.contextvars import bind_contextvars

from digest.app.app import App
from digest.deliver.shard_sender import Again, ShardSender
from digest.errors import ServiceError
from digest.ledger.alerts import About
from digest.ledger.database import of_driver
from digest.ledger.jobs_schema import create_jobs
from digest.ledger.locks import holding
from digest.ledger.shards import SEND_QUEUE, SEND_SHARD
from digest.service.alerting import Operator
from digest.service.os_signals import stopping
from digest.service.recurring import Recurring, recurring_jobs
from digest.service.work_process import keep_running

_CLOCK_QUEUE = "clock"
_PATIENCE = 600.0  # seconds that PostgreSQL may be away before a worker gives up
_BEATS = 6  # in the time after which a worker counts as dead
_LONGEST_WAIT = 600  # seconds before a job that failed is tried again
_TEN_SECONDS = 10

log = structlog.get_logger()


class _UnsettledError(Exception):
    """A shard is to be looked at again."""

    def __init__(self, again: Again) -> None:
        self.again = again


class _UntilSettled(BaseRetryStrategy):
    """Retries a shard until it is settled; it is never given up."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        if isinstance(exception, _UnsettledError):
            again = exception.again
            # Shards that wait for the turns of one queue go one after the other.
            lock = f"queue/{again.queue}" if again.queue else None
            return RetryDecision(retry_at=again.at, lock=lock)
        log.error("a shard failed", why=str(exception), job=job.id)
        return RetryDecision(retry_in={"seconds": min(2**job.attempts, _LONGEST_WAIT)})


def work(app: App, ready: Callable[[], None], tempo: float = 1) -> None:
    """Do what any worker is asked to, until SIGINT or SIGTERM.

    Raises ServiceError if it cannot go on, for a supervisor to start it again.
    """
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    _name_in_logs()
    with app.engine.begin() as connection:
        if not create_jobs(connection):
            raise ServiceError("the database has no tables for several machines")
    with _clock_process(app, tempo):
        asyncio.run(_send(app, ready))
    log.info("the worker is stopped")


# ---- sending ---------------------------------------------------------------------------------


async def _send(app: App, ready: Callable[[], None]) -> None:
    slots = app.settings.send_connections
    loop = asyncio.get_running_loop()
    # For what waits in threads: the database, names, logins, and transports that are no SMTP.
    loop.set_default_executor(ThreadPoolExecutor(2 * slots + 4, "waiting"))
    sender = app.shard_sender()
    told = asyncio.Event()
    jobs = _jobs(app)
    _add_shards(jobs, sender)

    def stop() -> None:
        sender.stopping.set()
        loop.call_soon_threadsafe(told.set)

    with stopping(stop):
        async with jobs.open_async(), sender.running() as writing:
            fetching = asyncio.create_task(_fetch(app, jobs, SEND_QUEUE, sender.at_once))
            asking = asyncio.create_task(told.wait())
            ready()
            await asyncio.wait({fetching, writing, asking}, return_when="FIRST_COMPLETED")
            sender.stopping.set()
            fetching.cancel()  # it ends when the shards under way have
            await asyncio.wait({fetching})
            if not told.is_set():
                asking.cancel()
                raise ServiceError("the database was away for too long")


def _add_shards(jobs: procrastinate.App, sender: ShardSender) -> None:
    @jobs.task(name=SEND_SHARD, queue=SEND_QUEUE, retry=_UntilSettled(), pass_context=True)
    async def send_shard(context: Any, ids: list[int]) -> None:
        if again := await sender.send(ids, context.job.attempts):
            raise _UnsettledError(again)


# ---- all else --------------------------------------------------------------------------------


@contextmanager
def _clock_process(app: App, tempo: float) -> Iterator[None]:
    """Run the recurring jobs in a child while the context lasts; start it again if it dies."""
    told, end = os.pipe()
    operator = Operator(app)
    child = partial(_do_recurring_jobs, app.another, tempo)
    keeping = Thread(
        target=keep_running,
        args=(child, told, lambda why: operator.alert((why,), About.PROCESS)),
        daemon=True,
    )
    keeping.start()
    try:
        yield
    finally:
        os.write(end, b".")
        keeping.join()
        os.close(end)
        os.close(told)


def _do_recurring_jobs(another: Callable[[], App], tempo: float) -> None:
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    _name_in_logs()
    app = another()
    app.make_ready()
    asyncio.run(_keep_time(app, tempo))


async def _keep_time(app: App, tempo: float) -> None:
    loop = asyncio.get_running_loop()
    recurring = recurring_jobs(app, and_inbox=app.settings.inbox is not None, tempo=tempo)
    loop.set_default_executor(ThreadPoolExecutor(len(recurring) + 2, "jobs"))
    jobs = _jobs(app)
    for job in recurring:
        _add_recurring(app, jobs, job)
    told = asyncio.Event()

    def stop() -> None:
        app.stop()
        loop.call_soon_threadsafe(told.set)

    with stopping(stop):
        async with jobs.open_async():
            fetching = asyncio.create_task(_fetch(app, jobs, _CLOCK_QUEUE, len(recurring) + 1))
            await told.wait()
            fetching.cancel()
            await asyncio.wait({fetching})


def _add_recurring(app: App, jobs: procrastinate.App, job: Recurring) -> None:
    def alone() -> None:
        with holding(app.engine, f"job {job.name}") as is_ours:
            if is_ours:
                job.do()

    # No lock of the engine's: it is kept by a job whose worker is dead.
    @jobs.periodic(cron=_cron(job.every))
    @jobs.task(name=job.name, queue=_CLOCK_QUEUE, queueing_lock=job.name)
    async def recurring(timestamp: int) -> None:  # noqa: ARG001  the ledger knows what is due
        if job.name == "reconciling":
            await _retry_stalled(app, jobs)
        await asyncio.to_thread(alone)


async def _retry_stalled(app: App, jobs: procrastinate.App) -> None:
    """Give the shards of dead workers to others, and end their other jobs, which recur anyway."""
    manager, silence = jobs.job_manager, app.settings.worker_silence
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=silence):
        with suppress(ConnectorException):  # another worker was faster
            if job.task_name == SEND_SHARD:
                await manager.retry_job(job)
            else:
                await manager.finish_job(job, status=Status.FAILED, delete_job=True)


def _cron(every: float) -> str:
    """Return when a job recurs, in the engine's words: it knows UTC only, and full seconds."""
    seconds = max(round(every), 1)
    if seconds < 60:
        return f"* * * * * */{seconds}"
    minutes = round(seconds / 60)
    return f"*/{minutes} * * * *" if minutes < 60 else "0 * * * *"


def _name_in_logs() -> None:
    """Have each line of the log say which worker it is of."""
    bind_contextvars(worker=f"{socket.gethostname()}/{os.getpid()}")


# ---- the engine ------------------------------------------------------------------------------


def _jobs(app: App) -> procrastinate.App:
    url = app.engine.url
    [], given = url.get_dialect()().create_connect_args(url)
    connector = PsycopgConnector(
        kwargs={**given, **of_driver(app.settings.database)},
        min_size=1,
        max_size=2,
        timeout=_PATIENCE,
        reconnect_timeout=_PATIENCE,
    )
    return procrastinate.App(connector=connector)


async def _fetch(app: App, jobs: procrastinate.App, queue: str, at_once: int) -> None:
    """Do the jobs of a queue until cancelled; then finish those under way."""
    silence = app.settings.worker_silence
    asyncio.get_running_loop().set_exception_handler(_log_lost_job)
    while True:
        with suppress(ConnectorException):
            await jobs.run_worker_async(
                queues=[queue],
                concurrency=at_once,
                delete_jobs="successful",
                # A notice for each job would go to every worker; and a pooler passes none on.
                listen_notify=False,
                install_signal_handlers=False,
                update_heartbeat_interval=silence / _BEATS,
                stalled_worker_timeout=silence,
            )
        log.warning("the engine lost the database, and begins again", queue=queue)
        await asyncio.sleep(1)


def _log_lost_job(_: object, context: Mapping[str, Any]) -> None:
    """Log in one line that the end of a job could not be recorded: its rows are what counts."""
    log.warning("a job was ended by others, or not recorded", why=repr(context.get("exception")))
