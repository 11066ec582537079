"""The clock: APScheduler calls what is done by itself. It holds no truth, and needs no job store.

A tick that is missed, late or comes twice changes nothing, because the ledger's rows decide what is
still to be done.
"""

import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from digest.errors import Busy, DigestError, Stopped
from digest.service.os_signals import stop_signals

log = structlog.get_logger()


class FullSeconds(BaseTrigger):  # type: ignore[misc]  # APScheduler publishes no types
    """At once, and then whenever so many seconds of the clock are full.

    Not APScheduler's IntervalTrigger: that counts from the first time, so that an edition for
    08:00 would be made at some second of that minute.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        if previous is None:
            return now
        after = max(previous, now).timestamp()
        return datetime.fromtimestamp((after // self._seconds + 1) * self._seconds, UTC)


def new_scheduler() -> BackgroundScheduler:
    # It warns each time that a tick finds the one before still at work, as it may.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    return BackgroundScheduler(timezone=UTC)


def add_job(
    scheduler: BackgroundScheduler, name: str, do: Callable[[], object], every: float
) -> None:
    """Have something done at once, and then each so many seconds.

    It is not called while it is at work. What goes wrong is told, and does not stop the clock.
    """

    def tick() -> None:
        try:
            do()
        except Busy as error:
            log.info("later", what=name, why=str(error))
        except Stopped as error:
            log.info("broken off", what=name, why=str(error))
        except DigestError as error:
            log.error("it failed", what=name, why=str(error))
        except Exception:  # a fault of ours must not stop the rest
            log.exception("it failed", what=name)

    scheduler.add_job(
        tick,
        FullSeconds(every),
        id=name,
        coalesce=True,
        max_instances=1,
        misfire_grace_time=None,  # late is better than never
    )


def run_forever(
    scheduler: BackgroundScheduler, ready: Callable[[], None], stop: Callable[[], None]
) -> None:
    """Let the clock run until the process is told to stop (SIGINT or SIGTERM).

    ``ready`` is called once it runs, ``stop`` when it is to stop. What is at work then is waited
    for.
    """
    with stop_signals() as told:
        scheduler.start()
        ready()
        os.read(told, 1)
        stop()
        scheduler.shutdown()
    log.info("the clock is stopped")
