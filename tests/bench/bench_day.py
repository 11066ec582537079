"""What one day costs, step by step: `python -m tests.bench.bench_day [SUBSCRIBERS]`.

The built-in sample edition, subscribers with two of twelve topics each, SQLite, and the folder as
mailbox. Each step is timed once, with the processor's time beside the clock's.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations, cycle, islice
from pathlib import Path

from digest.app.app import App
from digest.cli.demo import NOW, SAMPLE_EDITION
from digest.collect.file import read_file
from digest.rank.ranker import Limits, Ranker, Reader
from subscribers.topics import parse_topics
from tests.support import SENDING

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


def main(people: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        app = App(environment={}, dotenv=None, home=folder, **SENDING)
        _ = app.ledger
        chosen = list(islice(cycle(combinations(TOPICS, 2)), people))
        with timed("subscribe", people):
            for number, topics in enumerate(chosen):
                address = f"reader{number}@example.org"
                app.registry.add(address, parse_topics(topics), source="bench", now=NOW)
        with timed("read a source's day", 1):
            read_file(SAMPLE_EDITION, None, NOW)
        with timed("collect it", 1):
            app.collector.collect_files([Path(SAMPLE_EDITION)], None, NOW)
        edition = app.ledger.editions.draft(NOW.date(), NOW.date())
        with timed("rank", people):
            limits = Limits(for_you=10, trending=5)
            ranker = Ranker(edition, app.corpora.current(), limits)
            digests = list(ranker.digests([Reader(parse_topics(topics)) for topics in chosen]))
        some = [digest for digest in digests if digest][:100]
        with timed("compose", len(some)):
            for digest in some:
                app.composer.compose(digest, to="a@example.org", public_id="a", now=NOW)
        with timed("run: all of it, stored", people):
            balance = app.pipeline.tick(NOW, everybody=True).balance
        print(balance)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
