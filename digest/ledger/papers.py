"""Papers, with their listings and observed signals."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    Table,
    Text,
    cast,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from digest.ledger.database import PAUSE
from digest.ledger.tables import (
    collections,
    listings,
    observations,
    paper_names,
    paper_words,
    papers,
)
from digest.model.identity import names_of, title_key
from digest.model.papers import Facts, Keys, KnownPaper, Listing, MergedPaper, Signals
from subscribers.store.store import Store

_FACTS = tuple(row.name for row in fields(Facts))
SIGNALS = tuple(row.name for row in fields(Signals))  # also the names of columns
_BATCH = 500  # values in one IN (…); SQLite's own limit is far above
_LONG_TITLE = 20  # letters of a title that two papers hardly share
_BLOCK = 200  # papers in one transaction


class Papers(Store):
    """The papers of one ledger."""

    def __init__(self, engine: Engine, sleep: Callable[[float], None] = time.sleep) -> None:
        super().__init__(engine)
        self._sleep = sleep

    def absorb(
        self, keys: Keys, merge: Callable[[list[KnownPaper]], list[MergedPaper]]
    ) -> list[MergedPaper]:
        """Merge into the papers that are known by these keys, and save them in blocks.

        The caller holds the lock of collections. If it is broken off between two blocks, the next
        collection of the same adds the rest.
        """
        with self._engine.connect() as connection:
            merged = merge(_known(connection, keys))
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

    def listing_days(self, source: str, days: Sequence[date]) -> set[date]:
        """Return those of some days on which a source listed papers."""
        query = select(listings.c.listed_on).where(listings.c.listed_on.in_(days))
        return set(self._values(query.where(listings.c.source == source).distinct()))

    def listing_span(self, source: str, since: date) -> tuple[date | None, date | None]:
        """Return the first and the last day since one on which a source listed papers."""
        its_days = (
            select(listings.c.listed_on)
            .where(listings.c.source == source, listings.c.listed_on >= since)
            .limit(1)
        )
        first = self._value(its_days.order_by(listings.c.listed_on))
        return first, self._value(its_days.order_by(listings.c.listed_on.desc()))

    def listing_counts(
        self, source: str, days: Sequence[date], category: str = ""
    ) -> dict[date, int]:
        """Return how many papers a source listed on some days; days without any are left out.

        With ``category`` only those in it count; an archive such as ``cs`` means its categories.
        """
        counted = select(listings.c.listed_on, func.count()).where(
            listings.c.source == source, listings.c.listed_on.in_(days)
        )
        if category:
            names = cast(papers.c.categories, Text)  # JSON, which names are quoted in
            end = '"' if "." in category else ""
            counted = counted.join(papers).where(names.contains(f'"{category}{end}'))
        return dict(self._rows(counted.group_by(listings.c.listed_on)))

    def with_identifiers(self, days: Sequence[date], most: int) -> list[Facts]:
        """Return the newest papers listed on some days that have an arXiv id or a DOI."""
        listed = select(listings.c.paper_id).where(listings.c.listed_on.in_(days))
        has_identifier = or_(papers.c.arxiv_id != "", papers.c.doi != "")
        query = select(papers).where(papers.c.id.in_(listed), has_identifier)
        return [facts_of(row) for row in self._rows(query.order_by(papers.c.id.desc()).limit(most))]

    def titles_of(self, keys: Iterable[str]) -> dict[str, str]:
        """Return the titles of papers by their canonical ids; leave out unknown ones."""
        with self._engine.connect() as connection:
            found = rows_with(connection, papers, papers.c.key, sorted(set(keys)))
        return {row.key: row.title for row in found}

    def newest(self, most: int) -> list[str]:
        """Return the canonical ids of the last papers with an abstract, newest first."""
        query = select(papers.c.key).where(papers.c.abstract != "").order_by(papers.c.id.desc())
        return self._values(query.limit(most))

    def facts_of(self, keys: Iterable[str]) -> dict[str, Facts]:
        """Return the facts of papers by their canonical ids; leave out unknown ones."""
        with self._engine.connect() as connection:
            rows = rows_with(connection, papers, papers.c.key, sorted(set(keys)))
        return {row.key: facts_of(row) for row in rows}

    def like(self, wanted: Sequence[Facts]) -> dict[Facts, tuple[str, Facts]]:
        """Return the canonical id and the facts of those of some papers that are known.

        They are found by their arXiv id, their DOI, or a title that is long enough to be one
        paper's alone.
        """
        keys = {facts: title_key(facts.title) for facts in wanted}
        ids = {f"arxiv:{facts.arxiv_id}" for facts in wanted if facts.arxiv_id}
        dois = {facts.doi for facts in wanted if facts.doi}
        titles = {key for key in keys.values() if len(key) >= _LONG_TITLE}
        with self._engine.connect() as connection:
            by_id, by_doi, by_title = (
                {getattr(row, column.name): row for row in rows_with(connection, papers, column, v)}
                for column, v in (
                    (papers.c.key, sorted(ids)),
                    (papers.c.doi, sorted(dois)),
                    (papers.c.title_key, sorted(titles)),
                )
            )
        found = {}
        for facts, key in keys.items():
            row = by_id.get(f"arxiv:{facts.arxiv_id}") or by_doi.get(facts.doi)
            namesake = by_title.get(key)
            if namesake is not None and not _differ(namesake.arxiv_id, facts.arxiv_id):
                row = row or namesake
            if row is not None:
                found[facts] = (row.key, facts_of(row))
        return found

    def keywords_since(self, day: date) -> list[tuple[str, ...]]:
        """Return the keywords of each paper listed on a day or later."""
        listed = select(listings.c.paper_id).where(listings.c.listed_on >= day)
        query = select(papers.c.keywords).where(papers.c.id.in_(listed)).order_by(papers.c.id)
        return [tuple(keywords) for keywords in self._values(query)]


def _differ(one: str, other: str) -> bool:
    """Return whether both ids are known, and not the same."""
    return bool(one and other and one != other)


def facts_of(row: Row[tuple[Any, ...]]) -> Facts:
    """Return the facts in a row with the columns of papers."""
    values = {name: getattr(row, name) for name in _FACTS}
    for name in ("authors", "keywords", "categories"):
        values[name] = tuple(values[name])
    return Facts(**values)


def signals_of(row: Row[tuple[Any, ...]]) -> Signals:
    """Return the signals in a row of observations."""
    return Signals(**{name: getattr(row, name) for name in SIGNALS})


def current_signals(connection: Connection, paper_ids: Sequence[int]) -> dict[int, Signals]:
    """Return the signals of papers, each as the source stated that stated it last."""
    by_paper: dict[int, Signals] = defaultdict(Signals)
    for row in rows_with(connection, observations, observations.c.paper_id, paper_ids):
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
    for row in rows_with(connection, observations, observations.c.paper_id, paper_ids):
        if row.upvotes is None:
            continue
        seen = (row.paper_id, row.source)
        if row.seen_at <= moment or seen not in before:
            before[seen] = row.upvotes
        risen[row.paper_id] = max(risen[row.paper_id], row.upvotes - before[seen])
    return risen


def _known(connection: Connection, keys: Keys) -> list[KnownPaper]:
    columns = {papers.c.key: keys.ids, papers.c.doi: keys.dois, papers.c.title_key: keys.titles}
    found = {
        row.id: row
        for column, values in columns.items()
        for row in rows_with(connection, papers, column, sorted(values))
    }
    listed: dict[int, set[Listing]] = defaultdict(set)
    for row in rows_with(connection, listings, listings.c.paper_id, list(found)):
        listed[row.paper_id].add(Listing(row.source, row.listed_on))
    signals: dict[int, dict[str, Signals]] = defaultdict(dict)
    for row in rows_with(connection, observations, observations.c.paper_id, list(found)):
        signals[row.paper_id][row.source] = signals_of(row)
    return [
        KnownPaper(row.id, row.key, facts_of(row), signals[row.id], frozenset(listed[row.id]))
        for row in sorted(found.values(), key=lambda row: int(row.id))
    ]


def rows_with(
    connection: Connection,
    table: Table,
    column: ColumnElement[Any],
    values: Sequence[Any],
    columns: Sequence[ColumnElement[Any]] = (),
) -> list[Row[tuple[Any, ...]]]:
    """Return the rows with one of many values in a column, observations in the order of time.

    They have all columns, or only ``columns``.
    """
    order = [table.c.seen_at, table.c.id] if table is observations else list(table.primary_key)
    rows: list[Row[tuple[Any, ...]]] = []
    for start in range(0, len(values), _BATCH):
        some = column.in_(values[start : start + _BATCH])
        query = select(*columns) if columns else select(table)
        rows += connection.execute(query.where(some).order_by(*order))
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
        connection.execute(delete(paper_names).where(paper_names.c.paper_id == paper_id))
        its_words = update(paper_words).where(paper_words.c.paper_id == paper_id)
        connection.execute(its_words.values(version=0))  # to be read again: see search_index.py
    if paper.is_new or paper.facts_changed:
        names = names_of(paper.facts.authors, paper.facts.organisation)
        if names:
            rows = [{"kind": kind, "key": key, "paper_id": paper_id} for kind, key in sorted(names)]
            connection.execute(insert(paper_names), rows)
    for listing in paper.new_listings:
        new = {"paper_id": paper_id, "source": listing.source, "listed_on": listing.day}
        connection.execute(insert(listings).values(new))
    for seen in paper.new_observations:
        about = {"paper_id": paper_id, "source": seen.source, "seen_at": seen.seen_at}
        connection.execute(insert(observations).values(**about, **asdict(seen.signals)))
