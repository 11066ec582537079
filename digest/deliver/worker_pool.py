"""Send with several processes, because of the threads of one only one computes at a time."""

import signal
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from math import ceil
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from threading import Thread
from time import monotonic

from sqlalchemy.exc import SQLAlchemyError

from digest.deliver.delivery_worker import DeliveryWorker
from digest.errors import DigestError
from digest.ledger.ledger import Ledger
from digest.model.progress import Progress, silent

# As many messages take longer than a process takes to start, which is more than a second.
WORTH_A_PROCESS = 2500
_LOOK_EVERY = 1.0  # seconds

_spawning = get_context("spawn")  # a fork would share connections, and locks held by threads


class WorkerPool:
    """Sends with several processes if the list is long enough; this one is always among them."""

    def __init__(
        self,
        ledger: Ledger,
        here: DeliveryWorker,
        elsewhere: Callable[[], DeliveryWorker],
        *,
        processes: int,
        connections: int,
    ) -> None:
        """``elsewhere`` makes in another process what ``here`` is in this one; it is pickled."""
        self._ledger = ledger
        self._here = here
        self._elsewhere = elsewhere
        self._processes = processes
        self._connections = connections

    def stop(self) -> None:
        """End the pass after the messages in flight, in all processes."""
        self._here.stopping.set()

    def send(self, now: datetime, progress: Progress = silent) -> tuple[str, ...]:
        """Send the deliveries that wait; see ``DeliveryWorker.send``."""
        waiting = self._ledger.deliveries.waiting(now)
        processes = min(self._processes, self._connections, ceil(waiting / WORTH_A_PROCESS))
        if processes <= 1:
            return self._here.send(now, progress)
        share, more = divmod(self._connections, processes)
        shares = [share + (number < more) for number in range(processes)]

        def tell_all(*_: int) -> None:
            with suppress(SQLAlchemyError):  # sending waits for a database that is away
                left = self._ledger.deliveries.waiting(now)
                progress(max(waiting - left, 0), waiting)

        crew = [_PoolProcess(self._elsewhere, now, connections) for connections in shares[1:]]
        try:
            troubles = list(self._here.send(now, _once_in_a_while(tell_all), shares[0]))
            while busy := [member.process.sentinel for member in crew if member.process.is_alive()]:
                wait(busy, _LOOK_EVERY)
                if self._here.stopping.is_set():
                    break
                tell_all()
        finally:
            of_crew = [line for member in crew for line in member.end()]
            self._ledger.live_workers.resolve_orphaned(now)
        return tuple(dict.fromkeys(troubles + of_crew))


def _once_in_a_while(tell: Progress) -> Progress:
    """Return what tells at most once a second: it is asked after each message, and counts rows."""
    next_at = 0.0

    def told(done: int, total: int) -> None:
        nonlocal next_at
        if (now := monotonic()) >= next_at:
            next_at = now + _LOOK_EVERY
            tell(done, total)

    return told


class _PoolProcess:
    """One process that sends."""

    def __init__(self, make: Callable[[], DeliveryWorker], now: datetime, connections: int) -> None:
        self._answers, answers = _spawning.Pipe(duplex=False)
        self.process: BaseProcess = _spawning.Process(
            target=_send, args=(make, now, connections, answers), daemon=True
        )
        self.process.start()
        answers.close()  # ours; so the end of the process is the end of what can be read

    def end(self) -> tuple[str, ...]:
        """Stop the process if it still works, wait for its end, and return its lines of trouble."""
        was_stopped = self.process.is_alive()
        if was_stopped:
            self.process.terminate()
        try:
            troubles: tuple[str, ...] = self._answers.recv()
        except EOFError:
            troubles = ()
        self.process.join()
        ended_before_it_began = was_stopped and self.process.exitcode == -signal.SIGTERM
        if self.process.exitcode and not ended_before_it_began:
            return (*troubles, f"a process that was sending died (status {self.process.exitcode})")
        return troubles


def _send(
    make: Callable[[], DeliveryWorker], now: datetime, connections: int, answers: Connection
) -> None:
    """Send in a process of the pool, and answer with the lines of trouble."""
    worker = make()

    def stop(*_: object) -> None:
        worker.stopping.set()

    def stop_when_alone() -> None:
        if parent := parent_process():
            parent.join()
        stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent gets it as well, and stops us
    Thread(target=stop_when_alone, daemon=True).start()
    try:
        troubles = worker.send(now, connections=connections)
    except DigestError as error:
        troubles = (str(error),)
    answers.send(troubles)
