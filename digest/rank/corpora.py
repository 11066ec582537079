"""Which background topics are measured against: the papers collected lately, or the shipped one.

The shipped background is some hundreds of papers as counts of stems, so that the first day works.
`python -m digest.rank.corpora FILE…` makes it anew from recorded answers and saved pages.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from threading import Lock

import numpy as np
from scipy import sparse

from digest.collect.file import files_in, read_file
from digest.ledger.papers import Papers
from digest.model.identity import paper_key
from digest.model.papers import Facts
from digest.rank import abbreviations
from digest.rank.reference_corpus import Embed, ReferenceCorpus, text_of
from digest.rank.vocabulary import Vocabulary, stem_counts

SHIPPED = Path(__file__).with_name("reference_corpus.npz")
ENOUGH = 500  # papers with an abstract, for a background of one's own
MOST = 4000


class ReferenceCorpora:
    """The background of one ledger. It is made when first asked for, and when papers have come."""

    def __init__(self, papers: Papers, embed: Embed | None = None) -> None:
        self._papers = papers
        self._embed = embed
        self._lock = Lock()
        self._made_of: list[str] = []
        self._made: ReferenceCorpus | None = None

    def current(self) -> ReferenceCorpus:
        """From the papers collected last if they are enough, else the shipped one."""
        newest = self._papers.newest(MOST)
        wanted = newest if len(newest) >= ENOUGH else []
        with self._lock:  # pages are served in several threads, and one making is enough
            if self._made is None or wanted != self._made_of:
                self._made = (
                    learn(self._papers.facts_of(wanted), self._embed) if wanted else load(SHIPPED)
                )
                self._made_of = wanted
            return self._made


def learn(papers: Mapping[str, Facts], embed: Embed | None = None) -> ReferenceCorpus:
    """A background of papers, given by their canonical ids; with ``embed`` it has embeddings."""
    ordered = sorted(papers)
    return ReferenceCorpus.of(
        [stem_counts(papers[key]) for key in ordered],
        ordered,
        abbreviations.learn(papers[key].abstract for key in ordered),
        embed([text_of(papers[key]) for key in ordered]) if embed else None,
    )


def save(corpus: ReferenceCorpus, path: Path) -> None:
    """As counts only: the rest follows from them."""
    counts = corpus.counts
    np.savez_compressed(
        path,
        words=_octets("\n".join(corpus.vocabulary.words)),
        keys=_octets("\n".join(corpus.keys)),
        abbreviations=_octets(json.dumps(dict(corpus.abbreviations), ensure_ascii=False)),
        starts=counts.indptr.astype(np.int32),
        columns=counts.indices.astype(np.int32),
        counts=np.minimum(counts.data, 255).astype(np.uint8),
    )


@cache  # what follows from the counts is computed once for all who ask
def load(path: Path) -> ReferenceCorpus:
    """A background that was saved."""
    with np.load(path, allow_pickle=False) as stored:
        words, keys = (_text(stored[name]).split("\n") for name in ("words", "keys"))
        counts = sparse.csr_matrix(
            (stored["counts"].astype(np.float32), stored["columns"], stored["starts"]),
            (len(keys), len(words)),
        )
        short_forms = json.loads(_text(stored["abbreviations"]))
    return ReferenceCorpus(Vocabulary(words), counts, tuple(keys), short_forms)


def _octets(text: str) -> np.ndarray:
    return np.frombuffer(text.encode(), np.uint8)


def _text(octets: np.ndarray) -> str:
    return octets.tobytes().decode()


def _recorded(paths: Iterable[Path]) -> dict[str, Facts]:
    """The papers with an abstract in recorded answers and saved pages, by canonical id."""
    known: dict[str, Facts] = {}
    now = datetime.now(UTC)
    for path in files_in(list(paths)):
        for each in read_file(path, None, now).sightings:
            if each.facts.abstract:
                key = paper_key(each.facts.arxiv_id, each.facts.title)
                known[key] = known[key].then(each.facts) if key in known else each.facts
    return known


if __name__ == "__main__":
    save(learn(_recorded(map(Path, sys.argv[1:]))), SHIPPED)
