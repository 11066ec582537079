"""Notice that files were saved, added or removed."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path


def stamp(folders: Iterable[Path]) -> str:
    """Return a short text that changes when a file below one of the folders does."""
    digest = hashlib.sha256()
    for folder in folders:
        for path, status in sorted(_files(folder)):
            digest.update(f"{path}\0{status.st_mtime_ns}\0{status.st_size}\n".encode())
    return digest.hexdigest()[:16]


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield every file below a folder. A file that vanishes meanwhile is left out."""
    for path in folder.rglob("*"):
        if path.name.startswith(".") or path.name.endswith("~"):
            continue  # an editor's own
        with suppress(OSError):
            yield path, path.stat()
