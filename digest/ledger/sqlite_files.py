"""Files of SQLite: copied while others use them, checked, and written over another in one step.

All of it goes by SQLite's online backup: it copies pages as of one moment, and what it writes over
is as before until the last page is there. So whoever has the file open sees either.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from digest.errors import LedgerError
from digest.ledger.atomic_file import told_of
from digest.model.progress import Progress

_MAGIC = b"SQLite format 3\0"
_PATIENCE = 30.0  # seconds to wait for whoever writes
_PAGES = 2_000  # copied between two looks at the progress bar
_BESIDE = ("-wal", "-shm", "-journal")


def is_sqlite(path: Path) -> bool:
    """Raises OSError where there is no file to be read."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def copy(source: Path, target: Path, progress: Progress) -> None:
    """A database as it is at this moment, over another or into an empty file.

    Raises LedgerError.
    """
    with told_of(target), closing(connect(source, "ro")) as reading:
        with told_of(source):
            # Else the copy would begin anew each time when somebody writes.
            reading.execute("BEGIN")
            reading.execute("SELECT count(*) FROM sqlite_master").fetchone()
        with closing(connect(target, "rw")) as write_transaction:
            reading.backup(
                write_transaction,
                pages=_PAGES,
                progress=lambda _, left, total: progress(total - left, total),
                sleep=0.01,
            )


def make_whole(path: Path) -> None:
    """Have a database that nobody else uses be one file. Raises LedgerError if it is damaged."""
    with told_of(path), closing(connect(path, "rw")) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        [found] = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        raise LedgerError(f"{path.name} is damaged: {' '.join(found.split())}")


def is_damage(error: BaseException | None) -> bool:
    """Whether SQLite says that a file is no database, or a broken one; and not of a full disk."""
    return type(error) is sqlite3.DatabaseError


def clear_beside(path: Path) -> None:
    """Remove what SQLite left beside a file that is gone: it would take it for the next one's."""
    for each in _BESIDE:
        Path(f"{path}{each}").unlink(missing_ok=True)


def move_aside(path: Path, aside: Path) -> None:
    """Keep what is no whole database, with what SQLite has left beside it, under another name."""
    for each in _BESIDE:
        beside = Path(f"{path}{each}")
        if beside.exists():
            beside.replace(f"{aside}{each}")
    path.replace(aside)


def connect(path: Path, mode: Literal["ro", "rw"]) -> sqlite3.Connection:
    """Open a file that is there. Raises sqlite3.Error."""
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=_PATIENCE, isolation_level=None)
