"""Searching what was collected: what is found, and how seldom it is read."""

from threading import Event, Thread

import pytest

from digest.collect.merge import keys_of, merge
from digest.ledger.history import Collection
from digest.rank.matching import Matching
from digest.rank.search import MOST, REACH, Search
from subscribers.errors import TopicError
from tests.support import NOW, TODAY, make_corpus, make_sighting


def collect(ledger, *numbers, **facts):
    sightings = [make_sighting(number, **facts) for number in numbers]
    ledger.papers.absorb(*keys_of(sightings), lambda known: merge(known, sightings))


@pytest.fixture
def reads(monkeypatch):
    """How many papers were read, each time that papers were."""
    counted = []
    papers = Matching.papers.func

    def read(matching):
        counted.append(len(matching.candidates))
        return papers(matching)

    monkeypatch.setattr(Matching.papers, "func", read)
    return counted


def test_papers_of_the_last_months_are_found_best_first(ledger):
    collect(ledger, 1, title="Ducks", abstract="Ducks on ponds.")
    collect(ledger, 2, title="Robots", abstract="They fold shirts.")
    collect(ledger, 3, title="Ponds", abstract="Ducks dive.", listed_on=TODAY - REACH)
    collect(ledger, 4, title="Ducks of old", listed_on=TODAY - 2 * REACH)
    picks = Search(ledger, make_corpus).find("ducks")
    assert {pick.candidate.facts.title for pick in picks} == {"Ducks", "Ponds"}
    assert picks[0].match.score >= picks[1].match.score


def test_what_a_filter_restricts_to(ledger):
    collect(ledger, 1, title="Ducks", abstract="Ducks on ponds.", upvotes=1)
    collect(ledger, 2, title="Ducks and Geese", abstract="Ducks on ponds.", upvotes=9)
    search = Search(ledger, make_corpus)
    for typed, found in [
        ("ducks -geese", {"Ducks"}),
        ("ducks upvotes>5", {"Ducks and Geese"}),
        ("title:geese", {"Ducks and Geese"}),
        ("robots title:ducks", set()),
    ]:
        assert {pick.candidate.facts.title for pick in search.find(typed)} == found, typed


def test_without_papers_nothing_is_found(ledger):
    assert Search(ledger, make_corpus).find("ducks") == []


def test_no_more_are_found_than_are_wanted(ledger):
    collect(ledger, *range(1, MOST + 9), abstract="Ducks on ponds.")
    search = Search(ledger, make_corpus)
    assert len(search.find("ducks")) == MOST
    assert len(search.find("ducks", 3)) == 3


def test_an_unreadable_filter_is_refused(ledger):
    with pytest.raises(TopicError):
        Search(ledger, make_corpus).find("(ducks")


def test_papers_are_read_once_until_others_come(ledger, reads):
    collect(ledger, 1, abstract="Ducks on ponds.")
    search = Search(ledger, make_corpus)
    for typed in ("ducks", "robots", "ducks"):
        search.find(typed)
    assert reads.count(1) == 1
    collect(ledger, 2, abstract="Ducks on ponds.")
    assert len(search.find("ducks")) == 2
    collect(ledger, 2, abstract="Ducks on ponds.", upvotes=50)
    assert {pick.candidate.signals.upvotes for pick in search.find("ducks")} == {3, 50}
    ledger.history.record_collection(Collection(TODAY, NOW, "huggingface"))
    search.find("ducks")
    assert reads.count(2) == 3


def test_while_papers_are_read_others_search_those_before(ledger, reads, monkeypatch):
    collect(ledger, 1, abstract="Ducks on ponds.")
    search = Search(ledger, make_corpus)
    search.find("ducks")
    collect(ledger, 2, abstract="Ducks on ponds.")
    began, go_on = Event(), Event()
    read = search._read

    def slowly(corpus):
        began.set()
        go_on.wait(10)
        return read(corpus)

    monkeypatch.setattr(search, "_read", slowly)
    reading = Thread(target=search.find, args=["ducks"])
    reading.start()
    try:
        assert began.wait(10)
        assert len(search.find("ducks")) == 1
    finally:
        go_on.set()
        reading.join()
    assert len(search.find("ducks")) == 2
