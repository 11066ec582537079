"""Break several machines while they send: `python -m tests.cluster_faults [FAULTS] [--seed N]`.

A PostgreSQL of its own, three workers, each a machine with a network of its own where that can be
made, and a server that counts the copies of each message. Machines are killed, frozen for longer
than the time after which they count as dead, unplugged and told to stop; PostgreSQL is restarted
and its sessions are cut; jobs are deleted, ended and doubled. Their clocks are minutes apart.

Prints how often each message arrived, how many deliveries are uncertain, and how many are stuck.
Exit status 1 if any arrived twice or not at all, or is stuck.
"""

import argparse
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from signal import SIGCONT, SIGSTOP, SIGTERM, signal
from time import monotonic, sleep

from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import OperationalError

from digest.compose.composer import Composer
from digest.compose.environment import Templates
from digest.compose.from_identity import from_identity
from digest.ledger.database import ensure_current, open_database, retry_on_disconnect
from digest.ledger.deliveries import Plan
from digest.ledger.ledger import Ledger
from digest.ledger.shards import hand_out
from digest.ledger.tables import deliveries
from digest.maintenance.instance_guard import InstanceGuard
from digest.model.deliveries import DeliveryState
from digest.model.digests import Pick, Section
from digest.model.packed_picks import pack
from subscribers.store.registry import Registry
from tests.cluster_faults.machines import Cable, Machine, can_have_cables
from tests.cluster_faults.postgres import PROGRAMS, Postgres
from tests.integration.kill import counting_server
from tests.integration.kill.counting_server import CountingServer
from tests.integration.ledger.test_papers import absorb
from tests.support import SENDING, make_candidate, make_edition, make_settings, make_sighting

MACHINES, SLOTS = 3, 3
SILENCE = 5  # seconds; then a machine counts as dead
PEOPLE = 300
BETWEEN = 1.5  # seconds from one fault to the next
STUCK_AFTER = 600  # seconds
CLOCKS = (timedelta(), timedelta(minutes=4), timedelta(minutes=-3))
S = DeliveryState
PROVIDERS = ("gmail", "outlook", "example.org", "small.example")


@dataclass
class Tally:
    """What happened."""

    faults: Counter[str] = field(default_factory=Counter)
    connections_hit: int = 0


class World:
    def __init__(self, postgres: Postgres, server: CountingServer, folder: Path, seed: int) -> None:
        self._postgres = postgres
        self._random = Random(seed)
        self.server = server
        self.tally = Tally()
        self.engine: Engine = open_database(postgres.url())
        ensure_current(self.engine)
        self.ledger = Ledger(self.engine, hand_out=hand_out)
        self.has_cables = can_have_cables()
        registry = Registry(self.engine)
        now = datetime.now(UTC)
        self._people = [
            registry.add(f"r{number}@example.org", (), source="test", now=now).id
            for number in range(PEOPLE)
        ]
        self._day = now.date() - timedelta(days=400)
        self.machines = [self._machine(number, folder) for number in range(MACHINES)]

    def _machine(self, number: int, folder: Path) -> Machine:
        cable = Cable(number) if self.has_cables else None
        host = cable.address if cable else "127.0.0.1"
        home = folder / f"home-{number}"
        home.mkdir()
        settings = {
            **SENDING,
            "home": str(home),
            "engine": "cluster",
            "database_url": self._postgres.url(host),
            "transport": self.server.url.replace("0.0.0.0", host).replace("127.0.0.1", host),
            "send_connections": str(SLOTS),
            "worker_silence": str(SILENCE),
            "mx_lookups": "no",
            "instance": f"machine-{number}",
            "connection_messages": "50",
        }
        guard = InstanceGuard(self.engine, home, "", name=settings["instance"])
        guard.adopt(datetime.now(UTC))  # as by `digest db adopt --send`
        return Machine(number, settings, cable, CLOCKS[number % len(CLOCKS)])

    # ---- work ----

    def plan(self) -> None:
        """Have another edition wait for everybody."""
        now, self._day = datetime.now(UTC), self._day + timedelta(days=1)
        number = (self._day - datetime(2025, 1, 1, tzinfo=UTC).date()).days
        absorb(self.ledger, make_sighting(number, listed_on=self._day, seen_at=now))
        edition = self.ledger.editions.freeze(self._day, self._day, now)
        picks = pack((Pick(Section.TRENDING, edition.candidates[0], None),))
        plans = [
            Plan(person, picks, PROVIDERS[place % 20 if place % 20 < 4 else place % 2])
            for place, person in enumerate(self._people)
        ]
        self.ledger.deliveries.plan(edition.id, plans, now)

    def states(self) -> Counter[S]:
        query = select(deliveries.c.state, func.count()).group_by(deliveries.c.state)
        with self.engine.connect() as connection:
            return Counter({S(state): count for state, count in connection.execute(query)})

    # ---- faults ----

    def break_something(self) -> None:
        machine = self._random.choice(self.machines)
        faults: dict[str, Callable[[Machine], None]] = {
            "killed": self._kill,
            "one of its processes killed": self._kill_half,
            "frozen": self._freeze,
            "its sending process frozen": self._freeze_sender,
            "told to stop": self._stop,
            "sessions cut": self._cut_sessions,
            "jobs lost, ended or doubled": self._hurt_jobs,
            "PostgreSQL restarted": self._restart,
        }
        weights = [5, 4, 4, 4, 2, 3, 3, 1]
        if self.has_cables:
            faults["cable pulled"] = self._pull
            weights.append(4)
        what = self._random.choices([*faults], weights)[0]
        if self._is_away(machine):
            what = "sessions cut"
        self.tally.faults[what] += 1
        faults[what](machine)

    def _is_away(self, machine: Machine) -> bool:
        return bool(machine.frozen_until or machine.unplugged_until)

    def _kill(self, machine: Machine) -> None:
        self.tally.connections_hit += SLOTS
        machine.end(gently=False)

    def _kill_half(self, machine: Machine) -> None:
        self.tally.connections_hit += SLOTS
        for pid in machine.processes()[2:][: self._random.choice((1, 2))][-1:]:
            os.kill(pid, 9)

    def _freeze(self, machine: Machine) -> None:
        self.tally.connections_hit += SLOTS
        machine.signal_all(SIGSTOP)
        machine.frozen_until = monotonic() + SILENCE + self._random.uniform(-3, 5)

    def _freeze_sender(self, machine: Machine) -> None:
        """Freeze it with all that it has leased, until others have that; the machine goes on."""
        self.tally.connections_hit += SLOTS
        for pid in machine.processes()[2:3]:
            os.kill(pid, SIGSTOP)
        machine.frozen_until = monotonic() + SILENCE + self._random.uniform(1, 5)

    def _pull(self, machine: Machine) -> None:
        self.tally.connections_hit += SLOTS
        assert machine.cable
        machine.cable.pull()
        machine.unplugged_until = monotonic() + SILENCE + self._random.uniform(-3, 8)

    def _stop(self, machine: Machine) -> None:
        machine.end(gently=True)

    def _cut_sessions(self, _: Machine) -> None:
        self._ask("""
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'
        """)

    def _restart(self, _: Machine) -> None:
        self._postgres.restart(hard=self._random.random() < 0.5)

    def _hurt_jobs(self, _: Machine) -> None:
        some = "SELECT id FROM procrastinate_jobs WHERE task_name = 'send_shard' AND status IN"
        self._ask(
            self._random.choice(
                (
                    f"DELETE FROM procrastinate_jobs WHERE id IN ({some} ('todo', 'doing') LIMIT 3)",
                    f"""UPDATE procrastinate_jobs SET status = 'aborted'
                    WHERE id IN ({some} ('doing') LIMIT 2)""",
                    f"""INSERT INTO procrastinate_jobs (queue_name, task_name, args)
                    SELECT queue_name, task_name, args FROM procrastinate_jobs
                    WHERE id IN ({some} ('todo', 'doing') LIMIT 4)""",
                )
            )
        )

    def _ask(self, statement: str) -> None:
        with self.engine.connect() as connection:
            connection.execute(text(statement))
            connection.commit()

    def care(self) -> None:
        """Wake, plug in and start what was hit; machines are started again by a supervisor."""
        for machine in self.machines:
            if 0 < machine.frozen_until < monotonic():
                machine.signal_all(SIGCONT)
                machine.frozen_until = 0
            if 0 < machine.unplugged_until < monotonic():
                assert machine.cable
                machine.cable.plug_in()
                machine.unplugged_until = 0
            if not machine.frozen_until and not machine.is_up:
                machine.start()

    # ---- the result ----

    def run(self, faults: int) -> None:
        next_fault = monotonic() + 4
        while sum(self.tally.faults.values()) < faults:
            try:
                self.care()
                states = self.states()
                if states[S.PENDING] < PEOPLE:
                    self.plan()
                if monotonic() > next_fault and states[S.ACCEPTED]:
                    self.break_something()
                    next_fault = monotonic() + BETWEEN * self._random.uniform(0.3, 1.7)
            except OperationalError:
                pass  # our own sessions are cut as well
            sleep(0.1)

    def settle(self) -> float:
        """Wait until nothing is to be sent; return how long that took."""
        began = monotonic()
        while monotonic() - began < STUCK_AFTER:
            self.care()
            states = retry_on_disconnect(self.states)
            if not (states[S.PENDING] + states[S.SENDING] + states[S.DEFERRED]):
                break
            sleep(0.2)
        return monotonic() - began

    def end(self) -> None:
        for machine in self.machines:
            machine.end(gently=False)
            if machine.cable:
                machine.cable.remove()

    def report(self, took: float, settled_in: float) -> bool:
        """Print what came of it; return whether all is well."""
        states = self.states()
        copies: Counter[int] = Counter()
        for mail, count in self.server.arrived.items():
            copies[int(mail.mail_from.partition("+")[2].partition("-")[0])] += count
        with self.engine.connect() as connection:
            rows = connection.execute(select(deliveries.c.id, deliveries.c.state)).all()
        of = {number: S(state) for number, state in rows}
        twice = [number for number, count in copies.items() if count > 1]
        lost = [
            number for number, state in of.items() if state is S.ACCEPTED and not copies[number]
        ]
        unknown = set(copies) - set(of)
        stuck = sum(states[state] for state in (S.PENDING, S.SENDING, S.DEFERRED))
        uncertain = [number for number, state in of.items() if state is S.UNCERTAIN]
        arrived = sum(copies[number] for number in uncertain)
        where = "networks of their own" if self.has_cables else "one host (no network namespaces)"
        print(f"{MACHINES} machines with {where}, {SLOTS} slots each; {took:.0f} s")
        for fault, count in self.tally.faults.most_common():
            print(f"  {count:4} {fault}")
        print(f"starts of machines: {sum(machine.starts for machine in self.machines)}")
        print(f"deliveries: {len(of)}; {dict(states)}")
        print(f"copies of a message: {dict(sorted(Counter(copies.values()).items()))}")
        print(
            f"twice: {len(twice)}; accepted, but never arrived: {len(lost)}; of nobody: {len(unknown)}"
        )
        print(
            f"uncertain: {len(uncertain)}, of which {arrived} arrived; {self.tally.connections_hit} connections were hit"
        )
        print(f"stuck: {stuck}; all was settled {settled_in:.0f} s after the last fault")
        return not (twice or lost or unknown or stuck) and (
            len(uncertain) <= self.tally.connections_hit
        )


def _end(*_: object) -> None:
    """End as after Ctrl-C, so that nothing is left running."""
    raise SystemExit(1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("faults", type=int, nargs="?", default=30)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if not PROGRAMS:
        print("skipped: PostgreSQL's programs are not installed in /usr/lib/postgresql")
        return 0
    signal(SIGTERM, _end)
    counting_server.HOST = "0.0.0.0"
    Composer(Templates(), from_identity(make_settings())).try_out(
        make_edition(make_candidate()), [make_candidate()]
    )  # what takes long the first time
    began = monotonic()
    with (
        tempfile.TemporaryDirectory() as folder,
        Postgres() as postgres,
        CountingServer(given.seed, slow=0.01) as server,
    ):
        world = World(postgres, server, Path(folder), given.seed)
        try:
            world.run(given.faults)
            settled_in = world.settle()
        finally:
            world.end()
        return 0 if world.report(monotonic() - began, settled_in) else 1


if __name__ == "__main__":
    sys.exit(main())
