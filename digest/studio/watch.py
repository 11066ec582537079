"""Notices that a file of the templates was saved, added or removed."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

LOOK_EVERY = 0.25  # seconds
BREATH = 15.0  # seconds of silence, after which a proxy or a browser might think us dead


class Watch:
    """Looks at the times of all files in some folders.

    It asks no operating system to be told: that differs with each, and says nothing of folders that
    come over a network.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = tuple(dict.fromkeys(folders))
        self._has_ended = False

    def stamp(self) -> str:
        """A short text that is another one once a file has changed."""
        digest = hashlib.sha256()
        for folder in self.folders:
            for path, status in sorted(_files(folder)):
                digest.update(f"{path}\0{status.st_mtime_ns}\0{status.st_size}\n".encode())
        return digest.hexdigest()[:16]

    def end(self) -> None:
        """Let all who wait for changes go: the server is about to stop."""
        self._has_ended = True

    async def stamps(self) -> AsyncIterator[str]:
        """The stamp now, and each time that it has changed; nothing ("") to show life.

        It ends with the server, or when whoever listens closes it.
        """
        last, silent = None, 0.0
        while not self._has_ended:
            stamp = await asyncio.to_thread(self.stamp)
            if stamp != last or silent >= BREATH:
                yield "" if stamp == last else stamp
                last, silent = stamp, 0.0
            await asyncio.sleep(LOOK_EVERY)
            silent += LOOK_EVERY


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Every file below a folder. What vanishes while we look is not there."""
    for path in folder.rglob("*"):
        if path.name.startswith(".") or path.name.endswith("~"):
            continue  # an editor's own
        with suppress(OSError):
            yield path, path.stat()
