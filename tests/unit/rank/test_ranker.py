"""What of an edition each reader gets."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.model.digests import Candidate, Digest, Section
from digest.model.papers import Signals
from digest.rank.ranker import Ranker
from digest.rank.readers import ENOUGH_RATINGS, THRESHOLDS, Limits, Reader
from subscribers.preferences import Strictness
from subscribers.topics import TopicFilter
from tests.support import TODAY, examples, make_candidate, make_corpus, make_edition, make_facts

LIMITS = Limits(for_you=10, trending=5)
FOR_YOU, TRENDING = Section.FOR_YOU, Section.TRENDING


def paper(number: int, title: str, abstract: str = "", upvotes: int | None = 0, **facts: Any):
    return make_candidate(number, title=title, abstract=abstract, upvotes=upvotes, **facts)


DAY = (
    paper(1, "Ducks of a River", "We count ducks at a river, and watch them feed at dawn.", 5),
    paper(2, "Diving at Night", "Young ducks dive for food under water. We film ducks.", 2),
    paper(3, "Reeds in Winter", "Ducks leave the ponds when the water freezes.", 9),
    paper(4, "Geese over the Sea", "Geese fly in lines over the sea.", 4),
    paper(5, "Meadows", "Geese graze on grass. Where they graze, geese share.", 30),
    paper(6, "A Nest of Swans", "Swans build a nest of reeds at the edge of a lake.", 7),
    paper(7, "A Robot at Home", "A robot folds shirts with two arms.", 1),
    paper(8, "Gaits", "Legged robots walk on sand by touch.", 60),
    paper(9, "Motion", "Video generation from text with a diffusion model.", 12),
    paper(10, "Bonds", "Graph neural networks predict how molecules bind.", 0),
)
DUCKS, GEESE, ROBOTS = {1, 2, 3}, {4, 5}, {7, 8}
BY_VOTES = [8, 5, 9, 3, 6, 1, 4, 2, 7]  # without 10, which nobody voted for


def key(number: int) -> str:
    return make_candidate(number).key


# Papers of earlier days, for readers to have an opinion of.
KNOWN = {
    key(101): make_facts(title="Ducks on a Lake", abstract="We count ducks at dawn."),
    key(102): make_facts(title="Ducks that Dive", abstract="Young ducks dive in shallow water."),
    key(103): make_facts(title="Ducks in Ice", abstract="Where ducks go when ponds freeze."),
    key(104): make_facts(title="Arms", abstract="A robot grasps and folds cloth."),
}
LIKED = tuple(KNOWN)[:3]
STRANGE = tuple(map(key, (901, 902, 903)))


def reader(*topics: str, without: tuple[str, ...] = (), **queries: Any) -> Reader:
    return Reader(tuple(map(TopicFilter, topics)), tuple(map(TopicFilter, without)), **queries)


def rank(*topics: str, day=DAY, limits: Limits = LIMITS, **queries: Any) -> Digest | None:
    ranker = Ranker(make_edition(*day), make_corpus(), limits, KNOWN)
    return ranker.digest(reader(*topics, **queries))


def shown(digest: Digest | None, section: Section) -> list[int]:
    assert digest is not None
    return [pick.candidate.paper_id for pick in digest.picks if pick.section is section]


def for_you(*topics: str, **given: Any) -> list[int]:
    return shown(rank(*topics, **given), FOR_YOU)


# ---- a digest ------------------------------------------------------------------------------------


def test_for_you_is_what_fits_and_trending_is_the_rest_by_votes():
    digest = rank("ducks")
    assert set(shown(digest, FOR_YOU)) == DUCKS
    assert shown(digest, TRENDING) == [8, 5, 9, 6, 4]
    assert [pick.section for pick in digest.picks] == [FOR_YOU] * 3 + [TRENDING] * 5
    assert [bool(pick.match) for pick in digest.picks] == [True] * 3 + [False] * 5


def test_a_withdrawn_paper_is_in_no_section():
    day = (*DAY[1:], paper(1, "Ducks of a River", upvotes=500, revision="withdrawn"))
    digest = rank("ducks", day=day)
    assert set(shown(digest, FOR_YOU)) == DUCKS - {1}
    assert 1 not in shown(digest, TRENDING)
    assert 1 not in shown(rank(day=day), TRENDING)


def test_what_rises_comes_after_the_rest_within_the_same_room_and_not_to_whom_it_was_shown():
    rising = [
        replace(paper(20 + n, f"Owls {n}", upvotes=100 + n), risen=90 - n, since=TODAY)
        for n in range(5)
    ]
    edition = replace(make_edition(*DAY), rising=tuple(rising))
    ranker = Ranker(edition, make_corpus(), replace(LIMITS, rising=3), KNOWN)
    digest = ranker.digest(reader("ducks", shown=(20,)))
    assert shown(digest, Section.RISING) == [21, 22], "at most half of the room"
    assert shown(digest, TRENDING) == [8, 5, 9]
    assert shown(ranker.digest(reader(most=2)), Section.RISING) == [20]
    assert shown(ranker.digest(reader("ducks", trending=False)), Section.RISING) == []


def test_a_digest_knows_its_day_topics_and_pool():
    digest = rank("ducks", "geese", without=("swans",))
    topics = (TopicFilter("ducks"), TopicFilter("geese"))
    assert (digest.day, digest.topics, digest.pool_size) == (TODAY, topics, len(DAY))


def test_a_match_has_its_score_and_its_reason():
    digest = rank("ducks", "geese")
    for pick in digest.picks[:5]:
        assert THRESHOLDS[Strictness.NORMAL] <= pick.match.score <= 1
        expected = "ducks" if pick.candidate.paper_id in DUCKS else "geese"
        assert (pick.match.reason.topic, pick.match.reason.liked) == (expected, "")


@pytest.mark.parametrize(
    "topics", [("zebras",), ("medieval poetry",), ("the",), ("image", "speech")]
)
def test_where_nothing_matches_there_is_no_digest(topics):
    assert rank(*topics) is None


@pytest.mark.parametrize("topics", [(), ("ducks",)])
def test_without_papers_there_is_no_digest(topics):
    assert rank(*topics, day=()) is None


def test_nobody_is_no_trouble():
    ranker = Ranker(make_edition(*DAY), make_corpus(), LIMITS)
    assert list(ranker.digests([])) == []


def test_without_topics_there_is_only_trending_with_the_room_of_for_you():
    digest = rank(limits=replace(LIMITS, for_you=4, trending=2))
    assert shown(digest, FOR_YOU) == []
    assert shown(digest, TRENDING) == BY_VOTES[:4]


def test_each_section_keeps_to_its_limit():
    digest = rank("ducks", limits=replace(LIMITS, for_you=2, trending=3))
    assert len(shown(digest, FOR_YOU)) == 2
    assert len(shown(digest, TRENDING)) == 3
    assert shown(rank("ducks", limits=replace(LIMITS, trending=0)), TRENDING) == []


def test_a_match_that_found_no_room_may_still_trend_without_a_reason():
    digest = rank("ducks", limits=replace(LIMITS, for_you=1), day=DAY[:3])
    rest = shown(digest, TRENDING)
    assert set(rest) == DUCKS - set(shown(digest, FOR_YOU))
    assert [pick.match for pick in digest.picks[1:]] == [None, None]


def test_what_trends_is_parted_by_comments_then_stars_then_id():
    def counted(number: int, *counts: int | None) -> Candidate:
        return replace(paper(number, "Nothing of note"), signals=Signals(*counts))

    day = [
        counted(5, 3, 1, 1),
        counted(4, 3, 1, 1),
        counted(3, 3, 1, 9),
        counted(2, 3, 2, None),
        counted(6, None, 99, 99),
        counted(7, 0, 99, 99),
    ]
    assert shown(rank(day=day), TRENDING) == [2, 3, 4, 5]


def test_where_nobody_has_voted_all_papers_trend():
    day = [replace(each, signals=Signals()) for each in DAY]
    assert len(shown(rank(day=day), TRENDING)) == len(day)


# ---- the order -----------------------------------------------------------------------------------


def with_votes(*counts: int | None) -> list[Candidate]:
    """A paper for each, that fit "ducks" about as well, but are not alike."""
    others = ["Molecules | Neural bonds", "Speech | Noise in rooms", "Knots | We prove foliations"]
    texts = [other.split(" | ") for other in others]
    return [
        paper(number, f"Ducks and {title}", abstract, upvotes=count)
        for number, ((title, abstract), count) in enumerate(zip(texts, counts, strict=True), 1)
    ]


@pytest.mark.parametrize(
    ("counts", "order"),
    [
        ((9, 7, 5), [1, 2, 3]),
        ((5, 7, 9), [3, 2, 1]),
        ((1, 900, 30), [2, 3, 1]),
        ((30, 1, 900), [3, 1, 2]),
        ((0, None, 7), [3, 2, 1]),  # who says nothing is in the middle
        ((7, None, 0), [1, 2, 3]),
    ],
)
def test_votes_decide_among_papers_that_match_about_as_well(counts, order):
    found = rank("ducks", day=with_votes(*counts))
    scores = [pick.match.score for pick in found.picks]
    assert 0 < max(scores) - min(scores) < 0.05, "or this test shows something else"
    assert shown(found, FOR_YOU) == order


def test_votes_do_not_lift_a_paper_over_one_that_matches_much_better():
    day = [
        paper(1, "Ducks", "Ducks on ponds.", 0),
        paper(2, "A Meadow", "A meadow with knots, cloth, sand, rain, and one of the ducks.", 900),
    ]
    digest = rank("ducks", day=day, strictness=Strictness.BROAD)
    assert shown(digest, FOR_YOU) == [1, 2]
    assert digest.picks[0].match.score > digest.picks[1].match.score + 0.1


def test_votes_alone_bring_no_paper_in():
    assert 8 not in for_you("ducks")
    assert 8 not in for_you("ducks", strictness=Strictness.BROAD)


def test_of_several_topics_the_best_match_is_the_reason():
    day = [paper(1, "Ducks", "Ducks, ducks, and a goose.")]
    for topics in (("geese", "ducks"), ("ducks", "geese")):
        assert rank(*topics, day=day).picks[0].match.reason.topic == "ducks"


def test_of_equal_matches_the_earlier_topic_is_the_reason():
    for topics in (("ducks", "duck"), ("duck", "ducks")):
        assert rank(*topics).picks[0].match.reason.topic == topics[0]


def many_ducks() -> list[Candidate]:
    """Eight papers on ducks, and one on geese, that fits its topic a little less."""
    others = "cloth molecules speech knots sand rain phones cars".split()
    ducks = [paper(n, f"Ducks and {other}") for n, other in enumerate(others, 1)]
    return [
        *ducks,
        paper(9, "Geese, meadows, shirts and sand", "Shirts in the sand near meadows. " * 3, 0),
    ]


def test_a_topic_does_not_take_all_places_while_another_matches_well():
    limits = replace(LIMITS, for_you=6)
    scores = {
        pick.candidate.paper_id: pick.match.score
        for pick in rank("ducks", "geese", day=many_ducks()).picks
        if pick.match
    }
    assert scores[9] < min(scores[number] for number in range(1, 9)), "or this test shows nothing"
    assert 9 in for_you("ducks", "geese", day=many_ducks(), limits=limits)


def test_near_duplicates_do_not_stand_together():
    twin = replace(DAY[0], paper_id=11, key=key(11), signals=Signals(upvotes=4))
    found = for_you("ducks", "geese", day=(*DAY, twin))
    assert set(found) == DUCKS | GEESE | {11}
    assert found[-1] == 11, "the one with fewer votes, behind all others"


def test_a_weight_makes_a_topic_count_more():
    ducks_first, geese_first = for_you("ducks ^2", "geese"), for_you("ducks", "geese ^2")
    assert ducks_first[0] in DUCKS
    assert geese_first[0] in GEESE
    assert for_you("ducks ^0.1", "geese")[0] in GEESE
    assert set(ducks_first) == set(geese_first) == DUCKS | GEESE


def test_a_weight_is_no_way_around_the_threshold():
    for weight in ("^0.1", "^10"):
        assert set(for_you(f"ducks {weight}")) == DUCKS


@pytest.mark.parametrize(
    ("topic", "found"),
    [
        ("upvotes>=12", [8, 5, 9]),
        ("NOT ducks upvotes>=5", [8, 5, 9, 6]),
        ("title:sea", [4]),
        ("author:nobody", None),
    ],
)
def test_all_that_a_mere_restriction_lets_in_is_shown_by_votes(topic, found):
    digest = rank(topic)
    assert (digest and shown(digest, FOR_YOU)) == found
    if digest:
        assert {pick.match.reason.topic for pick in digest.picks if pick.match} == {topic}


def test_a_restriction_keeps_out_what_would_match():
    assert set(for_you("ducks -winter")) == DUCKS - {3}
    assert set(for_you("ducks upvotes>4")) == {1, 3}


def test_each_reader_is_told_their_own_spelling():
    # Not that of whoever asked first, or a digest would depend on the others.
    ranker = Ranker(make_edition(*DAY), make_corpus(), LIMITS)
    spellings = ["ducks", "DUCKS", "Ducks"]
    for spelling, digest in zip(spellings, ranker.digests(map_readers(spellings)), strict=True):
        assert {pick.match.reason.topic for pick in digest.picks if pick.match} == {spelling}


def map_readers(spellings):
    return [reader(spelling) for spelling in spellings]


# ---- how strict ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "topics", [("ducks",), ("geese", "water"), ("swans", "robots"), ("reeds",)]
)
def test_who_is_stricter_gets_a_part_of_what_others_get(topics):
    strict, normal, broad = (
        {pick.candidate.paper_id for pick in digest.picks if pick.match} if digest else set()
        for digest in (rank(*topics, strictness=each) for each in Strictness)
    )
    assert strict <= normal <= broad


def test_strictness_makes_a_difference():
    # Ducks in ever longer texts on something else.
    rest = "video model robot graph speech reward image knot noise memory".split()
    day = [
        paper(n, "Ponds", f"Ducks swim on water, {' '.join((rest * 9)[: 2 * n])}.")
        for n in range(1, 30)
    ]
    day.append(paper(30, "Ducks", "Ducks on ponds."))
    limits = replace(LIMITS, for_you=len(day))
    strict, normal, broad = (
        set(for_you("ducks", day=day, limits=limits, strictness=each)) for each in Strictness
    )
    assert strict < normal < broad


def test_who_does_not_say_how_strict_has_the_operators_word():
    for strictness in Strictness:
        limits = replace(LIMITS, strictness=strictness)
        assert rank("water", limits=limits) == rank("water", strictness=strictness)
    limits = replace(LIMITS, strictness=Strictness.STRICT)
    assert rank("water", strictness=Strictness.BROAD, limits=limits) == rank(
        "water", strictness=Strictness.BROAD
    )


# ---- how many ------------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [1, 2, 3, 9, None])
def test_most_is_a_limit_of_the_first_section_within_the_operators(most):
    every = for_you("ducks")
    assert for_you("ducks", most=most) == every[:most]
    tight = replace(LIMITS, for_you=2)
    assert for_you("ducks", most=most, limits=tight) == every[: min(most or 2, 2)]


def test_without_topics_most_is_a_limit_of_trending():
    assert shown(rank(most=2), TRENDING) == BY_VOTES[:2]


def test_fewer_than_the_least_is_nothing():
    assert rank("ducks", least=3) is not None
    assert rank("ducks", least=4) is None
    assert rank("ducks", least=3, without=("winter",)) is None


def test_the_least_is_asked_of_topics_only():
    assert shown(rank(least=15), TRENDING) == BY_VOTES


def test_trending_can_be_left_out_but_not_of_a_digest_that_is_nothing_else():
    digest = rank("ducks", trending=False)
    assert set(shown(digest, FOR_YOU)) == DUCKS
    assert shown(digest, TRENDING) == []
    assert shown(rank(trending=False), TRENDING) == BY_VOTES


# ---- what not ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("without", "for_you", "trending"),
    [
        ((), DUCKS, [8, 5, 9, 6, 4]),
        (("dive",), {1, 3}, [8, 5, 9, 6, 4]),  # any form of the word, in any place
        (("FREEZING",), {1, 2}, [8, 5, 9, 6, 4]),
        (("river diving",), DUCKS, [8, 5, 9, 6, 4]),  # all words are in no one paper
        (("ducks water",), {1}, [8, 5, 9, 6, 4]),
        (('"ducks leave"',), {1, 2}, [8, 5, 9, 6, 4]),
        (('"leave ducks"',), DUCKS, [8, 5, 9, 6, 4]),
        (("geese", "swan"), DUCKS, [8, 9, 7]),
        (("upvotes>=9",), {1, 2}, [6, 4, 7]),
        (("zebras",), DUCKS, [8, 5, 9, 6, 4]),
    ],
)
def test_what_is_excluded_is_in_neither_section(without, for_you, trending):
    digest = rank("ducks", without=without)
    assert set(shown(digest, FOR_YOU)) == for_you
    assert shown(digest, TRENDING) == trending
    assert digest.pool_size == len(DAY), "the pool is everybody's"


def test_where_all_is_excluded_there_is_no_digest():
    assert rank("ducks", without=("ducks",)) is None
    assert rank(without=("upvotes>=0",)) is None
    assert rank("zebras", without=("ducks",)) is None


# ---- what was liked, and what was muted ----------------------------------------------------------


def test_a_muted_paper_is_in_neither_section():
    muted = rank("ducks", mutes=(key(2), key(8)))
    assert set(shown(muted, FOR_YOU)) == {1, 3}
    assert shown(muted, TRENDING) == [5, 9, 6, 4, 7]
    assert shown(rank(mutes=(key(8),)), TRENDING) == BY_VOTES[1:]


def test_muting_wins_over_liking():
    ratings = (*LIKED, key(2))
    assert 2 in for_you(likes=LIKED)
    assert 2 not in for_you(likes=ratings, mutes=(key(2),))


def test_after_enough_likes_papers_like_them_come_in_and_say_so():
    few = rank("geese", likes=LIKED[: ENOUGH_RATINGS - 1])
    assert set(shown(few, FOR_YOU)) == GEESE
    many = rank("geese", likes=LIKED)
    assert set(shown(many, FOR_YOU)) >= GEESE | {2}
    assert not set(shown(many, FOR_YOU)) & ROBOTS
    titles = {KNOWN[each].title for each in LIKED}
    for pick in many.picks:
        if pick.match and pick.candidate.paper_id in DUCKS:
            assert pick.match.reason.topic == ""
            assert pick.match.reason.liked in titles
        elif pick.match:
            assert (pick.match.reason.topic, pick.match.reason.liked) == ("geese", "")


def test_likes_are_enough_for_papers_of_ones_own():
    digest = rank(likes=LIKED, trending=False)
    assert 2 in shown(digest, FOR_YOU)
    assert set(shown(digest, FOR_YOU)) <= DUCKS
    assert shown(digest, TRENDING) == []


def test_likes_take_no_paper_away_from_who_has_no_topics():
    # Nothing is like them: these are in no database here, and the other is no paper of today's.
    for likes, day in ((STRANGE, DAY), (LIKED, DAY[6:])):
        found = rank(likes=likes, day=day, least=2)
        assert found.picks == rank(day=day).picks


def test_after_enough_mutes_papers_like_them_move_down():
    before = for_you("ducks", "robots")
    assert before.index(1) < max(before.index(number) for number in ROBOTS)
    few = for_you("ducks", "robots", mutes=LIKED[: ENOUGH_RATINGS - 1])
    assert few == before
    after = for_you("ducks", "robots", mutes=LIKED)
    assert set(after) == set(before), "they are no exclusion"
    assert set(after[:2]) == ROBOTS
    assert after.index(1) > max(after.index(number) for number in ROBOTS)


def test_mutes_of_some_move_nothing_of_others():
    alone = reader("ducks", "robots")
    ranker = Ranker(make_edition(*DAY), make_corpus(), LIMITS, KNOWN)
    _, found = ranker.digests([replace(alone, mutes=LIKED), alone])
    assert found == rank("ducks", "robots")


# ---- whoever it is -------------------------------------------------------------------------------

birds = "duck goose swan heron pond lake diving flying robot cloth video RLHF".split()
words = st.sampled_from(birds)
phrases = st.lists(words, min_size=1, max_size=4).map(" ".join)
counts = st.none() | st.integers(0, 3)
days = st.lists(st.tuples(phrases, phrases, counts, counts), min_size=1, max_size=12).map(
    lambda rows: [
        replace(paper(n, title, abstract), signals=Signals(upvotes, comments))
        for n, (title, abstract, upvotes, comments) in enumerate(rows, 1)
    ]
)
typed = phrases | st.sampled_from(["duck ^2", "-duck", "goose -lake", '"duck pond"', "upvotes>=2"])
keys = st.lists(
    st.sampled_from([*KNOWN, *map(key, range(1, 8)), *STRANGE]), max_size=5, unique=True
)
readers = st.builds(
    lambda topics, without, **queries: reader(*topics, without=tuple(without), **queries),
    st.lists(typed, max_size=3, unique=True),
    st.lists(phrases, max_size=2),
    least=st.integers(1, 3),
    most=st.none() | st.integers(1, 4),
    strictness=st.none() | st.sampled_from(Strictness),
    trending=st.booleans(),
    likes=keys.map(tuple),
    mutes=keys.map(tuple),
)
limits = st.builds(Limits, st.integers(1, 4), st.integers(0, 4), st.sampled_from(Strictness))


FEW = settings(max_examples=examples(30))  # of all that readers may want, each example has much


def ranker_of(day, limits=LIMITS) -> Ranker:
    return Ranker(make_edition(*day), make_corpus(), limits, KNOWN)


@FEW
@given(days, st.lists(readers, min_size=1, max_size=4), limits)
def test_a_digest_keeps_to_what_its_reader_and_the_operator_want(day, everybody, limits):
    ranker = ranker_of(day, limits)
    for wanted, digest in zip(everybody, ranker.digests(everybody), strict=True):
        if digest is None:
            continue
        numbers = [pick.candidate.paper_id for pick in digest.picks]
        assert numbers
        assert len(set(numbers)) == len(numbers)
        mine = shown(digest, FOR_YOU)
        assert numbers[: len(mine)] == mine, "For you is read first"
        room = min(limits.for_you, wanted.most or limits.for_you)
        assert len(mine) <= room
        rest = len(numbers) - len(mine)
        assert rest <= (limits.trending if wanted.topics else max(limits.trending, room))
        if wanted.topics:
            assert len(mine) >= wanted.least
            assert wanted.trending or not rest
        least = THRESHOLDS[wanted.strictness or limits.strictness]
        assert all(pick.match.score >= least for pick in digest.picks[: len(mine)])
        assert all(pick.match is None for pick in digest.picks[len(mine) :])


@FEW
@given(days, st.lists(readers, min_size=1, max_size=4), limits)
def test_who_else_reads_an_edition_does_not_matter(day, everybody, limits):
    together = list(ranker_of(day, limits).digests(everybody))
    for wanted, digest in zip(everybody, together, strict=True):
        alone = ranker_of(day, limits).digest(wanted)
        assert papers_of(digest) == papers_of(alone)


def papers_of(digest):
    return digest and [
        (pick.section, pick.candidate.paper_id, pick.match and pick.match.reason)
        for pick in digest.picks
    ]


@FEW
@given(days, readers)
def test_what_is_excluded_or_muted_is_never_shown(day, wanted):
    digest = ranker_of(day).digest(wanted)
    for pick in digest.picks if digest else ():
        facts = pick.candidate.facts
        stood = set(f"{facts.title} {facts.abstract}".split())
        assert pick.candidate.key not in wanted.mutes
        assert not any(set(said.text.split()) <= stood for said in wanted.exclusions)


@FEW
@given(days, readers)
def test_who_is_stricter_gets_a_part_of_what_others_get_whatever_they_want(day, wanted):
    wide = replace(wanted, least=1, most=None)
    strict, normal, broad = (
        {pick.candidate.paper_id for pick in digest.picks if pick.match} if digest else set()
        for digest in (
            ranker_of(day, Limits(15, 0)).digest(replace(wide, strictness=each))
            for each in Strictness
        )
    )
    assert strict <= normal <= broad


@FEW
@given(days, st.lists(phrases, min_size=1, max_size=3, unique=True))
def test_a_paper_on_something_else_does_not_reorder_the_rest(day, topics):
    other = paper(99, "Foliations of Knots", "A knot bounds finite foliations.", upvotes=None)
    before, after = (ranker_of(each).digest(reader(*topics)) for each in (day, [*day, other]))
    assert (before and shown(before, FOR_YOU)) == (after and shown(after, FOR_YOU))


@FEW
@given(days, st.lists(phrases, max_size=3, unique=True), st.randoms(use_true_random=False))
def test_the_order_of_the_topics_changes_no_papers(day, topics, random):
    shuffled = list(topics)
    random.shuffle(shuffled)
    one, other = (ranker_of(day).digest(reader(*each)) for each in (topics, shuffled))
    assert (one is None) == (other is None)
    if one:
        numbers = [[pick.candidate.paper_id for pick in digest.picks] for digest in (one, other)]
        assert sorted(numbers[0]) == sorted(numbers[1])
