"""Raw answers of sources, kept under DIGEST_HOME/raw: for conditional requests, and to look at."""

import base64
import gzip
import hashlib
import json
import os
import zlib
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished exchange: any status that is not worth another attempt.

    ``etag`` and ``last_modified`` are for conditional requests (RFC 9110 section 8.8).
    """

    url: str
    status: int
    body: bytes
    etag: str = ""
    last_modified: str = ""


class Snapshots:
    """A folder with the latest answer of each address, ``<host>/<digest of the URL>.json.gz``.

    What is removed is only fetched as a whole the next time.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, url: str) -> Answer | None:
        """Return the kept answer; None if there is none that can be read (it will be fetched)."""
        try:
            kept = json.loads(gzip.decompress(self._path(url).read_bytes()))
            return Answer(**{**kept, "body": base64.b64decode(kept["body"])})
        except (OSError, EOFError, zlib.error, ValueError, TypeError, KeyError):
            return None

    def save(self, answer: Answer) -> None:
        path = self._path(answer.url)
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = {**asdict(answer), "body": base64.b64encode(answer.body).decode()}
        part = path.with_suffix(".part")
        part.write_bytes(gzip.compress(json.dumps(kept).encode(), mtime=0))
        part.replace(path)  # whole or not at all

    def used(self, url: str) -> None:
        """Note that the kept answer was good once more: its age is counted from now on."""
        with suppress(OSError):
            os.utime(self._path(url))

    def remove(self, before: datetime) -> int:
        """Remove those that were used last before a moment; return how many there were."""
        removed = 0
        for path in self._folder.glob("*/*.json.*"):  # and what was broken off while being saved
            with suppress(OSError):  # somebody else was quicker, or it is not ours
                if path.stat().st_mtime < before.timestamp():
                    path.unlink()
                    removed += 1
        return removed

    def _path(self, url: str) -> Path:
        host = (urlsplit(url).hostname or "").strip(".") or "unknown"  # ".." is a folder above
        return self._folder / host / f"{hashlib.sha256(url.encode()).hexdigest()[:24]}.json.gz"
