"""What topics are measured against: the weights of words, the space of LSA, and the vocabulary."""

from collections import Counter
from math import log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.model.papers import Facts
from digest.rank import reference_corpus as background_module
from digest.rank.corpora import ENOUGH, learn
from digest.rank.reference_corpus import K1, B, Background
from digest.rank.vocabulary import TITLE_WEIGHT, Vocabulary, stem_counts
from tests.support import make_background, make_facts, shipped_background

THREE = [{"duck": 2, "pond": 1}, {"pond": 1, "reed": 3}, {"reed": 1}]

counted = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 9), max_size=5)
papers = st.lists(counted, min_size=1, max_size=8).filter(any)


def dense(matrix):
    return np.asarray(matrix.todense())


# ---- BM25 ---------------------------------------------------------------------------------------


def plain_idf(word, papers):
    having = sum(word in each for each in papers)
    return log(1 + (len(papers) - having + 0.5) / (having + 0.5))


def plain_bm25(word, paper, papers):
    if word not in paper:
        return 0.0
    mean = sum(sum(each.values()) for each in papers) / len(papers)
    count, length = paper[word], sum(paper.values())
    saturated = count * (K1 + 1) / (count + K1 * (1 - B + B * length / mean))
    return plain_idf(word, papers) * saturated


def test_a_weight_of_bm25_worked_out_by_hand():
    # Three words, and 8 / 3 on average; "duck" is in one of three papers: ln(1 + 2.5 / 1.5).
    expected = log(8 / 3) * 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 3 / (8 / 3)))
    background = Background.of(THREE)
    found = dense(background.papers.bm25)[0, background.vocabulary.column["duck"]]
    assert found == pytest.approx(expected)


@given(papers)
def test_the_weights_of_bm25_are_those_of_the_formula(papers):
    background = Background.of(papers)
    expected = [
        [plain_bm25(word, paper, papers) for word in background.vocabulary.words]
        for paper in papers
    ]
    assert dense(background.papers.bm25) == pytest.approx(np.array(expected), rel=1e-5)


@given(papers)
def test_a_word_weighs_more_the_rarer_it_is(papers):
    background = Background.of(papers)
    words = background.vocabulary.words
    assert background.idf == pytest.approx([plain_idf(word, papers) for word in words], rel=1e-5)
    assert (background.idf > 0).all()
    assert (background.idf < background.highest_idf).all()
    having = Counter(word for paper in papers for word in paper)
    assert background.frequency.tolist() == [having[word] for word in words]


def test_more_of_a_word_weighs_more_and_ever_less_so():
    background = Background.of(THREE)
    rows = background.vocabulary.matrix({"duck": n} for n in (1, 2, 3, 100, 1000))
    one, two, three, many, more = dense(background.bm25(rows)).max(axis=1)
    assert one < two < three < many < more
    assert three - two < two - one
    assert more < (K1 + 1) * background.idf.max()


# ---- TF-IDF -------------------------------------------------------------------------------------


def test_a_weight_of_tfidf_worked_out_by_hand():
    background = Background.of(THREE)
    duck, pond = (1 + log(2)) * (log(4 / 2) + 1), 1 * (log(4 / 3) + 1)
    found = dense(background.papers.tfidf)[0]
    column = background.vocabulary.column
    assert found[column["duck"]] == pytest.approx(duck / sqrt(duck**2 + pond**2))
    assert found[column["pond"]] == pytest.approx(pond / sqrt(duck**2 + pond**2))


@given(papers)
def test_a_row_of_tfidf_has_length_1_or_nothing_in_it(papers):
    lengths = np.linalg.norm(dense(Background.of(papers).papers.tfidf), axis=1)
    assert lengths == pytest.approx([1.0 if paper else 0.0 for paper in papers], abs=1e-5)


# ---- LSA ----------------------------------------------------------------------------------------


def closeness(background, one, other):
    rows = background.vocabulary.matrix(map(stem_counts, (Facts(one), Facts(other))))
    first, second = background.positions(rows)
    return float(first @ second)


@pytest.mark.parametrize(
    ("word", "near", "far"),
    [("geese", "graze", "gait"), ("video", "scene", "pond"), ("knot", "foliation", "speech")],
)
def test_words_that_occur_together_lie_close(word, near, far):
    background = make_background()
    assert closeness(background, word, near) > closeness(background, word, far) + 0.2


@pytest.mark.parametrize(
    ("word", "near", "far"),
    [
        ("RLHF", "preference", "video"),
        ("diffusion", "denoising", "agents"),
        ("gaussian splatting", "novel view synthesis", "translation"),
    ],
)
def test_words_of_one_field_lie_close_in_the_shipped_background(word, near, far):
    background = shipped_background()
    assert closeness(background, word, near) > closeness(background, word, far) + 0.2


@given(papers)
def test_a_position_has_length_1_or_is_nowhere(papers):
    lengths = np.linalg.norm(Background.of(papers).papers.positions, axis=1)
    assert lengths == pytest.approx([1.0 if paper else 0.0 for paper in papers], abs=1e-4)


def test_few_dimensions_keep_nearly_as_much_as_any_could(monkeypatch):
    monkeypatch.setattr(background_module, "DIMENSIONS", 8)
    known = make_background()
    background = Background(known.vocabulary, known.counts)  # nothing of it is worked out yet
    papers = dense(background.papers.tfidf)
    axes = background._factors
    assert axes.shape == (len(background.vocabulary), 8)
    assert axes.T @ axes == pytest.approx(np.eye(8), abs=1e-5)
    singular = np.linalg.svd(papers, compute_uv=False)
    kept = np.linalg.norm(papers @ axes) ** 2
    assert kept >= 0.999 * (singular[:8] ** 2).sum()


def test_all_dimensions_keep_every_likeness():
    papers = make_background().papers
    likeness = papers.positions @ papers.positions.T
    assert likeness == pytest.approx(dense(papers.tfidf @ papers.tfidf.T), abs=1e-3)


def test_the_same_papers_make_the_same_space():
    known = make_background()
    one, other = (Background(known.vocabulary, known.counts) for _ in range(2))
    assert (one._factors == other._factors).all()


# ---- papers of all kinds ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "counts",
    [[{"duck": 1}], [{}], [{}, {}], [{"duck": 1}, {}], [{"duck": 1}] * 3],
    ids=["one", "empty", "all empty", "one empty", "all alike"],
)
def test_any_papers_make_a_background(counts):
    background = Background.of(counts)
    rows = background.vocabulary.matrix([{"duck": 2, "goose": 1}, {}])
    read = background.read(rows)
    for matrix in (dense(read.bm25), dense(read.tfidf), read.positions):
        assert len(matrix) == 2
        assert np.isfinite(matrix).all()
    assert background.size == len(counts)


def test_words_that_nobody_knows_are_nothing():
    background = make_background()
    rows = background.vocabulary.matrix([{"duck": 1}, {"duck": 1, "zeppelin": 7}])
    assert (dense(rows)[0] == dense(rows)[1]).all()


# ---- the vocabulary -----------------------------------------------------------------------------


def test_a_title_counts_more_than_the_rest():
    facts = make_facts(
        title="Ducks", summary="On a duck.", abstract="A pond of ducks.", keywords=("ponds", "reed")
    )
    assert stem_counts(facts) == {"duck": TITLE_WEIGHT + 2, "pond": 2, "reed": 1}


def test_columns_are_in_the_order_of_words():
    vocabulary = Vocabulary.of([{"pond": 1, "duck": 1}, {"reed": 1, "duck": 5}])
    assert vocabulary.words == ("duck", "pond", "reed")
    assert len(vocabulary) == 3


@given(papers)
def test_a_matrix_has_the_counts_in_their_places(papers):
    vocabulary = Vocabulary.of(papers)
    expected = [[paper.get(word, 0) for word in vocabulary.words] for paper in papers]
    assert dense(vocabulary.matrix(papers)).tolist() == expected


# ---- learned --------------------------------------------------------------------------------


def test_a_background_is_the_same_in_whatever_order_papers_came():
    papers = {f"test:{n}": make_facts(n, abstract=f"Of {n % 3} ducks.") for n in range(9)}
    one, other = learn(papers), learn(dict(reversed(papers.items())))
    assert one.keys == other.keys
    assert one.vocabulary.words == other.vocabulary.words
    assert (dense(one.counts) == dense(other.counts)).all()


def test_the_shipped_background_has_enough_papers():
    background = shipped_background()
    assert background.size >= ENOUGH
    assert len(background.keys) == background.size == len(background.row_of)
