"""SQLite's files: copied while others use them, checked, and overwritten in one step.

SQLite's online backup copies the pages as of one moment, and changes the target in one transaction.
So other processes that have the file open see the old or the new database.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from digest.errors import LedgerError
from digest.ledger.atomic_file import as_file_error
from digest.model.progress import Progress

_MAGIC = b"SQLite format 3\0"
_PATIENCE = 30.0  # seconds to wait for other processes that write
_PAGES = 2_000  # copied between two looks at the progress bar
_BESIDE = ("-wal", "-shm", "-journal")


def is_sqlite(path: Path) -> bool:
    """Return whether a file is a SQLite database. Raises OSError."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def copy(source: Path, target: Path, progress: Progress) -> None:
    """Copy a database, as of this moment, over another one or into an empty file.

    Raises LedgerError, also if the copy has fewer rows than the source.
    """
    with as_file_error(target), closing(connect(source, "ro")) as reading:
        with as_file_error(source):
            # In one transaction, or the copy would start again whenever another process writes.
            reading.execute("BEGIN")
            expected = _count_rows(reading)
        with closing(connect(target, "rw")) as writing:
            _copy_pages(reading, writing, progress)
            copied = _count_rows(writing)
    for table, rows in expected.items():
        if copied.get(table, 0) < rows:
            raise LedgerError(
                f"{target} is an incomplete copy of {source}: it has {copied.get(table, 0)} of "
                f"{rows} rows in {table}"
            )


def _copy_pages(
    reading: sqlite3.Connection, writing: sqlite3.Connection, progress: Progress
) -> None:
    reading.backup(
        writing,
        pages=_PAGES,
        progress=lambda _, left, total: progress(total - left, total),
        sleep=0.01,
    )


def _count_rows(connection: sqlite3.Connection) -> dict[str, int]:
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return {
        name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608
        for (name,) in tables
    }


def make_whole(path: Path) -> None:
    """Merge the write-ahead log of a database, which nobody else uses. Raises LedgerError."""
    with as_file_error(path), closing(connect(path, "rw")) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        [found] = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        raise LedgerError(f"{path.name} is damaged: {' '.join(found.split())}")


def is_damage(error: BaseException | None) -> bool:
    """Return whether an error means that a file is damaged or no database, not a full disk."""
    return type(error) is sqlite3.DatabaseError


def clear_beside(path: Path) -> None:
    """Remove the side files of a database that is gone: SQLite would use them for the next one."""
    for suffix in _BESIDE:
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def move_aside(path: Path, aside: Path) -> None:
    """Rename a damaged database, together with its side files."""
    for suffix in _BESIDE:
        beside = Path(f"{path}{suffix}")
        if beside.exists():
            beside.replace(f"{aside}{suffix}")
    path.replace(aside)


def connect(path: Path, mode: Literal["ro", "rw"]) -> sqlite3.Connection:
    """Open an existing database. Raises sqlite3.Error."""
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=_PATIENCE, isolation_level=None)
