"""Notice that a template file was saved, added or removed."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from digest.compose.stamp import stamp

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
        return stamp(self.folders)

    def end(self) -> None:
        """End all iterations over ``stamps``: the server is about to stop."""
        self._has_ended = True

    async def stamps(self) -> AsyncIterator[str]:
        """Yield the stamp now and after each change, and sometimes "" to keep connections open."""
        last, silent = None, 0.0
        while not self._has_ended:
            now = await asyncio.to_thread(self.stamp)
            if now != last or silent >= BREATH:
                yield "" if now == last else now
                last, silent = now, 0.0
            await asyncio.sleep(LOOK_EVERY)
            silent += LOOK_EVERY
