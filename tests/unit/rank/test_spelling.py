"""One spelling for words that are spelt in several ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.rank.spelling import american
from digest.rank.words import stems


@pytest.mark.parametrize(
    ("british", "american"),
    [
        ("optimisation", "optimization"),
        ("quantised", "quantized"),
        ("tokenisers", "tokenizers"),
        ("generalisability", "generalizability"),
        ("behavioural", "behavioral"),
        ("colouring", "coloring"),
        ("neighbours", "neighbors"),
        ("modelling", "modeling"),
        ("signalled", "signaled"),
        ("analysing", "analyzing"),
        ("centres", "centers"),
        ("fibre", "fiber"),
        ("dialogues", "dialogs"),
        ("defence", "defense"),
        ("programmes", "programs"),
        ("artefact", "artifact"),
        ("judgement", "judgment"),
        ("ageing", "aging"),
        ("greyscale", "grayscale"),
        ("haemoglobin", "hemoglobin"),
        ("paediatric", "pediatric"),
        ("oestrogen", "estrogen"),
    ],
)
def test_british_words_have_the_stems_of_american_ones(british, american):
    assert stems(british) == stems(american)


@pytest.mark.parametrize(
    "word",
    "noise precise supervised promising revising expertise compare selling excellent aerial "
    "algae does goes poem outer hour four your pour sour tourism course source courage".split(),
)
def test_other_words_stay(word):
    assert american(word) == word


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("visualization", "visual"),
        ("generalization", "general"),
        ("localization", "local"),
        ("personalized", "personal"),
        ("optimization", "optimizers"),
    ],
)
def test_what_becomes_so_is_not_what_is_so(one, other):
    assert stems(one) != stems(other)


@given(st.text(alphabet="abcdeghilmnoprstuyz", max_size=20))
def test_a_second_time_changes_nothing(word):
    assert american(american(word)) == american(word)
