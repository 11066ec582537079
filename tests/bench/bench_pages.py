"""The public pages with a year of papers: `python -m tests.bench.bench_pages [URL]`.

14,600 papers, 40 a day, each with an abstract, eight authors, keywords, and five observations of
its votes; in SQLite, or in the empty database of a URL. Prints the processor time of this process
for each page, made anew (the median of many), and its size.
"""

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from urllib.parse import quote

import httpx
from sqlalchemy import insert

from digest.app.app import App
from digest.app.web import web
from digest.ledger.history import Collection
from digest.ledger.tables import listings, observations, paper_names, papers
from digest.model.identity import names_of, title_key
from digest.rank.corpora import SHIPPED, load
from tests.support import SENDING

DAYS, A_DAY = 365, 40
AUTHORS, ORGANISATIONS, KEYWORDS = 5000, 200, 400
ROUNDS = 15
LAST = date(2026, 11, 30)


def rows() -> Iterator[dict[str, object]]:
    """Yield the papers; their words are those of the shipped corpus."""
    chance = random.Random(1)
    corpus = load(SHIPPED)
    words = [word for word in corpus.words[: corpus.single] if word.isalpha()]
    authors = [
        f"{chance.choice(words).title()} {chance.choice(words).title()}" for _ in range(AUTHORS)
    ]
    keywords = [f"{chance.choice(words)} {chance.choice(words)}" for _ in range(KEYWORDS)]
    for number in range(DAYS * A_DAY):
        arxiv_id = f"{25 + number // 10_000}{number % 12 + 1:02}.{number % 10_000:05}"
        title = " ".join(chance.sample(words, 9)).capitalize()
        yield {
            "id": number + 1,
            "key": f"arxiv:{arxiv_id}",
            "title_key": title_key(title),
            "title": title,
            "arxiv_id": arxiv_id,
            "abstract": " ".join(chance.choices(words, k=190)) + ".",
            "summary": " ".join(chance.choices(words, k=25)) + ".",
            "authors": chance.sample(authors, 8),
            "author_count": 8,
            "published_on": LAST - timedelta(days=DAYS - number // A_DAY),
            "organisation": f"Institute {chance.randrange(ORGANISATIONS)}" if number % 2 else "",
            "keywords": [min(chance.choices(keywords, k=2)) for _ in range(8)],
            "categories": ["cs.CL"],
            "page_url": f"https://huggingface.co/papers/{arxiv_id}",
            "code_url": "https://github.com/x/y" if number % 3 else "",
            "project_url": "",
            "first_seen": datetime(2026, 1, 1, tzinfo=UTC),
        }


def fill(app: App) -> tuple[str, str]:
    """Fill the ledger; the name of an author with many papers, and a paper's id."""
    chance = random.Random(2)
    made = list(rows())
    with app.engine.begin() as connection:
        connection.execute(insert(papers), made)
        connection.execute(
            insert(paper_names),
            [
                {"kind": kind, "key": key, "paper_id": row["id"]}
                for row in made
                for kind, key in names_of(row["authors"], row["organisation"])
            ],
        )
        first = LAST - timedelta(days=DAYS - 1)
        days = [first + timedelta(days=number // A_DAY) for number in range(len(made))]
        connection.execute(
            insert(listings),
            [
                {"paper_id": row["id"], "source": "huggingface", "listed_on": day}
                for row, day in zip(made, days, strict=True)
            ],
        )
        seen = []
        for row, day in zip(made, days, strict=True):
            votes = 0
            for after in range(5):
                votes += chance.randrange(30)
                at = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=12 * after)
                about = {"paper_id": row["id"], "source": "huggingface", "seen_at": at}
                seen.append({**about, "upvotes": votes, "comments": after, "stars": None})
        connection.execute(insert(observations), seen)
    at = datetime.combine(LAST, datetime.min.time(), UTC) + timedelta(days=1)
    app.ledger.history.record_collection(Collection(LAST, at, "huggingface"))
    return made[-1]["authors"][0], made[-1]["key"]


async def measure(app: App, author: str, key: str) -> None:
    pages = web(app)
    transport = httpx.ASGITransport(app=pages)
    paths = {
        "day": f"/{LAST}",
        "week": f"/{LAST - timedelta(days=1):%G-W%V}",
        "month": "/2026-10",
        "month, page 10": "/2026-10?page=10",
        "month, with code": "/2026-10?code=yes&sort=votes",
        "archive": "/archive",
        "paper": f"/paper/{key}",
        "citation": f"/paper/{key}/cite.bib",
        "day as BibTeX": f"/{LAST}/papers.bib",
        "author": f"/author/{quote(author)}",
        "organisation": "/organisation/Institute%201",
        "sitemap of papers": "/sitemap-1.xml",
        "sitemap of days": "/sitemap-days.xml",
    }
    print(f"{'page':20} {'CPU ms':>7} {'first':>7} {'KB':>5}")
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as http:
        for name, path in paths.items():
            times = []
            for _ in range(ROUNDS + 1):
                start = time.process_time()
                answer = await http.get(path)
                times.append(time.process_time() - start)
                assert answer.status_code == 200, (path, answer.status_code)
            kept = {"If-None-Match": answer.headers["etag"]}
            assert (await http.get(path, headers=kept)).status_code == 304
            typical, size = median(times[1:]) * 1000, len(answer.content) / 1000
            print(f"{name:20} {typical:7.1f} {times[0] * 1000:7.0f} {size:5.0f}")
        start = time.process_time()
        for _ in range(ROUNDS):
            await http.get("/2026-10", headers={"If-None-Match": "*"})
        again = {"If-None-Match": (await http.get("/2026-10")).headers["etag"]}
        start = time.process_time()
        for _ in range(ROUNDS):
            await http.get("/2026-10", headers=again)
        print(f"{'not changed (304)':20} {(time.process_time() - start) / ROUNDS * 1000:7.1f}")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = {**SENDING, "home": str(Path(folder))}
        if sys.argv[1:]:
            settings["database_url"] = sys.argv[1]
        app = App(environment={}, dotenv=None, **settings)
        author, key = fill(app)
        asyncio.run(measure(app, author, key))


if __name__ == "__main__":
    main()
