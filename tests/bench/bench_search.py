"""Measure searching: `python -m tests.bench.bench_search FOLDER [PAPERS]`.

FOLDER has recorded days of Hugging Face (`hf_daily/`) and `topics.csv`. As many papers as wanted (a
year of them, if nothing is said) are made of the recorded ones: the title of one, with sentences of
its abstract and of others'. It prints what it takes to read them into the index, to search for a
topic for the first and for another time (CPU, and by the clock), and what the narrowing loses: how
often the first twenty papers are those that ranking all of them finds.
"""

import csv
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles

from sqlalchemy import insert

from digest.collect.file import read_file
from digest.ledger.database import ensure_current, open_database
from digest.ledger.ledger import Ledger
from digest.ledger.tables import listings, observations, papers
from digest.model.papers import Facts
from digest.model.search import SearchQuery
from digest.rank.corpora import ReferenceCorpora
from digest.rank.index_words import VERSION, index_words
from digest.rank.search import PAGE, Search
from subscribers.errors import TopicError
from subscribers.topics import TopicFilter

A_YEAR = 14_600
OBSERVED = 12  # times that each paper's votes are stored
LAST = date(2025, 12, 5)
A_DAY = 40  # papers
_BLOCK = 1000


def recorded(folder: Path) -> list[Facts]:
    """Return the papers of the recorded days, each once."""
    now = datetime(2025, 12, 8, tzinfo=UTC)
    found: dict[str, Facts] = {}
    for path in sorted((folder / "hf_daily").glob("*.json")):
        for sighting in read_file(path, None, now).sightings:
            found[sighting.facts.title] = sighting.facts
    return list(found.values())


def invented(known: list[Facts], many: int) -> Iterator[Facts]:
    """Yield the recorded papers, then others made of them."""
    yield from known[:many]
    chance = random.Random(0)
    for number in range(len(known), many):
        first, second, third = chance.sample(known, 3)
        sentences = [
            sentence
            for facts in (first, first, second, third)
            for sentence in facts.abstract.split(". ")
            if chance.random() < 0.5
        ]
        words = [*first.title.split(), *second.title.split()]
        title = " ".join(chance.sample(words, min(len(words), 9)))
        yield replace(
            first,
            title=f"{title} {number}",
            arxiv_id=f"{2400 + number // 90_000}.{number % 90_000:05d}",
            abstract=". ".join(sentences[:9]),
        )


def fill(ledger: Ledger, known: list[Facts], many: int) -> None:
    chance = random.Random(1)
    first_day = LAST - timedelta(days=many // A_DAY)
    rows = []
    for number, facts in enumerate(invented(known, many), 1):
        key = f"arxiv:{facts.arxiv_id}:{number}"
        seen = datetime(2025, 12, 5, tzinfo=UTC)
        rows.append(
            {"id": number, "key": key, "title_key": key, "first_seen": seen, **asdict(facts)}
        )
    with ledger.engine.begin() as connection:
        for start in range(0, many, _BLOCK):
            some = rows[start : start + _BLOCK]
            connection.execute(insert(papers), some)
            connection.execute(
                insert(listings),
                [
                    {
                        "paper_id": row["id"],
                        "source": "huggingface",
                        "listed_on": first_day + timedelta(days=row["id"] // A_DAY),
                    }
                    for row in some
                ],
            )
            votes = [int(chance.paretovariate(0.8)) for _ in some]
            connection.execute(
                insert(observations),
                [
                    {
                        "paper_id": row["id"],
                        "source": "huggingface",
                        "seen_at": row["first_seen"],
                        "upvotes": most * time // OBSERVED,
                    }
                    for time in range(1, OBSERVED + 1)
                    for row, most in zip(some, votes, strict=True)
                ],
            )


def topics_of(folder: Path, many: int) -> list[TopicFilter]:
    with (folder / "topics.csv").open(encoding="utf-8") as file:
        typed = [row[-1] for row in csv.reader(file)]
    found = []
    for text in random.Random(2).sample(typed[1:], many * 2):
        try:
            found.append(TopicFilter.parse(text))
        except TopicError:
            continue
    return found[:many]


def told(name: str, seconds: list[float]) -> None:
    cuts = quantiles(seconds, n=20)
    print(
        f"{name:<42} median {1e3 * median(seconds):7.1f} ms   95 % {1e3 * cuts[18]:7.1f} ms   "
        f"most {1e3 * max(seconds):7.1f} ms"
    )


def measure(search: Search, topics: list[TopicFilter]) -> tuple[list[float], list[list[str]]]:
    """Search for each topic; return the CPU time that each took, and what was found first."""
    spent, found = [], []
    for topic in topics:
        began = time.process_time()
        picks = search.find(SearchQuery(topic)).picks
        spent.append(time.process_time() - began)
        found.append([pick.candidate.key for pick in picks])
    return spent, found


def main() -> None:
    folder, many = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else A_YEAR
    url = sys.argv[3] if len(sys.argv) > 3 else ""
    with tempfile.TemporaryDirectory() as place:
        engine = open_database(url or f"sqlite:///{place}/digest.sqlite3")
        ensure_current(engine)
        ledger = Ledger(engine, sleep=lambda _: None)
        known = recorded(folder)
        fill(ledger, known, many)
        before = sum(file.stat().st_size for file in Path(place).iterdir())
        began = time.process_time()
        ledger.search_index.catch_up(VERSION, index_words)
        took = time.process_time() - began
        after = sum(file.stat().st_size for file in Path(place).iterdir())
        print(f"{many} papers, of which {len(known)} recorded; {engine.dialect.name}")
        print(f"read into the index: {took:.1f} s, {1e3 * took / many:.2f} ms each")
        if not url:
            print(f"the file: {before / 1e6:.0f} MB, with the index {after / 1e6:.0f} MB")
        corpus = ReferenceCorpora(ledger.papers).current()
        corpus.axes, corpus.papers  # noqa: B018
        search = Search(ledger, lambda: corpus)
        topics = topics_of(folder, 200)
        cold, _ = measure(search, topics)
        told("a topic for the first time", cold)
        for _ in range(2):
            warm, narrowed = measure(search, topics)
        told("again", warm)
        print(f"memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
        whole = Search(ledger, lambda: corpus, most_ranked=many)
        spent, every = measure(whole, topics)
        told("ranking every paper", spent)
        same = sum(few == all_ for few, all_ in zip(narrowed, every, strict=True))
        kept = sum(len({*few} & {*all_}) for few, all_ in zip(narrowed, every, strict=True))
        wanted = sum(map(len, every))
        print(f"the same first {PAGE}: {same} of {len(topics)} topics; {kept} of {wanted} papers")
        missed = [
            {"topic": topic.text, "lost": [key for key in all_ if key not in few]}
            for topic, few, all_ in zip(topics, narrowed, every, strict=True)
            if few != all_
        ]
        for line in missed[:20]:
            print(json.dumps(line)[:200])


if __name__ == "__main__":
    main()
