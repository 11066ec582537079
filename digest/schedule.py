"""The clock: APScheduler calls the pipeline at the set time. It holds no truth.

A tick that is missed or comes twice changes nothing, because the ledger's rows decide what is
still to be done.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.triggers.base import BaseTrigger

from digest.errors import DigestError

JOB = "daily-digest"
# A machine that slept through the time still runs when it wakes, within this many seconds.
GRACE = 6 * 3600
STOPS = {signal.SIGINT, signal.SIGTERM}

log = structlog.get_logger()


class Daily(BaseTrigger):  # type: ignore[misc]  # APScheduler publishes no types
    """Each day once, at a local time. In the hour that a clock change skips, it is an hour later.

    Not APScheduler's CronTrigger: that leaves out the day after a clock change in spring if the
    time is soon after midnight, and strikes twice in the hour that comes twice (3.11).
    """

    def __init__(self, at: time, zone: ZoneInfo) -> None:
        self._at = at
        self._zone = zone

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """The first after the previous one; without one, the first from now on."""
        after = previous or now - timedelta(microseconds=1)
        day = after.astimezone(self._zone).date()
        while (moment := self._on(day)) <= after:
            day += timedelta(days=1)
        return moment.astimezone(self._zone)

    def _on(self, day: date) -> datetime:
        # By way of UTC, which makes a local time that does not exist one that does.
        return datetime.combine(day, self._at, self._zone).astimezone(UTC)


def add_daily_run(
    scheduler: BaseScheduler, at: time, zone: ZoneInfo, run: Callable[[], None]
) -> None:
    """Have ``run`` called each day; an error in it is told, and does not stop the clock."""

    def tick() -> None:
        try:
            run()
        except DigestError as error:
            log.error("the daily run failed", why=str(error))

    scheduler.add_job(
        tick, Daily(at, zone), id=JOB, coalesce=True, max_instances=1, misfire_grace_time=GRACE
    )


def run_forever(
    at: time, zone: ZoneInfo, run: Callable[[], None], ready: Callable[[], None]
) -> None:
    """Call ``run`` each day until the process is told to stop (SIGINT or SIGTERM).

    ``ready`` is called once the clock runs. A run that is under way then is waited for.
    """
    scheduler = BackgroundScheduler(timezone=zone)
    add_daily_run(scheduler, at, zone, run)
    with _stop_signals() as wait_for_one:
        scheduler.start()
        ready()
        wait_for_one()
        scheduler.shutdown()
    log.info("the schedule is stopped")


@contextmanager
def _stop_signals() -> Iterator[Callable[[], object]]:
    """Within, SIGINT and SIGTERM are only noted; what it gives waits for the first.

    The interpreter writes to a pipe, in whichever thread the signal strikes, and nothing else is
    done then: this thread may hold any lock. To block the signals would not do, because libraries
    have started threads of their own by now, in which they would still end the process.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    pipe_before = signal.set_wakeup_fd(writing)
    handlers_before = {each: signal.signal(each, lambda *_: None) for each in STOPS}
    try:
        yield lambda: os.read(reading, 1)
    finally:
        for each, handler in handlers_before.items():
            signal.signal(each, handler)
        signal.set_wakeup_fd(pipe_before)
        os.close(reading)
        os.close(writing)
