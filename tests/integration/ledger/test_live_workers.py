"""Live workers: each holds the lock of its name, and one lock only."""

from contextlib import contextmanager

import pytest

from digest.errors import Busy
from digest.ledger import locks

pytestmark = pytest.mark.both_databases


@pytest.fixture
def entered(monkeypatch):
    """How many contexts of locks are open, the most there ever were, and how many were refused."""
    counts = {"open": 0, "most": 0, "left": 0}
    holding = locks.holding

    @contextmanager
    def counted(engine, name):
        counts["open"] += 1
        counts["most"] = max(counts["most"], counts["open"])
        with holding(engine, name) as is_ours:
            refused = counts["left"] > 0
            counts["left"] -= refused
            yield is_ours and not refused
        counts["open"] -= 1

    monkeypatch.setattr(locks, "holding", counted)
    monkeypatch.setattr(locks, "_PAUSE", 0)
    return counts


@pytest.mark.parametrize("times_refused", [0, 1, 7])
def test_a_worker_holds_one_lock_however_often_it_tried(ledger, entered, times_refused):
    entered["left"] = times_refused
    with ledger.live_workers.enter():
        assert (entered["open"], entered["left"]) == (1, 0)
    assert (entered["open"], entered["most"]) == (0, 1)


def test_a_worker_that_never_gets_its_lock_says_so(ledger, entered):
    entered["left"] = 100_000
    held = "another process holds the lock 'sender-"
    with pytest.raises(Busy, match=held), ledger.live_workers.enter():
        pytest.fail("it was refused")
    assert entered["open"] == 0
    assert entered["left"] > 99_000


def test_a_worker_that_fails_leaves_no_lock(ledger):
    with pytest.raises(ZeroDivisionError), ledger.live_workers.enter() as claims:
        raise ZeroDivisionError
    assert not locks.is_held(ledger.engine, f"sender-{claims._name}")
