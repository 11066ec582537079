"""Measure what planning costs: `python -m tests.bench.bench_planning [SUBSCRIBERS]`.

First, the whole of it: an edition for people with one to five of fifty topics, on SQLite, and on
PostgreSQL where there is one (its server's work is not counted), each in a process of its own; and
when the first message is out while planning goes on. With --whole that is all.

Then parts of it. Subscribers with all kinds of local times in seven zones, SQLite. To look who is due: the
edition is made at eight; then each hour, once when the turn of some has come, and a minute later,
when nobody's has. Then, to plan for all of them on four days, with late risers and without: what
each was shown before is looked up for the late risers only. Then again where everybody follows five
of twenty thousand names, and where one in fifty gave twenty papers of their own.
"""

import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from datetime import time as local_time
from pathlib import Path

from sqlalchemy import Engine, delete, func, insert, select

from digest.app.app import App
from digest.bench.scratch_folder import scratch_folder
from digest.bench.sink import running_sink
from digest.cli.demo import NOW as DEMO_NOW
from digest.cli.demo import SAMPLE_EDITION
from digest.errors import LedgerError, Stopped
from digest.ledger.database import ensure_current, open_database
from digest.ledger.ledger import Ledger
from digest.ledger.scratch_schema import scratch_schema
from digest.ledger.tables import deliveries
from digest.model.papers import Harvest
from digest.model.rising import RISING_DAYS
from subscribers.follows import parse_follows
from subscribers.preferences import Preferences
from subscribers.store.registry import Registry
from subscribers.store.tables import own_papers, subscribers
from tests.integration.birds import House
from tests.support import NOW, SENDING, make_settings, make_sighting

ZONES = (
    "UTC", "Europe/Oslo", "America/New_York", "Asia/Tokyo", "Australia/Sydney",
    "America/Sao_Paulo", "Asia/Kolkata",
)  # fmt: skip
TIMES = [local_time(hour, minute) for hour in range(5, 23) for minute in (0, 15, 30, 45)]
BLOCK = 5000
POSTGRES = os.environ.get(
    "DIGEST_TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"
)
TOPICS = (
    "agents,tool use,video generation,image generation,reinforcement learning,world models,"
    "diffusion,multimodal,benchmark,compression,language models,3d,robotics,speech,retrieval,"
    "reasoning,alignment,safety,code generation,theorem proving,graph neural networks,time series,"
    "medical imaging,federated learning,quantization,mixture of experts,long context,attention,"
    "tokenization,data curation,synthetic data,evaluation,interpretability,pruning,distillation,"
    "vision language,segmentation,detection,tracking,point clouds,gaussian splatting,audio,music,"
    "translation,summarization,dialogue,recommendation,search,privacy,fairness"
).split(",")
NAMES = 20_000  # of authors whom somebody follows
PAPERS = 40  # a day; every second one gains votes each day


def fill(
    engine: Engine, registry: Registry, people: int, follows: int = 0, topics: Sequence[str] = ()
) -> None:
    """Copies of one subscriber, with other addresses and wishes; each follows some names."""
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
                    "topics": chance.sample(topics, chance.randint(1, 5)) if topics else [],
                    "preferences": Preferences(
                        at=chance.choice(TIMES),
                        timezone=chance.choice(ZONES),
                        follows=parse_follows(
                            f"author:{name(chance.randrange(NAMES))}" for _ in range(follows)
                        ),
                    ).to_json(),
                }
                for number in range(begin + 1, min(begin + BLOCK, people - 1) + 1)
            ]
            connection.execute(insert(subscribers), some)


def name(number: int) -> str:
    """Return the name of an author; many share their last name, or the first."""
    first, last = divmod(number, 97)
    return f"F{first:x}ine L{last:x}son"


def give(engine: Engine, every: int, papers: int) -> None:
    """Give some of the readers papers of their own, no two the same."""
    with engine.begin() as connection:
        readers = connection.execute(select(subscribers.c.id)).scalars().all()[::every]
        for reader in readers:
            rows = [
                {
                    "subscriber_id": reader,
                    "paper": f"title:{reader}-{number}",
                    "title": f"Birds {reader + number} of a river",
                    "abstract": "We count ducks and geese at dawn. " * 20,
                    "at": NOW,
                }
                for number in range(papers)
            ]
            connection.execute(insert(own_papers), rows)


class Voted:
    """A source of papers that keep gaining votes."""

    name = "huggingface"

    def collect(self, days: Sequence[date], now: datetime) -> Iterator[Harvest]:
        for day in days:
            age = (now.date() - day).days
            yield Harvest(
                tuple(
                    make_sighting(
                        day.timetuple().tm_yday * 100 + number,
                        title=f"Paper {number} of {day}",
                        authors=tuple(name(number * 997 + n * 31) for n in range(6)),
                        upvotes=number + 10 * age * (number % 2),
                        listed_on=day,
                        seen_at=now,
                    )
                    for number in range(PAPERS)
                )
            )


def whole(people: int, url: str) -> None:
    """Time planning for everybody, until the first message is out, and the work of all of it."""
    with scratch_folder() as folder, running_sink(folder) as sink:
        settings = {**SENDING, "home": str(folder), "database_url": url, "transport": sink.url}
        app = App({}, None, **settings, mx_lookups="no")
        fill(app.engine, app.registry, people, topics=TOPICS)
        app.collector.collect_files([Path(SAMPLE_EDITION)], None, DEMO_NOW)
        edition = app.ledger.editions.freeze(DEMO_NOW.date(), DEMO_NOW.date(), DEMO_NOW)
        app.planning.draft(edition.day, ())  # the reference corpus is there
        before = memory()
        began, cpu = time.perf_counter(), time.process_time()
        app.planning.today(edition, DEMO_NOW)
        took, cpu = time.perf_counter() - began, time.process_time() - cpu
        query = select(func.count(), func.sum(func.length(deliveries.c.picks)))
        with app.engine.connect() as connection:
            rows, octets = connection.execute(query).one()
            if connection.dialect.name == "sqlite":
                size = connection.exec_driver_sql(
                    "SELECT sum(pgsize) FROM dbstat WHERE name IN "
                    "(SELECT name FROM sqlite_master WHERE tbl_name = 'deliveries')"
                ).scalar()
            else:
                sized = "SELECT pg_total_relation_size('deliveries')"
                size = connection.exec_driver_sql(sized).scalar()
        print(
            f"{app.engine.dialect.name:<11}{people:>9}{took:>8.1f} s{cpu:>8.1f} s cpu"
            f"{1e6 * cpu / people:>8.1f} us each{memory():>7} MB ({before} before)"
            f"{rows:>9} rows{octets // rows:>5} octets of picks{size / 1e6:>7.0f} MB"
        )
        with app.engine.begin() as connection:
            connection.execute(delete(deliveries))
        first: list[float] = []
        began = time.perf_counter()

        def progress(done: int, _: int) -> None:
            if done and not first:
                first.append(time.perf_counter() - began)
                app.stop()

        with suppress(Stopped):
            app.pipeline.tick(DEMO_NOW, everybody=True, progress=progress)
        print(f"{'':<20}the first message is out after {first[0]:.1f} s")
        app.engine.dispose()


def memory() -> int:
    """The most that this process has ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def measure(people: int, url: str) -> None:
    command = [sys.executable, "-m", "tests.bench.bench_planning", str(people), url]
    subprocess.run(command, check=True)


def main(people: int, *, is_whole: bool) -> None:
    with scratch_folder() as folder:
        measure(people, f"sqlite:///{folder}/digest.sqlite3")
    with suppress(LedgerError), scratch_schema(POSTGRES) as url:
        measure(people, url)
    if is_whole:
        return
    look(people)
    for rising_days in (0, RISING_DAYS):
        plan(people, rising_days)
    print("everybody follows five names")
    plan(people, 0, follows=5)
    print("one in fifty has twenty papers of their own")
    plan(people, 0, own_papers_of=50)


def look(people: int) -> None:
    """Time the looks of some hours."""
    with tempfile.TemporaryDirectory() as folder:
        house = filled_house(people, Path(folder))
        pipeline = house.pipeline
        pipeline.tick(NOW)
        for minutes in (60, 61, 120, 121, 180, 181):
            began, cpu = time.perf_counter(), time.process_time()
            pipeline.plan(NOW + timedelta(minutes=minutes))
            took, cpu = time.perf_counter() - began, time.process_time() - cpu
            print(f"{minutes:4} minutes later{took:8.2f} s{cpu:8.2f} s cpu")


def plan(people: int, rising_days: int, follows: int = 0, own_papers_of: int = 0) -> None:
    """Time planning for everybody, day after day."""
    with tempfile.TemporaryDirectory() as folder:
        house = filled_house(people, Path(folder), follows)
        if own_papers_of:
            give(house.ledger.engine, own_papers_of, 20)
        house.source = Voted()
        house.settings = make_settings(home=folder, lookback_days="0", rising_days=str(rising_days))
        for number in range(4):
            now = NOW + timedelta(days=number)
            pipeline, planning = house.pipeline, house.planning
            pipeline.collect_for_edition(now)
            first_day = house.ledger.editions.first_day_for(now.date(), 0)
            edition = house.ledger.editions.freeze(
                now.date(), first_day, now, rising_days=rising_days
            )
            cpu = time.process_time()
            planning.today(edition, now)
            cpu = time.process_time() - cpu
            print(f"day {number + 1}, {len(edition.rising):2} late risers{cpu:8.2f} s cpu")


def filled_house(people: int, folder: Path, follows: int = 0) -> House:
    engine = open_database(f"sqlite:///{folder}/digest.sqlite3")
    ensure_current(engine)
    registry = Registry(engine)
    fill(engine, registry, people, follows)
    return House(Ledger(engine), registry, folder)


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    people = numbers[0] if numbers else 100_000
    urls = [word for word in sys.argv[1:] if "://" in word]
    if urls:
        whole(people, urls[0])
    else:
        main(people, is_whole="--whole" in sys.argv)
