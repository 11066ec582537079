"""Atomic files: written completely, or not at all."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from tempfile import mkstemp

from digest.errors import LedgerError


@contextmanager
def part_of(path: Path) -> Iterator[Path]:
    """Make an empty file beside another, to be put in its place; remove it if it is not.

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
