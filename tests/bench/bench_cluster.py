"""Measure what a hundred workers ask of PostgreSQL: `python -m tests.bench.bench_cluster URL [ROWS]`.

The rows of a long list are handed out, looked through by the reconciler, and their jobs are fetched
and finished over and over as a hundred workers would, without any mail. All is in a schema of its
own, which is removed.
"""

import sys
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from sqlalchemy import create_engine, make_url, text

from digest.ledger.database import ensure_current, open_database
from digest.ledger.shards import Shards

WORKERS, BEAT, POLL = 100, 10, 5  # seconds
_FILL = """
    INSERT INTO editions (id, day, frozen_at) VALUES (1, now(), now());
    INSERT INTO deliveries
        (edition_id, subscriber_id, state, attempts, changed_at, planned_at, provider)
    SELECT 1, n, 'pending', 0, now(), now(), CASE WHEN n % 10 < 5 THEN 'gmail' WHEN n % 10 < 7
        THEN 'outlook' ELSE 'provider' || n % 997 END FROM generate_series(1, :rows) AS n
"""
_FETCH = "SELECT id FROM procrastinate_fetch_job_v2(ARRAY['send'], :worker)"
_FINISH = "SELECT procrastinate_finish_job_v1(:job, 'succeeded', true)"
_RETRY = "SELECT procrastinate_retry_job_v2(:job, now(), NULL, NULL, NULL)"


def timed(what: str, do: Callable[[], object]) -> float:
    began = time.perf_counter()
    result = do()
    took = time.perf_counter() - began
    print(f"{what:<60}{took:9.2f} s   {result}")
    return took


def main(url: str, rows: int) -> None:
    schema = f"bench_{uuid.uuid4().hex}"
    server = create_engine(url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    own = make_url(url).update_query_dict({"options": f"-csearch_path={schema}"})
    engine = open_database(own)
    try:
        ensure_current(engine)
        with engine.begin() as connection:
            for statement in _FILL.split(";"):
                connection.execute(text(statement), {"rows": rows} if ":rows" in statement else {})
        shards, now = Shards(engine), datetime.now(UTC)
        for _ in range(-(-rows // 200_000)):
            timed("hand out 200,000 rows", lambda: shards.hand_out_forgotten(now))
        timed("reconcile: all of them have jobs", lambda: shards.hand_out_forgotten(now))
        counts = shards.counts()
        timed("count the shards", shards.counts)
        assert counts

        def as_a_worker(number: int) -> int:
            done = 0
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                worker = connection.execute(
                    text("INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id")
                ).scalar_one()
                for turn in range(40):
                    job = connection.execute(text(_FETCH), {"worker": worker}).scalar()
                    how = _RETRY if turn % 4 == number % 4 else _FINISH  # a quarter looks again
                    if job:
                        connection.execute(text(how), {"job": job})
                        done += 1
            return done

        with ThreadPoolExecutor(8) as pool:
            began = time.perf_counter()
            done = sum(pool.map(as_a_worker, range(WORKERS)))
            took = time.perf_counter() - began
        print(f"{done} jobs fetched and ended by {WORKERS} workers: {done / took:.0f} a second")
        idle = WORKERS * 2 * (1 / BEAT + 1 / POLL)
        print(f"statements of idle workers: {idle:.0f} a second")
    finally:
        engine.dispose()
        with server.connect() as connection:
            connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000)
