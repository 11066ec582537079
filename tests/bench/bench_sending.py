"""How fast mail goes out: `python -m tests.bench.bench_sending [MAILS] [--profile]`.

The built-in sample edition, readers with two of twelve topics each, and a relay that takes
everything at once, in a process of its own on this machine. On SQLite, and on PostgreSQL where there
is one (DIGEST_TEST_POSTGRES_URL). All is timed from the first claim to the last outcome: to compile
the edition, and to start processes, is part of it.

With --profile one pass over one connection is taken apart instead; it is slower for being watched.
"""

import asyncio
import cProfile
import os
import pstats
import resource
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import combinations, cycle, islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from sqlalchemy import create_engine, delete, make_url, text, update
from sqlalchemy.exc import OperationalError

from digest.app.app import App
from digest.cli.demo import NOW, SAMPLE_EDITION
from digest.deliver import delivery_worker as sending
from digest.ledger.tables import attempts, deliveries
from digest.model.deliveries import DeliveryState
from subscribers.topics import parse_topics
from tests.bench.bench_day import TOPICS
from tests.support import SENDING

POSTGRES = os.environ.get(
    "DIGEST_TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"
)
WAYS = [(1, 1), (4, 1), (8, 1), (4, 2), (8, 2)]  # connections, processes
# Whose time is told by --profile: what a mail goes through, in this order.
STEPS = {
    "claim": ("claims.py", "next"),
    "read the reader": ("registry.py", "get"),
    "read the picks": ("deliveries.py", "picks"),
    "compose, all": ("edition_messages.py", "message"),
    "consent": ("registry.py", "standing"),
    "SMTP": ("smtp.py", "send"),
    "record": ("claims.py", "record"),
    "heed the reply": ("traffic.py", "heed"),
}


# ---- the relay -------------------------------------------------------------------------------


class Sink(asyncio.Protocol):
    """Takes everything, as fast as it can (RFC 5321, RFC 2920)."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._out = transport
        self._unread = b""
        self._is_content = False
        self._out.write(b"220 sink.test\r\n")

    def data_received(self, data: bytes) -> None:
        self._unread += data
        answers = []
        while True:
            end = b"\r\n.\r\n" if self._is_content else b"\r\n"
            said, found, rest = self._unread.partition(end)
            if not found:
                break
            self._unread = rest
            answers.append(self._answer(said[:4].upper()))
        self._out.write(b"".join(answers))

    def _answer(self, command: bytes) -> bytes:
        if self._is_content:
            self._is_content = False
            return b"250 2.0.0 OK\r\n"
        if command == b"EHLO":
            return b"250-sink.test\r\n250-SMTPUTF8\r\n250 PIPELINING\r\n"
        self._is_content = command == b"DATA"
        return b"354 Go on\r\n" if self._is_content else b"250 OK\r\n"


def sink(answers: Connection) -> None:
    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", 0)
        answers.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


@contextmanager
def relay() -> Iterator[str]:
    """Its URL."""
    spawning = get_context("spawn")
    here, there = spawning.Pipe(duplex=False)
    process = spawning.Process(target=sink, args=(there,), daemon=True)
    process.start()
    try:
        yield f"smtp://127.0.0.1:{here.recv()}"
    finally:
        process.terminate()
        process.join()


# ---- the mails -------------------------------------------------------------------------------


def plan(app: App, mails: int) -> None:
    """An edition and so many deliveries, none of them sent."""
    for number, topics in enumerate(islice(cycle(combinations(TOPICS, 2)), mails)):
        address = f"reader{number}@example.org"
        app.registry.add(address, parse_topics(topics), source="bench", now=NOW)
    app.collector.collect_files([Path(SAMPLE_EDITION)], None, NOW)
    app.pipeline.plan(NOW, app.ledger.editions.freeze(NOW.date(), NOW.date(), NOW))


def unsend(app: App) -> int:
    """Have all deliveries wait again; how many they are."""
    with app.engine.begin() as connection:
        connection.execute(delete(attempts))
        sent = deliveries.c.state.in_([DeliveryState.ACCEPTED, DeliveryState.PENDING])
        waits = {"state": DeliveryState.PENDING, "attempts": 0, "claimed_by": None}
        return connection.execute(update(deliveries).where(sent).values(waits)).rowcount


@contextmanager
def databases(folder: str) -> Iterator[list[tuple[str, str]]]:
    """The kinds there are, with the URL of an empty one of each."""
    found = [("SQLite", f"sqlite:///{folder}/bench.sqlite3")]
    schema = f"bench_{uuid.uuid4().hex}"
    server = create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    try:
        with server.connect() as connection:
            connection.execute(text(f"CREATE SCHEMA {schema}"))
    except OperationalError:
        yield found
        return
    url = make_url(POSTGRES).update_query_dict({"options": f"-csearch_path={schema}"})
    try:
        yield [*found, ("PostgreSQL", url.render_as_string(hide_password=False))]
    finally:
        with server.connect() as connection:
            connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))


# ---- measured --------------------------------------------------------------------------------


def cpu() -> float:
    """Seconds of processor time of this process and of those that it has waited for."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in both)


def measure(kind: str, settings: dict[str, str]) -> None:
    for connections, processes in WAYS:
        ways = {"send_connections": str(connections), "send_processes": str(processes)}
        app = App({}, None, **settings, **ways)
        mails = unsend(app)
        clock, began = time.perf_counter(), cpu()
        assert app.worker_pool.send(NOW) == ()
        clock, used = time.perf_counter() - clock, cpu() - began
        assert not app.ledger.deliveries.waiting(NOW)
        print(
            f"{kind:<12}{connections:>11}{processes:>11}{mails:>8}{clock:>9.1f}"
            f"{mails / clock:>10.0f}{1000 * used / mails:>13.2f}"
        )
        app.engine.dispose()


def take_apart(kind: str, settings: dict[str, str]) -> None:
    app = App({}, None, **settings, send_connections="1")
    mails = unsend(app)
    profile = cProfile.Profile()
    over_one = sending._Pass._over_one_connection
    sending._Pass._over_one_connection = lambda a_pass: profile.runcall(over_one, a_pass)
    try:
        app.sending.send(NOW)
    finally:
        sending._Pass._over_one_connection = over_one
    stats = pstats.Stats(profile).stats
    app.engine.dispose()
    print(f"\n{kind}, one connection, {mails} mails: milliseconds for each, while watched")
    print(f"  {'all':<24}{_total(stats, 'delivery_worker.py', '_over_one_connection', mails):8.3f}")
    for step, (file, name) in STEPS.items():
        print(f"  {step:<24}{_total(stats, file, name, mails):8.3f}")
    print("  by module, without what it calls:")
    for module, spent in _by_module(stats).most_common(16):
        print(f"    {module:<32}{1000 * spent / mails:8.3f}")


def _total(stats: dict, file: str, name: str, mails: int) -> float:
    found = [
        each[3]
        for (path, _, called), each in stats.items()
        if Path(path).name == file and called == name
    ]
    return 1000 * sum(found) / mails


def _by_module(stats: dict) -> Counter[str]:
    """Seconds by module of ours, and by package of others."""
    spent: Counter[str] = Counter()
    for (path, _, name), (_, _, own, _, _) in stats.items():
        parts = Path(path).parts
        if "site-packages" in parts:
            where = parts[parts.index("site-packages") + 1]
        elif "digest" in parts or "subscribers" in parts:
            where = "/".join(parts[-2:])
        elif path == "~":
            where = name.replace("method ", "")[:32]
        else:
            where = f"standard {Path(path).name}"
        spent[where] += own
    return spent


def main(mails: int, do: Callable[[str, dict[str, str]], None]) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        databases(folder) as kinds,
        relay() as transport,
    ):
        if do is measure:
            print("database    connections  processes   mails  seconds    mails/s  ms cpu each")
        for kind, url in kinds:
            settings = {**SENDING, "home": folder, "database_url": url, "transport": transport}
            del settings["send_connections"]
            settings["mx_lookups"] = "no"
            app = App({}, None, **settings)
            plan(app, mails)
            app.engine.dispose()
            do(kind, settings)


if __name__ == "__main__":
    numbers = [int(each) for each in sys.argv[1:] if each.isdigit()]
    main(numbers[0] if numbers else 2000, take_apart if "--profile" in sys.argv else measure)
