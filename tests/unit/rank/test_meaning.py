"""What embeddings add to the ranking, with a model that knows a few synonyms."""

import hashlib
from collections.abc import Sequence

import numpy as np
import pytest

from digest.model.papers import Facts
from digest.rank.corpora import learn
from digest.rank.matching import OUT_OF_DOMAIN, Matching, Topic
from digest.rank.rank_files import NamedTopic, rank
from digest.rank.ranker import Ranker
from digest.rank.readers import THRESHOLDS, Limits, Reader
from digest.rank.reference_corpus import Floats, ReferenceCorpus, text_of
from digest.rank.relevance import Meanings, Profiles, Query
from digest.rank.words import stems
from subscribers.preferences import Strictness
from subscribers.topics import TopicFilter
from tests.support import make_candidate, make_edition

FIELDS = [
    "quantization low bit weights",
    "speech audio recognition",
    "robot arm manipulation",
    "video diffusion generation",
    "retrieval document question",
    "graph molecule network",
]
SAME = dict.fromkeys(stems("calculating with coarse numbers"), "quantiz")
CANDIDATES = [
    make_candidate(number, title=f"Study {number}", abstract=f"We look at {field}.")
    for number, field in enumerate(FIELDS)
]
MEANT = "calculating with coarse numbers"  # the first of them, in none of its words
BROAD = THRESHOLDS[Strictness.BROAD]


def embed(texts: Sequence[str]) -> Floats:
    """The mean of a direction for each word; synonyms have the same."""
    rows = np.array(
        [np.sum([_direction(SAME.get(w, w)) for w in stems(t)] or [np.ones(64)], 0) for t in texts]
    )
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def _direction(word: str) -> np.ndarray:
    seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big")
    return np.random.default_rng(seed).standard_normal(64)


def known_papers() -> dict[str, Facts]:
    """Forty of each field, each with some words of its own."""
    return {
        f"known:{number:03d}": Facts(
            f"On {field}", abstract=f"{field} with detail{number % 7} and setting{number % 11}."
        )
        for number, field in enumerate(FIELDS * 40)
    }


@pytest.fixture(scope="module")
def with_model() -> ReferenceCorpus:
    return learn(known_papers(), embed)


@pytest.fixture(scope="module")
def without_model() -> ReferenceCorpus:
    return learn(known_papers())


def test_a_background_has_an_embedding_for_each_of_its_papers(with_model, without_model):
    papers = known_papers()
    expected = embed([text_of(papers[key]) for key in with_model.keys])
    assert np.array_equal(with_model.embeddings, expected)
    assert np.array_equal(with_model.papers.embeddings, expected)
    assert without_model.embeddings is None
    assert without_model.papers.embeddings is None


def test_a_wish_in_other_words_finds_its_papers(with_model):
    matched = Matching(with_model, CANDIDATES, embed=embed).match([Topic(MEANT)])
    assert matched.scores[0].argmax() == 0
    assert matched.scores[0, 0] >= BROAD
    assert (matched.scores[0, 1:] < BROAD).all()
    assert matched.reason(0, 0).topic == MEANT


def test_without_a_model_it_finds_nothing(without_model):
    assert (Matching(without_model, CANDIDATES).match([Topic(MEANT)]).scores < BROAD).all()


def test_nothing_happens_where_one_side_has_no_embeddings(with_model, without_model):
    def never(texts: Sequence[str]) -> Floats:
        raise AssertionError(texts)

    topics = [Topic("robot arm"), Topic(MEANT), Topic(likes=("known:002",))]
    plain = Matching(without_model, CANDIDATES, known_papers()).match(topics)
    no_background = Matching(without_model, CANDIDATES, known_papers(), never).match(topics)
    no_model = Matching(with_model, CANDIDATES, known_papers()).match(topics)
    assert np.array_equal(plain.scores, no_background.scores)
    assert np.array_equal(plain.scores, no_model.scores)


def test_what_is_known_by_its_words_is_found_with_a_model_as_well(with_model):
    topics = [Topic(field) for field in FIELDS]
    scores = Matching(with_model, CANDIDATES, embed=embed).match(topics).scores
    assert scores.argmax(axis=1).tolist() == list(range(len(FIELDS)))
    assert (scores.max(axis=1) >= THRESHOLDS[Strictness.STRICT]).all()
    assert scores.min() >= 0
    assert scores.max() <= 1


@pytest.mark.parametrize("topic", ["wedding planning", "jazz music", "stamp collecting"])
def test_what_papers_are_not_about_finds_none(with_model, topic):
    assert (
        Matching(with_model, CANDIDATES, embed=embed).match([Topic(topic)]).scores < BROAD
    ).all()


def test_liked_papers_are_compared_by_their_words_alone(with_model, without_model):
    topics = [Topic(likes=("known:002", "known:008", "known:014"))]  # on robots
    plain = Matching(without_model, CANDIDATES, known_papers()).match(topics).scores
    found = Matching(with_model, CANDIDATES, known_papers(), embed).match(topics).scores
    assert found[0].argmax() == 2
    assert np.array_equal(found, plain)


def test_the_gate_is_the_higher_of_the_two(with_model, without_model):
    """Neither what words know nor what the model knows is held down by the other."""
    queries = [Query("robot arm"), Query(MEANT), Query("wedding planning")]
    words = embed([query.words for query in queries])
    blind = Meanings(np.zeros_like(words), embed(OUT_OF_DOMAIN))
    seeing = Meanings(words, embed(OUT_OF_DOMAIN))
    by_words = Profiles(with_model, queries, {}, blind).scores(with_model.papers).max(axis=1)
    by_both = Profiles(with_model, queries, {}, seeing).scores(with_model.papers).max(axis=1)
    assert by_words[0] > 0.5
    assert by_both[0] > 0.5
    assert by_words[1] < BROAD <= by_both[1]
    assert by_words[2] < BROAD
    assert by_both[2] < BROAD


def test_the_order_of_topics_and_papers_changes_no_score(with_model):
    topics = [Topic("robot arm"), Topic(MEANT), Topic("speech")]
    scores = Matching(with_model, CANDIDATES, embed=embed).match(topics).scores
    turned = Matching(with_model, CANDIDATES[::-1], embed=embed).match(topics[::-1]).scores
    assert np.allclose(scores, turned[::-1, ::-1], atol=1e-6)


def test_a_filter_that_wishes_for_nothing_embeds_nothing(with_model):
    embedded = []

    def watched(texts: Sequence[str]) -> Floats:
        embedded.extend(texts)
        return embed(texts)

    Matching(with_model, CANDIDATES, embed=watched).match([Topic("code:yes")])
    assert all(texts for texts in embedded)


def test_no_candidates_are_no_trouble(with_model):
    assert Matching(with_model, [], embed=embed).match([Topic(MEANT)]).scores.shape == (1, 0)


def test_a_digest_has_what_the_model_finds(with_model):
    edition, limits = make_edition(*CANDIDATES), Limits(10, 0, Strictness.BROAD)
    reader = Reader((TopicFilter.parse(MEANT),))
    assert Ranker(edition, with_model, limits).digest(reader) is None
    digest = Ranker(edition, with_model, limits, None, embed).digest(reader)
    assert digest is not None
    assert [pick.candidate for pick in digest.picks] == [CANDIDATES[0]]


def test_files_are_ranked_by_meaning_as_well(with_model):
    topics = [NamedTopic("t", Topic(MEANT))]
    (plain,) = rank(topics, CANDIDATES, with_model, {}, BROAD)
    (found,) = rank(topics, CANDIDATES, with_model, {}, BROAD, embed=embed)
    assert plain["ranking"] == []
    assert [each["id"] for each in found["ranking"]] == [CANDIDATES[0].key]


def test_a_paper_with_the_words_that_is_far_in_meaning_falls_and_a_near_one_does_not(with_model):
    """Both have the same words; only their embeddings differ, by what stands in their titles."""
    text = "Quantization is what we look at."
    near, far = (make_candidate(n, title=f"Study {n}", abstract=text) for n in (1, 2))

    def embed_as_told(texts):
        return np.array(
            [
                -embed([said])[0] if said.startswith("Study 2") else embed([said])[0]
                for said in texts
            ]
        )

    def scores(told):
        matched = Matching(with_model, [near, far], embed=told).match([Topic("quantization")])
        return matched.scores[0].tolist()

    normal = THRESHOLDS[Strictness.NORMAL]
    by_words, the_same = scores(None)
    assert by_words == the_same
    kept, fallen = scores(embed_as_told)
    assert kept > by_words > normal > fallen
