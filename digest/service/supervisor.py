"""Several services in one process tree: started together, kept running, and stopped together."""

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from threading import Thread
from time import monotonic

import structlog

from digest.errors import DigestError, ServiceError
from digest.monitoring.logs import configure_logs
from digest.service.os_signals import stop_signals

# A service that dies is started again after a second, then two, four, and so on up to this; from
# the beginning again, once it has run for as long as that.
LONGEST_BREAK = 60.0  # seconds
# As long as an answer to the final dot may take, and some: then what still runs is killed.
LONGEST_END = 660.0
# Told again so soon is told once: some who tell us tell all our group as well.
SAME_BREATH = 0.5

_spawning = get_context("spawn")  # a fork would share connections, and locks held by threads

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Service:
    """``run`` goes on until the process is told to stop; what it is given, it calls when it runs.

    It is pickled, and raises DigestError.
    """

    name: str
    run: Callable[[Callable[[], None]], None]


def supervise(services: Sequence[Service], ready: Callable[[], None]) -> None:
    """Run all of these until this process is told to stop (SIGINT or SIGTERM).

    ``ready`` is called when all of them run. Raises ServiceError where one of them cannot begin:
    then all are stopped. One that dies later is started again. Told to stop, they finish what they
    have in hand; told twice, they are killed.
    """
    with stop_signals() as told:
        children: list[_Child] = []
        try:
            for each in services:
                children.append(_Child(each))  # noqa: PERF401  those before one that fails are ended
            if _all_begin(children, told):
                ready()
                _keep_running(children, told)
        finally:
            _end(children, told)


@dataclass
class _Child:
    """A service, and the process that it runs in now."""

    service: Service
    process: BaseProcess = field(init=False)
    news: Connection = field(init=False)
    began: float = field(init=False)
    again_at: float | None = None  # where it is not running
    pause: float = 1.0

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        self.news, news = _spawning.Pipe(duplex=False)
        self.process = _spawning.Process(
            target=_run, args=(self.service, news), name=self.service.name
        )
        self.process.start()
        news.close()  # ours; so its end is the end of what can be read
        self.began = monotonic()
        self.again_at = None

    def is_ready(self) -> bool:
        """Whether it says so; to be asked when there is news. False: it has died."""
        try:
            self.news.recv()
        except EOFError:
            return False
        return True

    def bury(self) -> None:
        """It has died: note it, and when it is to start again."""
        self.process.join()
        lived = monotonic() - self.began
        self.pause = 1.0 if lived > LONGEST_BREAK else self.pause
        self.again_at = monotonic() + self.pause
        log.error(
            "a service died",
            service=self.service.name,
            status=self.process.exitcode,
            again_in_seconds=self.pause,
        )
        self.pause = min(self.pause * 2, LONGEST_BREAK)


def _all_begin(children: Sequence[_Child], told: int) -> bool:
    """Wait until all run; false where we are told to stop before that."""
    waiting = {child.news: child for child in children}
    while waiting:
        found = wait([*waiting, told])
        if told in found:
            os.read(told, 1)
            return False
        for child in (waiting.pop(each) for each in list(waiting) if each in found):
            if not child.is_ready():
                raise ServiceError(f"{child.service.name} could not begin")
    return True


def _keep_running(children: Sequence[_Child], told: int) -> None:
    """Start again whatever dies, until we are told to stop."""
    while True:
        alive = {each.process.sentinel: each for each in children if each.again_at is None}
        waiting = [each.again_at for each in children if each.again_at is not None]
        patience = max(min(waiting) - monotonic(), 0) if waiting else None
        found = wait([*alive, told], patience)
        if told in found:
            os.read(told, 1)
            return
        for sentinel, child in alive.items():
            if sentinel in found:
                child.bury()
        for child in children:
            if child.again_at is not None and child.again_at <= monotonic():
                child.start()


def _end(children: Sequence[_Child], told: int) -> None:
    """Stop all of them, and wait. Told to stop a second time, kill them."""
    running = [each.process for each in children if each.again_at is None]
    for process in running:
        process.terminate()
    began = monotonic()
    deadline = began + LONGEST_END
    while running and (left := deadline - monotonic()) > 0:
        if told in wait([*(each.sentinel for each in running), told], left):
            os.read(told, 1)
            if monotonic() > began + SAME_BREATH:
                break
        running = [each for each in running if each.is_alive()]
    for process in (each for each in running if each.is_alive()):
        log.error("a service is killed", service=process.name)
        process.kill()
        process.join()


# ---- in the process of a service -------------------------------------------------------------


def _run(service: Service, news: Connection) -> None:
    configure_logs()
    Thread(target=_stop_when_alone, daemon=True).start()
    try:
        service.run(lambda: news.send(None))
    except DigestError as error:
        log.error("a service cannot go on", service=service.name, why=str(error))
        raise SystemExit(1) from None
    except Exception as error:  # a fault of ours: told as all else is, without addresses
        log.exception("a service died", service=service.name)
        raise SystemExit(1) from error


def _stop_when_alone() -> None:
    """Whoever kills our parent wants us gone as well."""
    if parent := parent_process():
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
