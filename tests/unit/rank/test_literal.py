"""The very words of topics in papers."""

import numpy as np
import pytest

from digest.rank.literal import Literal, prominent_in
from digest.rank.topic_words import TopicWords
from digest.rank.words import stem_counts
from tests.support import make_corpus, make_facts

NOTHING = "Nothing of note"
LONG = "A duck and a goose. " * 60


def look_for(topic: str, title: str = NOTHING, abstract: str = "") -> tuple[float, ...]:
    """Return how a topic stands in a paper.

    That is its mean and least coverage, its absence in both ways, and whether it is there in
    passing.
    """
    corpus = make_corpus()
    counts = [stem_counts(make_facts(title=title, abstract=abstract, summary=""))]
    papers = corpus.read(corpus.matrix(counts), prominent=prominent_in(counts))
    literal = Literal([TopicWords.of(topic, corpus)], corpus)
    mean, least, in_passing = literal.coverage(papers)
    found = (mean, least, *literal.absence(papers), in_passing)
    return tuple(float(matrix[0, 0]) for matrix in found)


@pytest.mark.parametrize(
    ("topic", "title", "abstract", "is_there"),
    [
        ("zeppelins", "A zeppelin", "", True),  # which the corpus does not know
        ("zeppelins", NOTHING, "Zeppelins. A zeppelin. The zeppelin.", True),
        ("zeppelins", NOTHING, "Zeppelins. A zeppelin.", False),
        ("zeppelins", NOTHING, f"Zeppelins. {LONG} A zeppelin.", True),
        ("zeppelins", NOTHING, f"{LONG} Zeppelins. A zeppelin.", False),
        ("zeppelins", NOTHING, f"{LONG} Zeppelins. A zeppelin. The zeppelin.", True),
        ("vibe coding", "A survey of vibe coding", "", True),
        ("vibe coding", "The vibe of coding", "", True),
        ("vibe coding", "Coding with a vibe of cloth", "", False),
        ("RLHF", "Reinforcement learning from human feedback", "", True),
        ("geese or swans", "A swan", "", True),
        ("", "A swan", "", False),
    ],
)
def test_a_topic_is_there_where_its_words_weigh(topic, title, abstract, is_there):
    assert look_for(topic, title, abstract)[1] == pytest.approx(float(is_there))


def test_the_least_is_that_of_the_concept_that_a_paper_has_least_of():
    mean, least, *_ = look_for("ducks in zeppelins", "On ducks")
    assert 0 < mean < 1
    assert least == 0


def test_on_average_words_will_do_where_they_weigh_but_are_apart():
    mean, least, *_ = look_for("vibe coding", "Coding with a vibe of cloth")
    assert mean == pytest.approx(1)
    assert least == 0


@pytest.mark.parametrize(
    ("topic", "abstract", "lacks"),
    [
        ("ducks in ponds", "A duck on a pond.", False),
        ("ducks in ponds", "A duck.", True),
        ("ducks in ponds", "A pond.", True),
        ("ducks ponds", "A duck.", True),
        ("ducks ponds", "A pond of no duck.", False),
        ("ducks", "", True),
        ("zeppelins", "A duck.", True),  # which the corpus does not know
        ("zeppelins for ducks", "A duck and a zeppelin. The zeppelin. Zeppelins.", False),
        ("ducks of ponds", "A duck.", True),
        ("ducks and geese", "A goose. Geese.", False),
        ("", "", False),
    ],
)
def test_a_paper_lacks_a_concept_that_it_has_little_of(topic, abstract, lacks):
    assert look_for(topic, abstract=abstract)[2] == lacks


@pytest.mark.parametrize(
    ("topic", "title", "abstract", "in_pieces"),
    [
        ("language models", NOTHING, "A language of few models.", 1),
        ("language models", NOTHING, "A language model.", 0),
        ("language models", "Models of a language that models like", "", 0),  # prominent, both
        ("language models", NOTHING, "A language.", 0),  # it lacks it
        ("ducks models", NOTHING, "A duck. A model.", 0),  # papers do not put these side by side
        ("language models for ducks", NOTHING, "A duck, a language of few models.", 1),
    ],
)
def test_the_words_of_a_phrase_are_wanted_side_by_side(topic, title, abstract, in_pieces):
    assert look_for(topic, title, abstract)[3] == pytest.approx(in_pieces)


@pytest.mark.parametrize(
    ("topic", "title", "abstract", "in_passing"),
    [
        ("ponds", NOTHING, "A pond.", True),
        ("ponds", NOTHING, "A pond and a pond.", True),
        ("ponds", NOTHING, "A pond, a pond and a pond.", False),
        ("ponds", "The pond", "", False),
        ("diving ponds", NOTHING, "A diving pond, diving and diving.", False),
        ("diving flying ponds", NOTHING, "A pond, a pond and a diving, flying pond.", True),
        ("ducks in ponds", NOTHING, "A pond.", True),
        ("ponds or ducks", NOTHING, "A pond.", False),
        ("zeppelins", NOTHING, "A zeppelin.", True),  # which the corpus does not know
        ("", NOTHING, "A pond.", False),
    ],
)
def test_a_long_text_mentions_in_passing_what_it_says_less_than_three_times(
    topic, title, abstract, in_passing
):
    assert bool(look_for(topic, title, f"{LONG} {abstract}")[4]) is in_passing


def test_a_short_text_mentions_nothing_in_passing():
    assert not look_for("ponds", NOTHING, "A pond." + " A duck." * 20)[4]


def test_papers_are_found_by_their_numbers():
    counts = [{"duck": 3, "pond": 1}, {}, {"duck": 5, "pond": 2}]
    found = prominent_in(counts)
    assert {term: numbers.tolist() for term, numbers in found.items()} == {"duck": [0, 2]}
    assert all(numbers.dtype == np.int32 for numbers in found.values())
