"""Papers, with their listings and observed signals."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, Table, func, insert, select, update

from digest.ledger.database import PAUSE
from digest.ledger.tables import collections, listings, observations, papers
from digest.model.papers import Facts, KnownPaper, Listing, MergedPaper, Signals
from subscribers.store.store import Store

_FACTS = tuple(row.name for row in fields(Facts))
_SIGNALS = tuple(row.name for row in fields(Signals))
_BATCH = 500  # values in one IN (…); SQLite's own limit is far above
_BLOCK = 200  # papers in one transaction


class Papers(Store):
    """The papers of one ledger."""

    def __init__(self, engine: Engine, sleep: Callable[[float], None] = time.sleep) -> None:
        super().__init__(engine)
        self._sleep = sleep

    def absorb(
        self,
        keys: Iterable[str],
        title_keys: Iterable[str],
        merge: Callable[[list[KnownPaper]], list[MergedPaper]],
    ) -> list[MergedPaper]:
        """Merge into the papers that are known by these keys, and save them in blocks.

        The caller holds the lock of collections. If it is broken off between two blocks, the next
        collection of the same adds the rest.
        """
        with self._engine.connect() as connection:
            merged = merge(_known(connection, sorted(keys), sorted(title_keys)))
        for start in range(0, len(merged), _BLOCK):
            with self._engine.begin() as connection:
                for paper in merged[start : start + _BLOCK]:
                    _save(connection, paper)
            if start + _BLOCK < len(merged):
                self._sleep(PAUSE)
        return merged

    def state(self) -> tuple[int, ...]:
        """Return numbers of which one changes with each collection."""
        newest = (select(func.max(table.c.id)) for table in (papers, observations, collections))
        listed = select(func.count()).select_from(listings)
        parts = [query.scalar_subquery() for query in (*newest, listed)]
        with self._engine.connect() as connection:
            return tuple(number or 0 for number in connection.execute(select(*parts)).one())

    def latest_day(self) -> date | None:
        """Return the last day with a listing."""
        return self._value(select(func.max(listings.c.listed_on)))

    def title_of(self, key: str) -> str | None:
        """Return the title of the paper with a canonical id, if there is one."""
        return self._value(select(papers.c.title).where(papers.c.key == key))

    def newest(self, most: int) -> list[str]:
        """Return the canonical ids of the last papers with an abstract, newest first."""
        query = select(papers.c.key).where(papers.c.abstract != "").order_by(papers.c.id.desc())
        return self._values(query.limit(most))

    def facts_of(self, keys: Iterable[str]) -> dict[str, Facts]:
        """Return the facts of papers by their canonical ids; leave out unknown ones."""
        with self._engine.connect() as connection:
            rows = _rows(connection, papers, papers.c.key, sorted(set(keys)))
        return {row.key: facts_of(row) for row in rows}

    def keywords_since(self, day: date) -> list[tuple[str, ...]]:
        """Return the keywords of each paper listed on a day or later."""
        listed = select(listings.c.paper_id).where(listings.c.listed_on >= day)
        query = select(papers.c.keywords).where(papers.c.id.in_(listed)).order_by(papers.c.id)
        return [tuple(keywords) for keywords in self._values(query)]


def facts_of(row: Row[tuple[Any, ...]]) -> Facts:
    """Return the facts in a row with the columns of papers."""
    values = {name: getattr(row, name) for name in _FACTS}
    for name in ("authors", "keywords", "categories"):
        values[name] = tuple(values[name])
    return Facts(**values)


def signals_of(row: Row[tuple[Any, ...]]) -> Signals:
    """Return the signals in a row with the columns of that name."""
    return Signals(**{name: getattr(row, name) for name in _SIGNALS})


def current_signals(connection: Connection, paper_ids: Sequence[int]) -> dict[int, Signals]:
    """Return the signals of papers, each as the source stated that stated it last."""
    by_paper: dict[int, Signals] = defaultdict(Signals)
    for row in _rows(connection, observations, observations.c.paper_id, paper_ids):
        by_paper[row.paper_id] = by_paper[row.paper_id].then(signals_of(row))
    return by_paper


def risen_since(
    connection: Connection, paper_ids: Sequence[int], moment: datetime
) -> dict[int, int]:
    """Return the upvotes that papers gained since a moment, by the source with the largest gain.

    The gain is counted from the last observation before the moment, or the first after it.
    """
    before: dict[tuple[int, str], int] = {}
    risen: dict[int, int] = defaultdict(int)
    for row in _rows(connection, observations, observations.c.paper_id, paper_ids):
        if row.upvotes is None:
            continue
        seen = (row.paper_id, row.source)
        if row.seen_at <= moment or seen not in before:
            before[seen] = row.upvotes
        risen[row.paper_id] = max(risen[row.paper_id], row.upvotes - before[seen])
    return risen


def _known(connection: Connection, keys: list[str], title_keys: list[str]) -> list[KnownPaper]:
    found = {row.id: row for row in _rows(connection, papers, papers.c.key, keys)}
    found |= {row.id: row for row in _rows(connection, papers, papers.c.title_key, title_keys)}
    listed: dict[int, set[Listing]] = defaultdict(set)
    for row in _rows(connection, listings, listings.c.paper_id, list(found)):
        listed[row.paper_id].add(Listing(row.source, row.listed_on))
    signals: dict[int, dict[str, Signals]] = defaultdict(dict)
    for row in _rows(connection, observations, observations.c.paper_id, list(found)):
        signals[row.paper_id][row.source] = signals_of(row)
    return [
        KnownPaper(row.id, row.key, facts_of(row), signals[row.id], frozenset(listed[row.id]))
        for row in sorted(found.values(), key=lambda row: int(row.id))
    ]


def _rows(
    connection: Connection, table: Table, column: ColumnElement[Any], values: Sequence[Any]
) -> list[Row[tuple[Any, ...]]]:
    """Return the rows with one of many values in a column, observations in the order of time."""
    order = [table.c.seen_at, table.c.id] if table is observations else list(table.primary_key)
    rows: list[Row[tuple[Any, ...]]] = []
    for start in range(0, len(values), _BATCH):
        some = column.in_(values[start : start + _BATCH])
        rows += connection.execute(select(table).where(some).order_by(*order))
    return rows


def _save(connection: Connection, paper: MergedPaper) -> None:
    values = {"key": paper.key, "title_key": paper.title_key, **asdict(paper.facts)}
    paper_id = paper.known_id
    if paper_id is None:
        paper_id = connection.execute(
            insert(papers).values(first_seen=paper.first_seen, **values).returning(papers.c.id)
        ).scalar_one()
    elif paper.facts_changed:
        connection.execute(update(papers).where(papers.c.id == paper_id).values(values))
    for listing in paper.new_listings:
        new = {"paper_id": paper_id, "source": listing.source, "listed_on": listing.day}
        connection.execute(insert(listings).values(new))
    for seen in paper.new_observations:
        about = {"paper_id": paper_id, "source": seen.source, "seen_at": seen.seen_at}
        connection.execute(insert(observations).values(**about, **asdict(seen.signals)))
