"""The embedded engine: APScheduler calls the jobs. It has no state, and needs no job store.

A call that is missed, late or repeated changes nothing, because the ledger's rows decide what is
still to be done.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from select import select

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from digest.service.os_signals import stop_signals
from digest.service.recurring import Recurring

log = structlog.get_logger()

_LOOK_EVERY = 60  # seconds, by a clock that nobody sets


class FullSeconds(BaseTrigger):  # type: ignore[misc]  # APScheduler publishes no types
    """A trigger for now, and then for every multiple of so many seconds.

    APScheduler's IntervalTrigger counts from the first call, so that an edition for 08:00 would be
    made at some second of that minute.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.interval = timedelta(seconds=seconds)

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        if previous is None:
            return now
        after = now.timestamp()  # not the time before, which is later if the clock was set back
        return datetime.fromtimestamp((after // self._seconds + 1) * self._seconds, UTC)


def new_scheduler() -> BackgroundScheduler:
    # It would warn whenever a job is still running when it is due again, as it may be.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    return BackgroundScheduler(timezone=UTC)


def add_job(
    scheduler: BackgroundScheduler, name: str, do: Callable[[], object], every: float
) -> None:
    """Call ``do`` now and every so many seconds, never twice at a time.

    Errors are logged, and do not stop the scheduler.
    """
    scheduler.add_job(
        Recurring(name, do, every).do,
        FullSeconds(every),
        id=name,
        coalesce=True,
        max_instances=1,
        misfire_grace_time=None,  # late is better than never
    )


def look_at_the_clock(scheduler: BackgroundScheduler, now: datetime) -> None:
    """Call at once what would be called later than its interval allows: the clock was set back."""
    for job in scheduler.get_jobs():
        if job.next_run_time and job.next_run_time > now + job.trigger.interval:
            log.warning("the clock was set back", what=job.id)
            job.modify(next_run_time=now)


def run_forever(
    scheduler: BackgroundScheduler, ready: Callable[[], None], stop: Callable[[], None]
) -> None:
    """Run the scheduler until the process gets SIGINT or SIGTERM, and its jobs have ended.

    ``ready`` is called when it runs, ``stop`` when it is to stop.
    """
    with stop_signals() as told:
        scheduler.start()
        ready()
        while not select([told], [], [], _LOOK_EVERY)[0]:
            look_at_the_clock(scheduler, datetime.now(UTC))
        stop()
        scheduler.shutdown()
    log.info("the schedule is stopped")
