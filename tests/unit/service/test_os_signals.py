"""Being told to stop: noted within, and as before outside."""

import os
import signal
from threading import Event

import pytest

from digest.service.os_signals import STOPS, stop_signals, stopping


@pytest.mark.parametrize("told", STOPS)
def test_a_signal_stops_what_is_within_once(told):
    was_told = Event()
    calls = []
    with stopping(lambda: (calls.append(1), was_told.set())):
        os.kill(os.getpid(), told)
        assert was_told.wait(10)
        os.kill(os.getpid(), told)
    assert calls == [1]


def test_without_a_signal_nothing_is_stopped():
    calls = []
    for _ in range(50):  # it ends at once, each time
        with stopping(lambda: calls.append(1)):
            pass
    assert calls == []


def test_outside_signals_are_what_they_were():
    before = [signal.getsignal(each) for each in STOPS]
    with stop_signals() as told:
        assert [signal.getsignal(each) for each in STOPS] != before
        os.kill(os.getpid(), signal.SIGTERM)
        assert len(os.read(told, 1)) == 1
    assert [signal.getsignal(each) for each in STOPS] == before
