"""`digest up` and its like, stopped and killed as users and machines do it, while it sends."""

import os
import signal
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select

from digest.ledger.database import ensure_current, open_database
from digest.ledger.ledger import Ledger
from digest.ledger.locks import advisory_lock
from digest.ledger.tables import deliveries
from digest.model.deliveries import DeliveryState
from subscribers.preferences import Preferences
from subscribers.store.registry import Registry
from tests.integration.kill.counting_server import CountingServer
from tests.integration.tree.papers_server import PapersServer, some_papers
from tests.integration.tree.processes import PATIENCE, Tree, eventually
from tests.support import SENDING

PEOPLE = 24
CONNECTIONS = 4
S = DeliveryState

pytestmark = pytest.mark.timeout(300)


class Town:
    """Readers whose time it is, an edition that is to be made, and a relay that takes its time."""

    def __init__(self, home: Path, relay: CountingServer, papers: PapersServer) -> None:
        self.home = home
        self.relay = relay
        self.papers = papers
        here = _zone_where_it_is_noon()
        self.settings = {
            **SENDING,
            "home": str(home),
            "transport": relay.url,
            "huggingface_url": papers.url,
            "send_connections": str(CONNECTIONS),
            "timezone": here,
            "run_at": "11:00",
            "mx_lookups": "no",
            "lookback_days": "0",
        }
        home.mkdir()
        self._engine = open_database(f"sqlite:///{home / 'digest.sqlite3'}")
        ensure_current(self._engine)
        self.ledger = Ledger(self._engine)
        registry = Registry(self._engine)
        now = datetime.now(UTC) - timedelta(days=3)
        for number in range(PEOPLE):
            person = registry.add(f"r{number}@example.org", (), source="test", now=now)
            wishes = Preferences.from_json({"at": "11:10", "timezone": here})
            registry.set_preferences(person.public_id, (), wishes)

    def start(self, *command: str, **settings: str) -> Tree:
        return Tree(self.home, {**self.settings, **settings}, *command)

    def up(self, **settings: str) -> Tree:
        return self.start("up", "--port", "0", **settings)

    def states(self) -> Counter[DeliveryState]:
        with self._engine.connect() as connection:
            return Counter(S(each) for each in connection.scalars(select(deliveries.c.state)))

    def wait_for_mails(self, least: int) -> None:
        self.relay.wait_until(lambda: self.relay.copies >= least, PATIENCE)

    def has_come_to(self, tree: Tree, mails: int, processes: int) -> bool:
        return self.relay.copies >= mails and len(list(tree.everybody())) >= processes

    def check(self, *, most_uncertain: int) -> None:
        """Everybody is one of: sent once, perhaps sent, not sent; in the books and in truth."""
        self.relay.hear_out()
        copies = Counter(element.rcpt_to for element in self.relay.arrived.elements())
        with self._engine.connect() as connection:
            rows = connection.execute(select(deliveries.c.subscriber_id, deliveries.c.state)).all()
        registry = Registry(self._engine)
        uncertain = 0
        for number, state in rows:
            arrived = copies.pop(registry.get(number).address, 0)
            assert arrived <= 1
            if state in {S.UNCERTAIN, S.SENDING}:
                uncertain += 1
            else:
                assert arrived == (state == S.ACCEPTED), f"{arrived} copies, and it is {state}"
        assert not copies, "somebody was mailed of whom the books know nothing"
        assert uncertain <= most_uncertain
        assert len(rows) in {0, PEOPLE}

    def check_nobody_holds_it(self) -> None:
        """No lock is left, and nobody is taken for dead."""
        with advisory_lock(self._engine, "run"), advisory_lock(self._engine, "collection"):
            assert self.ledger.live_workers.resolve_orphaned(datetime.now(UTC)) == 0

    def finish(self) -> None:
        """Whoever is left gets theirs, by a run, which takes less time to start than all of it."""
        with self.start("run", "--once") as tree:
            assert tree.ends() == 0, tree.said
        self._check_finished()

    def _check_finished(self) -> None:
        assert set(self.states()) <= {S.ACCEPTED, S.UNCERTAIN}
        [edition] = self.ledger.editions.days(10)
        balance = self.ledger.editions.balance(self.ledger.editions.on(edition[0]))
        assert balance.is_balanced
        assert balance.due == PEOPLE == balance.accepted + balance.uncertain


def waiting(states: Counter[DeliveryState]) -> list[DeliveryState]:
    return [state for state in states if state in {S.PENDING, S.SENDING, S.DEFERRED}]


def _zone_where_it_is_noon() -> str:
    """So that the edition's time, and the readers', were today, whenever the tests run."""
    ahead = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with ExitStack() as stack:
        relay = stack.enter_context(CountingServer(slow=0.08))
        papers = stack.enter_context(PapersServer(some_papers))
        yield Town(tmp_path / "home", relay, papers)


def errors_in(tree: Tree) -> list[str]:
    return [line for line in tree.lines if '"level": "error"' in line or "Traceback" in line]


# ---- told to stop ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "stop", [Tree.tell_to_stop, pytest.param(Tree.press_ctrl_c, marks=pytest.mark.long)]
)
def test_told_to_stop_it_finishes_what_is_in_flight(town: Town, stop: Callable[[Tree], None]):
    with town.up() as tree:
        town.wait_for_mails(5)
        stop(tree)
        assert tree.ends() == 0
        assert errors_in(tree) == []
    assert town.relay.copies < PEOPLE
    town.check(most_uncertain=0)
    assert town.states()[S.ACCEPTED] == town.relay.copies
    assert S.UNCERTAIN not in town.states()
    town.check_nobody_holds_it()
    town.finish()
    town.check(most_uncertain=0)
    assert town.states() == {S.ACCEPTED: PEOPLE}


@pytest.mark.long
def test_run_once_told_to_stop_prints_the_balance_and_another_sends_the_rest(town: Town):
    with town.start("run", "--once") as tree:
        town.wait_for_mails(5)
        tree.tell_to_stop()
        status = tree.ends()
    arrived = town.relay.copies
    assert 5 <= arrived < PEOPLE
    assert f"{arrived} accepted" in tree.said
    assert f"{PEOPLE - arrived} pending" in tree.said
    assert status == 0
    town.check(most_uncertain=0)
    with town.start("run", "--once") as tree:
        assert tree.ends() == 0
    assert f"{PEOPLE} accepted" in tree.said
    town.check(most_uncertain=0)


@pytest.mark.long
def test_it_waits_for_no_source(town: Town):
    town.papers.rests = True
    with town.start("schedule") as tree:
        tree.wait_for("asking a source again")
        tree.tell_to_stop()
        assert tree.ends(30) == 0
    assert errors_in(tree) == []
    assert town.ledger.editions.latest() is None
    town.papers.rests = False
    town.finish()


def test_a_worker_ends_in_peace(town: Town):
    with town.start("worker") as tree:
        tree.wait_for("Sending what waits")
        tree.tell_to_stop()
        assert tree.ends() == 0
    assert errors_in(tree) == []


@pytest.mark.long
def test_watching_the_inbox_ends_in_peace(town: Town):
    for each in ("cur", "new", "tmp"):
        (town.home / "inbox" / each).mkdir(parents=True)
    with town.start("inbox", "--watch", inbox=str(town.home / "inbox")) as tree:
        tree.wait_for("Reading DIGEST_INBOX")
        tree.tell_to_stop()
        assert tree.ends() == 0
    assert errors_in(tree) == []


# ---- killed ----------------------------------------------------------------------------------


@pytest.mark.long
def test_where_the_parent_is_killed_the_others_end_by_themselves(town: Town):
    with town.up() as tree:
        town.wait_for_mails(5)
        tree.kill(tree.pid)
        assert tree.ends() == -signal.SIGKILL
    assert town.relay.copies < PEOPLE
    town.check(most_uncertain=0)
    town.check_nobody_holds_it()
    town.finish()
    assert town.states() == {S.ACCEPTED: PEOPLE}


@pytest.mark.long
def test_work_that_is_killed_is_started_again_and_goes_on(town: Town):
    with town.up() as tree:
        town.wait_for_mails(5)
        [work] = tree.connected_to(int(town.relay.url.rpartition(":")[2]))
        assert work != tree.pid
        tree.kill(work)
        tree.wait_for("the work died")
        eventually(lambda: not waiting(town.states()))
        tree.tell_to_stop()
        assert tree.ends() == 0
    town.check(most_uncertain=CONNECTIONS)
    assert sum(town.states().values()) == PEOPLE


@pytest.mark.long
def test_where_all_are_killed_nobody_is_forgotten_and_nobody_gets_two(town: Town):
    with town.up() as tree:
        town.wait_for_mails(5)
        tree.kill_all()
    town.check(most_uncertain=CONNECTIONS)
    town.finish()
    town.check(most_uncertain=CONNECTIONS)


# ---- what cannot begin -----------------------------------------------------------------------


def test_where_the_port_is_taken_it_ends_with_one_line(town: Town):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with town.start("up", "--port", str(port), run_at="23:59") as tree:
            assert tree.ends() == 1
    told = [line for line in tree.lines if line.startswith("digest:")]
    assert len(told) == 1, tree.said
    assert f"cannot listen on 127.0.0.1, port {port}: Address already in use" in told[0]
    assert "Traceback" not in tree.said


# ---- again and again -------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(1))
def test_whatever_is_done_to_it_and_however_often(town: Town, seed: int):
    random = Random(seed)
    uncertain = 0
    for _ in range(6):
        with town.up() as tree:
            # Some of them before it sends anything, some when it has nothing more to send.
            before = town.relay.copies
            least = min(before + random.choice((0, 0, 1, 3, 5)), PEOPLE - uncertain)
            processes = random.choice((1, 2))
            eventually(partial(town.has_come_to, tree, least, processes))
            match random.choice(("stop", "ctrl-c", "parent", "all", "schedule")):
                case "stop":
                    tree.tell_to_stop()
                    assert tree.ends() in {0, -signal.SIGTERM}  # also before it can listen
                case "ctrl-c":
                    tree.press_ctrl_c()
                    assert tree.ends() in {0, 1, 130, -signal.SIGINT}
                case "parent":
                    tree.kill(tree.pid)
                    tree.ends()
                case "all":
                    tree.kill_all()
                    uncertain += CONNECTIONS
                case "schedule":
                    for each in tree.connected_to(int(town.relay.url.rpartition(":")[2])):
                        os.kill(each, signal.SIGKILL)
                        uncertain += CONNECTIONS
                    tree.kill_all()
                    uncertain += CONNECTIONS
        town.check(most_uncertain=uncertain)
    town.finish()
    town.check(most_uncertain=uncertain)
