"""A ledger, its subscribers and a counting server; check them whatever is killed."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from sqlalchemy import Engine, Row, func, select

from digest.ledger.ledger import Ledger
from digest.ledger.tables import deliveries, editions
from digest.model.deliveries import Balance, DeliveryState
from digest.model.digests import Edition
from subscribers.store.registry import Registry
from tests.integration.kill.counting_server import CountingServer
from tests.integration.kill.nursery import Child, Nursery
from tests.integration.ledger.test_papers import absorb
from tests.support import NOW, SENDING, make_sighting

S = DeliveryState
# What was put off is due by then.
LATER = timedelta(minutes=11)
_PERHAPS_SENT = {S.SENDING, S.UNCERTAIN}
_TAG = re.compile(r"digest\+(\d+)-")  # an envelope sender names its delivery


def eventually(holds: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until something is so, by asking again and again."""
    give_up = monotonic() + seconds
    while not holds():
        assert monotonic() < give_up, "it never came to that"
        sleep(0.005)


class World:
    """Everybody is due each day. ``now`` is the moment of the next run; more settings by name."""

    def __init__(
        self,
        engine: Engine,
        server: CountingServer,
        nursery: Nursery,
        home: Path,
        people: int = 12,
        connections: int = 4,
        **settings: str,
    ) -> None:
        self.engine = engine
        self.ledger = Ledger(engine)
        self.server = server
        self.connections = connections
        self.now = NOW
        self.settings = {
            **SENDING,
            "database_url": engine.url.render_as_string(hide_password=False),
            "transport": server.url,
            "home": str(home),
            "send_connections": str(connections),
            **settings,
        }
        self._nursery = nursery
        self._children: list[Child] = []
        self._registry = Registry(engine)
        self.people = {
            self._registry.add(f"r{number}@example.org", (), source="test", now=NOW).id
            for number in range(people)
        }
        self._papers = 0
        self.move_to(NOW)

    # ---- days and runs -----------------------------------------------------------------------

    def next_day(self) -> None:
        """Make another edition, for everybody."""
        self.move_to(self.now + timedelta(days=1))

    def move_to(self, now: datetime) -> None:
        """Move to a moment, whose day gets an edition."""
        self.now, day = now, now.date()
        self._papers += 1
        absorb(self.ledger, make_sighting(self._papers, listed_on=day, seen_at=now))
        self.edition = self.ledger.editions.freeze(day, day, now)

    def start(self, what: str = "run", now: datetime | None = None, **settings: str) -> Child:
        """Start a process that sends."""
        child = self._nursery.start({**self.settings, **settings}, now or self.now, what)
        self._children.append(child)
        return child

    def tell(self) -> None:
        """Print what became of all that was started, for whoever looks at a test that failed."""
        for number, child in enumerate(self._children, 1):
            print(f"child {number}:", child.said if child.ends_within(0) else "lives")

    def run(self, now: datetime | None = None, **settings: str) -> Child:
        """Do a run to its end."""
        child = self.start(now=now, **settings)
        assert child.ends_within(60)
        return child

    def run_killed(self, after: float) -> bool:
        """Kill a run after some seconds; return False if it ended before."""
        child = self.start()
        if child.ends_within(after):
            return False
        child.kill()
        return True

    def finish(self) -> None:
        """Send what is left, also what was put off, and check that nothing is left to do."""
        self.bury()
        for now in (self.now, self.now + LATER):
            done = self.run(now)
            assert done.said == "done", done.said
            if not self.states()[S.DEFERRED]:
                break
        self.check_finished()

    def bury(self) -> None:
        """Wait until dead workers count as dead: PostgreSQL notices it after a moment."""
        claimants = {row.claimed_by for row in self.rows() if row.state == S.SENDING}
        is_alive = self.ledger.live_workers.is_alive
        eventually(lambda: not any(map(is_alive, claimants)))

    # ---- what must hold ----------------------------------------------------------------------

    def check(self, most_on_their_way: int) -> None:
        """Check that records and server agree: each email was sent once, not, or perhaps."""
        self.server.hear_out()
        copies = self.copies()
        for row in self.rows():
            state, arrived = S(row.state), copies.pop(row.id, 0)
            assert arrived <= 1, f"{arrived} copies, and it is {state}"
            if state not in _PERHAPS_SENT:
                assert arrived == (state is S.ACCEPTED), f"{arrived} copies, and it is {state}"
        assert not copies, "somebody was mailed of whom the books know nothing"
        assert self.states()[S.SENDING] <= most_on_their_way

    def check_finished(self) -> None:
        """Check that every delivery has an outcome, and that the stored balance is right."""
        self.check(0)
        balance = self.ledger.editions.balance(self.edition)
        assert balance.is_balanced
        assert balance.due == len(self.people)
        assert balance.accepted + balance.uncertain == balance.due, balance
        assert self.stored(self.edition) == balance

    def copies(self) -> dict[int, int]:
        """Return how many copies of each delivery's email have arrived: no message has two."""
        of_message: Counter[str] = Counter()
        for mail, count in self.server.arrived.items():
            of_message[mail.message_id] += count
        assert set(of_message.values()) <= {1}
        return self.copies_of_each()

    def copies_of_each(self) -> Counter[int]:
        """Return how many copies of each delivery's email have arrived, by its number."""
        of_delivery: Counter[int] = Counter()
        for mail, count in self.server.arrived.items():
            tag = _TAG.match(mail.mail_from)
            assert tag
            of_delivery[int(tag[1])] += count
        return of_delivery

    def on_their_way(self) -> dict[int, bool]:
        """Return the deliveries whose worker died while sending, and whether they arrived."""
        copies = self.copies()
        return {row.id: row.id in copies for row in self.rows() if row.state == S.SENDING}

    def rows(self) -> Sequence[Row[Any]]:
        with self.engine.connect() as connection:
            return connection.execute(select(deliveries).order_by(deliveries.c.id)).all()

    def states(self) -> Counter[DeliveryState]:
        """Count the deliveries of all editions by state."""
        query = select(deliveries.c.state, func.count()).group_by(deliveries.c.state)
        with self.engine.connect() as connection:
            return Counter({S(row[0]): row[1] for row in connection.execute(query)})

    def stored(self, edition: Edition) -> Balance:
        query = select(editions.c.balance).where(editions.c.id == edition.id)
        with self.engine.connect() as connection:
            return Balance(**{**connection.execute(query).scalar_one(), "edition": edition.day})
