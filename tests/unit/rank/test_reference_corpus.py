"""What topics are measured against: the weights of words, the space of LSA, and the vocabulary."""

from collections import Counter
from math import log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.model.papers import Facts
from digest.rank import reference_corpus as corpus_module
from digest.rank.corpora import ENOUGH, learn
from digest.rank.reference_corpus import K1, B, ReferenceCorpus, unit
from digest.rank.words import TITLE_WEIGHT, stem_counts
from tests.support import make_corpus, make_facts, shipped_background

THREE = [{"duck": 2, "pond": 1}, {"pond": 1, "reed": 3}, {"reed": 1}]

counted = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 9), max_size=5)
papers = st.lists(counted, min_size=1, max_size=8).filter(any)


def dense(matrix):
    return np.asarray(matrix.todense())


# ---- BM25 ---------------------------------------------------------------------------------------


def plain_idf(word, papers):
    having = sum(word in paper for paper in papers)
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
    corpus = ReferenceCorpus.of(THREE)
    found = dense(corpus.papers.bm25)[0, corpus.column_of["duck"]]
    assert found == pytest.approx(expected)


@given(papers)
def test_the_weights_of_bm25_are_those_of_the_formula(papers):
    corpus = ReferenceCorpus.of(papers)
    expected = [[plain_bm25(word, paper, papers) for word in corpus.words] for paper in papers]
    assert dense(corpus.papers.bm25) == pytest.approx(np.array(expected), rel=1e-5)


@given(papers)
def test_a_word_weighs_more_the_rarer_it_is(papers):
    corpus = ReferenceCorpus.of(papers)
    words = corpus.words
    assert corpus.idf == pytest.approx([plain_idf(word, papers) for word in words], rel=1e-5)
    assert (corpus.idf > 0).all()
    assert (corpus.idf < corpus.highest_idf).all()
    having = Counter(word for paper in papers for word in paper)
    assert corpus.frequency.tolist() == [having[word] for word in words]


def test_more_of_a_word_weighs_more_and_ever_less_so():
    corpus = ReferenceCorpus.of(THREE)
    rows = corpus.matrix({"duck": n} for n in (1, 2, 3, 100, 1000))
    one, two, three, many, more = dense(corpus.bm25(rows)).max(axis=1)
    assert one < two < three < many < more
    assert three - two < two - one
    assert more < (K1 + 1) * corpus.idf.max()


# ---- TF-IDF -------------------------------------------------------------------------------------


def test_a_weight_of_tfidf_worked_out_by_hand():
    corpus = ReferenceCorpus.of(THREE)
    duck, pond = (1 + log(2)) * (log(4 / 2) + 1), 1 * (log(4 / 3) + 1)
    found = dense(corpus.papers.tfidf)[0]
    column = corpus.column_of
    assert found[column["duck"]] == pytest.approx(duck / sqrt(duck**2 + pond**2))
    assert found[column["pond"]] == pytest.approx(pond / sqrt(duck**2 + pond**2))


@given(papers)
def test_a_row_of_tfidf_has_length_1_or_nothing_in_it(papers):
    lengths = np.linalg.norm(dense(ReferenceCorpus.of(papers).papers.tfidf), axis=1)
    assert lengths == pytest.approx([1.0 if paper else 0.0 for paper in papers], abs=1e-5)


# ---- LSA ----------------------------------------------------------------------------------------


def closeness(corpus, one, other):
    rows = corpus.matrix(map(stem_counts, (Facts(one), Facts(other))))
    first, second = corpus.positions(rows)
    return float(first @ second)


@pytest.mark.parametrize(
    ("word", "near", "far"),
    [("geese", "graze", "gait"), ("video", "scene", "pond"), ("knot", "foliation", "speech")],
)
def test_words_that_occur_together_lie_close(word, near, far):
    corpus = make_corpus()
    assert closeness(corpus, word, near) > closeness(corpus, word, far) + 0.15


@pytest.mark.parametrize(
    ("word", "near", "far"),
    [
        ("RLHF", "preference", "video"),
        ("diffusion", "denoising", "agents"),
        ("gaussian splatting", "novel view synthesis", "translation"),
    ],
)
def test_words_of_one_field_lie_close_in_the_shipped_background(word, near, far):
    corpus = shipped_background()
    assert closeness(corpus, word, near) > closeness(corpus, word, far) + 0.15


@given(papers)
def test_a_position_has_length_1_or_is_nowhere(papers):
    lengths = np.linalg.norm(ReferenceCorpus.of(papers).papers.positions, axis=1)
    assert lengths == pytest.approx([1.0 if paper else 0.0 for paper in papers], abs=1e-4)


def test_few_dimensions_keep_nearly_as_much_as_any_could(monkeypatch):
    monkeypatch.setattr(corpus_module, "DIMENSIONS", 8)
    known = make_corpus()
    corpus = ReferenceCorpus(known.words, known.counts)  # nothing of it is worked out yet
    papers = dense(corpus.papers.tfidf)[:, : corpus.single]
    axes = corpus.axes
    assert axes.shape == (corpus.single, 8)
    assert axes.T @ axes == pytest.approx(np.eye(8), abs=1e-5)
    singular = np.linalg.svd(papers, compute_uv=False)
    kept = np.linalg.norm(papers @ axes) ** 2
    assert kept >= 0.999 * (singular[:8] ** 2).sum()


def test_all_dimensions_keep_every_likeness():
    corpus = make_corpus()
    likeness = corpus.papers.positions @ corpus.papers.positions.T
    words = unit(dense(corpus.papers.tfidf)[:, : corpus.single])
    assert likeness == pytest.approx(words @ words.T, abs=1e-3)


def test_the_same_papers_make_the_same_space():
    known = make_corpus()
    one, other = (ReferenceCorpus(known.words, known.counts) for _ in range(2))
    assert (one.axes == other.axes).all()


# ---- papers of all kinds ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "counts",
    [[{"duck": 1}], [{}], [{}, {}], [{"duck": 1}, {}], [{"duck": 1}] * 3],
    ids=["one", "empty", "all empty", "one empty", "all alike"],
)
def test_any_papers_make_a_background(counts):
    corpus = ReferenceCorpus.of(counts)
    rows = corpus.matrix([{"duck": 2, "goose": 1}, {}])
    read = corpus.read(rows)
    for matrix in (dense(read.bm25), dense(read.tfidf), read.positions):
        assert len(matrix) == 2
        assert np.isfinite(matrix).all()
    assert corpus.size == len(counts)


def test_words_that_nobody_knows_are_nothing():
    corpus = make_corpus()
    rows = corpus.matrix([{"duck": 1}, {"duck": 1, "zeppelin": 7}])
    assert (dense(rows)[0] == dense(rows)[1]).all()


# ---- the vocabulary -----------------------------------------------------------------------------


def test_a_title_counts_more_than_the_rest_and_the_opening_twice():
    facts = make_facts(
        title="Ducks", summary="On a duck.", abstract="A pond of ducks. " + "A goose. " * 50
    )
    counts = stem_counts(facts)
    assert (counts["duck"], counts["pond"]) == (TITLE_WEIGHT + 1 + 2, 2)
    assert counts["goos"] == 50 + 18  # of the first twenty words, two are others
    assert (counts["pond duck"], counts["goos goos"]) == (1, 49)


def test_keywords_only_add_what_the_texts_lack():
    facts = make_facts(
        title="Ducks", abstract="On a pond.", summary="", keywords=("duck ponds", "reed", "reeds")
    )
    counts = stem_counts(facts)
    assert counts == {"duck": TITLE_WEIGHT, "pond": 1, "duck pond": 1, "reed": 1}


def test_pairs_come_last_and_must_be_in_two_papers():
    corpus = ReferenceCorpus.of([{"b": 1, "a b": 1, "b c": 1}, {"a": 1, "c": 1, "a b": 2}])
    assert corpus.words == ("a", "b", "c", "a b")
    assert corpus.single == 3
    assert corpus.papers_with("a b") == 2
    assert corpus.papers_with("b c") == 0


def test_columns_are_in_the_order_of_words():
    corpus = ReferenceCorpus.of([{"pond": 1, "duck": 1}, {"reed": 1, "duck": 5}])
    assert corpus.words == ("duck", "pond", "reed")


@given(papers)
def test_a_matrix_has_the_counts_in_their_places(papers):
    corpus = ReferenceCorpus.of(papers)
    expected = [[paper.get(word, 0) for word in corpus.words] for paper in papers]
    assert dense(corpus.matrix(papers)).tolist() == expected


# ---- learned --------------------------------------------------------------------------------


def test_a_background_is_the_same_in_whatever_order_papers_came():
    papers = {f"test:{n}": make_facts(n, abstract=f"Of {n % 3} ducks.") for n in range(9)}
    one, other = learn(papers), learn(dict(reversed(papers.items())))
    assert one.keys == other.keys
    assert one.words == other.words
    assert (dense(one.counts) == dense(other.counts)).all()


def test_the_shipped_background_has_enough_papers():
    corpus = shipped_background()
    assert corpus.size >= ENOUGH
    assert len(corpus.keys) == corpus.size == len(corpus.row_of)
