"""Narrowing before ranking loses nothing of the top: on recorded days, for topics that people typed."""

import csv
import random

import pytest

from digest.collect.file import read_file
from digest.collect.merge import keys_of, merge
from digest.ledger.database import ensure_current, open_database
from digest.ledger.ledger import Ledger
from digest.model.search import SearchQuery
from digest.rank.corpora import ReferenceCorpora
from digest.rank.index_words import VERSION, index_words
from digest.rank.search import Search
from subscribers.errors import TopicError
from subscribers.topics import TopicFilter
from tests.conftest import CORPUS
from tests.support import NOW, examples

NARROW = 150  # papers that are ranked, of about a thousand: a seventh, as in a ledger of a year
TYPED = (
    "video generation", "agents", "models", "making chatbots safer", "hallucination in MLLMs",
    "teaching machines to see", '"chain of thought" reasoning', "robot OR embodied", "-survey agents",
    "code:yes video", "title:agents", "visualisation tools", "RAG", "quantisation",
)  # fmt: skip

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not (CORPUS / "hf_daily").is_dir(), reason="PAPER_DIGEST_CORPUS is not set"),
]


@pytest.fixture(scope="module")
def searches(tmp_path_factory):
    """A search that ranks a part of the recorded papers, and one that ranks all of them."""
    engine = open_database(f"sqlite:///{tmp_path_factory.mktemp('recorded') / 'digest.sqlite3'}")
    ensure_current(engine)
    ledger = Ledger(engine, sleep=lambda _: None)
    for path in sorted((CORPUS / "hf_daily").glob("*.json")):
        sightings = list(read_file(path, None, NOW).sightings)
        ledger.papers.absorb(keys_of(sightings), lambda known, s=sightings: merge(known, s))
    ledger.search_index.catch_up(VERSION, index_words)
    corpus = ReferenceCorpora(ledger.papers).current()
    yield (
        Search(ledger, lambda: corpus, most_ranked=NARROW),
        Search(ledger, lambda: corpus, most_ranked=100_000),
    )
    engine.dispose()


def topics():
    with (CORPUS / "topics.csv").open(encoding="utf-8") as file:
        typed = sorted({row[-1] for row in csv.reader(file)})
    return [*TYPED, *random.Random(0).sample(typed, examples(300))]


def test_the_first_papers_are_those_that_ranking_all_finds(searches):
    wanted = kept = same = asked = 0
    for typed in topics():
        try:
            query = SearchQuery(TopicFilter.parse(typed))
        except TopicError:
            continue
        some, every = (
            [pick.candidate.key for pick in search.find(query).picks] for search in searches
        )
        wanted, kept = wanted + len(every), kept + len({*some} & {*every})
        same, asked = same + (some == every), asked + 1
    assert wanted > 300
    assert kept >= 0.98 * wanted, f"{wanted - kept} of {wanted} papers were lost"
    assert same >= 0.95 * asked, f"{same} of {asked} topics have the same first papers"
