"""The interests in a reader's own papers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from digest.rank.interests import MOST_INTERESTS, interests


def places(*directions):
    rows = np.array(directions, np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_what_is_alike_is_one_interest():
    found = interests(
        list("abcde"), places([1, 0.1, 0], [0, 1, 0.1], [1, 0.2, 0], [0.1, 1, 0], [1, 0, 0.1])
    )
    assert found == [("a", "c", "e"), ("b", "d")]


def test_what_is_like_no_other_goes_to_the_nearest():
    found = interests(
        list("abcde"), places([1, 0, 0], [1, 0.1, 0], [0, 1, 0], [0, 1, 0.1], [0, 0.1, 1])
    )
    assert found == [("a", "b"), ("c", "d", "e")]


def test_a_few_papers_and_papers_that_are_all_different_are_one_interest():
    assert interests([], places([1, 0])[:0]) == []
    assert interests(["a"], places([1, 0])) == [("a",)]
    assert interests(list("abc"), places([1, 0], [0, 1], [-1, 0])) == [("a", "b", "c")]
    assert interests(list("abcd"), np.eye(4, dtype=np.float32)) == [("a", "b", "c", "d")]


def test_there_are_only_so_many():
    rows = np.repeat(np.eye(15, dtype=np.float32), 2, axis=0)
    found = interests([f"{number:02}" for number in range(30)], rows)
    assert len(found) == MOST_INTERESTS
    assert len({paper for papers in found for paper in papers}) == 30


@given(
    st.integers(0, 12).flatmap(
        lambda count: arrays(np.float32, (count, 4), elements=st.sampled_from([0, 0.5, 1, -1]))
    )
)
def test_each_paper_is_in_one_interest(rows):
    papers = [f"p{number}" for number in range(len(rows))]
    found = interests(papers, rows)
    assert sorted(paper for group in found for paper in group) == sorted(papers)
    assert interests(papers, rows) == found
