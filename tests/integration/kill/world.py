"""A ledger, its subscribers and a server that counts; and what must hold whatever is killed."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from sqlalchemy import Engine, Row, func, select

from digest.ledger.ledger import Ledger
from digest.ledger.live_workers import _lock
from digest.ledger.locks import is_held
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
    """Wait for something that nobody tells us of."""
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
        self._registry = Registry(engine)
        self.people = {
            self._registry.add(f"r{number}@example.org", (), source="test", now=NOW).id
            for number in range(people)
        }
        self._papers = 0
        self.move_to(NOW)

    # ---- days and runs -----------------------------------------------------------------------

    def next_day(self) -> None:
        """Another edition, for everybody."""
        self.move_to(self.now + timedelta(days=1))

    def move_to(self, now: datetime) -> None:
        """Be at a moment, whose day has an edition."""
        self.now, day = now, now.date()
        self._papers += 1
        absorb(self.ledger, make_sighting(self._papers, listed_on=day, seen_at=now))
        self.edition = self.ledger.editions.freeze(day, day, now)

    def start(self, what: str = "run", now: datetime | None = None, **settings: str) -> Child:
        """A process that sends, begun."""
        return self._nursery.start({**self.settings, **settings}, now or self.now, what)

    def run(self, now: datetime | None = None, **settings: str) -> Child:
        """A run to its end."""
        child = self.start(now=now, **settings)
        assert child.ends_within(60)
        return child

    def run_killed(self, after: float, *, once_it_sends: bool = False) -> bool:
        """A run that is killed after some seconds; false if it was quicker."""
        child = self.start()
        connections = self.server.ever_connected
        if once_it_sends:
            self.server.wait_until(lambda: self.server.ever_connected > connections)
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
        """Wait until the dead are found dead: PostgreSQL needs a moment to see that one has gone."""
        claimants = {row.claimed_by for row in self.rows() if row.state == S.SENDING}
        eventually(lambda: not any(is_held(self.engine, _lock(name)) for name in claimants))

    # ---- what must hold ----------------------------------------------------------------------

    def check(self, most_on_their_way: int) -> None:
        """Whoever is due is one of sent once, not sent and perhaps sent, in the books and in truth."""
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
        """Everybody is decided, and the balance is stored as it is."""
        self.check(0)
        balance = self.ledger.editions.balance(self.edition)
        assert balance.is_balanced
        assert balance.due == len(self.people)
        assert balance.accepted + balance.uncertain == balance.due, balance
        assert self.stored(self.edition) == balance

    def copies(self) -> dict[int, int]:
        """How many copies of a delivery's mail have arrived, by its number."""
        of_delivery: Counter[int] = Counter()
        of_message: Counter[str] = Counter()
        for mail, count in self.server.arrived.items():
            tag = _TAG.match(mail.mail_from)
            assert tag
            of_delivery[int(tag[1])] += count
            of_message[mail.message_id] += count
        assert set(of_message.values()) <= {1}
        return of_delivery

    def on_their_way(self) -> dict[int, bool]:
        """The deliveries that were being sent when their sender died, and whether they arrived."""
        copies = self.copies()
        return {row.id: row.id in copies for row in self.rows() if row.state == S.SENDING}

    def rows(self) -> Sequence[Row[Any]]:
        with self.engine.connect() as connection:
            return connection.execute(select(deliveries).order_by(deliveries.c.id)).all()

    def states(self) -> Counter[DeliveryState]:
        """How many deliveries there are in each state, of all editions."""
        query = select(deliveries.c.state, func.count()).group_by(deliveries.c.state)
        with self.engine.connect() as connection:
            return Counter({S(row[0]): row[1] for row in connection.execute(query)})

    def stored(self, edition: Edition) -> Balance:
        query = select(editions.c.balance).where(editions.c.id == edition.id)
        with self.engine.connect() as connection:
            return Balance(**{**connection.execute(query).scalar_one(), "edition": edition.day})
