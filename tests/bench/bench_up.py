"""One-click unsubscribing while `digest up` ranks an edition: `python -m tests.bench.bench_up [READERS]`.

Everything is on this machine: SQLite, a service with papers, a folder for mailbox. Each POST is of
another reader, and over a connection of its own, as mailbox providers do it.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median, quantiles

import httpx
from sqlalchemy import Engine, func, insert, select

from digest.ledger.database import ensure_current, open_database
from digest.ledger.tables import deliveries, editions
from subscribers.preferences import Preferences
from subscribers.store.registry import Registry
from subscribers.store.tables import subscribers
from subscribers.tokens import Purpose, Tokens
from tests.integration.tree.papers_server import PapersServer, some_papers
from tests.integration.tree.test_soak import free_port
from tests.support import PLAIN_TEMPLATES, SENDING

WORDS = "ducks ponds geese swans rivers lakes birds water feathers wings eggs nests".split()
POSTS = 50


def fill(engine: Engine, readers: int) -> list[str]:
    """Readers with three topics each, most of them nobody else's; their public ids."""
    chance = Random(1)
    preferences = Preferences.from_json({"at": "11:10", "timezone": noon_zone()})
    one = Registry(engine).add(
        "reader@example.org", (), source="bench", now=datetime.now(UTC) - timedelta(days=3)
    )
    with engine.begin() as connection:
        row = connection.execute(select(subscribers)).mappings().one()
        copies = [
            {
                **row,
                "id": one.id + number,
                "public_id": f"{number:032x}",
                "address": f"reader{number}@example.org",
                "address_key": f"reader{number}@example.org",
                "preferences": preferences.to_json(),
                "topics": [" ".join(chance.sample(WORDS, 3)) for _ in range(3)],
            }
            for number in range(1, readers)
        ]
        connection.execute(insert(subscribers), copies)
    return [copy["public_id"] for copy in copies]


def noon_zone() -> str:
    """The zone in which it is noon: an edition for 11:00 is to be made at once there."""
    ahead = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


@contextmanager
def running(folder: Path, port: int, **settings: str) -> Iterator[None]:
    """`digest up`, once the pages answer."""
    named = {f"DIGEST_{name.upper().rstrip('_')}": value for name, value in settings.items()}
    program = "from digest.cli.main import main; main()"
    command = [sys.executable, "-c", program, "up", "--port", str(port)]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, env={**os.environ, **named}, stderr=log)
        try:
            while True:
                try:
                    httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False)
                    break
                except httpx.TransportError:
                    time.sleep(0.01)
                assert process.poll() is None, (folder / "log").read_text()
            yield
        finally:
            process.terminate()
            process.wait(120)


def leave(port: int, token: str) -> float:
    """Return how long one POST takes, in seconds."""
    began = time.perf_counter()
    body = {"List-Unsubscribe": "One-Click"}
    answer = httpx.post(
        f"http://127.0.0.1:{port}/unsubscribe/{token}", data=body, timeout=60, trust_env=False
    )
    assert answer.status_code == 200
    return time.perf_counter() - began


def tell(what: str, took: list[float]) -> None:
    milliseconds = [1000 * seconds for seconds in took]
    p95 = quantiles(milliseconds, n=20)[-1]
    print(
        f"{what}: {len(took)} POSTs, median {median(milliseconds):.0f} ms, p95 {p95:.0f} ms, "
        f"max {max(milliseconds):.0f} ms"
    )


def main(readers: int) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        PapersServer(lambda d: some_papers(d, 60)) as papers,
    ):
        home, port = Path(folder), free_port()
        engine = open_database(f"sqlite:///{home / 'digest.sqlite3'}")
        ensure_current(engine)
        tokens = Tokens([SENDING["secret"]])
        links = [tokens.make(Purpose.UNSUBSCRIBE, reader) for reader in fill(engine, readers)]
        settings = {
            **SENDING,
            "home": folder,
            "huggingface_url": papers.url,
            "templates": str(PLAIN_TEMPLATES),
            "timezone": noon_zone(),
            "run_at": "11:00",
            "mx_lookups": "no",
            "lookback_days": "0",
            "goodbye": "no",
            "sources": "huggingface",
        }

        def count(table: object) -> int:
            with engine.connect() as connection:
                return connection.scalar(select(func.count()).select_from(table))

        with running(home, port, **settings):
            while not count(editions):
                time.sleep(0.01)
            began = time.perf_counter()
            ranked, sent = [], []
            while not count(deliveries) and links:
                ranked.append(leave(port, links.pop()))
                time.sleep(0.02)
            print(f"{readers} readers were ranked in {time.perf_counter() - began:.1f} s")
            while len(sent) < POSTS and links:
                sent.append(leave(port, links.pop()))
        tell("while ranking", ranked)
        tell("while sending", sent)
        engine.dispose()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
