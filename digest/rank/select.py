"""Select papers for readers from scores, and put them in order. Pure.

It works on whole blocks of readers, because there may be a million of them: a reader is a few rows
of the matrix of topics and papers, and what can be decided for a topic is decided in that matrix.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digest.rank.reference_corpus import Floats

VOTES_WEIGHT = 0.1  # how far votes can move a paper among those that match about as well
DIVERSITY_PENALTY = 0.03  # for each better paper of the same topic, so that others get a turn
REPEAT_COST = 20.0  # of being nearly the same as an earlier paper: more than any utility
FIRST = 100.0  # utility of what a reader follows: more than any other, whatever it loses
NONE = -1

Ints = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Pool:
    """The papers of an edition as seen by topics: topics by papers.

    ``scores`` are 0 where a restriction keeps a paper out; ``weights`` say how much each topic
    counts, ``standing`` where each paper stands by votes, from 0 to 1.
    """

    scores: Floats
    weights: Floats
    standing: Floats

    def utility(self, threshold: float) -> Floats:
        """Return the utility of each paper for each topic; -inf below the threshold.

        One more row stands for "no topic".
        """
        utility = self.scores * self.weights[:, None] + VOTES_WEIGHT * self.standing[None, :]
        utility[self.scores < threshold] = -np.inf
        # After the votes: among papers that match about as well, a turn must not outweigh them.
        order = np.argsort(-utility, axis=1, kind="stable")
        turns = np.empty_like(order)
        np.put_along_axis(turns, order, np.arange(order.shape[1])[None, :], axis=1)
        utility -= DIVERSITY_PENALTY * turns
        nothing = np.full((1, self.scores.shape[1]), -np.inf)
        return np.vstack([utility, nothing]).astype(np.float32)


def first_rows(papers_of: Sequence[Sequence[int]], standing: Floats) -> Floats:
    """Return rows to add to a utility, each of papers that come before all others, by votes."""
    rows = np.full((len(papers_of), len(standing)), -np.inf, np.float32)
    for row, papers in zip(rows, papers_of, strict=True):
        row[list(papers)] = FIRST + VOTES_WEIGHT * standing[list(papers)]
    return rows


def best_for(
    utility: Floats,
    topics: Ints,
    excluded: NDArray[np.bool_] | None,
    pushed_back: Floats | None,
    groups: Ints,
    most: int,
) -> tuple[Ints, Ints]:
    """Return for each reader up to ``most`` papers, the best first, and the topic of each.

    ``topics`` has a row of topics for each reader, filled up with "no topic"; ``excluded`` a row of
    papers that are not for them, ``pushed_back`` one of what papers lose with them. ``groups`` are
    of near-duplicates (see ``groups_of``). Where a row has fewer papers, the rest is NONE.
    """
    best = utility[topics[:, 0]]
    for column in range(1, topics.shape[1]):
        np.maximum(best, utility[topics[:, column]], out=best)
    if pushed_back is not None:
        best -= pushed_back
    if excluded is not None:
        best[excluded] = -np.inf
    chosen, values = _largest(best, most)
    values -= REPEAT_COST * _repeats(groups[chosen])
    order = np.argsort(-values, axis=1, kind="stable")
    chosen, values = np.take_along_axis(chosen, order, 1), np.take_along_axis(values, order, 1)
    because = _topic_of_each(utility, topics, chosen)
    gone = np.isneginf(values)
    return np.where(gone, NONE, chosen), np.where(gone, NONE, because)


def first_free(ranked: Ints, taken: NDArray[np.bool_], most: int) -> Ints:
    """Return for each reader the first ``most`` of ``ranked`` that are not ``taken``, else NONE."""
    enough = most + int(taken.sum(axis=1).max(initial=0))  # to find them, whatever is taken
    ranked = ranked[:enough]
    free = ~taken[:, ranked]
    places = np.cumsum(free, axis=1, dtype=np.int32)
    found = np.full((len(taken), most), NONE, np.int32)
    rows, columns = np.nonzero(free & (places <= most))
    found[rows, places[rows, columns] - 1] = ranked[columns]
    return found


def _largest(values: Floats, most: int) -> tuple[Ints, Floats]:
    """Return the columns of each row's largest values, in order, and the values."""
    most = min(most, values.shape[1])
    last = np.partition(values, -most, axis=1)[:, -most, None]
    above, equal = values > last, values == last
    # By number where equal: which of them comes first in a partition is anybody's guess.
    room = most - above.sum(axis=1, keepdims=True)
    kept = above | (equal & (np.cumsum(equal, axis=1, dtype=np.int32) <= room))
    some = np.nonzero(kept)[1].reshape(len(values), most)
    found = np.take_along_axis(values, some, 1)
    order = np.argsort(-found, axis=1, kind="stable")
    return (
        np.take_along_axis(some, order, 1).astype(np.int32),
        np.take_along_axis(found, order, 1),
    )


def _repeats(groups: Ints) -> NDArray[np.bool_]:
    """Return where an earlier paper in the row is of the same group."""
    same = groups[:, :, None] == groups[:, None, :]
    earlier = np.tri(groups.shape[1], k=-1, dtype=bool)
    return np.asarray((same & earlier).any(axis=2))


def _topic_of_each(utility: Floats, topics: Ints, chosen: Ints) -> Ints:
    """Return the topic with the highest utility for each paper; of equals the reader's first."""
    because = topics[:, :1].repeat(chosen.shape[1], axis=1)
    most = utility[because, chosen]
    for column in range(1, topics.shape[1]):
        topic = topics[:, column : column + 1]
        other = utility[topic, chosen]
        better = other > most
        because = np.where(better, topic, because)
        most = np.where(better, other, most)
    return because


def groups_of(likeness: Floats, limit: float, order: Sequence[int]) -> Ints:
    """Return the group of each paper: that of the first one in ``order`` that it is too like to."""
    groups = np.full(len(likeness), NONE, np.int32)
    for paper in order:
        if groups[paper] == NONE:
            near = (likeness[paper] > limit) & (groups == NONE)
            groups[near] = paper
            groups[paper] = paper
    return groups
