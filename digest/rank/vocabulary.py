"""Words as columns: texts become rows of a sparse matrix. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from scipy import sparse

from digest.model.papers import Facts
from digest.rank.words import stems

TITLE_WEIGHT = 3


def stem_counts(facts: Facts) -> Counter[str]:
    """How often each stem stands in a paper; the title counts TITLE_WEIGHT times."""
    counts: Counter[str] = Counter()
    for stem in stems(facts.title):
        counts[stem] += TITLE_WEIGHT
    for text in (facts.summary, facts.abstract, *facts.keywords):
        counts.update(stems(text))
    return counts


class Vocabulary:
    """The stems of a corpus, each with a column of its own."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self.column = {word: number for number, word in enumerate(self.words)}

    @classmethod
    def of(cls, counts: Iterable[Mapping[str, float]]) -> "Vocabulary":
        return cls(sorted({word for count in counts for word in count}))

    def __len__(self) -> int:
        return len(self.words)

    def matrix(self, counts: Iterable[Mapping[str, float]]) -> sparse.csr_matrix:
        """A row for each text: its counts (float32). Words that have no column are left out."""
        ends, columns, values = [0], list[int](), list[float]()
        for count in counts:
            known = [(self.column[word], n) for word, n in count.items() if word in self.column]
            columns += [column for column, _ in known]
            values += [n for _, n in known]
            ends.append(len(columns))
        shape = (len(ends) - 1, len(self))
        rows = sparse.csr_matrix(
            (np.array(values, np.float32), np.array(columns, np.int32), np.array(ends)), shape
        )
        rows.sort_indices()
        return rows
