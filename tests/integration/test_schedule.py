"""The clock: when it strikes around clock changes, and what a failing run does to it."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from queue import Queue
from threading import Event
from zoneinfo import ZoneInfo

import pytest
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED
from apscheduler.schedulers.background import BackgroundScheduler
from structlog.testing import capture_logs

from digest.errors import LedgerError
from digest.schedule import GRACE, JOB, Daily, add_daily_run

OSLO = ZoneInfo("Europe/Oslo")
# 2026: Oslo's clocks go forward on 29 March at 02:00, and back on 25 October at 03:00.


def strikes(at: time, zone: ZoneInfo, after: datetime, until: datetime) -> list[datetime]:
    """Every time from one moment to another, asked for as APScheduler does: a bit late."""
    trigger = Daily(at, zone)
    found: list[datetime] = []
    now = after
    while (fire := trigger.get_next_fire_time(found[-1] if found else None, now)) < until:
        found.append(fire)
        now = (fire.astimezone(UTC) + timedelta(milliseconds=5)).astimezone(zone)
    return found


@pytest.mark.parametrize(
    ("at", "after", "expected"),
    [
        pytest.param(
            time(8, 0),
            datetime(2026, 3, 28, 6, 0, tzinfo=UTC),
            ["28 07:00", "29 06:00", "30 06:00"],
            id="spring, in the morning",
        ),
        pytest.param(
            time(8, 0),
            datetime(2026, 10, 24, 5, 0, tzinfo=UTC),
            ["24 06:00", "25 07:00", "26 07:00"],
            id="autumn, in the morning",
        ),
        pytest.param(
            time(2, 30),
            datetime(2026, 3, 28, 0, 0, tzinfo=UTC),
            ["28 01:30", "29 01:30", "30 00:30"],
            id="spring, in the hour that is skipped",
        ),
        pytest.param(
            time(2, 30),
            datetime(2026, 10, 23, 23, 0, tzinfo=UTC),
            ["24 00:30", "25 00:30", "26 01:30"],
            id="autumn, in the hour that comes twice",
        ),
        pytest.param(
            time(7, 5, 30),
            datetime(2026, 6, 1, 5, 5, 31, tzinfo=UTC),
            ["02 05:05", "03 05:05"],
            id="just missed",
        ),
    ],
)
def test_each_day_once_at_the_local_time(at, after, expected):
    found = strikes(at, OSLO, after, after + timedelta(days=len(expected)))
    assert [each.astimezone(UTC).strftime("%d %H:%M") for each in found] == expected


def test_the_moment_itself_counts_if_there_was_none_before():
    at_eight = datetime(2026, 6, 1, 8, 0, tzinfo=OSLO)
    assert Daily(time(8, 0), OSLO).get_next_fire_time(None, at_eight) == at_eight
    assert Daily(time(8, 0), OSLO).get_next_fire_time(at_eight, at_eight) > at_eight


def test_days_slept_through_are_counted_one_by_one():
    """APScheduler asks from the last one on, and makes them one run."""
    monday, friday = (datetime(2026, 6, day, 8, 0, tzinfo=OSLO) for day in (1, 5))
    assert Daily(time(8, 0), OSLO).get_next_fire_time(monday, friday) == monday + timedelta(days=1)


@pytest.mark.parametrize(
    "zone",
    [
        "Europe/Oslo",
        "America/New_York",
        "America/Havana",  # its clocks change at midnight
        "Asia/Beirut",  # here as well
        "Australia/Lord_Howe",  # by half an hour
        "Asia/Kolkata",
        "UTC",
    ],
)
def test_a_year_has_as_many_runs_as_days(zone):
    zone_info = ZoneInfo(zone)
    first, last = (datetime(year, 1, 1, tzinfo=zone_info) for year in (2026, 2027))
    days = [first.date() + timedelta(days=n) for n in range(365)]
    for at in (time(hour, minute) for hour in (0, 1, 2, 3, 8, 23) for minute in (0, 15, 45)):
        found = strikes(at, zone_info, first, last)
        assert [each.date() for each in found] == days
        assert sum(each.time() != at for each in found) <= 1, "late only in the skipped hour"


# ---- the scheduler ---------------------------------------------------------------------------


@pytest.fixture
def scheduler() -> Iterator[BackgroundScheduler]:
    scheduler = BackgroundScheduler(timezone=OSLO)
    scheduler.start(paused=True)
    yield scheduler
    scheduler.shutdown()


def strike_now(scheduler: BackgroundScheduler, ago: timedelta = timedelta(0)) -> None:
    """Have the job's time come, or have come a while ago."""
    scheduler.modify_job(JOB, next_run_time=datetime.now(OSLO) - ago)
    scheduler.resume()


def test_at_its_time_the_run_is_called_and_the_next_day_is_set(scheduler):
    called = Event()
    add_daily_run(scheduler, time(8, 0), OSLO, called.set)
    strike_now(scheduler)
    assert called.wait(10)
    next_time = scheduler.get_job(JOB).next_run_time
    assert (next_time.hour, next_time.minute) == (8, 0)
    assert timedelta(0) < next_time - datetime.now(OSLO) <= timedelta(hours=25)


@pytest.mark.parametrize("error", [LedgerError("another run is under way"), ZeroDivisionError()])
def test_an_error_is_told_and_the_clock_goes_on(scheduler, error):
    calls = 0
    ended: Queue[object] = Queue()

    def fail() -> None:
        nonlocal calls
        calls += 1
        raise error

    scheduler.add_listener(ended.put, EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
    add_daily_run(scheduler, time(8, 0), OSLO, fail)
    with capture_logs() as logs:
        for _ in range(2):
            strike_now(scheduler)
            event = ended.get(timeout=10)
    assert calls == 2
    assert scheduler.get_job(JOB).next_run_time > datetime.now(OSLO)
    if isinstance(error, LedgerError):
        told = {"event": "the daily run failed", "why": str(error), "log_level": "error"}
        assert logs == [told, told]
    else:
        assert event.exception is error  # a fault of ours: APScheduler logs it with its trace


def test_a_time_slept_through_is_made_up_for_once(scheduler):
    calls: Queue[None] = Queue()
    add_daily_run(scheduler, time(8, 0), OSLO, lambda: calls.put(None))
    strike_now(scheduler, ago=timedelta(seconds=GRACE - 60))
    calls.get(timeout=10)
    assert scheduler.get_job(JOB).next_run_time > datetime.now(OSLO)
    assert calls.empty()


def test_the_job_is_there_once_and_never_beside_itself(scheduler):
    add_daily_run(scheduler, time(8, 0), OSLO, lambda: None)
    [job] = scheduler.get_jobs()
    assert (job.id, job.max_instances, job.coalesce) == (JOB, 1, True)
    assert job.misfire_grace_time == GRACE


CLOCK = """
import sys
import numpy  # which starts threads of its own, before the clock does
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo
from digest.schedule import run_forever

def run():
    print("begins", flush=True)
    sys.stdin.readline()
    print("ends", flush=True)

soon = (datetime.now(UTC) + timedelta(seconds=0.2)).time()
run_forever(soon, ZoneInfo("UTC"), run, lambda: print("ready", flush=True))
"""


def test_a_run_under_way_is_waited_for_however_often_we_are_told_to_stop():
    with subprocess.Popen(
        [sys.executable, "-c", CLOCK],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as clock:
        assert clock.stdout is not None
        assert clock.stdout.readline() == "ready\n"
        assert clock.stdout.readline() == "begins\n"
        for told in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
            clock.send_signal(told)
        stdout, stderr = clock.communicate("go on\n", timeout=30)
    assert "ends" in stdout
    assert "Traceback" not in stdout + stderr
    assert clock.returncode == 0
