"""Related papers, over both databases."""

from digest.collect.merge import keys_of, merge
from digest.rank.related import SHOWN, Related
from tests.support import make_corpus, make_facts, make_sighting

BIRDS = "We track migrating birds with robots that watch their flocks and nests."
BREAD = "Sourdough bread is baked in an oven at a high temperature for an hour."


def absorb(ledger, *sightings):
    ledger.papers.absorb(keys_of(sightings), lambda known: merge(known, sightings))


def test_the_most_alike_come_first_and_a_paper_is_not_its_own_relative(ledger):
    absorb(
        ledger,
        make_sighting(1, title="Birds seen by robots", abstract=BIRDS),
        make_sighting(2, title="Flocks of birds", abstract=BIRDS),
        make_sighting(
            3, title="Robots", abstract="Robots watch their batteries, and birds at times."
        ),
        make_sighting(4, title="Bread", abstract=BREAD),
    )
    related = Related(ledger.papers, make_corpus)
    facts = make_facts(1, title="Birds seen by robots", abstract=BIRDS)
    assert related.to("arxiv:2602.00001", facts)[0] == "arxiv:2602.00002"
    assert "arxiv:2602.00004" not in related.to("arxiv:2602.00001", facts)
    # One that is not among the newest has relatives as well.
    assert related.to("arxiv:1706.03762", facts)[:2] == ["arxiv:2602.00001", "arxiv:2602.00002"]


def test_words_that_nobody_knows_have_no_relatives(ledger):
    related = Related(ledger.papers, make_corpus)
    facts = make_facts(1, title="Xyzzy", abstract="", authors=())
    assert related.to("arxiv:2602.00001", facts) == []
    absorb(ledger, make_sighting(2, abstract=BIRDS))
    assert related.to("arxiv:2602.00001", facts) == []


def test_papers_are_read_again_only_after_a_collection(ledger):
    asked = []

    def corpus():
        asked.append(1)
        return make_corpus()

    related = Related(ledger.papers, corpus)
    facts = make_facts(1, title="Birds", abstract=BIRDS)
    absorb(ledger, *(make_sighting(number, abstract=BIRDS) for number in range(2, 4)))
    assert len(related.to("arxiv:2602.00001", facts)) == 2
    related.to("arxiv:2602.00001", facts)
    assert len(asked) == 1
    absorb(ledger, *(make_sighting(number, abstract=BIRDS) for number in range(4, 12)))
    assert len(related.to("arxiv:2602.00001", facts)) == SHOWN
    assert len(asked) == 2
