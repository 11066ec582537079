"""Somebody joins at a running `digest up`: their digest comes at once, with pictures, and once."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from sqlalchemy import func, select

from digest.ledger.database import ensure_current, open_database
from digest.ledger.ledger import Ledger
from digest.ledger.tables import deliveries, pictures
from subscribers.store.registry import Registry
from subscribers.tokens import Purpose, Tokens
from tests.integration.kill.counting_server import CountingServer
from tests.integration.tree.papers_server import PapersServer, some_papers
from tests.integration.tree.processes import PATIENCE, Tree, eventually
from tests.painting import drawn, file_of, opened
from tests.support import SENDING

pytestmark = [pytest.mark.timeout(300), pytest.mark.long]


class Village:
    """`digest up` with an edition of this day, whose papers have pictures, and no readers yet."""

    def __init__(self, home: Path, relay: CountingServer, papers: PapersServer) -> None:
        self.relay = relay
        self._home = home
        self._settings = {
            **SENDING,
            "home": str(home),
            "transport": relay.url,
            "huggingface_url": papers.url,
            "run_at": "00:00",
            "mx_lookups": "no",
            "lookback_days": "0",
        }
        home.mkdir()
        self.engine = open_database(f"sqlite:///{home / 'digest.sqlite3'}")
        ensure_current(self.engine)
        self.registry = Registry(self.engine)
        self._tokens = Tokens([SENDING["secret"]])

    def up(self) -> Tree:
        return Tree(self._home, self._settings, "up", "--port", "0")

    def url(self, tree: Tree) -> str:
        found: list[str] = []

        def is_said() -> bool:
            found[:] = re.findall(r"http://127\.0\.0\.1:\d+", tree.said)
            return bool(found)

        eventually(is_said)
        return found[-1]

    def has_edition(self) -> bool:
        return bool(Ledger(self.engine).editions.days(1))

    def joins(self, tree: Tree, address: str) -> str:
        """Ask and confirm as a browser does; return the page."""
        form = {"address": address, "topics": "", "cadence": "weekly"}
        urlopen(f"{self.url(tree)}/subscribe", urlencode(form).encode(), 60).close()
        eventually(lambda: self.registry.file_of(address) is not None)
        person = self.registry.file_of(address).subscriber
        until = datetime.now(UTC) + timedelta(hours=1)
        token = self._tokens.make_until(Purpose.CONFIRM, person.public_id, until)
        with urlopen(f"{self.url(tree)}/confirm/{token}", b"", 60) as answer:
            return str(answer.read().decode())

    def digests(self, address: str) -> int:
        """Return how many deliveries somebody was sent."""
        person = self.registry.file_of(address).subscriber
        its = select(func.count()).where(
            deliveries.c.subscriber_id == person.id, deliveries.c.state == "accepted"
        )
        with self.engine.connect() as connection:
            return connection.execute(its).scalar_one()


@pytest.fixture
def village(tmp_path: Path) -> Iterator[Village]:
    with ExitStack() as stack:
        relay = stack.enter_context(CountingServer())
        papers = stack.enter_context(PapersServer(lambda day: with_pictures(papers, day)))
        papers.picture = file_of(drawn())
        yield Village(tmp_path / "home", relay, papers)


def with_pictures(papers: PapersServer, day: date) -> list[dict[str, Any]]:
    return [
        {**entry, "thumbnail": f"{papers.url}/{entry['paper']['id']}.png"}
        for entry in some_papers(day)
    ]


def test_a_weekly_reader_has_a_digest_with_pictures_within_a_minute(village: Village):
    with village.up() as tree:
        eventually(village.has_edition)
        page = village.joins(tree, "ada@example.org")
        assert "Your first digest is on its way" in page
        eventually(lambda: village.digests("ada@example.org") == 1, 60)
        with village.engine.connect() as connection:
            names = set(connection.scalars(select(pictures.c.name)))
        assert names
        assert None not in names
        for name in names:
            with urlopen(f"{village.url(tree)}/picture/{name}.jpg", timeout=60) as answer:
                assert opened(answer.read()).size == (1104, 596)
        tree.tell_to_stop()
        assert tree.ends() == 0


def test_killed_after_the_confirming_it_goes_out_once_at_the_next_start(village: Village):
    with village.up() as tree:
        eventually(village.has_edition)
        village.joins(tree, "ada@example.org")
        tree.kill_all()
    with village.up() as tree:
        eventually(lambda: village.digests("ada@example.org") == 1, PATIENCE)
        village.joins(tree, "bob@example.org")
        eventually(lambda: village.digests("bob@example.org") == 1, PATIENCE)
        assert village.digests("ada@example.org") == 1
        tree.tell_to_stop()
        assert tree.ends() == 0
    [day, _] = Ledger(village.engine).editions.days(1)[0]
    editions = Ledger(village.engine).editions
    assert editions.balance(editions.on(day)).is_balanced
