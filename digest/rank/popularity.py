"""The popularity of papers, by current votes: no simple forecast of the day is better. Pure."""

from collections.abc import Sequence

import numpy as np

from digest.model.digests import Candidate
from digest.rank.reference_corpus import Floats


def by_popularity(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Sort by upvotes, then comments, day, stars (most and newest first), and the id.

    A paper without votes because its source has none comes after all that have any.
    """
    return sorted(candidates, key=_popularity)


def trending(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the papers with upvotes, the most popular first; all papers if none has any."""
    voted = [candidate for candidate in candidates if candidate.signals.upvotes]
    return by_popularity(voted or candidates)


def by_gain(rising: Sequence[Candidate]) -> list[Candidate]:
    """Sort late risers by the upvotes that they gained since they were listed, most first."""
    return sorted(rising, key=lambda candidate: (-candidate.risen, *_popularity(candidate)))


def standing(candidates: Sequence[Candidate]) -> Floats:
    """Return the rank of each candidate among those with votes, from 0 (the fewest) to 1.

    A paper of a source without votes stands in the middle.
    """
    votes = np.array([candidate.signals.upvotes or 0 for candidate in candidates])
    known = np.array([candidate.signals.upvotes is not None for candidate in candidates], bool)
    ordered = np.sort(votes[known])
    below = np.searchsorted(ordered, votes, "left") + np.searchsorted(ordered, votes, "right")
    return np.where(known, below / max(1, 2 * len(ordered)), 0.5).astype(np.float32)


def _popularity(candidate: Candidate) -> tuple[int, int, int, int, str]:
    signals = candidate.signals
    upvotes, comments, stars = (
        -1 if count is None else count
        for count in (signals.upvotes, signals.comments, signals.stars)
    )
    day = candidate.listed_on.toordinal()
    return (-upvotes, -comments, -day, -stars, candidate.facts.arxiv_id or candidate.facts.title)
