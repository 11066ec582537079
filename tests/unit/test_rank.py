"""How well a paper fits a topic, why, and what of it a digest shows."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.model import Candidate, Digest, Match, Place, Reason, Section, Signals
from digest.rank.match import Matcher
from digest.rank.select import Limits, Ranker
from digest.rank.words import contains_run, stems
from subscribers.topics import TopicFilter
from tests.support import TODAY, make_candidate, make_edition

THRESHOLD = 0.5
LIMITS = Limits(for_you=10, trending=5, threshold=THRESHOLD)


def paper(number: int = 1, title: str = "Nothing of note", **changes: Any) -> Candidate:
    return make_candidate(number, **{"title": title, "abstract": "None.", **changes})


def match(topic: str, candidate: Candidate) -> Match | None:
    return Matcher((candidate,)).matches(TopicFilter(topic)).get(candidate.paper_id)


def score(topic: str, **facts: Any) -> float:
    found = match(topic, paper(**facts))
    return found.score if found else 0.0


def rank(*candidates: Candidate, topics: tuple[str, ...] = (), **limits: Any) -> Digest | None:
    ranker = Ranker(make_edition(*candidates), replace(LIMITS, **limits))
    return ranker.digest(tuple(map(TopicFilter, topics)))


def shown(digest: Digest | None, section: Section) -> list[int]:
    assert digest is not None
    return [each.candidate.paper_id for each in digest.picks if each.section is section]


# ---- words --------------------------------------------------------------------------------------


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
    ("haystack", "needle", "there"),
    [("abcd", "bc", True), ("abcd", "bd", False), ("abcd", "abcd", True), ("ab", "abc", False)],
)
def test_a_run_is_side_by_side(haystack, needle, there):
    assert contains_run(list(haystack), list(needle)) is there


# ---- a match ------------------------------------------------------------------------------------


def test_the_place_decides_the_score():
    in_title = score("ducks", title="On Ducks")
    in_keywords = score("ducks", keywords=("ducks",))
    in_abstract = score("ducks", abstract="We met ducks.")
    assert in_title == 1
    assert in_title > in_keywords > in_abstract > 0
    assert score("ducks") == 0


def test_a_word_in_the_abstract_alone_passes_the_threshold():
    assert score("ducks", abstract="We met ducks.") >= THRESHOLD
    assert score("ducks", summary="They met ducks.") >= THRESHOLD


@pytest.mark.parametrize("place", ["title", "abstract"])
def test_a_phrase_beats_the_same_words_scattered(place):
    phrase = score("diving ducks", **{place: "We saw diving ducks."})
    scattered = score("diving ducks", **{place: "Diving is what we saw ducks do."})
    turned = score("diving ducks", **{place: "Ducks diving"})
    assert phrase > scattered == turned > 0
    assert phrase >= THRESHOLD


def test_a_phrase_in_an_abstract_passes_and_scattered_words_do_not():
    # A long abstract holds nearly any two words somewhere.
    assert score("diving ducks", abstract="We saw diving ducks.") >= THRESHOLD
    assert score("diving ducks", abstract="Diving is what we saw ducks do.") < THRESHOLD
    assert score("diving ducks", title="Ducks", abstract="We saw some diving.") < THRESHOLD
    assert score("diving ducks", title="Diving is What Ducks Do") >= THRESHOLD


def test_a_phrase_does_not_run_over_the_end_of_a_text():
    apart = paper(keywords=("diving", "ducks"))
    together = paper(keywords=("diving ducks",))
    assert match("diving ducks", apart).score < match("diving ducks", together).score
    over_the_end = score("diving ducks", summary="On diving", abstract="Ducks do it.")
    assert over_the_end < score("diving ducks", summary="On diving ducks")


@pytest.mark.parametrize(
    ("topic", "title"),
    [
        ("diving ducks", "On Ducks"),
        ("fast diving ducks", "On Ducks"),
        ("fast diving ducks", "On Diving Ducks"),
    ],
)
def test_half_a_topic_does_not_pass(topic, title):
    assert 0 < score(topic, title=title) < THRESHOLD


def test_more_of_a_topic_scores_more():
    one, two, three = (
        score("fast diving ducks", title=title)
        for title in ("On Ducks", "Diving for Ducks", "Ducks: Fast at Diving")
    )
    assert one < two < three
    # The part of the words that is there counts squared.
    assert (one, two) == (pytest.approx(three / 9), pytest.approx(three * 4 / 9))


@pytest.mark.parametrize(
    ("topic", "title"),
    [
        ("diffusion model", "Diffusion Models at Sea"),
        ("DUCK SWIMMING", "How Ducks Swim"),
        ("C++", "Ponds in C++"),
        ("C++", "Ponds in C++20"),
        ("C#", "Ponds in C#."),
        ("the state of the art", "State of the Art"),
    ],
)
def test_spellings_of_one_thing_match(topic, title):
    assert score(topic, title=title) >= THRESHOLD


@pytest.mark.parametrize(
    ("topic", "title"),
    [("C++", "Vitamin C"), ("C", "Ponds in C++"), ("duck", "Ducktape"), ("of", "Of")],
)
def test_other_words_do_not_match(topic, title):
    assert match(topic, paper(title=title)) is None


@pytest.mark.parametrize(
    ("facts", "place"),
    [
        ({"title": "Diving Ducks", "abstract": "Diving ducks."}, Place.TITLE),
        ({"keywords": ("diving ducks",), "abstract": "Diving ducks."}, Place.KEYWORDS),
        ({"abstract": "Diving ducks."}, Place.ABSTRACT),
        ({"summary": "Diving ducks."}, Place.ABSTRACT),
        # Of scattered words, the weakest place: all stand there or higher up.
        ({"title": "On Diving", "keywords": ("ducks",)}, Place.KEYWORDS),
        ({"title": "On Diving", "abstract": "Of ducks."}, Place.ABSTRACT),
        ({"title": "On Diving"}, Place.TITLE),
    ],
)
def test_the_reason_names_topic_and_place(facts, place):
    assert match("Diving DUCKS", paper(**facts)).reason == Reason("Diving DUCKS", place)


def test_each_reader_is_told_their_own_spelling():
    # Not that of whoever asked first, or a digest would depend on the others.
    ranker = Ranker(make_edition(paper(title="On Ducks")), LIMITS)
    for spelling in ("ducks", "DUCKS", "Ducks"):
        (pick,) = ranker.digest((TopicFilter(spelling),)).picks
        assert pick.match.reason.topic == spelling


@settings(deadline=None)
@given(
    st.text(min_size=1), st.text(), st.text(), st.lists(st.text(), max_size=3).map(tuple), st.data()
)
def test_a_score_is_between_0_and_1(topic, title, abstract, keywords, data):
    words = [each for each in f"{topic} {title} {abstract}".split() if each]
    if words:  # so that something matches now and then
        topic = " ".join(data.draw(st.lists(st.sampled_from(words), min_size=1, max_size=4)))
    found = match(topic, paper(title=title, abstract=abstract, keywords=keywords))
    assert found is None or 0 < found.score <= 1


# ---- a digest -----------------------------------------------------------------------------------


def test_for_you_is_best_first_and_trending_is_the_rest_by_votes():
    digest = rank(
        paper(1, "On Geese", upvotes=5),
        paper(2, "Geese", abstract="With ducks.", upvotes=90),
        paper(3, "On Ducks", upvotes=1),
        paper(4, "On Swans", upvotes=50),
        topics=("ducks",),
    )
    assert shown(digest, Section.FOR_YOU) == [3, 2]
    assert shown(digest, Section.TRENDING) == [4, 1]
    assert [bool(each.match) for each in digest.picks] == [True, True, False, False]
    # For you is read first.
    assert [each.section for each in digest.picks] == [Section.FOR_YOU] * 2 + [Section.TRENDING] * 2


def test_votes_break_ties_and_only_ties():
    digest = rank(
        paper(1, "On Ducks", upvotes=None),
        paper(2, "On Ducks", upvotes=0),
        paper(3, "On Ducks", upvotes=7),
        paper(4, abstract="On ducks.", upvotes=900),
        topics=("ducks",),
    )
    assert shown(digest, Section.FOR_YOU) == [3, 2, 1, 4]


def test_equal_votes_are_parted_by_comments_then_stars_then_id():
    def counted(number: int, *counts: int | None) -> Candidate:
        return replace(paper(number), signals=Signals(*counts))

    digest = rank(
        counted(5, 3, 1, 1),
        counted(4, 3, 1, 1),
        counted(3, 3, 1, 9),
        counted(2, 3, 2, None),
        counted(6, None, 99, 99),
        trending=9,
        for_you=9,
    )
    assert shown(digest, Section.TRENDING) == [2, 3, 4, 5, 6]


def test_without_topics_there_is_only_trending_with_the_room_of_for_you():
    candidates = [paper(number, upvotes=number) for number in range(1, 9)]
    digest = rank(*candidates, for_you=4, trending=2)
    assert shown(digest, Section.FOR_YOU) == []
    assert shown(digest, Section.TRENDING) == [8, 7, 6, 5]


@pytest.mark.parametrize("topics", [("zebras",), ("diving zebras",), ("the",)])
def test_where_nothing_matches_there_is_no_digest(topics):
    assert rank(paper(1, "On Diving", upvotes=90), topics=topics) is None


@pytest.mark.parametrize("topics", [(), ("ducks",)])
def test_without_papers_there_is_no_digest(topics):
    assert rank(topics=topics) is None


def test_each_section_keeps_to_its_limit():
    ducks = [paper(number, "On Ducks", upvotes=number) for number in range(1, 6)]
    others = [paper(number, upvotes=number) for number in range(11, 16)]
    digest = rank(*ducks, *others, topics=("ducks",), for_you=2, trending=3)
    assert shown(digest, Section.FOR_YOU) == [5, 4]
    assert shown(digest, Section.TRENDING) == [15, 14, 13]
    assert shown(rank(*ducks, topics=("ducks",), trending=0), Section.TRENDING) == []


def test_a_match_that_found_no_room_may_still_trend_without_a_reason():
    ducks = [paper(number, "On Ducks", upvotes=number) for number in (1, 2)]
    digest = rank(*ducks, topics=("ducks",), for_you=1)
    assert shown(digest, Section.TRENDING) == [1]
    assert digest.picks[1].match is None


def test_the_threshold_is_the_least_score_that_passes():
    candidate = paper(1, abstract="On ducks.")
    assert rank(candidate, topics=("ducks",), threshold=0.5) is not None
    assert rank(candidate, topics=("ducks",), threshold=0.51) is None


def test_of_several_topics_the_best_match_is_the_reason():
    candidate = paper(1, "On Ducks", abstract="With geese and swans.")
    for topics in (("geese", "ducks"), ("ducks", "geese")):
        assert rank(candidate, topics=topics).picks[0].match.reason.topic == "ducks"


def test_of_equal_matches_the_earlier_topic_is_the_reason():
    candidate = paper(1, "Ducks and Geese")
    for topics in (("geese", "ducks"), ("ducks", "geese")):
        assert rank(candidate, topics=topics).picks[0].match.reason.topic == topics[0]


def test_a_digest_knows_its_day_topics_and_pool():
    topics = (TopicFilter("ducks"),)
    digest = Ranker(make_edition(paper(1, "On Ducks"), paper(2)), LIMITS).digest(topics)
    assert (digest.day, digest.topics, digest.pool_size) == (TODAY, topics, 2)


words = st.sampled_from("duck goose swan heron pond lake diving flying".split())
phrases = st.lists(words, min_size=1, max_size=4).map(" ".join)
counts = st.none() | st.integers(0, 3)
pools = st.lists(st.tuples(phrases, phrases, counts, counts), min_size=1, max_size=12).map(
    lambda rows: [
        replace(paper(n, title, abstract=abstract), signals=Signals(upvotes, comments))
        for n, (title, abstract, upvotes, comments) in enumerate(rows, 1)
    ]
)
topic_lists = st.lists(phrases, max_size=3, unique=True).map(tuple)


@settings(deadline=None)
@given(pools, topic_lists, st.randoms(use_true_random=False))
def test_the_order_of_the_pool_does_not_matter(pool, topics, random):
    expected = rank(*pool, topics=topics)
    random.shuffle(pool)
    assert rank(*pool, topics=topics) == expected


@settings(deadline=None)
@given(pools, topic_lists, st.randoms(use_true_random=False))
def test_the_order_of_the_topics_changes_no_papers(pool, topics, random):
    expected = rank(*pool, topics=topics)
    shuffled = list(topics)
    random.shuffle(shuffled)
    digest = rank(*pool, topics=tuple(shuffled))

    def papers(digest: Digest | None) -> list | None:
        return digest and [
            (each.section, each.candidate.paper_id, each.match and each.match.score)
            for each in digest.picks
        ]

    assert papers(digest) == papers(expected)


@settings(deadline=None)
@given(pools, st.lists(topic_lists, min_size=1, max_size=3), st.integers(1, 4), st.integers(0, 4))
def test_a_digest_holds_each_paper_once_within_its_limits(pool, readers, for_you, trending):
    limits = Limits(for_you, trending, THRESHOLD)
    ranker = Ranker(make_edition(*pool), limits)
    for topics in readers:
        filters = tuple(map(TopicFilter, topics))
        digest = ranker.digest(filters)
        # Who else reads the edition does not matter.
        assert digest == Ranker(make_edition(*pool), limits).digest(filters)
        if digest is None:
            assert topics
            continue
        ids = [each.candidate.paper_id for each in digest.picks]
        assert len(set(ids)) == len(ids)
        mine = shown(digest, Section.FOR_YOU)
        assert len(mine) <= for_you
        assert len(ids) - len(mine) <= (trending if topics else for_you)
        scores = [each.match.score for each in digest.picks[: len(mine)]]
        assert scores == sorted(scores, reverse=True)
        assert all(each >= THRESHOLD for each in scores)
        assert bool(mine) is bool(topics)


# ---- what a subscriber wants besides topics -----------------------------------------------------

BIRDS = (
    paper(1, "On Ducks", upvotes=1),
    paper(2, "Diving Ducks", upvotes=2),
    paper(3, "Ducks in Ponds", keywords=("rescue",), upvotes=3),
    paper(4, "On Geese", upvotes=4),
    paper(5, "On Swans", abstract="How they dive.", upvotes=5),
)


def wish(*topics: str, without: tuple[str, ...] = (), **wishes: Any) -> Digest | None:
    exclusions = tuple(map(TopicFilter, without))
    ranker = Ranker(make_edition(*BIRDS), LIMITS)
    return ranker.digest(tuple(map(TopicFilter, topics)), exclusions=exclusions, **wishes)


@pytest.mark.parametrize(
    ("without", "for_you", "trending"),
    [
        ((), [3, 2, 1], [5, 4]),
        (("dive",), [3, 1], [4]),  # any form of the word, in any place
        (("RESCUE",), [2, 1], [5, 4]),
        (("ponds diving",), [3, 2, 1], [5, 4]),  # all words are in no one paper
        (("ducks diving",), [3, 1], [5, 4]),
        (("geese", "swan"), [3, 2, 1], []),
        (("zebras", "the"), [3, 2, 1], [5, 4]),
    ],
)
def test_what_is_excluded_is_in_neither_section(without, for_you, trending):
    digest = wish("ducks", without=without)
    assert shown(digest, Section.FOR_YOU) == for_you
    assert shown(digest, Section.TRENDING) == trending
    assert digest.pool_size == len(BIRDS), "the pool is everybody's"


def test_where_all_is_excluded_there_is_no_digest():
    assert wish("ducks", without=("ducks",)) is None
    assert wish(without=("ducks", "geese", "swans")) is None
    assert wish("zebras", without=("ducks",)) is None


@pytest.mark.parametrize("most", [1, 2, 3, 9, None])
def test_most_is_a_limit_of_the_first_section_within_the_operators(most):
    assert shown(wish("ducks", most=most), Section.FOR_YOU) == [3, 2, 1][:most]
    tight = Ranker(make_edition(*BIRDS), replace(LIMITS, for_you=2))
    digest = tight.digest((TopicFilter("ducks"),), most=most)
    assert shown(digest, Section.FOR_YOU) == [3, 2, 1][: min(most or 2, 2)]


def test_without_topics_most_is_a_limit_of_trending():
    assert shown(wish(most=2), Section.TRENDING) == [5, 4]


def test_trending_can_be_left_out_but_not_of_a_digest_that_is_nothing_else():
    digest = wish("ducks", trending=False)
    assert shown(digest, Section.FOR_YOU) == [3, 2, 1]
    assert shown(digest, Section.TRENDING) == []
    assert shown(wish(trending=False), Section.TRENDING) == [5, 4, 3, 2, 1]


@given(pools, topic_lists, topic_lists)
def test_no_paper_that_mentions_an_exclusion_is_shown_and_the_rest_as_if_it_were_not_there(
    pool, topics, without
):
    filters = tuple(map(TopicFilter, topics))
    exclusions = tuple(map(TopicFilter, without))
    matcher = Matcher(tuple(pool))
    excluded = {number for each in exclusions for number in matcher.mentioning(each)}
    digest = Ranker(make_edition(*pool), LIMITS).digest(filters, exclusions=exclusions)
    rest = [each for each in pool if each.paper_id not in excluded]
    expected = Ranker(make_edition(*rest), LIMITS).digest(filters)
    assert (digest and digest.picks) == (expected and expected.picks)
