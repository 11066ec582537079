"""Measure what idle workers cost PostgreSQL: `python -m tests.bench.bench_idle_workers [WORKERS]`.

A hundred of them, unless told otherwise, wait for work over connections of their own to a PostgreSQL
of its own. They are in one process, and do what workers do: ask for jobs, start the recurring ones
(which do nothing here), and show that they live. It takes two minutes.
"""

import asyncio
import sys
import tempfile
import time
from contextlib import AsyncExitStack, ExitStack
from dataclasses import replace
from pathlib import Path

from sqlalchemy import create_engine, text

from digest.app.app import App
from digest.bench.usage import tree_processor_seconds
from digest.ledger.jobs_schema import create_jobs
from digest.ledger.shards import SEND_QUEUE
from digest.service import cluster
from digest.service.recurring import recurring_jobs
from tests.cluster_faults.postgres import Postgres
from tests.support import SENDING

MEASURED = 60.0  # seconds
WORKERS = text("SELECT count(*) FROM procrastinate_workers")
COUNTS = text("""
    SELECT xact_commit + xact_rollback AS transactions,
           (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS sessions
    FROM pg_stat_database WHERE datname = current_database()
""")


async def begin(apps: list[App], stack: AsyncExitStack) -> None:
    """Be so many workers that have nothing to do, one more after the other."""
    for app in apps:
        recurring = [
            replace(job, work=lambda: None) for job in recurring_jobs(app, and_inbox=False)
        ]
        sending, clock = cluster._jobs(app), cluster._jobs(app)
        for job in recurring:
            cluster._add_recurring(app, clock, job)
        for jobs, queue in ((sending, SEND_QUEUE), (clock, cluster._CLOCK_QUEUE)):
            await stack.enter_async_context(jobs.open_async())
            waiting = asyncio.create_task(cluster._fetch(app, jobs, queue, 8))
            stack.push_async_callback(ended, waiting)


async def ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait({task})


def memory(pid: int) -> int:
    """Octets of a process and those below it, of which shared ones are counted in parts."""
    try:
        rolled = Path(f"/proc/{pid}/smaps_rollup").read_text().split("Pss:")[1]
        tasks = Path(f"/proc/{pid}/task").glob("*/children")
        children = [int(child) for task in tasks for child in task.read_text().split()]
    except OSError:
        return 0
    return 1024 * int(rolled.split()[0]) + sum(map(memory, children))


async def measured(apps: list[App], postgres: Postgres) -> None:
    observer = create_engine(postgres.url(), isolation_level="AUTOCOMMIT")
    before = memory(postgres.pid)
    async with AsyncExitStack() as stack:
        await begin(apps, stack)
        with observer.connect() as connection:
            while connection.execute(WORKERS).scalar_one() < 2 * len(apps):  # noqa: ASYNC110
                await asyncio.sleep(1)
            first, began = connection.execute(COUNTS).one(), time.monotonic()
            used = tree_processor_seconds(postgres.pid)
            await asyncio.sleep(MEASURED)
            last, took = connection.execute(COUNTS).one(), time.monotonic() - began
            used = tree_processor_seconds(postgres.pid) - used
        grown = memory(postgres.pid) - before
    observer.dispose()
    each = (last.transactions - first.transactions) / took
    print(f"{len(apps)} idle workers, {last.sessions - 1} connections")
    print(f"{each:.0f} transactions a second, {each / len(apps):.2f} of each worker")
    print(f"{used / took:.2f} processors, {grown / 1e6:.0f} MB of memory")


def main(workers: int) -> None:
    with (
        tempfile.TemporaryDirectory() as home,
        Postgres(connections=5 * workers + 20) as postgres,
        ExitStack() as stack,
    ):
        settings = {**SENDING, "home": home, "engine": "cluster", "database_url": postgres.url()}
        apps = [App({}, None, **settings) for _ in range(workers)]
        with apps[0].engine.begin() as connection:
            assert create_jobs(connection)
        for app in apps:
            stack.callback(app.engine.dispose)
            stack.enter_context(app.ledger.live_workers.enter(8))
        asyncio.run(measured(apps, postgres))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
