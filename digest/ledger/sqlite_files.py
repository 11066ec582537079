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
from digest.ledger.atomic_file import as_file_error
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
    """Copy a database, as it is at this moment, over another or into an empty file.

    Raises LedgerError, also where the copy has fewer rows than its source had at that moment.
    """
    with as_file_error(target), closing(connect(source, "ro")) as reading:
        with as_file_error(source):
            # In one transaction: else the copy would begin anew each time when somebody writes.
            reading.execute("BEGIN")
            expected = _count_rows(reading)
        with closing(connect(target, "rw")) as writing:
            _copy_pages(reading, writing, progress)
            copied = _count_rows(writing)
    for table, rows in expected.items():
        if copied.get(table, 0) < rows:
            raise LedgerError(
                f"{target} is no whole copy of {source}: of {rows} rows in {table} it has "
                f"{copied.get(table, 0)}"
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
    """Make a database that nobody else uses one file. Raises LedgerError if it is damaged."""
    with as_file_error(path), closing(connect(path, "rw")) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        [found] = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        raise LedgerError(f"{path.name} is damaged: {' '.join(found.split())}")


def is_damage(error: BaseException | None) -> bool:
    """Return whether SQLite says that a file is broken or no database; a full disk is neither."""
    return type(error) is sqlite3.DatabaseError


def clear_beside(path: Path) -> None:
    """Remove what SQLite left beside a file that is gone: it would take it for the next one's."""
    for suffix in _BESIDE:
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def move_aside(path: Path, aside: Path) -> None:
    """Keep what is no whole database, with what SQLite has left beside it, under another name."""
    for suffix in _BESIDE:
        beside = Path(f"{path}{suffix}")
        if beside.exists():
            beside.replace(f"{aside}{suffix}")
    path.replace(aside)


def connect(path: Path, mode: Literal["ro", "rw"]) -> sqlite3.Connection:
    """Open a file that is there. Raises sqlite3.Error."""
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=_PATIENCE, isolation_level=None)
