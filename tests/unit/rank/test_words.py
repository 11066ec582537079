"""Words of a text, as stems."""

import pytest
import Stemmer
from hypothesis import example, given
from hypothesis import strategies as st

from digest.rank import apart
from digest.rank.words import contains_run, spelt_stems, stem_of, stems


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Swimming ducks swim", ["swim", "duck", "swim"]),
        ("The duck and the pond of our own", ["duck", "pond", "own"]),
        ("C++, C# and c", ["c++", "c#", "c"]),
        ("C++17 modules", ["c++", "17", "modul"]),
        ("multi-agent (LLM) x_1", ["multi", "agent", "llm", "x", "1"]),
        ("ÉCOLE Straße", ["école", "strass"]),
        ("强化学习", ["强化学习"]),
        ("", []),
        ("?! … –", []),
    ],
)
def test_words_become_stems(text, words):
    assert stems(text) == words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("diffusion model", "Diffusion Models"),
        ("DUCK SWIMMING", "duck swims"),
        ("C++", "c++20"),
        ("the state of the art", "state art"),
    ],
)
def test_spellings_of_one_thing_have_one_stem(one, other):
    assert set(stems(one)) <= set(stems(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *(("C++", "C"), ("C#", "C"), ("duck", "ducktape")),
        *(("visual", "visualization"), ("optimizers", "optimization"), ("animals", "animation")),
        *(("physics", "physical"), ("Physicists", "physically"), ("dynamics", "dynamically")),
        *(("object", "objectives"), ("experience", "experiments"), ("activation", "active")),
        *(("activities", "active"), ("activations", "activity"), ("responsible", "response")),
        *(
            ("comprehension", "comprehensive"),
            ("specification", "specific"),
            ("engine", "engineer"),
        ),
        *(("completion", "completely"), ("continual", "continuous"), ("integrity", "integration")),
        *(("practices", "practical"), ("relativity", "relations"), ("relations", "relatively")),
        *(("productivity", "products"), ("transformers", "transforms"), ("position", "positive")),
    ],
)
def test_different_words_have_different_stems(one, other):
    assert not set(stems(one)) & set(stems(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *(("animals", "Animal"), ("animation", "animated"), ("physics", "physicists")),
        *(("robotics", "robotic"), ("mathematics", "mathematical"), ("object", "objects")),
        *(("specified", "specify"), ("generation", "generative"), ("compression", "compress")),
    ],
)
def test_words_of_one_family_have_one_stem(one, other):
    assert stems(one) == stems(other)


@pytest.mark.parametrize("word", sorted(apart.STEMS))
def test_a_word_that_is_told_apart_is_found_however_it_is_written(word):
    assert stem_of(word.upper()) == apart.STEMS[word]


@pytest.mark.parametrize("stem", sorted(set(apart.STEMS.values())))
def test_the_stem_of_words_told_apart_is_needed_and_no_other_words(stem):
    # A stem that the stemmer leaves as it is could be that of other words.
    assert Stemmer.Stemmer("english").stemWord(stem) != stem


def test_words_stay_as_they_are_spelt():
    spelt = spelt_stems("The Ducks, DIVING in C++!")
    assert spelt == [("duck", "Ducks"), ("dive", "DIVING"), ("c++", "C++")]


@given(st.text())
@example("0\u0345")  # a mark that is a letter only in lower case
def test_each_word_of_a_text_has_its_stem_there(text):
    assert [stem for stem, _ in spelt_stems(text)] == stems(text)
    assert all(word in text for _, word in spelt_stems(text))


@pytest.mark.parametrize(
    ("haystack", "needle", "there"),
    [("abcd", "bc", True), ("abcd", "bd", False), ("abcd", "abcd", True), ("ab", "abc", False)],
)
def test_a_run_is_side_by_side(haystack, needle, there):
    assert contains_run(list(haystack), list(needle)) is there
