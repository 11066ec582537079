"""Embeddings of papers, kept in a file: to compute those of thousands takes minutes.

Each goes by a digest of its text, so that a text that has changed is embedded anew. What is older
than MOST others is dropped. The file is a cache: whatever happens to it, it is made again.
"""

import hashlib
import os
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

import numpy as np
import structlog
from numpy.typing import NDArray

from digest.rank.embedding import Embedder
from digest.rank.reference_corpus import Floats

MOST = 20_000
SHORTEST = 250  # characters; what is shorter is a reader's topic, and embedded in no time
_BLOCK = 512  # texts, after which they are saved: a process that is stopped keeps these
_KEY_SIZE = 16

Half = NDArray[np.float16]

log = structlog.get_logger()


class EmbeddingStore:
    """An embedder that remembers papers, from one process to the next."""

    def __init__(self, embedder: Embedder, folder: Path) -> None:
        self.name = embedder.name
        self._embedder = embedder
        self._path = folder / f"embeddings-{embedder.name}.npz"
        self._lock = Lock()
        self._kept: dict[bytes, Half] | None = None  # what was used last stands last

    def __call__(self, texts: Sequence[str]) -> Floats:
        """Return a row of length 1 for each text, of which there must be one.

        Raises SettingError for a model that is broken.
        """
        keys = [_key(text) for text in texts]
        with self._lock:  # pages are served in several threads
            if self._kept is None:
                self._kept = self._load()
            found = {key: self._kept[key] for key in keys if key in self._kept}
            self._kept |= {key: self._kept.pop(key) for key in found}
            new = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
            new_keys = list(new)
            for start in range(0, len(new_keys), _BLOCK):
                block = new_keys[start : start + _BLOCK]
                found |= self._embed({key: new[key] for key in block}, self._kept)
        return np.array([found[key] for key in keys], np.float32).reshape(len(keys), -1)

    def _embed(self, texts: dict[bytes, str], kept: dict[bytes, Half]) -> dict[bytes, Half]:
        """Return embeddings of new texts; those of papers are kept."""
        # Rounded before they are used, so that a paper has the same one from now on.
        rows = self._embedder.embed(list(texts.values())).astype(np.float16)
        made = dict(zip(texts, rows, strict=True))
        papers = {key: row for key, row in made.items() if len(texts[key]) >= SHORTEST}
        if papers:
            kept |= papers
            for key in list(kept)[: max(0, len(kept) - MOST)]:
                del kept[key]
            self._save(kept)
        return made

    def _load(self) -> dict[bytes, Half]:
        try:
            with self._path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                if stored["model"].item() != self._embedder.fingerprint:
                    return {}
                keys, rows = stored["keys"].tobytes(), stored["rows"]
                if rows.dtype != np.float16 or len(keys) != len(rows) * _KEY_SIZE or rows.ndim != 2:
                    raise ValueError("keys and rows do not go together")
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            log.warning("kept embeddings cannot be read", file=str(self._path), why=str(error))
            return {}
        return {keys[n * _KEY_SIZE : (n + 1) * _KEY_SIZE]: row for n, row in enumerate(rows)}

    def _save(self, kept: dict[bytes, Half]) -> None:
        """Replace the file in one step: a reader finds the old one or the new one."""
        part = self._path.with_name(f"{self._path.name}.{os.getpid()}.part")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                np.savez(
                    file,
                    model=np.array(self._embedder.fingerprint),
                    keys=np.frombuffer(b"".join(kept), np.uint8),
                    rows=np.array(list(kept.values()), np.float16),
                )
            part.replace(self._path)
        except OSError as error:
            log.warning("embeddings cannot be kept", file=str(self._path), why=str(error))


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=_KEY_SIZE).digest()
