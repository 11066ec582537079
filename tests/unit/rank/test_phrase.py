"""The phrase of a paper that says why it fits a topic."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.rank.phrase import phrase
from digest.rank.words import stem_of, stems
from tests.support import make_facts

OWN = ("world", "model")
UTILITY = {"world": 3.0, "model": 2.0, "video": 1.5, "simul": 1.0, "world model": 4.0}


def found(text, utility=UTILITY, own=OWN, **more):
    return phrase(make_facts(abstract=text, **more), utility, own)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("We present interactive world models, which are fast.", "interactive world models"),
        ("This is about world models.", ""),  # the topic says that itself
        ("Of worlds. Models are many.", ""),  # a mark is between
        ("A large-scale world model is shown.", "large-scale world model"),  # no half of a compound
        ("It greatly improves world models greatly.", ""),  # nothing that says something beside it
        ("One simulator of video worlds!", "simulator of video worlds"),
        ("We simulate video worlds.", "video worlds"),
        ("It can simulate. Video worlds.", "Video worlds"),
        ("Knots and ropes of sailors.", ""),
        ("", ""),
        ("world " * 300, ""),
        ("world" + "x" * 300 + " video", ""),
    ],
)
def test_phrases(text, said):
    assert found(text) == said


def test_the_title_is_asked_only_where_nothing_else_is_said():
    assert found("On knots.", title="Video Worlds") == ""
    assert found("", title="Video Worlds", summary="") == "Video Worlds"


WORDS = st.sampled_from("the world worlds model video simulator of and knots large-scale GPT-4 naïve".split())  # fmt: skip


@given(st.lists(WORDS | st.sampled_from([",", ".", "(", "–"]), max_size=40).map(" ".join))
def test_a_phrase_stands_in_the_paper_and_its_ends_say_something(text):
    said = found(text, title="Knots")
    assert said in text
    assert len(said) <= 50
    if said:
        words = said.replace("-", " ").replace("–", " ").split()
        assert 2 <= len(words) <= 5
        assert stem_of(words[0])
        assert stem_of(words[-1])
        assert not set(stems(said)) <= set(OWN)
        assert set(stems(said)) & UTILITY.keys()
