"""Embeddings in a stored reference corpus, for whoever has the model that made them. Pure.

A corpus holds no texts, so that nobody else can embed its papers. Which model made the embeddings
is told by what it makes of a few texts: one with weights of fewer bits is the same model.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digest.rank.reference_corpus import Embed, Floats, unit

_PROBES = (
    "Graph networks for the folding of proteins",
    "What is new in speech recognition?",
    "sourdough bread",
)
_SAME = 0.99  # cosine of what two copies of one model make of a text
_STEPS = 127  # of a value, in each direction

Stored = Mapping[str, NDArray[Any]]


def packed(embeddings: Floats, embed: Embed) -> dict[str, NDArray[Any]]:
    """Return embeddings as whole numbers of 8 bits, with what tells the model."""
    largest = np.abs(embeddings).max(axis=1, keepdims=True)
    steps = np.round(embeddings / np.where(largest > 0, largest, 1) * _STEPS)
    return {
        "embeddings": steps.astype(np.int8),
        "probes": embed(_PROBES).astype(np.float16),
    }


def unpacked(stored: Stored, embed: Embed) -> Floats | None:
    """Return rows of length 1, or None if there are none, or another model made them."""
    if "embeddings" not in stored or "probes" not in stored:
        return None
    theirs, ours = unit(stored["probes"].astype(np.float32)), embed(_PROBES)
    if theirs.shape != ours.shape or (theirs * ours).sum(axis=1).min() < _SAME:
        return None
    return unit(stored["embeddings"].astype(np.float32))
