"""The full-text index: which papers have a word. FTS5 in SQLite, a GIN index in PostgreSQL.

The words of a paper are those that the ranking reads in it, so that the index finds whatever the
ranking would. They are kept in a table of their own and handed in by the reader: the ledger knows
nothing of words. The index over that table holds no truth. Where it is missing it is made anew; a
paper that is not in it, because it is new or has changed, is `unread`.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    delete,
    func,
    insert,
    inspect,
    or_,
    select,
    text,
)
from sqlalchemy.exc import SQLAlchemyError

from digest.ledger.database import PAUSE, write_transaction
from digest.ledger.papers import facts_of
from digest.ledger.tables import paper_words, papers
from digest.model.papers import Facts
from digest.model.progress import Progress, silent
from subscribers.store.store import Store

LONGEST_WORD = 50  # letters; of a longer one the rest is cut off, here as in a question
_BLOCK = 200  # papers in one transaction
_SIGNS = "+#@$."  # that may stand in a word
_ASCII = 127

# Words hold no blanks. The tokenizer cuts there only: all that is not ASCII belongs to a word.
_FTS5 = f"""
    CREATE VIRTUAL TABLE paper_search USING fts5(
        words, content='paper_words', content_rowid='paper_id', detail='none',
        tokenize="ascii tokenchars '{_SIGNS}'")
"""
_FTS5_REBUILD = "INSERT INTO paper_search(paper_search) VALUES ('rebuild')"
_FTS5_ADD = "INSERT INTO paper_search(rowid, words) VALUES (?, ?)"
_FTS5_REMOVE = "INSERT INTO paper_search(paper_search, rowid, words) VALUES ('delete', ?, ?)"
# All numbers in one text, which is read in a fraction of the time of as many rows.
_FTS5_FIND = "SELECT group_concat(rowid, ' ') FROM paper_search WHERE paper_search MATCH :question"
_VECTOR = "array_to_tsvector(string_to_array(words, ' '))"
_GIN = (
    "CREATE INDEX IF NOT EXISTS ix_paper_words_search ON paper_words USING gin"
    f" ({_VECTOR}) WITH (fastupdate = off)"
)
_GIN_FIND = f"""
    SELECT string_agg(CAST(paper_id AS text), ' ') FROM paper_words
    WHERE {_VECTOR} @@ CAST(:question AS tsquery)
"""  # noqa: S608  nothing from outside


class SearchIndex(Store):
    """The index of one ledger, of words read in the way of a ``version``."""

    def __init__(self, engine: Engine, sleep: Callable[[float], None] = time.sleep) -> None:
        super().__init__(engine)
        self._sleep = sleep

    def exists(self) -> bool:
        """Return whether there is an index: SQLite may lack FTS5, and an old ledger has none."""
        if not self._is_sqlite:
            return True  # the table can be asked without an index, only more slowly
        with self._engine.connect() as connection:
            return _has_fts5_table(connection)

    def having(self, word: str) -> list[int]:
        """Return the ids of the papers that have a word. There must be an index."""
        letters = _letters(word)
        if not letters:
            return []
        find, quote = (_FTS5_FIND, '"') if self._is_sqlite else (_GIN_FIND, "'")
        question = text(find).bindparams(question=f"{quote}{letters}{quote}")
        return [int(number) for number in (self._value(question) or "").split()]

    def unread(self, version: int, most: int) -> list[int]:
        """Return the ids of papers that the index has not read in this version, newest first."""
        query = select(papers.c.id).outerjoin(paper_words).where(_is_unread(version))
        return self._values(query.order_by(papers.c.id.desc()).limit(most))

    def last_reading(self) -> int:
        """Return the number of the last reading; 0 if there was none."""
        return self._value(select(func.max(paper_words.c.reading))) or 0

    def read_since(self, reading: int) -> list[int]:
        """Return the ids of papers that were read after a reading."""
        return self._values(select(paper_words.c.paper_id).where(paper_words.c.reading > reading))

    def catch_up(
        self,
        version: int,
        words_of: Callable[[Facts], Iterable[str]],
        progress: Progress = silent,
    ) -> int:
        """Read all papers that are unread, in blocks. Return how many there were. Idempotent.

        Without FTS5 nothing is read, and the papers stay unread.
        """
        if not self._make():
            return 0
        query = select(func.count()).select_from(papers).outerjoin(paper_words)
        total = self._value(query.where(_is_unread(version))) or 0
        done = 0
        while done < total:
            if done:
                self._sleep(PAUSE)
            with write_transaction(self._engine) as connection:
                read = self._read_some(connection, version, words_of)
            done += read
            progress(min(done, total), total)
            if not read:
                break
        return done

    def _read_some(
        self, connection: Connection, version: int, words_of: Callable[[Facts], Iterable[str]]
    ) -> int:
        query = select(papers, paper_words.c.words.label("before")).outerjoin(paper_words)
        rows = connection.execute(
            query.where(_is_unread(version)).order_by(papers.c.id.desc()).limit(_BLOCK)
        ).all()
        if not rows:
            return 0
        last = connection.execute(select(func.max(paper_words.c.reading))).scalar()
        number = (last or 0) + 1
        made = [
            {
                "paper_id": row.id,
                "words": " ".join(
                    sorted(filter(None, set(map(_letters, words_of(facts_of(row))))))
                ),
                "version": version,
                "reading": number,
            }
            for row in rows
        ]
        known = [row for row in rows if row.before is not None]
        if self._is_sqlite:
            _remove_words(connection, known)
        connection.execute(
            delete(paper_words).where(paper_words.c.paper_id.in_([row.id for row in known]))
        )
        connection.execute(insert(paper_words), made)
        if self._is_sqlite:
            added = [(row["paper_id"], row["words"]) for row in made]
            connection.exec_driver_sql(_FTS5_ADD, added)
        return len(made)

    def _make(self) -> bool:
        """Make the index where it is missing; return whether there is one."""
        with write_transaction(self._engine) as connection:
            if not self._is_sqlite:
                connection.execute(text(_GIN))
                return True
            if _has_fts5_table(connection):
                return True
            try:
                connection.exec_driver_sql(_FTS5)
            except SQLAlchemyError as error:
                if "no such module" in str(error):
                    return False
                raise
            connection.exec_driver_sql(_FTS5_REBUILD)
            return True

    @property
    def _is_sqlite(self) -> bool:
        return self._engine.dialect.name == "sqlite"


def _is_unread(version: int) -> ColumnElement[bool]:
    return or_(paper_words.c.version.is_(None), paper_words.c.version != version)


def _remove_words(connection: Connection, rows: Sequence[Row[Any]]) -> None:
    """Remove the words of papers from FTS5, which must be told what they were."""
    if removed := [(row.id, row.before) for row in rows]:
        connection.exec_driver_sql(_FTS5_REMOVE, removed)


def _has_fts5_table(connection: Connection) -> bool:
    return inspect(connection).has_table("paper_search")


def _letters(word: str) -> str:
    """Return what the index takes for a word: no blank, quotation mark or operator is left."""
    kept = (c for c in word[:LONGEST_WORD] if c.isalnum() or c in _SIGNS or ord(c) > _ASCII)
    return "".join(kept)
