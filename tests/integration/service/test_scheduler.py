"""The clock: what it calls, and what becomes of that when something fails or it is to stop."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from queue import Queue

import pytest
from apscheduler.events import EVENT_JOB_EXECUTED
from apscheduler.schedulers.background import BackgroundScheduler
from structlog.testing import capture_logs

from digest.errors import Busy, LedgerError, Stopped
from digest.service import scheduler
from digest.service.scheduler import add_job, look_at_the_clock, new_scheduler, run_forever

NAME = "a duty"


@pytest.fixture
def clock() -> Iterator[BackgroundScheduler]:
    clock = new_scheduler()
    clock.start(paused=True)
    yield clock
    clock.shutdown()


def test_it_is_called_at_once_and_then_at_each_full_minute(clock):
    called: Queue[None] = Queue()
    add_job(clock, NAME, lambda: called.put(None), 60)
    clock.resume()
    called.get(timeout=10)
    then = clock.get_job(NAME).next_run_time
    assert (then.second, then.microsecond) == (0, 0)
    assert timedelta() < then - datetime.now(UTC) <= timedelta(minutes=1)


def test_what_was_slept_through_is_made_up_for_once(clock):
    called: Queue[None] = Queue()
    ended: Queue[object] = Queue()
    clock.add_listener(ended.put, EVENT_JOB_EXECUTED)
    add_job(clock, NAME, lambda: called.put(None), 60)
    clock.modify_job(NAME, next_run_time=datetime.now(UTC) - timedelta(days=3))
    clock.resume()
    ended.get(timeout=10)
    assert called.qsize() == 1
    assert clock.get_job(NAME).next_run_time > datetime.now(UTC)


def test_a_clock_that_is_set_back_stops_nothing(clock):
    add_job(clock, NAME, lambda: None, 60)
    add_job(clock, "another", lambda: None, 3600)
    now = datetime.now(UTC)
    set_back = now - timedelta(hours=2)
    clock.modify_job(NAME, next_run_time=now + timedelta(seconds=60))
    clock.modify_job("another", next_run_time=set_back + timedelta(minutes=59))
    look_at_the_clock(clock, set_back)
    assert clock.get_job(NAME).next_run_time == set_back
    assert clock.get_job("another").next_run_time == set_back + timedelta(minutes=59)
    trigger = clock.get_job(NAME).trigger
    assert trigger.get_next_fire_time(now, set_back) <= set_back + timedelta(seconds=60)


def test_the_clock_is_looked_at_once_a_minute_until_the_process_is_told_to_stop(monkeypatch):
    asked: list[float] = []

    def select(told, _writing, _failing, seconds):
        asked.append(seconds)
        return (told if len(asked) == 3 else [], [], [])

    looked: list[object] = []
    monkeypatch.setattr(scheduler, "select", select)
    monkeypatch.setattr(scheduler, "look_at_the_clock", lambda *given: looked.append(given))
    run_forever(new_scheduler(), lambda: None, lambda: None)
    assert asked == [60, 60, 60]
    assert len(looked) == 2


def test_it_is_never_called_beside_itself(clock):
    add_job(clock, NAME, lambda: None, 60)
    [job] = clock.get_jobs()
    assert (job.id, job.max_instances, job.coalesce) == (NAME, 1, True)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (LedgerError("no"), {"event": "it failed", "why": "no", "log_level": "error"}),
        (Busy("another run"), {"event": "put off", "why": "another run", "log_level": "info"}),
        (Stopped("no"), {"event": "broken off", "why": "no", "log_level": "info"}),
        (ZeroDivisionError(), {"event": "it failed", "exc_info": True, "log_level": "error"}),
    ],
)
def test_an_error_is_told_and_the_clock_goes_on(clock, error, told):
    ended: Queue[object] = Queue()

    def fail() -> None:
        raise error

    clock.add_listener(ended.put, EVENT_JOB_EXECUTED)
    add_job(clock, NAME, fail, 60)
    with capture_logs() as logs:
        clock.resume()
        ended.get(timeout=10)
        clock.modify_job(NAME, next_run_time=datetime.now(UTC))
        ended.get(timeout=10)
    assert logs == [{**told, "what": NAME}] * 2


CLOCK = """
import os, sys
import numpy  # which starts threads of its own, before the clock does
from digest.service.scheduler import add_job, new_scheduler, run_forever

def say(word):
    os.write(1, f"{word}\\n".encode())  # in one piece, whichever thread says it

def work():
    say("begins")
    sys.stdin.readline()
    say("ends")

clock = new_scheduler()
add_job(clock, "work", work, 3600)
run_forever(clock, lambda: say("ready"), lambda: say("stopping"))
"""


def test_what_is_at_work_is_waited_for_however_often_we_are_told_to_stop():
    with subprocess.Popen(
        [sys.executable, "-c", CLOCK],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as clock:
        try:
            assert clock.stdout is not None
            assert {clock.stdout.readline(), clock.stdout.readline()} == {"ready\n", "begins\n"}
            for told in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
                clock.send_signal(told)
            assert clock.stdout.readline() == "stopping\n"
            stdout, stderr = clock.communicate("go on\n", timeout=30)
        finally:
            clock.kill()
    assert "ends" in stdout
    assert "Traceback" not in stdout + stderr
    assert clock.returncode == 0
