"""Run the schedule of `digest up` in a process of its own; start it again if it dies."""

import os
import signal
from collections.abc import Callable
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from threading import Thread
from time import monotonic

import structlog

from digest.errors import DigestError
from digest.monitoring.logs import configure_logs

START_AGAIN_AFTER = 10.0  # seconds
# Seconds until the process is killed: more than the answer to a message's final dot may take.
LONGEST_END = 660.0
# Seconds: a terminal signals the whole group, so two signals so close together are one.
SAME_BREATH = 0.5

_spawning = get_context("spawn")  # a fork would share connections, and locks held by threads

log = structlog.get_logger()


def keep_running(work: Callable[[], None], told: int, tell: Callable[[str], None]) -> None:
    """Run ``work`` (it is pickled) in another process, and start it again if it dies.

    ``told`` is the file descriptor of stop_signals: after one signal the work finishes what it is
    doing, after a second one it is killed. ``tell`` is called with the news of each death.
    """
    while True:
        process = _spawning.Process(target=_run, args=(work,), name="work")
        process.start()
        if told in wait([process.sentinel, told]):
            os.read(told, 1)
            _end(process, told)
            return
        process.join()
        log.error("the work died", status=process.exitcode, again_in_seconds=START_AGAIN_AFTER)
        tell(f"the process that ranks and sends died (status {process.exitcode})")
        if wait([told], START_AGAIN_AFTER):
            return


def _end(process: BaseProcess, told: int) -> None:
    """Stop a process and wait for it; kill it if that takes too long or we are told again."""
    process.terminate()
    began = monotonic()
    while process.is_alive() and (left := began + LONGEST_END - monotonic()) > 0:
        if told in wait([process.sentinel, told], left):
            os.read(told, 1)
            if monotonic() > began + SAME_BREATH:
                break
    if process.is_alive():
        log.error("the work is killed")
        process.kill()
    process.join()


# ---- in the process of the work --------------------------------------------------------------


def _run(work: Callable[[], None]) -> None:
    configure_logs()
    Thread(target=_stop_when_alone, daemon=True).start()
    try:
        work()
    except DigestError as error:
        log.error("the schedule cannot go on", why=str(error))
        raise SystemExit(1) from None
    except Exception as error:  # masked, as all that is logged
        log.exception("a fault of Paper Digest's own")
        raise SystemExit(1) from error


def _stop_when_alone() -> None:
    """End this process when its parent is gone."""
    if parent := parent_process():
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
