"""Measure what a large import costs, step by step: `python -m tests.bench.bench_import [ROWS]`.

A CSV file of people with two of twelve topics each, into SQLite. Each step is timed once, with
the processor's time beside the clock's.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations, cycle, islice
from pathlib import Path

from digest.app.app import App
from digest.cli.demo import NOW
from subscribers.addresses import AddressPolicy
from subscribers.importing import import_people
from subscribers.records import decode, read_records
from subscribers.transfer import read_people, to_record

TOPICS = (
    "agents", "tool use", "video generation", "image generation", "reinforcement learning",
    "world models", "diffusion", "multimodal", "benchmark", "compression", "language models", "3d",
)  # fmt: skip


@contextmanager
def timed(what: str, times: int) -> Iterator[None]:
    clock, cpu = time.perf_counter(), time.process_time()
    yield
    clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
    print(f"{what:<28}{clock:8.2f} s{cpu:8.2f} s cpu{1000 * cpu / times:9.3f} ms cpu each")


def write_people(path: Path, rows: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write("email,topics,consent,timezone,hour,cadence,max_papers\n")
        for number, topics in enumerate(islice(cycle(combinations(TOPICS, 2)), rows)):
            file.write(
                f"reader{number}@example.org,{';'.join(topics)},2026-01-31T08:00:00Z,"
                f"Europe/Oslo,{number % 24},weekdays,{number % 15 + 1}\n"
            )


def main(rows: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        app = App(environment={}, dotenv=None, home=folder)
        registry, file = app.registry, Path(folder, "people.csv")
        write_people(file, rows)
        print(f"{rows} rows, {file.stat().st_size / 1e6:.1f} MB")
        with timed("read the file", rows), file.open("rb") as octets:
            sum(1 for _ in read_people(read_records(decode(octets)[1])[1], source="bench", now=NOW))
        for what in ("import", "import again"):
            with timed(what, rows):
                done = import_people(
                    registry, AddressPolicy(lambda: False), file, NOW, lambda *_: None
                )
            print(f"  {done.new} new, {done.known} known, {len(done.unread)} left out")
        with timed("export", rows):
            size = sum(len(json.dumps(to_record(file))) for file in registry.files())
        print(f"  {size / 1e6:.1f} MB")
        with timed("one person's file", 1):
            registry.file_of("reader0@example.org")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
