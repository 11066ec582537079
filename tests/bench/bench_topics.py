"""Telling what topics would match: `python -m tests.bench.bench_topics [PAPERS]`.

A database with that many papers (12,000) in the last 30 days, mixtures of those of the shipped
corpus. Printed: how long the first report takes, which reads the papers; how long a topic takes
that was never asked for, one that matches and one that needs proposals; one that was asked before;
and the memory of the process.
"""

import random
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from digest.app.app import App
from digest.collect.merge import keys_of, merge
from digest.rank.corpora import SHIPPED, load
from subscribers.topics import TopicFilter
from tests.support import SENDING, make_sighting

PAPERS = 12_000
DAYS = 30
MATCHING = (
    "robots;agents;diffusion models;video generation;speech;code generation;3D;RAG;reasoning;graphs"
)
FAILING = (
    "diffuison modles;apple pie;texttovideo;golf courses;sparse autoencoders for dentists;Muon;JEPA"
)


def fill(app: App, papers: int) -> None:
    """Collect papers of the last days."""
    chance, corpus, now = random.Random(1), load(SHIPPED), datetime.now(UTC)
    app.ledger.papers._sleep = lambda _: None
    for start in range(0, papers, 1000):
        sightings = []
        for number in range(start, min(start + 1000, papers)):
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
        app.ledger.papers.absorb(keys_of(sightings), lambda known, new=sightings: merge(known, new))


def measured(what: str, app: App, topics: list[str]) -> None:
    """Print what each topic takes on average, one by one."""
    started = time.perf_counter()
    for topic in topics:
        app.topic_reporter.report([TopicFilter(topic)])
    each = (time.perf_counter() - started) / len(topics) * 1000
    print(f"{what:<48} {each:9.1f} ms")


def main() -> None:
    papers = int(sys.argv[1]) if len(sys.argv) > 1 else PAPERS
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        app = App(environment={}, dotenv=None, home=str(home), **SENDING)
        app.engine  # noqa: B018
        fill(app, papers)
        app.corpora.current()
        measured("the first, which reads the papers", app, ["agents of today"])
        measured(
            "language models, which are told by what they look like", app, ["zeitreihenanalyse"]
        )
        measured("a topic that matches", app, MATCHING.split(";"))
        measured("a topic that needs proposals, the first", app, ["autoencodrs"])
        measured("a topic that needs proposals", app, FAILING.split(";"))
        measured(
            "a topic that was asked for before", app, [*MATCHING.split(";"), *FAILING.split(";")]
        )
        started = time.perf_counter()
        app.topic_reporter.report(
            [TopicFilter(f"topic {word}") for word in MATCHING.split(";")] * 2
        )
        print(f"{'twenty topics at once':<48} {(time.perf_counter() - started) * 1000:9.1f} ms")
        measured("conditions on the text, the first (-survey)", app, ["-survey"])
        measured("an author nobody has", app, ['author:"Nobody Else"'])
    print(f"memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
