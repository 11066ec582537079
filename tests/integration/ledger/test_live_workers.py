"""Live workers: on SQLite each holds the lock of its name; on PostgreSQL it renews a row."""

import subprocess
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import func, update

from digest.errors import Busy
from digest.ledger import live_workers, locks
from digest.ledger.live_workers import SILENCE, LiveWorkers
from digest.ledger.tables import workers
from tests.integration.kill.world import eventually

pytestmark = pytest.mark.both_databases


@pytest.fixture
def entered(ledger, monkeypatch):
    """How many contexts of locks are open, the most there ever were, and how many were refused."""
    if ledger.engine.dialect.name != "sqlite":
        pytest.skip("only SQLite has locks")
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


def test_a_worker_that_fails_leaves_nothing(ledger):
    is_alive = ledger.live_workers.is_alive
    with pytest.raises(ZeroDivisionError), ledger.live_workers.enter() as claims:
        assert is_alive(claims.name) / 0
    assert not ledger.live_workers.is_alive(claims.name)
    assert ledger.live_workers.all() == []


@pytest.fixture
def rows(ledger):
    if ledger.engine.dialect.name == "sqlite":
        pytest.skip("only PostgreSQL has rows of workers")
    return ledger.live_workers


def be_silent(ledger, how_long):
    with ledger.engine.begin() as connection:
        connection.execute(update(workers).values(heard_at=func.now() - how_long))


def test_a_worker_of_another_machine_lives_while_it_is_heard(ledger, rows, monkeypatch):
    monkeypatch.setattr(live_workers, "_this_process", lambda: "another-machine 1 77")
    with rows.enter(slots=4) as claims:
        assert rows.is_alive(claims.name)
        [worker] = rows.all()
        assert (worker.name, worker.slots) == (claims.name, 4)
        be_silent(ledger, SILENCE - timedelta(seconds=5))
        assert rows.is_alive(claims.name)
        be_silent(ledger, SILENCE)
        assert not rows.is_alive(claims.name)


def test_a_worker_of_this_machine_is_dead_as_soon_as_its_process_is(rows, monkeypatch):
    with subprocess.Popen(["sleep", "60"]) as process:
        its = f"{live_workers._this_machine()} {process.pid} {live_workers._began(process.pid)}"
        monkeypatch.setattr(live_workers, "_this_process", lambda: its)
        with rows.enter() as claims:
            assert rows.is_alive(claims.name)
            process.kill()
            eventually(lambda: not rows.is_alive(claims.name))  # also before anybody waits for it


def test_a_number_that_another_process_has_now_is_no_life(rows, monkeypatch):
    earlier = live_workers._this_process().rpartition(" ")[0] + " 1"
    monkeypatch.setattr(live_workers, "_this_process", lambda: earlier)
    with rows.enter() as claims:
        assert not rows.is_alive(claims.name)


def test_a_worker_renews_its_row_and_makes_it_again(ledger):
    if ledger.engine.dialect.name == "sqlite":
        pytest.skip("only PostgreSQL has rows of workers")
    of_moments = LiveWorkers(ledger.engine, timedelta(seconds=0.6))
    with of_moments.enter() as claims:
        be_silent(ledger, timedelta(hours=2))
        assert ledger.live_workers.clear_away(None) == 1  # taken for dead
        eventually(lambda: ledger.live_workers.is_alive(claims.name))
