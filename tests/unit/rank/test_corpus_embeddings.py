"""Embeddings in a stored corpus, used by who has the model that made them, and by nobody else."""

import numpy as np
import pytest

from digest.rank.corpora import SHIPPED, learn, load, load_with, save
from digest.rank.corpus_embeddings import packed, unpacked
from digest.rank.reference_corpus import unit
from tests.unit.rank.test_meaning import embed, known_papers


def another(texts):
    """A model with the same dimensions."""
    return embed(texts)[:, ::-1]


def nearly_the_same(texts):
    """A copy of a model with weights of fewer bits."""
    return unit(np.round(embed(texts) * 50) / 50)


def of_other_size(texts):
    return embed(texts)[:, :32]


@pytest.fixture
def stored(tmp_path):
    path = tmp_path / "corpus.npz"
    save(learn(known_papers(), embed), path, embed)
    return path


@pytest.mark.parametrize("model", [embed, nearly_the_same])
def test_the_same_model_finds_its_embeddings(stored, model):
    corpus = load_with(model, stored)
    expected = learn(known_papers(), embed)
    assert corpus.keys == expected.keys
    assert (corpus.embeddings * expected.embeddings).sum(axis=1).min() > 0.999
    assert np.allclose(np.linalg.norm(corpus.embeddings, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("model", [another, of_other_size])
def test_another_model_finds_none(stored, model):
    assert load_with(model, stored).embeddings is None


def test_without_a_model_there_are_none(stored, tmp_path):
    assert load_with(None, stored).embeddings is None
    assert load_with(None, stored) is load(stored)
    save(learn(known_papers()), tmp_path / "plain.npz")
    assert load_with(embed, tmp_path / "plain.npz").embeddings is None


def test_a_row_of_nothing_stays_nothing():
    rows = np.zeros((2, 64), np.float32)
    assert not unpacked(packed(rows, embed), embed).any()


def test_the_shipped_corpus_has_an_embedding_for_each_paper():
    with np.load(SHIPPED) as stored:
        assert stored["embeddings"].shape == (load(SHIPPED).size, 384)
        assert stored["probes"].shape == (3, 384)
    assert SHIPPED.stat().st_size < 1_500_000
