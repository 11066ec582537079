"""Several processes that send: the list is shared out, and what one leaves when it dies is told.

This process is one of them. Where another is wanted to have begun, this one begins after it.
"""

import os
import signal
from collections import Counter
from functools import partial
from multiprocessing import get_context
from threading import Thread
from time import sleep

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from digest.app.app import App
from digest.deliver import feed
from digest.deliver import worker_pool as fleet_module
from digest.deliver.delivery_worker import DeliveryWorker
from digest.deliver.worker_pool import WorkerPool
from digest.ledger.deliveries import Plan
from digest.ledger.tables import deliveries
from digest.model.deliveries import DeliveryState
from digest.model.digests import Pick, Section
from digest.model.packed_picks import pack
from tests.integration.kill.world import eventually
from tests.integration.ledger.test_papers import absorb
from tests.integration.plans import lease, mark
from tests.integration.smtp_server import Point
from tests.support import NOW, SENDING, TODAY, make_sighting

MAILS = 12


@pytest.fixture(scope="session")
def forking():
    """Processes forked from one that has everything imported, but no connections and one thread."""
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


@pytest.fixture(autouse=True)
def worth_it(monkeypatch, forking):
    monkeypatch.setattr(fleet_module, "WORTH_A_PROCESS", 1)
    # To start as the program does takes seconds each time: one test does.
    monkeypatch.setattr(fleet_module, "_spawning", forking)


@pytest.fixture
def spawning(monkeypatch, worth_it):
    """As the program does it."""
    monkeypatch.setattr(fleet_module, "_spawning", get_context("spawn"))


class Yard:
    """An application with mails that wait, and a fleet of it."""

    def __init__(self, database_url, server, home):
        self.settings = {
            **SENDING,
            "database_url": database_url,
            "transport": server.url(),
            "home": str(home),
            "send_connections": "4",
        }
        app = App({}, None, **self.settings)
        self.ledger = app.ledger
        self.server = server
        self.here = app.sending
        absorb(self.ledger, make_sighting(1))
        self.edition = self.ledger.editions.freeze(TODAY, TODAY, NOW)
        picks = (Pick(Section.TRENDING, self.edition.candidates[0]),)
        for number in range(MAILS):
            person = app.registry.add(f"r{number}@example.org", (), source="test", now=NOW)
            plan = Plan(person.id, pack(picks), "example.org")
            self.ledger.deliveries.plan(self.edition.id, [plan], NOW)

    def worker_pool(self, elsewhere=None, processes=2):
        make = elsewhere or partial(sending_of, self.settings)
        return WorkerPool(self.ledger, self.here, make, processes=processes, connections=4)

    def begin_here_when(self, begun):
        send = self.here.send

        def send_later(*given):
            eventually(begun)
            return send(*given)

        self.here.send = send_later

    @property
    def balance(self):
        balance = self.ledger.editions.balance(self.edition)
        assert balance.is_balanced
        return balance

    def has_mark(self):
        marked = select(deliveries.c.id).where(deliveries.c.state == DeliveryState.SENDING)
        with self.ledger.engine.connect() as connection:
            return connection.execute(marked).first() is not None

    def copies(self):
        return Counter(each.rcpt_to[0] for each in self.server.received)


@pytest.fixture
def yard(database_url, smtp_server, tmp_path):
    yard = Yard(database_url, smtp_server, tmp_path)
    yield yard
    yard.ledger.engine.dispose()


def sending_of(settings) -> DeliveryWorker:
    return App({}, None, **settings).sending


def in_small_blocks(setattr_=setattr):
    setattr_(feed, "BLOCK", 2)


def sending_in_small_blocks(settings) -> DeliveryWorker:
    in_small_blocks()
    return sending_of(settings)


def test_processes_share_the_list(yard, spawning, monkeypatch):
    told, made_here = [], []
    in_small_blocks(monkeypatch.setattr)  # so that the other one, which begins, leaves some
    yard.settings["rate"] = "600"
    yard.here = sending_of(yard.settings)
    composer = yard.here._parts.composer
    compose = composer.compose
    monkeypatch.setattr(
        composer, "compose", lambda *a, **n: made_here.append(1) or compose(*a, **n)
    )
    yard.begin_here_when(lambda: yard.server.received)
    other = partial(sending_in_small_blocks, yard.settings)
    assert yard.worker_pool(other).send(NOW, lambda *step: told.append(step)) == ()
    assert 0 < len(made_here) < MAILS
    assert yard.balance.accepted == MAILS
    assert set(yard.copies().values()) == {1}
    assert len(yard.copies()) == MAILS
    assert all(total == MAILS for _, total in told)


def test_a_database_that_is_away_when_progress_is_told_ends_nothing(yard, monkeypatch):
    waiting, answers = yard.ledger.deliveries.waiting, iter("ab")  # for the pool, and for this one

    def soon_away(now):
        if next(answers, None):
            return waiting(now)
        raise OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr(yard.ledger.deliveries, "waiting", soon_away)
    assert yard.worker_pool().send(NOW) == ()
    assert yard.balance.accepted == MAILS


def test_a_short_list_is_for_this_process_alone(yard, monkeypatch):
    monkeypatch.setattr(fleet_module, "WORTH_A_PROCESS", MAILS)
    yard.worker_pool(elsewhere=None).send(NOW)
    assert yard.balance.accepted == MAILS


def sending_that_dies(settings) -> DeliveryWorker:
    sending = sending_of(settings)

    def send(*_: object, **__: object) -> None:
        with sending._parts.ledger.live_workers.enter() as claims:
            [delivery] = lease(claims)
            mark(sending._parts.ledger, claims, delivery)
            os.kill(os.getpid(), signal.SIGKILL)

    sending.send = send
    return sending


def test_a_process_that_is_killed_is_told_and_what_it_had_is_uncertain(yard):
    yard.begin_here_when(yard.has_mark)
    troubles = yard.worker_pool(partial(sending_that_dies, yard.settings)).send(NOW)
    assert troubles == ("a process that was sending died (status -9)",)
    assert (yard.balance.uncertain, yard.balance.accepted) == (1, MAILS - 1)
    assert len(yard.server.received) == MAILS - 1


def test_a_relay_that_refuses_us_is_one_line(yard):
    for _ in range(20):
        yard.server.will_say(Point.MAIL, "550 5.7.1 Not from you")
    troubles = yard.worker_pool().send(NOW)
    assert len(troubles) == 1
    assert "550 5.7.1 Not from you" in troubles[0]
    assert yard.balance.deferred == MAILS


def test_told_to_stop_all_end_and_nothing_is_uncertain(yard):
    yard.here = slow_sending(yard.settings)
    worker_pool = yard.worker_pool(partial(slow_sending, yard.settings))

    def stop_soon() -> None:
        while not yard.server.received:
            sleep(0.01)
        worker_pool.stop()

    stopping = Thread(target=stop_soon)
    stopping.start()
    worker_pool.send(NOW)
    stopping.join(10)
    balance = yard.balance
    assert balance.uncertain == 0
    assert balance.pending
    assert balance.accepted == len(yard.server.received)


def slow_sending(settings) -> DeliveryWorker:
    """A mail a second, so that there is a middle to be stopped in."""
    return sending_of({**settings, "rate": "60"})
