"""Notice that a template file was saved, added or removed."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

LOOK_EVERY = 0.25  # seconds
BREATH = 15.0  # seconds of silence, after which a proxy or a browser might give up


class Watch:
    """Compares the times of all files in some folders.

    Notifications of the operating system would differ by system, and miss network folders.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = tuple(dict.fromkeys(folders))
        self._has_ended = False

    def stamp(self) -> str:
        """Return a short text that changes when a file changes."""
        digest = hashlib.sha256()
        for folder in self.folders:
            for path, status in sorted(_files(folder)):
                digest.update(f"{path}\0{status.st_mtime_ns}\0{status.st_size}\n".encode())
        return digest.hexdigest()[:16]

    def end(self) -> None:
        """End all iterations over ``stamps``: the server is about to stop."""
        self._has_ended = True

    async def stamps(self) -> AsyncIterator[str]:
        """Yield the stamp now and after each change, and sometimes "" to keep connections open."""
        last, silent = None, 0.0
        while not self._has_ended:
            stamp = await asyncio.to_thread(self.stamp)
            if stamp != last or silent >= BREATH:
                yield "" if stamp == last else stamp
                last, silent = stamp, 0.0
            await asyncio.sleep(LOOK_EVERY)
            silent += LOOK_EVERY


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield every file below a folder. A file that vanishes meanwhile is left out."""
    for path in folder.rglob("*"):
        if path.name.startswith(".") or path.name.endswith("~"):
            continue  # an editor's own
        with suppress(OSError):
            yield path, path.stat()
