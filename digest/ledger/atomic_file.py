"""Atomic files: written completely, or not at all.

Files of caches spare the next process work. They have a checksum, and never raise an error: if one
is damaged, the work is done again.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from hashlib import sha256
from pathlib import Path
from tempfile import mkstemp

from digest.errors import LedgerError


@contextmanager
def part_of(path: Path) -> Iterator[Path]:
    """Make an empty file beside another, to replace it; remove it if it was not put there.

    Only its owner can read it. Raises OSError.
    """
    descriptor, name = mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(descriptor)
    part = Path(name)
    try:
        yield part
    finally:
        for path_beside in part.parent.glob(f"{escape(part.name)}*"):  # SQLite makes some
            path_beside.unlink(missing_ok=True)


def put_in_place(part: Path, path: Path) -> None:
    """Replace the file at a path by a finished one; a power cut leaves the old or the new one."""
    _sync(part)
    part.replace(path)
    _sync(path.parent)


def read_cached(file: Path, key: bytes = b"") -> bytes | None:
    """Return the content of a cache file; None if it is missing, damaged or has another key."""
    with suppress(OSError, ValueError):
        checksum, content = file.read_bytes().split(b"\n", 1)
        if checksum == _checksum(key, content):
            return content
    return None


def write_cached(file: Path, content: bytes, key: bytes = b"") -> None:
    """Write a cache file; do nothing if that is not possible."""
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with part_of(file) as part:
            part.write_bytes(_checksum(key, content) + b"\n" + content)
            part.replace(file)


def _checksum(key: bytes, content: bytes) -> bytes:
    digest = sha256(sha256(key).digest())
    digest.update(content)
    return digest.hexdigest().encode()


@contextmanager
def as_file_error(path: Path) -> Iterator[None]:
    """Raise errors of SQLite and the disk as a LedgerError of one line that names the file."""
    try:
        yield
    except OSError as error:
        raise LedgerError(f"{path}: {error.strerror or error}") from error
    except sqlite3.Error as error:
        raise LedgerError(f"{path}: {error}") from error


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
