"""Leaving while the pages are asked for much: `python -m tests.bench.bench_load [SECONDS]`.

`digest serve` with 12,000 papers in SQLite. 50 clients search and 50 read a feed of a topic, each
again and again; one that is told to come again later waits a second. Meanwhile one reader after the
other leaves by a one-click POST, over a connection of its own, as mailbox providers do it. The
papers are mixtures of those of the shipped corpus.
"""

import asyncio
import os
import random
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing import Process
from pathlib import Path
from statistics import median
from urllib.parse import quote

from sqlalchemy import insert, select

from digest.app.app import App
from digest.collect.merge import keys_of, merge
from digest.rank.corpora import SHIPPED, load
from subscribers.store.tables import subscribers
from subscribers.tokens import Purpose, Tokens
from tests.integration.tree.test_soak import free_port
from tests.support import SENDING, make_sighting

PAPERS = 12_000
DAYS = 100
EDITIONS = 14
READERS = 4000
SEARCHES = FEEDS = 50
LATER = 1.0  # seconds that a client waits that was asked to come again
TICKS = os.sysconf("SC_CLK_TCK")


# ---- the site ----------------------------------------------------------------------------------


def fill(home: Path) -> list[str]:
    """Make the database of a site with papers, editions and readers; return the readers' links."""
    chance = random.Random(1)
    app = App(environment={}, dotenv=None, home=str(home), **SENDING)
    ledger, now = app.ledger, datetime.now(UTC)
    corpus = load(SHIPPED)
    for start in range(0, PAPERS, 1000):
        sightings = []
        for number in range(start, min(start + 1000, PAPERS)):
            words = [
                corpus.words[column]
                for row in chance.sample(range(len(corpus.keys)), 2)
                for column in corpus.counts[row].indices
                if column < corpus.single  # a stem, no pair
            ]
            chance.shuffle(words)
            sightings.append(
                make_sighting(
                    number,
                    title=" ".join(words[:8]),
                    abstract=" ".join(words),
                    arxiv_id=f"26{number // 10_000 + 1:02}.{number % 10_000:05}",
                    listed_on=now.date() - timedelta(days=number % DAYS),
                    upvotes=chance.randrange(200),
                )
            )
        ledger.papers._sleep = lambda _: None
        ledger.papers.absorb(keys_of(sightings), lambda known, new=sightings: merge(known, new))
    for ago in reversed(range(EDITIONS)):
        day = now.date() - timedelta(days=ago)
        ledger.editions.freeze(day, day, now)
    app.registry.add("reader@example.org", (), source="bench", now=now)
    with app.engine.begin() as connection:
        row = connection.execute(select(subscribers)).mappings().one()
        copies = [
            {
                **row,
                "id": row["id"] + number,
                "public_id": f"{number:032x}",
                "address": f"reader{number}@example.org",
                "address_key": f"reader{number}@example.org",
            }
            for number in range(1, READERS)
        ]
        connection.execute(insert(subscribers), copies)
    app.engine.dispose()
    tokens = Tokens([SENDING["secret"]])
    links = [tokens.make(Purpose.UNSUBSCRIBE, copy["public_id"]) for copy in copies]
    return [f"/unsubscribe/{token}" for token in links]


@contextmanager
def serving(home: Path, port: int) -> Iterator[int]:
    """Run `digest serve`; the number of its process."""
    settings = {**SENDING, "home": str(home), "mx_lookups": "no"}
    named = {f"DIGEST_{name.upper().rstrip('_')}": value for name, value in settings.items()}
    program = "from digest.cli.main import main; main()"
    command = [sys.executable, "-c", program, "serve", "--port", str(port)]
    with (home / "log").open("w") as log:
        process = subprocess.Popen(command, env={**os.environ, **named}, stderr=log)
        try:
            for _ in range(600):
                with suppress(OSError):
                    ask(port, "GET", "/healthz")
                    break
                time.sleep(0.1)
            yield process.pid
        finally:
            process.terminate()
            process.wait(60)


# ---- clients -----------------------------------------------------------------------------------


def request(method: str, path: str) -> bytes:
    body = b"List-Unsubscribe=One-Click" if method == "POST" else b""
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
    form = "Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n\r\n"
    return f"{head}{form}".encode() + body


def ask(port: int, method: str, path: str) -> int:
    """Return the status of the answer to one request over a connection of its own."""
    with socket.create_connection(("127.0.0.1", port), timeout=300) as connection:
        connection.sendall(request(method, path))
        answer = b""
        while octets := connection.recv(1 << 20):
            answer += octets
    return int(answer.split(b" ", 2)[1])


async def _again_and_again(port: int, paths: list[str], counted: Counter[int]) -> None:
    for path in paths:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request("GET", path))
        status = int((await reader.read()).split(b" ", 2)[1])
        writer.close()
        counted[status] += 1
        if status != 200:
            await asyncio.sleep(LATER)


def press(port: int, seconds: float) -> None:
    """Search and read feeds, all at the same time, and print the counts of the answers."""
    corpus = load(SHIPPED)
    words = corpus.words[: corpus.single]
    chance = random.Random(2)

    def paths(begin: str) -> list[str]:
        return [begin + quote(" ".join(chance.sample(words, 2))) for _ in range(5000)]

    async def all_of_them() -> Counter[int]:
        counted: Counter[int] = Counter()
        clients = [
            *(_again_and_again(port, paths("/search?q="), counted) for _ in range(SEARCHES)),
            *(_again_and_again(port, paths("/feed.atom?topic="), counted) for _ in range(FEEDS)),
        ]
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*clients), seconds)
        return counted

    counted = asyncio.run(all_of_them())
    print(f"  answers to them: {dict(counted)}", flush=True)


def drip(port: int, sockets: int) -> list[socket.socket]:
    """Open connections whose requests never end."""
    dripping = []
    for _ in range(sockets):
        connection = socket.create_connection(("127.0.0.1", port), timeout=5)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nA")
        dripping.append(connection)
    return dripping


# ---- figures -----------------------------------------------------------------------------------


@dataclass
class Figures:
    """``left`` are seconds of one-click POSTs, ``resident`` MB of memory, each in order."""

    left: list[float] = field(default_factory=list)
    resident: list[float] = field(default_factory=list)
    search_cpu: float = 0.0

    def p(self, share: float) -> float:
        return sorted(self.left)[min(int(share * len(self.left)), len(self.left) - 1)]


def cpu_of(process: int) -> float:
    """Return the seconds that a process has computed."""
    values = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(values[11]) + int(values[12])) / TICKS


def resident(process: int) -> float:
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def leave(port: int, process: int, links: list[str], seconds: float, figures: Figures) -> None:
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end and links:
        assert ask(port, "POST", links.pop()) == 200
        figures.left.append(time.perf_counter() - began)
        if len(figures.left) % 10 == 0:
            figures.resident.append(resident(process))
        time.sleep(0.05)


def tell(what: str, figures: Figures) -> None:
    print(
        f"{what}: {len(figures.left)} one-click POSTs, median {1000 * median(figures.left):.0f} ms, "
        f"p95 {1000 * figures.p(0.95):.0f} ms, p99 {1000 * figures.p(0.99):.0f} ms, "
        f"max {1000 * max(figures.left):.0f} ms"
    )


def measure(home: Path, seconds: float) -> dict[str, Figures]:
    links, port = fill(home), free_port()
    with serving(home, port) as process:
        began = cpu_of(process)
        assert ask(port, "GET", "/search?q=agents") == 200
        print(f"first search: {cpu_of(process) - began:.2f} s of CPU, {resident(process):.0f} MB")
        words, began = load(SHIPPED).words, cpu_of(process)  # stems come first
        for word in words[:100]:
            assert ask(port, "GET", f"/search?q={quote(word)}") == 200
        warm = Figures(search_cpu=(cpu_of(process) - began) / 100)
        print(f"warm search: {1000 * warm.search_cpu:.0f} ms of CPU, {resident(process):.0f} MB")
        leave(port, process, links, seconds / 4, warm)
        tell("alone", warm)
        dripping, slow = drip(port, 500), Figures()
        leave(port, process, links, min(8, seconds / 4), slow)
        for connection in dripping:
            connection.close()
        tell("with 500 slow clients", slow)
        crowd, pressed = Process(target=press, args=(port, seconds)), Figures()
        began = cpu_of(process)
        crowd.start()
        leave(port, process, links, seconds, pressed)
        crowd.join()
        tell(f"with {SEARCHES} searches and {FEEDS} feeds", pressed)
        some = [pressed.resident[n * (len(pressed.resident) - 1) // 9] for n in range(10)]
        print(f"  CPU {(cpu_of(process) - began) / seconds:.2f}, MB {[round(mb) for mb in some]}")
    return {"alone": warm, "slow": slow, "pressed": pressed}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), float(sys.argv[1]) if len(sys.argv) > 1 else 60)
