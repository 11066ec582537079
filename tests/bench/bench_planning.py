"""What it costs to look who is due: `python -m tests.bench.bench_planning [SUBSCRIBERS]`.

Subscribers with all kinds of local times in seven zones, SQLite. The edition is made at eight; then
each hour, once when the turn of some has come, and a minute later, when nobody's has.
"""

import random
import sys
import tempfile
import time
from datetime import time as local_time
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine, insert, select

from digest.ledger.database import ensure_current, open_database
from digest.ledger.ledger import Ledger
from subscribers.preferences import Preferences
from subscribers.store.registry import Registry
from subscribers.store.tables import subscribers
from tests.integration.birds import House
from tests.support import NOW

ZONES = (
    "UTC", "Europe/Oslo", "America/New_York", "Asia/Tokyo", "Australia/Sydney",
    "America/Sao_Paulo", "Asia/Kolkata",
)  # fmt: skip
TIMES = [local_time(hour, minute) for hour in range(5, 23) for minute in (0, 15, 30, 45)]
BLOCK = 5000


def fill(engine: Engine, registry: Registry, people: int) -> None:
    """Copies of one subscriber, with other addresses and wishes."""
    chance = random.Random(1)
    one = registry.add("reader@example.org", (), source="bench", now=NOW - timedelta(days=9))
    with engine.begin() as connection:
        query = select(subscribers).where(subscribers.c.id == one.id)
        row = dict(connection.execute(query).mappings().one())
        for begin in range(0, people - 1, BLOCK):
            some = [
                {
                    **row,
                    "id": one.id + number,
                    "public_id": f"{number:032x}",
                    "address": f"reader{number}@example.org",
                    "address_key": f"reader{number}@example.org",
                    "preferences": Preferences(
                        at=chance.choice(TIMES), timezone=chance.choice(ZONES)
                    ).to_json(),
                }
                for number in range(begin + 1, min(begin + BLOCK, people - 1) + 1)
            ]
            connection.execute(insert(subscribers), some)


def main(people: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        engine = open_database(f"sqlite:///{folder}/digest.sqlite3")
        ensure_current(engine)
        registry = Registry(engine)
        fill(engine, registry, people)
        pipeline = House(Ledger(engine), registry, Path(folder)).pipeline
        pipeline.tick(NOW)
        for minutes in (60, 61, 120, 121, 180, 181):
            began, cpu = time.perf_counter(), time.process_time()
            pipeline.plan(NOW + timedelta(minutes=minutes))
            took, cpu = time.perf_counter() - began, time.process_time() - cpu
            print(f"{minutes:4} minutes later{took:8.2f} s{cpu:8.2f} s cpu")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
