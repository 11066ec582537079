"""Kill processes that send, again and again, and say what that came to.

    python -m tests.kills N [--database URL] [--processes P] [--connections C] [--slow-dot]

N kills on SQLite, and on PostgreSQL where the tests find one; or on one database, in which a schema
is made for it. A server counts what arrives, and takes its time; with --slow-dot it lets the final
dot wait for longest. The status is 1 if a promise breaks: nobody is mailed twice, nobody is left
out, no accepted email is lost, and no more is uncertain than there were connections.
"""

import argparse
import asyncio
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import Engine

from digest.ledger.database import ensure_current, open_database
from tests import conftest
from tests.integration.kill.counting_server import CountingServer
from tests.integration.kill.nursery import Nursery
from tests.integration.kill.world import LATER, S, World, eventually

PEOPLE, MORE_PEOPLE = 40, 260  # each day; with several processes, of which each leases a block
LONGEST_DOT = 0.4  # seconds
LONGEST_LIFE = 0.4  # seconds that sending goes on before a kill; twice that for two processes
WHILE_IT_SENDS = 0.8  # of the kills


@dataclass
class Tally:
    """What some kills came to, in deliveries."""

    connections: int
    kills: int = 0
    uncertain: list[int] = field(default_factory=list)  # by kill
    known: set[int] = field(default_factory=set)  # the uncertain
    arrived: int = 0  # of these
    doubled: set[int] = field(default_factory=set)
    lost: set[int] = field(default_factory=set)  # accepted, and not received
    unmarked: set[int] = field(default_factory=set)  # received, and still to be sent
    left: int = 0  # without an outcome at the end of a day

    @property
    def holds(self) -> bool:
        is_bounded = max(self.uncertain, default=0) <= self.connections
        return is_bounded and not (self.doubled or self.lost or self.unmarked or self.left)

    def __str__(self) -> str:
        total = sum(self.uncertain)
        return (
            f"kills {self.kills}, doubled {len(self.doubled)}, lost {len(self.lost)}, "
            f"received but still to be sent {len(self.unmarked)}, left {self.left}; "
            f"uncertain per kill {total / max(1, self.kills):.1f}, "
            f"at most {max(self.uncertain, default=0)} of {self.connections} connections; "
            f"of {total} uncertain {self.arrived} had arrived"
        )

    def look(self, world: World) -> None:
        """Compare the records with what the server received, after the end of a process."""
        world.server.hear_out()
        copies = world.copies_of_each()
        for row in world.rows():
            if copies[row.id] > 1:
                self.doubled.add(row.id)
            if row.state == S.ACCEPTED and not copies[row.id]:
                self.lost.add(row.id)
            if row.state in {S.PENDING, S.DEFERRED} and copies[row.id]:
                self.unmarked.add(row.id)

    def count_uncertain(self, world: World) -> None:
        copies = world.copies_of_each()
        being_sent = {row.id for row in world.rows() if row.state == S.SENDING}
        new = being_sent - self.known  # a process that is killed early leaves those before it
        self.known |= new
        self.uncertain.append(len(new))
        self.arrived += sum(bool(copies[number]) for number in new)


def kill_often(world: World, kills: int, random: Random) -> Tally:
    """Kill processes at random moments, most while they send; a day's list ends without a kill."""
    tally = Tally(world.connections)
    while tally.kills < kills:
        end_day(world, tally)
        for _ in range(min(4, kills - tally.kills)):
            child, before = world.start(), world.server.copies
            if random.random() < WHILE_IT_SENDS:
                while world.server.copies == before and not child.ends_within(0.005):
                    pass
            life = LONGEST_LIFE * int(world.settings.get("send_processes", "1"))
            if child.ends_within(random.uniform(0, life)):
                break
            child.kill()
            world.bury()
            tally.kills += 1
            tally.look(world)
            tally.count_uncertain(world)
    end_day(world, tally)
    return tally


def end_day(world: World, tally: Tally) -> None:
    """Send what is left, also what was put off, and begin another day."""
    for now in (world.now, world.now + LATER):
        # PostgreSQL notices after a moment that the last run is dead, and refuses another before.
        eventually(lambda now=now: world.run(now, send_processes="1").said.endswith("done"))
    tally.look(world)
    states = world.states()
    tally.left += sum(states[state] for state in (S.PENDING, S.DEFERRED, S.SENDING))
    tally.left += abs(states[S.UNCERTAIN] - len(tally.known))  # an outcome was lost
    tally.left += not world.ledger.editions.balance(world.edition).is_balanced
    world.next_day()


@contextmanager
def databases(url: str | None) -> Iterator[list[Engine]]:
    """Make empty ones: of each kind, or one at an address (of PostgreSQL: a schema in it)."""
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory())
        is_sqlite = url is not None and url.startswith("sqlite")
        urls = [url] if is_sqlite else []
        if url is None:
            urls = [f"sqlite:///{folder}/kills.sqlite3"]
        if not is_sqlite:
            if url:
                stack.enter_context(pytest.MonkeyPatch.context()).setattr(conftest, "POSTGRES", url)
            try:
                urls.append(stack.enter_context(conftest.new_schema()))
            except pytest.skip.Exception as skipped:
                print(skipped)
        engines = [open_database(its) for its in urls]
        for engine in engines:
            stack.callback(engine.dispose)
            ensure_current(engine)
        yield engines


def main() -> int:
    reader = argparse.ArgumentParser(prog="python -m tests.kills")
    reader.add_argument("kills", type=int)
    reader.add_argument("--database")
    reader.add_argument("--processes", type=int, default=1)
    reader.add_argument("--connections", type=int, default=8)
    reader.add_argument("--slow-dot", action="store_true")
    said = reader.parse_args()
    holds, chance = True, Random(2)
    with TemporaryDirectory() as home, databases(said.database) as engines, Nursery() as nursery:
        for engine in engines:
            with CountingServer(seed=1, slow=0.01, puts_off=4) as server:
                if said.slow_dot:
                    server.at_dot = lambda _: asyncio.sleep(chance.uniform(0, LONGEST_DOT))
                world = World(
                    engine,
                    server,
                    nursery,
                    Path(home),
                    PEOPLE if said.processes == 1 else MORE_PEOPLE,
                    said.connections,
                    send_processes=str(said.processes),
                )
                tally = kill_often(world, said.kills, Random(said.kills))
            print(f"{engine.dialect.name}, {said.processes} processes: {tally}", flush=True)
            holds &= tally.holds
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
