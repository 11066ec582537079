"""Divide the papers that a reader named into interests: groups of papers that are alike. Pure.

Somebody's bibliography is on several things. What all of it has in common is hardly more than that
it is research: of the papers on any one of its subjects, hardly one would be found by the whole.
"""

from collections.abc import Sequence

import numpy as np

from digest.rank.reference_corpus import Floats

MOST_INTERESTS = 10
# The mean cosine of two groups' places in the reference corpus, above which they are one interest.
# Of recorded papers on one subject it is .25 to .4, on two subjects .1 to .2.
_ALIKE = 0.2
_FEWEST = 2  # papers of an interest; by itself, one finds as much that is not like it


def interests(papers: Sequence[str], places: Floats) -> list[tuple[str, ...]]:
    """Return the interests in some papers, the largest first; ``places`` has a row for each.

    A paper that is like no other goes to the interest that it is nearest to.
    """
    if len(papers) < 2 * _FEWEST:
        return [tuple(papers)] if papers else []
    # Loaded when it is needed, because it takes a third of a second.
    from scipy.cluster.hierarchy import fcluster, linkage  # noqa: PLC0415

    # A paper without a word that the corpus knows has no place; cosines of it are nothing.
    known = places + np.float32(1e-6)
    labels = fcluster(linkage(known, "average", metric="cosine"), 1 - _ALIKE, "distance")
    groups: dict[int, list[int]] = {}
    for number, label in enumerate(labels.tolist()):
        groups.setdefault(label, []).append(number)
    by_size = sorted(groups.values(), key=lambda group: (-len(group), group[0]))
    kept = [group for group in by_size[:MOST_INTERESTS] if len(group) >= _FEWEST]
    if not kept:
        return [tuple(papers)]
    centres = np.array([known[group].mean(axis=0) for group in kept])
    for group in by_size[len(kept) :]:
        for number in group:
            kept[int(np.argmax(centres @ known[number]))].append(number)
    return [tuple(papers[number] for number in sorted(group)) for group in kept]
