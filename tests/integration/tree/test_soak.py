"""Days of `digest up` in minutes: nothing grows, nothing fails, everybody gets each edition once."""

import json
import mailbox
import re
import socket
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from statistics import median

import httpx
import pytest
from sqlalchemy import func, select

from digest.ledger.database import ensure_current, open_database
from digest.ledger.tables import bounces, deliveries, editions
from subscribers.preferences import Preferences
from subscribers.store.registry import Registry
from tests.integration.smtp_server import SmtpServer
from tests.integration.tree.papers_server import PapersServer, some_papers
from tests.integration.tree.processes import Tree
from tests.integration.tree.soak import PROGRAM
from tests.reports import failure
from tests.support import SENDING

TEMPO = 1000
PEOPLE = 200
EDITIONS = 3
START = datetime(2027, 12, 30, 6, tzinfo=UTC)
A_DAY = 86_400 / TEMPO  # seconds
MOST_GROWTH = 8 * 2**20
TOKEN = "a-token-for-the-figures"


@dataclass(frozen=True)
class Sample:
    """What a process has of this machine."""

    at: float
    octets: int
    files: int
    threads: int


def sample(pid: int) -> Sample:
    process = Path(f"/proc/{pid}")
    pages = int((process / "statm").read_text("ascii").split()[1])
    [threads] = re.findall(
        r"^Threads:\s+(\d+)", (process / "status").read_text("utf-8"), re.MULTILINE
    )
    files = len(list((process / "fd").iterdir()))
    return Sample(time.monotonic(), pages * 4096, files, int(threads))


def free_port() -> int:
    with socket.socket() as trying:
        trying.bind(("127.0.0.1", 0))
        return trying.getsockname()[1]


class Visitor:
    """Opens the pages, again and again."""

    def __init__(self, port: int) -> None:
        self._client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}", timeout=20, trust_env=False
        )
        self.answers: Counter[tuple[str, int]] = Counter()

    def look(self, *others: str) -> None:
        for path in ("/healthz", "/readyz", "/metrics", *others):
            answer = self._client.get(path, headers={"Authorization": f"Bearer {TOKEN}"})
            self.answers[path.split("/")[1], answer.status_code] += 1

    def close(self) -> None:
        self._client.close()


@pytest.fixture
def engine(tmp_path: Path):
    engine = open_database(f"sqlite:///{tmp_path / 'home' / 'digest.sqlite3'}")
    ensure_current(engine)
    registry = Registry(engine)
    for number in range(PEOPLE):
        person = registry.add(
            f"r{number}@example.org", (), source="test", now=START - timedelta(days=3)
        )
        at = f"{8 + number % 14:02d}:{number % 4 * 15:02d}"
        registry.set_preferences(person.public_id, (), Preferences.from_json({"at": at}))
    yield engine
    engine.dispose()


def link_in(content: bytes) -> str:
    """The path of the page of preferences in a mail."""
    text = message_from_bytes(content).get_payload(0).get_payload(decode=True).decode()
    return re.search(r"https://digest\.example\.org(/preferences/\S+)", text)[1]


def growth(samples: list[Sample], what: str) -> tuple[float, float]:
    """Of the second half over the first, by medians of their last thirds."""
    half, third = len(samples) // 2, len(samples) // 6
    values = [getattr(each, what) for each in samples]
    return median(values[half - third : half]), median(values[-third:])


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_days_of_it_at_a_thousandfold_speed(engine, tmp_path: Path, start_smtp):
    home, relay, port = tmp_path / "home", start_smtp(), free_port()
    inbox = mailbox.Maildir(home / "inbox", create=True)
    samples: dict[int, list[Sample]] = defaultdict(list)
    with PapersServer(some_papers) as papers:
        told = {
            "start": START.isoformat(),
            "begun": time.time(),
            "tempo": TEMPO,
            "port": port,
            "settings": {
                **SENDING,
                "home": str(home),
                "transport": relay.url(),
                "huggingface_url": papers.url,
                "send_connections": "4",
                "mx_lookups": "no",
                "lookback_days": "0",
                "inbox": str(home / "inbox"),
                "metrics_tokens": TOKEN,
                "welcome": "no",
            },
        }
        with Tree(home, {}, program=PROGRAM, SOAK=json.dumps(told)) as tree:
            tree.wait_for("all of it runs")
            visitor = Visitor(port)
            begun = time.monotonic()
            for second in _seconds(EDITIONS * A_DAY):
                for pid in tree.everybody():
                    with suppress(OSError):
                        samples[pid].append(sample(pid))
                received = list(relay.received)
                visitor.look(*(link_in(each.content) for each in received[-1:]))
                if received and second % 10 == 0:
                    last = received[-1]
                    inbox.add(failure(last.mail_from, "5.2.2", "mailbox full"))
            visitor.close()
            lasted = time.monotonic() - begun
            tree.tell_to_stop()
            told_at = time.monotonic()
            assert tree.ends(30) == 0
            ended_in = time.monotonic() - told_at
    _tell(samples, relay, visitor, lasted, ended_in)
    assert not [line for line in tree.lines if '"level": "error"' in line or "Traceback" in line]
    assert {status for _, status in visitor.answers} == {200}
    check_mails(relay, engine)
    check_growth(samples, begun)


def _seconds(most: float) -> Iterator[int]:
    """Each second, for so many."""
    begun = time.monotonic()
    for second in range(int(most)):
        yield second
        time.sleep(max(0, begun + second + 1 - time.monotonic()))


def _tell(samples, relay, visitor, lasted, ended_in) -> None:
    print(f"\n{len(relay.received)} mails in {lasted:.0f} s, ended in {ended_in:.1f} s")
    print(dict(visitor.answers))
    for pid, found in samples.items():
        if len(found) > 10:
            figures = {what: growth(found, what) for what in ("octets", "files", "threads")}
            print(pid, len(found), figures)


def check_mails(relay: SmtpServer, engine) -> None:
    got = Counter(
        (each.rcpt_to[0], message_from_bytes(each.content)["Message-ID"]) for each in relay.received
    )
    assert set(got.values()) == {1}
    with engine.connect() as connection:
        days = connection.execute(
            select(editions.c.day, editions.c.balance).order_by(editions.c.day)
        )
        balances = [row.balance for row in days]
        states = dict(connection.execute(select(deliveries.c.state, func.count()).group_by(deliveries.c.state)).all())  # fmt: skip
        came_back = connection.execute(select(func.count()).select_from(bounces)).scalar()
    assert len(balances) >= EDITIONS
    assert [balance["accepted"] for balance in balances[: EDITIONS - 1]] == [PEOPLE] * (
        EDITIONS - 1
    )
    assert states.pop("accepted") == len(relay.received)
    assert set(states) <= {"pending"}  # it was told to stop while it sent
    assert came_back


def check_growth(samples: dict[int, list[Sample]], begun: float) -> None:
    """After a day, in which all was used once."""
    looked_at = 0
    for found in samples.values():
        later = [each for each in found if each.at > begun + A_DAY]
        if len(later) < A_DAY:
            continue
        looked_at += 1
        before, after = growth(later, "octets")
        assert after - before < MOST_GROWTH
        before, after = growth(later, "files")
        assert after <= before + 2
        before, after = growth(later, "threads")
        assert after <= before + 1
    assert looked_at >= 2  # the pages, the work
