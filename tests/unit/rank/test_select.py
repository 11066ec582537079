"""From scores to places, against the same in plain Python, one reader at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.rank.popularity import by_popularity, standing, trending
from digest.rank.select import (
    DIVERSITY_PENALTY,
    NONE,
    REPEAT_COST,
    VOTES_WEIGHT,
    Pool,
    best_for,
    first_free,
    groups_of,
)
from tests.support import make_candidate

NOTHING = -np.inf
# Sums of these are exact, so that nothing depends on the order of adding.
exact = st.integers(0, 64).map(lambda n: n / 64)
maybe = st.just(NOTHING) | exact


def grid(values, rows, columns):
    row = st.lists(values, min_size=columns, max_size=columns)
    return st.lists(row, min_size=rows, max_size=rows)


def ints(rows):
    return np.array(rows, np.int32)


def floats(rows):
    return np.array(rows, np.float32)


# ---- what a paper is worth ----------------------------------------------------------------------


def plain_worth(scores, weight, standing, threshold):
    """One topic's papers."""
    votes = [np.float32(VOTES_WEIGHT) * np.float32(each) for each in standing]
    before_turns = {
        n: np.float32(score) * np.float32(weight) + votes[n]
        for n, score in enumerate(scores)
        if score >= threshold
    }
    best_first = sorted(before_turns, key=lambda n: (-before_turns[n], n))
    return [
        before_turns[n] - DIVERSITY_PENALTY * best_first.index(n) if n in before_turns else NOTHING
        for n in range(len(scores))
    ]


@st.composite
def pools(draw):
    topics, papers = draw(st.integers(0, 4)), draw(st.integers(1, 6))
    return (
        draw(grid(exact, topics, papers)),
        draw(st.lists(st.sampled_from([0.5, 1.0, 2.0]), min_size=topics, max_size=topics)),
        draw(st.lists(exact, min_size=papers, max_size=papers)),
    )


@given(pools(), exact)
def test_worth_is_score_votes_and_turn(pool, threshold):
    scores, weights, votes = pool
    matrix = floats(scores).reshape(len(scores), len(votes))
    found = Pool(matrix, floats(weights), floats(votes)).utility(threshold)
    expected = [
        plain_worth(row, weight, votes, threshold)
        for row, weight in zip(scores, weights, strict=True)
    ]
    assert found.tolist()[:-1] == [pytest.approx(row, abs=1e-5) for row in expected]
    assert found.tolist()[-1] == [NOTHING] * len(votes), 'the row of "no topic"'


# ---- the best papers of each reader --------------------------------------------------------------


def plain_best(utility, topics, excluded, pushed_back, groups, most):
    """One reader's papers and topics, the best first."""
    value, because = {}, {}
    for paper in range(len(groups)):
        because[paper] = max(topics, key=lambda topic: utility[topic][paper])  # of equals the first
        value[paper] = utility[because[paper]][paper] - pushed_back[paper]
        if excluded[paper]:
            value[paper] = NOTHING
    first = sorted(value, key=lambda paper: (-value[paper], paper))[:most]
    for place, paper in enumerate(first):
        if groups[paper] in [groups[other] for other in first[:place]]:
            value[paper] -= REPEAT_COST
    order = sorted(first, key=lambda paper: (-value[paper], first.index(paper)))
    chosen = [paper for paper in order if value[paper] > NOTHING]
    return chosen, [because[paper] for paper in chosen]


@st.composite
def blocks(draw):
    topics, papers, readers = (draw(st.integers(1, most)) for most in (4, 7, 4))
    width = draw(st.integers(1, 3))
    return (
        [*draw(grid(maybe, topics, papers)), [NOTHING] * papers],
        draw(grid(st.integers(0, topics), readers, width)),
        draw(grid(st.booleans(), readers, papers)),
        draw(grid(exact, readers, papers)),
        draw(st.lists(st.integers(0, papers - 1), min_size=papers, max_size=papers)),
        draw(st.integers(1, papers + 2)),
    )


@given(blocks())
def test_the_best_of_many_readers_are_those_of_each(block):
    utility, topics, excluded, pushed_back, groups, most = block
    chosen, because = best_for(
        floats(utility), ints(topics), np.array(excluded), floats(pushed_back), ints(groups), most
    )
    for row, (paper_row, topic_row) in enumerate(zip(chosen, because, strict=True)):
        papers, reasons = plain_best(
            utility, topics[row], excluded[row], pushed_back[row], groups, most
        )
        assert paper_row.tolist() == papers + [NONE] * (len(paper_row) - len(papers))
        assert topic_row.tolist() == reasons + [NONE] * (len(topic_row) - len(papers))


@given(blocks())
def test_nothing_excluded_and_nothing_pushed_back_need_not_be_said(block):
    utility, topics, _, _, groups, most = block
    given = floats(utility), ints(topics)
    none = np.zeros((len(topics), len(groups)))
    short = best_for(*given, None, None, ints(groups), most)
    long = best_for(*given, none.astype(bool), none.astype(np.float32), ints(groups), most)
    assert [each.tolist() for each in short] == [each.tolist() for each in long]


def test_what_is_nearly_the_same_goes_behind_the_rest():
    utility = floats([[0.9, 0.8, 0.7, 0.6], [NOTHING] * 4])
    chosen, _ = best_for(utility, ints([[0]]), None, None, ints([0, 0, 2, 3]), 4)
    assert chosen.tolist() == [[0, 2, 3, 1]]


# ---- what is free --------------------------------------------------------------------------------


@st.composite
def lists_and_taken(draw):
    papers, readers = draw(st.integers(1, 8)), draw(st.integers(1, 4))
    ranked = draw(st.permutations(range(papers)))[: draw(st.integers(0, papers))]
    return ranked, draw(grid(st.booleans(), readers, papers)), draw(st.integers(0, papers + 2))


@given(lists_and_taken())
def test_the_first_free_ones_of_a_list(drawn):
    ranked, taken, most = drawn
    found = first_free(ints(ranked), np.array(taken), most)
    for row, own in zip(found.tolist(), taken, strict=True):
        free = [paper for paper in ranked if not own[paper]][:most]
        assert row == free + [NONE] * (most - len(free))


# ---- near-duplicates -----------------------------------------------------------------------------


def plain_groups(likeness, limit, order):
    group = {}
    for paper in order:
        if paper not in group:
            group[paper] = paper
            for other in range(len(likeness)):
                if other not in group and likeness[paper][other] > limit:
                    group[other] = paper
    return [group[paper] for paper in range(len(likeness))]


@st.composite
def likenesses(draw):
    papers = draw(st.integers(0, 7))
    matrix = floats(draw(grid(exact, papers, papers))).reshape(papers, papers)
    return np.maximum(matrix, matrix.T), draw(st.permutations(range(papers)))


@given(likenesses(), exact)
def test_groups_are_of_the_first_that_each_is_like(drawn, limit):
    likeness, order = drawn
    assert groups_of(likeness, limit, order).tolist() == plain_groups(likeness, limit, order)


# ---- votes ---------------------------------------------------------------------------------------

votes = st.lists(st.none() | st.integers(0, 5), max_size=8)


def voted(counts):
    return [make_candidate(number, upvotes=count) for number, count in enumerate(counts)]


@given(votes)
def test_a_standing_is_the_part_of_papers_that_have_fewer_votes_and_half_of_the_equal(counts):
    known = [count for count in counts if count is not None]
    expected = [
        0.5
        if count is None
        else sum((other < count) + (other == count) / 2 for other in known) / len(known)
        for count in counts
    ]
    assert standing(voted(counts)).tolist() == pytest.approx(expected)


@given(votes)
def test_what_trends_has_votes_unless_nothing_has(counts):
    candidates = voted(counts)
    found = trending(candidates)
    with_votes = [candidate for candidate in candidates if candidate.signals.upvotes]
    assert found == by_popularity(with_votes or candidates)
    assert [each.signals.upvotes or 0 for each in found] == sorted(
        (each.signals.upvotes or 0 for each in found), reverse=True
    )
