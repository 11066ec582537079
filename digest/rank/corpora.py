"""Choose the reference corpus: the papers collected lately, the built one, or the shipped one.

The shipped one is some hundreds of AI papers as counts of stems, so that the first day works;
`python -m digest.cli.make_corpus FILE…` makes it anew from recorded answers and saved pages. For
other fields operators build one in the same form (`digest corpus build`).
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any
from zipfile import BadZipFile

import numpy as np
import scipy
import structlog
from scipy import sparse

from digest.ledger.atomic_file import part_of, put_in_place, read_cached, write_cached
from digest.ledger.papers import Papers
from digest.model.papers import Facts
from digest.rank import abbreviations, reference_corpus
from digest.rank.corpus_embeddings import packed, unpacked
from digest.rank.index_words import VERSION
from digest.rank.reference_corpus import DIMENSIONS, Embed, ReferenceCorpus, text_of
from digest.rank.words import stem_counts

SHIPPED = Path(__file__).with_name("reference_corpus.npz")
ENOUGH = 500  # papers with an abstract, to be a reference corpus
MOST = 4000

log = structlog.get_logger()


class ReferenceCorpora:
    """The reference corpus of one ledger, made when first asked for or outdated.

    Its axes are cached in the folder ``cache``, if there is one. ``built`` is the file of a corpus
    that the operator has built, if there is one.
    """

    def __init__(
        self,
        papers: Papers,
        embed: Embed | None = None,
        cache: Path | None = None,
        built: Path | None = None,
    ) -> None:
        self._papers = papers
        self._embed = embed
        self._cache = cache
        self._built = built
        self._lock = Lock()
        self._state: tuple[int, ...] = ()
        self._made_of: list[str] = []
        self._made: ReferenceCorpus | None = None

    def current(self) -> ReferenceCorpus:
        """Return that of the papers collected last if they are enough, else the one at hand."""
        with self._lock:  # pages are served in several threads, and one making is enough
            state = self._papers.state()
            if self._made is None or state != self._state:
                newest = self._papers.newest(MOST)
                wanted = newest if len(newest) >= ENOUGH else []
                if self._made is None or wanted != self._made_of:
                    self._made = (
                        learn(self._papers.facts_of(wanted), self._embed)
                        if wanted
                        else self._at_hand()
                    )
                    if self._cache:
                        _use_cached_axes(self._made, self._cache / "reference-corpus-axes")
                self._state, self._made_of = state, wanted
            return self._made

    def _at_hand(self) -> ReferenceCorpus:
        """Return the one that was built, else the shipped one."""
        if self._built and self._built.exists():
            try:
                return load_with(self._embed, self._built)
            except (OSError, ValueError, LookupError, BadZipFile) as error:
                log.error(
                    "the reference corpus cannot be read", file=str(self._built), why=str(error)
                )
        return load_with(self._embed, SHIPPED)


def _use_cached_axes(corpus: ReferenceCorpus, file: Path) -> None:
    """Read the axes of a corpus from a file, or compute them and write it.

    To read them takes a hundredth of the time, and gives the same bits.
    """
    key = hashlib.sha256(f"{np.__version__} {scipy.__version__} {corpus.counts.shape}".encode())
    for part in (corpus.counts.data, corpus.counts.indices, corpus.counts.indptr):
        key.update(part.tobytes())
    key.update(Path(reference_corpus.__file__).read_bytes())
    cached = read_cached(file, key.digest())
    if cached is None:
        write_cached(file, corpus.axes.tobytes(), key.digest())
    else:
        dimensions = min(DIMENSIONS, corpus.size, corpus.single)
        corpus.axes = np.frombuffer(cached, np.float32).reshape(corpus.single, dimensions)


def learn(papers: Mapping[str, Facts], embed: Embed | None = None) -> ReferenceCorpus:
    """Make a corpus of papers, given by canonical id; with ``embed`` it has embeddings."""
    ordered = sorted(papers)
    return ReferenceCorpus.of(
        [stem_counts(papers[key]) for key in ordered],
        ordered,
        abbreviations.learn(papers[key].abstract for key in ordered),
        embed([text_of(papers[key]) for key in ordered]) if embed else None,
    )


def save(corpus: ReferenceCorpus, path: Path, embed: Embed | None = None) -> None:
    """Write a corpus as counts, from which the rest follows.

    ``embed`` is the model that made its embeddings, if these are to be written as well.
    """
    counts = corpus.counts
    arrays: dict[str, Any] = {
        "version": np.array(VERSION),
        "words": _octets("\n".join(corpus.words)),
        "keys": _octets("\n".join(corpus.keys)),
        "abbreviations": _octets(json.dumps(dict(corpus.abbreviations), ensure_ascii=False)),
        "starts": counts.indptr.astype(np.int32),
        "columns": counts.indices.astype(np.int32),
        "counts": np.minimum(counts.data, 255).astype(np.uint8),
    }
    if embed and corpus.embeddings is not None:
        arrays |= packed(corpus.embeddings, embed)
    path.parent.mkdir(parents=True, exist_ok=True)
    with part_of(path) as part:
        with part.open("wb") as file:
            np.savez_compressed(file, **arrays)
        put_in_place(part, path)


@cache  # what follows from the counts is computed once for all who ask
def load(path: Path) -> ReferenceCorpus:
    """Read a corpus that was saved. Raises ValueError if its words were read otherwise."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        if "version" not in stored or stored["version"] != VERSION:
            raise ValueError("made by another version, which read words otherwise: build it anew")
        words, keys = (_text(stored[name]).split("\n") for name in ("words", "keys"))
        counts = sparse.csr_matrix(
            (stored["counts"].astype(np.float32), stored["columns"], stored["starts"]),
            (len(keys), len(words)),
        )
        short_forms = json.loads(_text(stored["abbreviations"]))
    return ReferenceCorpus(tuple(words), counts, tuple(keys), short_forms)


def load_with(embed: Embed | None, path: Path) -> ReferenceCorpus:
    """Read a corpus that was saved, with its embeddings if this model has made them."""
    corpus = load(path)
    if embed is None:
        return corpus
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        return replace(corpus, embeddings=unpacked(stored, embed))


def _octets(text: str) -> np.ndarray:
    return np.frombuffer(text.encode(), np.uint8)


def _text(octets: np.ndarray) -> str:
    return octets.tobytes().decode()
