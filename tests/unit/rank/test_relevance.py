"""How well papers fit topics: the score, what it depends on, and the reason for it."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from digest.cli.demo import NOW
from digest.collect.file import read_file
from digest.collect.sample_edition import SAMPLE_EDITION
from digest.model.digests import Candidate, Reason
from digest.model.papers import Facts, Signals
from digest.rank.matching import MOST_WORDS, Matching, Topic
from digest.rank.readers import THRESHOLDS
from digest.rank.reference_corpus import ReferenceCorpus
from digest.rank.relevance import BLOCK, Profiles, Query
from digest.rank.words import stem_counts, stems
from subscribers.preferences import Strictness
from tests.support import (
    TODAY,
    examples,
    make_candidate,
    make_corpus,
    make_facts,
    shipped_background,
)

NORMAL, BROAD = THRESHOLDS[Strictness.NORMAL], THRESHOLDS[Strictness.BROAD]

DUCKS = "We count ducks on small ponds. Ducks feed there at dawn."
GEESE = "Geese fly over the sea in lines, and graze on grass."
VIDEO = "We generate video from text with a model of few steps."
ROBOTS = "A robot grasps cloth with two arms, and folds shirts."
RLHF = "A reward model is learned from preferences of people."

ALIEN = [
    "medieval poetry",
    "sourdough bread recipes",
    "tax law in Norway",
    "football transfers",
    "gardening tips for roses",
    "Roman history",
    "wine tasting",
    "baroque music",
    "marathon training plan",
    "知らない言葉",
    "the",
]


def paper(number: int = 1, title: str = "Nothing of note", abstract: str = "", **changes: Any):
    changes = {"authors": (), **changes}
    return make_candidate(number, title=title, abstract=abstract, **changes)


def scores(topics, candidates, corpus=None, facts_of=None):
    """A row for each topic, given as text or Topic."""
    wanted = [topic if isinstance(topic, Topic) else Topic(topic) for topic in topics]
    matching = Matching(corpus or make_corpus(), candidates, facts_of)
    return matching.match(wanted).scores


def score(topic, facts_of=None, **facts):
    [[found]] = scores([topic], [paper(**facts)], facts_of=facts_of).tolist()
    return found


def why(topic, facts_of=None, **facts) -> Reason:
    wanted = topic if isinstance(topic, Topic) else Topic(topic)
    return Matching(make_corpus(), [paper(**facts)], facts_of).match([wanted]).reason(0, 0)


def best_known(topics, corpus):
    """The best score of each topic among the background's own papers."""
    return Profiles(corpus, [Query(topic) for topic in topics], {}).scores(corpus.papers).max(1)


# ---- what makes a score --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("topic", "title", "abstract"),
    [
        ("ducks", "Ponds by Day", DUCKS),
        ("DUCK", "On Ducks", ""),
        ("geese", "Lines over the Sea", GEESE),
        ("video generation", "Generating Video from Words", VIDEO),
        ("robots", "A Laundry", ROBOTS),
        ("language models", "Compressing Language Models", ""),
    ],
)
def test_a_paper_on_a_topic_reaches_the_threshold(topic, title, abstract):
    assert score(topic, title=title, abstract=abstract) >= NORMAL


def test_what_a_long_paper_mentions_in_passing_stays_below_the_threshold(monkeypatch):
    def about_geese(abstract: str) -> float:
        return score("geese", title="Lines over the Sea", abstract=abstract)

    assert about_geese(GEESE) >= NORMAL
    monkeypatch.setattr("digest.rank.literal._SHORT", 1)
    assert BROAD < about_geese(GEESE) < NORMAL
    assert about_geese(f"{GEESE} {GEESE} {GEESE}") >= NORMAL
    assert score("geese", title="Geese", abstract=GEESE) >= NORMAL


def test_a_paper_with_none_of_a_topics_words_stays_below_the_threshold():
    like_others, unlike = (score("RLHF", title="Of People", abstract=a) for a in (RLHF, GEESE))
    assert 2 * unlike < like_others < NORMAL


@pytest.mark.parametrize(
    ("topic", "abstract"),
    [("ducks", VIDEO), ("ducks", ROBOTS), ("robots", DUCKS), ("RLHF", GEESE), ("geese", RLHF)],
)
def test_a_paper_on_something_else_does_not(topic, abstract):
    assert score(topic, title="Nothing of note", abstract=abstract) < BROAD


def test_a_word_in_the_title_is_worth_more_than_in_the_abstract():
    in_title = score("ducks", title="Ducks", abstract="On ponds in winter, and on reeds.")
    in_abstract = score("ducks", title="Ponds", abstract="On ducks in winter, and on reeds.")
    assert in_title > in_abstract > score("ducks", title="Ponds", abstract="On reeds in winter.")


def test_keywords_and_summary_are_read():
    for where in ({"keywords": ("ducks",)}, {"summary": "On ducks."}, {"abstract": "On ducks."}):
        assert score("ducks", **where) > score("ducks") + 0.2


def test_more_of_a_topic_scores_more():
    none, one, both = (
        score("video generation", title="On Noise", abstract=abstract)
        for abstract in (
            "We add noise.",
            "We add noise to video.",
            "We add noise to video generation.",
        )
    )
    assert none < one < both


def test_words_that_stand_beside_the_topics_in_other_papers_are_worth_something():
    # Neither has a word of the topic.
    near = score("geese", title="Who grazes on grass", abstract="And flies over the sea.")
    far = score("geese", title="Who folds shirts", abstract="And grasps cloth.")
    assert near > far + 0.02


def test_an_abbreviation_fits_papers_that_spell_it_out_and_the_other_way_round():
    assert score("RLHF", title="Reinforcement Learning from Human Feedback") >= NORMAL
    spelt_out = {"title": "Reinforcement Learning from the Feedback of Humans"}
    assert score("RLHF", **spelt_out) >= BROAD
    assert score("reinforcement learning from human feedback", title="RLHF") > score(
        "reinforcement learning", title="RLHF"
    )
    known = make_corpus()
    unlearned = ReferenceCorpus(known.words, known.counts)
    [[without]] = scores(["RLHF"], [paper(**spelt_out)], unlearned).tolist()
    assert score("RLHF", **spelt_out) > without


def test_a_topic_of_many_papers_is_measured_by_many():
    # A quarter of the papers mention robots, and two say little else.
    draw, words = random.Random(1), [f"word{number}" for number in range(300)]
    counts = [dict.fromkeys(draw.sample(words, 20), 1) for _ in range(400)]
    for number in range(0, 400, 4):
        counts[number]["robot"] = 9 if number < 8 else 1
    corpus = ReferenceCorpus.of(counts)
    [found] = Profiles(corpus, [Query("robots")], {}).scores(corpus.papers)
    assert (found >= NORMAL).sum() == 100


def test_one_paper_is_judged_as_well_as_many():
    day = [paper(n, abstract=text) for n, text in enumerate((DUCKS, GEESE, VIDEO, ROBOTS, RLHF))]
    together = scores(["ducks", "robots"], day)
    alone = np.hstack([scores(["ducks", "robots"], [each]) for each in day])
    assert together == pytest.approx(alone, abs=1e-5)


def test_many_topics_are_matched_as_each_alone():
    day = [paper(n, abstract=text) for n, text in enumerate((DUCKS, GEESE, VIDEO, ROBOTS, RLHF))]
    words = make_corpus().words
    topics = [f"{words[n % len(words)]} {words[n * 7 % len(words)]}" for n in range(BLOCK + 30)]
    matched = Matching(make_corpus(), day).match([Topic(topic) for topic in topics])
    assert matched.scores.shape == (len(topics), len(day))
    for number in (0, BLOCK - 1, BLOCK, BLOCK + 29):
        alone = Matching(make_corpus(), day).match([Topic(topics[number])])
        assert matched.scores[number] == pytest.approx(alone.scores[0], abs=1e-5)
        assert matched.reason(number, 0) == alone.reason(0, 0)


# ---- what nobody here writes of ------------------------------------------------------------------


@pytest.fixture(scope="module")
def sample_edition():
    """The built-in day of the demo."""
    return [
        Candidate(number, sighting.facts.arxiv_id, sighting.facts, sighting.signals, TODAY)
        for number, sighting in enumerate(read_file(SAMPLE_EDITION, None, NOW).sightings)
    ]


def test_alien_topics_match_nothing(sample_edition):
    corpus = shipped_background()
    assert best_known(ALIEN, corpus).max() < BROAD
    assert scores(ALIEN, sample_edition, corpus).max() < BROAD


def test_known_topics_match(sample_edition):
    corpus = shipped_background()
    known = ["video generation", "agents", "RLHF", "diffusion", "large language models", "RAG"]
    assert best_known(known, corpus).min() >= NORMAL
    assert scores(known[:2], sample_edition, corpus).max(axis=1).min() >= NORMAL


@pytest.mark.parametrize("alien", ["zeppelins", "medieval poetry"])
def test_alien_topics_are_held_down_but_papers_keep_their_order(alien):
    topic = f"{alien} with ducks"
    on_ducks, on_nothing = scores([topic], [paper(1, "Ducks"), paper(2, "Robots")])[0].tolist()
    assert BROAD > on_ducks > on_nothing > 0


def test_words_that_never_stand_together_are_no_topic():
    assert best_known(["ducks", "graphs", "compression"], make_corpus()).min() >= NORMAL
    assert best_known(["ducks graphs compression"], make_corpus()).max() < NORMAL


def test_a_word_of_a_single_paper_is_not_known_yet():
    assert best_known(["satellite"], make_corpus()).max() < BROAD


# ---- restrictions --------------------------------------------------------------------------------


def test_what_a_restriction_keeps_out_has_no_score():
    assert score("ducks -ponds", title="Ducks") >= NORMAL
    assert score("ducks -ponds", title="Ducks", abstract="On ponds.") == 0
    assert score("ducks cat:cs.CL", title="Ducks", categories=("cs.CL",)) >= NORMAL
    assert score("ducks cat:cs.CL", title="Ducks") == 0


@pytest.mark.parametrize("typed", ["ducks OR robots", "(ducks OR robots) -geese", "robots, ducks"])
def test_of_several_wishes_one_is_enough(typed):
    assert min(scores([typed], [paper(1, "Ducks"), paper(2, "Robots")])[0]) >= NORMAL
    assert score(typed, title="Swans") < NORMAL


def test_what_is_ruled_out_is_not_ranked_by():
    assert score("ducks -geese", title="Ducks") == pytest.approx(score("ducks", title="Ducks"))


def test_all_that_a_mere_restriction_lets_in_is_wanted_the_more_votes_the_more():
    day = [
        replace(paper(n, categories=("cs.CL",) if n else ()), signals=Signals(upvotes=n * n))
        for n in range(5)
    ]
    out, *found = scores(["cat:cs.CL upvotes>=4"], day)[0].tolist()
    assert (out, found[0]) == (0, 0)
    assert found[1:] == sorted(found[1:])
    assert min(found[1:]) >= max(THRESHOLDS.values())


@pytest.mark.parametrize("typed", ['"what is"', 'title:"what is"'])
def test_a_restriction_to_stop_words_is_one_as_well(typed):
    has, lacks = scores([typed], [paper(1, "What is a Duck?"), paper(2, "Is what?")])[0].tolist()
    assert has >= NORMAL
    assert lacks == 0


def test_what_an_exclusion_mentions():
    day = [paper(1, "Ducks", categories=("cs.CL",)), paper(2, "Ducks and Geese"), paper(3, "Geese")]
    matching = Matching(make_corpus(), day)
    for said, mentioning in [
        ("ducks", [1, 1, 0]),
        ("geese ducks", [0, 1, 0]),
        ("swans", [0, 0, 0]),
        ("cat:cs.CL", [1, 0, 0]),
        ("ducks -geese", [1, 0, 0]),
        ('"ducks and geese"', [0, 1, 0]),
        ("ducks OR geese", [0, 1, 0]),
    ]:
        assert matching.mentioning(said).tolist() == [bool(each) for each in mentioning], said


# ---- papers that somebody liked ------------------------------------------------------------------

LIKED = {
    "a": make_facts(title="Ducks on a Lake", abstract="We count ducks, and geese, at dawn."),
    "b": make_facts(title="Diving", abstract="Young ducks dive in shallow water."),
    "c": make_facts(title="Winter", abstract="Where ducks go when ponds freeze."),
    "alien": make_facts(title="Æon Flux Ψ", abstract="Zzyzx."),
}
TASTE = Topic(likes=("a", "b", "c"))


def test_papers_like_those_liked_score_more_than_others():
    like, unlike = scores(
        [TASTE], [paper(1, abstract=DUCKS), paper(2, abstract=VIDEO)], facts_of=LIKED
    )[0]
    assert like >= NORMAL
    assert unlike < BROAD


def test_papers_that_were_liked_are_no_measure_for_others():
    # Where the background holds them, each is like itself as no other paper can be.
    keys = ("test:01", "test:02", "test:03")
    lines = (Path(__file__).parents[2] / "fixtures" / "background.txt").read_text().splitlines()
    texts = [line.split(" | ") for line in lines[:3]]
    known = {
        key: Facts(title, abstract=abstract)
        for key, (title, abstract) in zip(keys, texts, strict=True)
    }
    strange = {f"elsewhere:{key}": facts for key, facts in known.items()}
    candidate = paper(1, abstract="Ducks dive in ponds.")
    inside, outside = scores(
        [Topic(likes=keys), Topic(likes=tuple(strange))], [candidate], facts_of=known | strange
    )[:, 0]
    assert inside >= NORMAL
    assert inside > outside


def test_likes_and_words_are_one_topic_and_each_counts():
    both = replace(TASTE, text="geese")
    on_both = score(both, LIKED, title="Geese", abstract=DUCKS)
    assert on_both >= NORMAL
    assert on_both > score(both, LIKED, title="Geese", abstract=VIDEO)
    assert on_both > score(both, LIKED, title="Graphs", abstract=DUCKS)


@pytest.mark.parametrize("likes", [("nobody", "knows"), ("alien",)])
def test_likes_that_say_nothing_match_nothing(likes):
    for abstract in (DUCKS, VIDEO, ""):
        assert score(Topic(likes=likes), LIKED, abstract=abstract) < BROAD


@pytest.mark.parametrize("text", ["ducks", "medieval poetry", "ducks graphs compression"])
def test_likes_that_nobody_knows_change_nothing(text):
    for abstract in (DUCKS, VIDEO, ""):
        found = score(Topic(text, ("nobody", "knows")), LIKED, abstract=abstract)
        assert found == pytest.approx(score(text, abstract=abstract))


def test_the_reason_is_the_liked_paper_that_is_most_alike():
    assert why(TASTE, LIKED, abstract="Young ducks dive in water.") == Reason("", liked="Diving")
    frozen = why(TASTE, LIKED, abstract="Ponds freeze when ducks go.")
    assert frozen == Reason("", liked="Winter")


# ---- reasons in words ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("topic", "facts", "words"),
    [
        # The whole topic is there: what it has in common with the topic's best papers.
        ("ducks", {"title": "Ducks in WATER", "abstract": "On ponds."}, {"ponds", "WATER"}),
        # Only a part of it: this part first.
        (
            "robot manipulation",
            {"abstract": "Manipulation of objects."},
            {"Manipulation of objects"},
        ),
        # Only one paper of the background has dived: that tells nobody anything.
        ("ducks", {"title": "Ducks", "abstract": "They dive."}, set()),
        ("ducks", {"title": "DUCKS"}, set()),
        ("ducks", {"title": "Knots"}, set()),
    ],
)
def test_the_reason_is_the_topic_and_words_of_the_paper(topic, facts, words):
    assert why(topic, **facts) == Reason(topic, why(topic, **facts).words)
    assert set(why(topic, **facts).words) == words


def test_the_reason_is_a_phrase_where_there_is_one():
    reason = why(
        "robot manipulation", abstract="To grasp objects needs manipulation, and two arms."
    )
    assert reason.words == ("grasp objects needs manipulation",)
    assert why("robot manipulation", abstract="Manipulation. Objects.").words[0] == "Manipulation"


def test_the_title_spells_words_only_if_nothing_else_does():
    assert why("ducks", title="PONDS", abstract="On ponds.").words == ("ponds",)
    assert why("ducks", title="PONDS").words == ("PONDS",)


def test_each_topic_is_told_as_it_was_typed():
    for typed in ("ducks", "DUCKS", "ducks ^2", "ducks -geese"):
        assert why(typed, title="Ducks").topic == typed


# ---- whatever it is ------------------------------------------------------------------------------

known_words = st.sampled_from(
    "duck goose swans heron pond diving robot video RLHF model of".split()
)
phrases = st.lists(known_words, max_size=6).map(" ".join)
texts = st.text(max_size=40) | phrases
papers = st.builds(
    lambda number, title, abstract, keywords, upvotes: replace(
        paper(number, title, abstract, keywords=tuple(keywords)), signals=Signals(upvotes)
    ),
    st.integers(1, 99),
    texts,
    texts,
    st.lists(texts, max_size=2),
    st.none() | st.integers(0, 3),
)
topics = st.lists(
    st.builds(Topic, texts, st.just(()) | st.sampled_from([("a",), ("a", "b", "x"), ("alien",)])),
    max_size=4,
)
pools = st.lists(papers, min_size=1, max_size=8)
FEW = settings(max_examples=examples(40))  # each of many topics and papers


@FEW
@given(topics, pools)
def test_a_score_is_between_0_and_1(topics, pool):
    found = scores(topics, pool, facts_of=LIKED)
    assert found.shape == (len(topics), len(pool))
    assert ((found >= 0) & (found <= 1)).all()


few_words = st.dictionaries(
    st.sampled_from(["duck", "pond", "robot", "x"]), st.integers(1, 99), max_size=3
)


@FEW
@given(st.lists(few_words, min_size=1, max_size=6), topics, pools)
@example([{"duck": 99}], [Topic("duck")], [paper(title="Duck", abstract="robot " * 50)])
def test_a_score_is_between_0_and_1_whatever_the_background(counts, topics, pool):
    found = scores(topics, pool, ReferenceCorpus.of(counts), LIKED)
    assert ((found >= 0) & (found <= 1)).all()


@FEW
@given(topics, pools, st.randoms(use_true_random=False))
def test_the_order_of_papers_and_topics_changes_no_score(topics, pool, random):
    columns, rows = list(range(len(pool))), list(range(len(topics)))
    random.shuffle(columns)
    random.shuffle(rows)
    found = scores(topics, pool, facts_of=LIKED)
    shuffled = scores([topics[n] for n in rows], [pool[n] for n in columns], facts_of=LIKED)
    assert shuffled == pytest.approx(found[rows][:, columns], abs=1e-5)


@FEW
@given(topics, pools, papers)
def test_another_paper_without_votes_changes_no_score(topics, pool, other):
    more = [*pool, replace(other, signals=Signals())]
    found = scores(topics, more, facts_of=LIKED)[:, :-1]
    assert found == pytest.approx(scores(topics, pool, facts_of=LIKED), abs=1e-5)


@given(texts.filter(str.strip), papers)
def test_words_of_a_reason_stand_in_the_paper(topic, candidate):
    reason = Matching(make_corpus(), [candidate]).match([Topic(topic)]).reason(0, 0)
    facts = candidate.facts
    assert len(reason.words) <= MOST_WORDS
    for word in reason.words:
        assert word in " ".join([facts.title, facts.abstract, *facts.keywords])


@settings(max_examples=examples(10))
@given(st.sampled_from(["ducks", "ü", "(", " ", "強化学習", "\u202e", "🦆", "RLHF (RLHF) "]))
@example("")
def test_long_and_odd_papers_are_read(piece):
    long = (piece * 100_000)[:100_000]
    found = scores(["ducks", "強化学習", "RLHF"], [paper(1, "Ducks", long), paper(2, long, "")])
    assert ((found >= 0) & (found <= 1)).all()


def test_liked_papers_are_liked_for_what_they_have_in_common():
    liked = {
        f"l{n}": make_facts(title=f"Ducks and {other}", abstract=f"{other} {other} {other}.")
        for n, other in enumerate(["cloth", "video", "speech"])
    }
    topic = Topic(likes=tuple(liked))
    shared, own = paper(1, "Ducks", "A duck."), paper(2, "Cloth", "Cloth of cloth.")
    (found,) = Matching(make_corpus(), [shared, own], liked).match([topic]).scores
    assert found[0] >= NORMAL > found[1]


def test_no_papers_and_no_topics_are_no_trouble():
    assert scores(["ducks"], []).shape == (1, 0)
    assert scores([], [paper()]).shape == (0, 1)
    assert scores([], []).shape == (0, 0)


def test_a_paper_counts_as_its_words():
    # Order, case and punctuation of a paper do not matter to its score.
    one = paper(1, "Ducks and Ponds", "We count ducks!")
    other = paper(2, "ponds; DUCKS", "ducks count.")
    more = stem_counts(one.facts) - stem_counts(other.facts)
    assert {stem for stem in more if " " not in stem} == set(stems("we"))
    first, second = scores(["ducks"], [one, other])[0].tolist()
    assert first == pytest.approx(second, abs=0.02)
