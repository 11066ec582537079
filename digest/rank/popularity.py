"""What is popular: by current votes, which nothing simple beats for the rest of the day. Pure."""

from collections.abc import Sequence

import numpy as np

from digest.model.digests import Candidate
from digest.rank.reference_corpus import Floats


def by_popularity(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Most upvotes first, then comments, the newest, stars, and the id, so that ties are fixed.

    A source without votes says nothing, and its papers come after those who have any.
    """
    return sorted(candidates, key=_popularity)


def trending(candidates: Sequence[Candidate]) -> list[Candidate]:
    """What somebody has voted for, the most popular first; all papers, if nobody has voted."""
    voted = [candidate for candidate in candidates if candidate.signals.upvotes]
    return by_popularity(voted or candidates)


def standing(candidates: Sequence[Candidate]) -> Floats:
    """Where each candidate stands among those with votes, from 0 (the least) to 1.

    A paper without any votes to count is in the middle: it was not asked about, which is not 0.
    """
    votes = np.array([candidate.signals.upvotes or 0 for candidate in candidates])
    known = np.array([candidate.signals.upvotes is not None for candidate in candidates], bool)
    ordered = np.sort(votes[known])
    below = np.searchsorted(ordered, votes, "left") + np.searchsorted(ordered, votes, "right")
    return np.where(known, below / max(1, 2 * len(ordered)), 0.5).astype(np.float32)


def _popularity(candidate: Candidate) -> tuple[int, int, int, int, str]:
    signals = candidate.signals
    return (
        -_or_less(signals.upvotes),
        -_or_less(signals.comments),
        -candidate.listed_on.toordinal(),
        -_or_less(signals.stars),
        candidate.facts.arxiv_id or candidate.facts.title,
    )


def _or_less(count: int | None) -> int:
    return -1 if count is None else count
