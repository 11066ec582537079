"""The database goes away in the middle of a run, and comes back."""

import asyncio
import sqlite3
import uuid
from contextlib import suppress
from random import Random
from threading import Timer

import pytest
from sqlalchemy import create_engine, delete, exc, make_url, text

from digest.ledger.ledger import Ledger
from digest.ledger.tables import workers
from digest.model.messages import Outcome, OutcomeKind
from subscribers.store.registry import Registry
from tests.integration.deliver.test_delivery_worker import Crowd, Post, names
from tests.integration.kill.line import HOST, Line
from tests.integration.kill.world import S, World

pytestmark = pytest.mark.both_databases

CONNECTIONS = 4
ON_POSTGRESQL = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
ON_SQLITE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


class Gate:
    """Holds up the answers to final dots, from when so many have arrived until it is opened."""

    def __init__(self, server, least: int = 1) -> None:
        self._server = server
        self._least = least
        self._opened = asyncio.Event()
        server.at_dot = self._wait_at

    def _wait_at(self, arrived: int):
        return self._opened.wait() if arrived >= self._least else None

    def wait_for(self, arrived: int) -> None:
        self._server.wait_until(lambda: self._server.copies >= arrived)

    def open(self) -> None:
        self._server.loop.call_soon_threadsafe(self._opened.set)


# ---- PostgreSQL ------------------------------------------------------------------------------


@pytest.fixture
def postgres_world(make_world, engine):
    """Makes a world, as make_world; the sessions of its runs have a name."""

    def make(**named):
        world = make_world(**named)
        name = f"cut off {uuid.uuid4().hex}"
        url = engine.url.update_query_dict({"application_name": name})
        world.settings["database_url"] = url.render_as_string(hide_password=False)
        return world

    return make


@pytest.fixture
def line(engine):
    with Line(engine.url.host, engine.url.port or 5432) as line:
        yield line


def over(line: Line, world: World) -> None:
    """Have a world's runs reach the database over a line."""
    url = make_url(world.settings["database_url"]).set(host=HOST, port=line.port)
    world.settings["database_url"] = url.render_as_string(hide_password=False)


def end_sessions(world: World) -> int:
    """As the server does when it is restarted; how many there were."""
    end = text("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
               "WHERE application_name = :name")  # fmt: skip
    name = make_url(world.settings["database_url"]).query["application_name"]
    with world.engine.connect() as connection:
        return connection.execute(end, {"name": name}).scalar_one()


@ON_POSTGRESQL
@pytest.mark.parametrize("days", [2, pytest.param(8, marks=pytest.mark.long)])
def test_sessions_that_are_ended_in_the_middle(postgres_world, days):
    world = postgres_world(slow=0.01, seed=6, connections=CONNECTIONS)
    random = Random(6)
    ends = {"done": 0, "failed": 0}
    for _ in range(days):
        before, uncertain = world.server.copies, world.states()[S.UNCERTAIN]
        child = world.start()
        world.server.wait_until(lambda least=before: world.server.copies > least)
        for _ in range(random.randint(1, 4)):
            if not child.ends_within(random.random() / 10):
                end_sessions(world)
        assert child.ends_within(60)
        failed = child.said.startswith("digest: the database failed: ")
        ends["failed" if failed else "done"] += 1
        assert failed or child.said == "done"
        assert "\n" not in child.said
        world.check(CONNECTIONS)
        world.finish()
        assert world.states()[S.UNCERTAIN] - uncertain <= CONNECTIONS
        world.next_day()
    print(ends, world.states())


@ON_POSTGRESQL
def test_what_became_of_a_mail_is_recorded_when_the_database_is_back(postgres_world, line):
    """All that was on its way is known; nothing is begun that could not be written down."""
    world = postgres_world(connections=CONNECTIONS)
    over(line, world)
    gate = Gate(world.server)
    child = world.start()
    gate.wait_for(CONNECTIONS)
    line.cut()
    gate.open()
    line.wait_for_calls_in_vain(2 * CONNECTIONS)  # each has tried more than once
    assert not child.ends_within(0)
    assert world.server.copies == CONNECTIONS
    line.mend()
    assert child.ends_within(60)
    assert child.said == "done"
    world.check_finished()
    assert world.states() == {S.ACCEPTED: len(world.people)}


@ON_POSTGRESQL
def test_a_database_that_stays_away_is_one_line(postgres_world, line):
    world = postgres_world(connections=CONNECTIONS)
    over(line, world)
    gate = Gate(world.server)
    child = world.start(patience="0.5")
    gate.wait_for(CONNECTIONS)
    line.cut()
    gate.open()
    assert child.ends_within(60)
    assert child.said.startswith("digest: the database failed: ")
    assert "\n" not in child.said
    world.check(CONNECTIONS)
    world.bury()
    assert list(world.on_their_way().values()) == [True] * CONNECTIONS
    line.mend()
    world.finish()
    assert world.states()[S.UNCERTAIN] == CONNECTIONS


@ON_POSTGRESQL
def test_a_sender_that_was_silent_is_taken_for_dead_and_knows_better(postgres_world):
    """As if its machine had been frozen for a while: another run may begin."""
    world = postgres_world(connections=CONNECTIONS)
    gate = Gate(world.server)
    child = world.start()
    gate.wait_for(CONNECTIONS)
    end_sessions(world)  # that of its lock as well
    with world.engine.begin() as connection:
        connection.execute(delete(workers))
    world.bury()
    world.server.at_dot = lambda _: None
    other = world.run()
    assert other.said == "done"
    assert world.states()[S.UNCERTAIN] == CONNECTIONS
    gate.open()
    assert child.ends_within(60)
    assert child.said == "done"
    assert world.states() == {S.ACCEPTED: len(world.people)}
    world.check_finished()


@ON_POSTGRESQL
@pytest.mark.long
def test_a_line_that_is_cut_for_a_second_again_and_again(postgres_world, line):
    world = postgres_world(slow=0.02, seed=7, people=30, connections=CONNECTIONS)
    over(line, world)
    random = Random(7)
    for _ in range(15):
        before, uncertain = world.server.copies, world.states()[S.UNCERTAIN]
        child = world.start()
        world.server.wait_until(lambda least=before: world.server.copies > least)
        if not child.ends_within(random.random() / 4):
            line.cut()
            child.ends_within(random.uniform(0.5, 1.5))
            line.mend()
        assert child.ends_within(60)
        world.check(CONNECTIONS)
        world.finish()
        assert world.states()[S.UNCERTAIN] - uncertain <= CONNECTIONS
        world.next_day()
    print(world.states())


# ---- both ------------------------------------------------------------------------------------


def test_an_outcome_waits_for_a_connection_to_the_database(engine):
    """There are fewer of them than senders, and others keep theirs for long."""
    few = create_engine(engine.url, pool_size=2, max_overflow=0, pool_timeout=0.1)
    crowd = Crowd(Ledger(few), Registry(few))
    crowd.add(*names(1))
    kept = []

    def keep_all(_):
        with suppress(exc.TimeoutError):
            while True:
                kept.append(few.connect())
        Timer(0.5, give_back).start()
        return Outcome(OutcomeKind.ACCEPTED, "OK", 250)

    def give_back():
        for each in kept:
            each.close()

    crowd.send(Post(crowd.clock, keep_all))
    assert crowd.balance.accepted == 1
    few.dispose()


# ---- SQLite ----------------------------------------------------------------------------------


@ON_SQLITE
def test_a_database_that_another_program_locks_for_a_while(make_world):
    world = make_world(connections=CONNECTIONS)
    gate = Gate(world.server, 3)
    child = world.start()
    gate.wait_for(3)
    other = sqlite3.connect(world.engine.url.database, isolation_level=None)
    try:
        other.execute("BEGIN EXCLUSIVE")
        gate.open()
        assert not child.ends_within(2)
        world.server.wait_until(lambda: world.server.copies <= 2 + CONNECTIONS)
    finally:
        other.close()
    assert child.ends_within(60)
    assert child.said == "done"
    assert world.states() == {S.ACCEPTED: len(world.people)}
    world.check_finished()
