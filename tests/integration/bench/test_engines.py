"""Workers that are watched while they send: what is counted, and when it is given up."""

import os
import subprocess
import sys
from itertools import count
from types import SimpleNamespace

import pytest

from digest.bench import engines
from digest.bench.usage import tree_processor_seconds
from digest.errors import ServiceError
from digest.model.deliveries import Balance
from tests.support import TODAY

BUSY = "import time, sys; end = time.process_time() + .3\nwhile time.process_time() < end: pass\n"
WAIT = "print(flush=True); sys.stdin.read()"


@pytest.fixture
def clock(monkeypatch):
    """Each look is a second; a process uses a tenth of a second of a processor meanwhile."""
    seconds = count(100)
    now = [0.0]
    monkeypatch.setattr(engines, "_LOOK_EVERY", 0)
    monkeypatch.setattr(
        engines,
        "time",
        SimpleNamespace(sleep=lambda _: now.insert(0, next(seconds)), monotonic=lambda: now[0]),
    )
    monkeypatch.setattr(engines, "tree_processor_seconds", lambda _: now[0] / 10)


def watched(*accepted, status=None):
    balances = [Balance(TODAY, due=100, accepted=some, pending=100 - some) for some in accepted]
    worker = SimpleNamespace(pid=1, poll=lambda: status, returncode=status)
    return engines._watched(lambda: balances.pop(0), [worker])


@pytest.mark.usefixtures("clock")
def test_what_is_used_until_a_tenth_is_sent_is_the_start():
    sent = watched(0, 4, 10, 50, 100)
    assert sent.messages == 100
    assert sent.start_seconds == pytest.approx(10.1)  # at the second look
    assert sent.messages_per_second == pytest.approx(90 / 2)
    assert sent.processor_ms == pytest.approx(1000 * 0.2 / 90)


@pytest.mark.usefixtures("clock")
def test_a_worker_that_ends_is_told():
    with pytest.raises(ServiceError, match=r"a worker ended \(status 1\)"):
        watched(0, 4, 10, status=1)


@pytest.mark.usefixtures("clock")
def test_workers_that_do_not_go_on_are_given_up():
    with pytest.raises(ServiceError, match="96 messages are not sent"):
        watched(*[4] * 1000)


def test_the_processors_time_of_all_processes_below_one_is_counted():
    in_a_child = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BUSY!r}])\n{WAIT}"
    with subprocess.Popen(
        [sys.executable, "-c", in_a_child], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        used = tree_processor_seconds(process.pid)
        process.stdin.close()
    assert used >= 0.3
    assert tree_processor_seconds(process.pid) == 0.0
    assert tree_processor_seconds(os.getpid()) > 0
