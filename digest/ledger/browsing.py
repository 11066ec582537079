"""The papers as the public pages browse them: by day, by name, and one by one.

A paper is of the day on which a source first listed it, so that it is on one day's page only.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from sqlalchemy import Connection, Engine, Select, exists, func, select

from digest.ledger.papers import Papers, current_signals, facts_of, risen_since, rows_with
from digest.ledger.pictures import pictures_of
from digest.ledger.tables import collections, editions, listings, observations, paper_names, papers
from digest.model.digests import Candidate
from digest.model.papers import Observation, Signals
from digest.model.shelf import Entry
from subscribers.follows import FollowKind
from subscribers.store.store import Store

_RECENTLY = timedelta(days=1)  # before the last look at the counts: the time that a rise is of
_MOST_BY_NAME = 2000  # papers of one author or organisation, the newest
_MOST_KEPT = 12  # periods, a month of 1,200 papers takes a megabyte
_MOST_OBSERVED = 2000  # observations of one paper, the first


class Browsing(Store):
    """The papers of one ledger, to look through.

    To read a month in short takes much longer than to choose from it, and its pages and filters
    are often looked at one after the other. So some periods are kept until others are collected.
    """

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._state = Papers(engine).state
        self._kept = lru_cache(_MOST_KEPT)(self._read_days)

    # ---- days ----

    def span(self) -> tuple[date, date] | None:
        """Return the first and the last day on which anything was listed; None without any."""
        with self._engine.connect() as connection:
            first = connection.execute(select(func.min(listings.c.listed_on))).scalar()
            last = connection.execute(select(func.max(listings.c.listed_on))).scalar()
        return (first, last) if first and last else None

    def last_day(self, *, before: date) -> date | None:
        """Return the last day before one on which anything was listed."""
        query = select(func.max(listings.c.listed_on))
        return self._value(query.where(listings.c.listed_on < before))

    def first_day(self, *, after: date) -> date | None:
        """Return the first day after one on which anything was listed."""
        query = select(func.min(listings.c.listed_on))
        return self._value(query.where(listings.c.listed_on > after))

    def missing(self, day: date) -> tuple[str, ...]:
        """Return the sources that had failed when the edition of a day was frozen."""
        names = self._value(select(editions.c.missing).where(editions.c.day == day))
        return tuple(names or ())

    def counts(self, first: date, last: date) -> dict[date, int]:
        """Return how many papers each of some days has; days without any are left out."""
        firsts = _first_listed(first, last).subquery()
        day = firsts.c.listed_on
        return dict(self._rows(select(day, func.count()).group_by(day).order_by(day)))

    # ---- papers in short ----

    def of_days(self, first: date, last: date) -> Sequence[Entry]:
        """Return the papers of some days, in the order of id."""
        return self._kept(first, last, self._state())

    def _read_days(self, first: date, last: date, _state: tuple[int, ...]) -> Sequence[Entry]:
        with self._engine.connect() as connection:
            return tuple(_entries(connection, _first_listed(first, last)))

    def of_name(self, kind: FollowKind, key: str) -> list[Entry]:
        """Return the newest papers of an author or an organisation, in the order of id."""
        its_id = paper_names.c.paper_id
        its = select(its_id).where(paper_names.c.kind == kind, paper_names.c.key == key)
        newest = its.order_by(its_id.desc()).limit(_MOST_BY_NAME).subquery()
        listed = (
            select(listings.c.paper_id, func.min(listings.c.listed_on).label("listed_on"))
            .where(listings.c.paper_id.in_(select(newest.c.paper_id)))
            .group_by(listings.c.paper_id)
        )
        with self._engine.connect() as connection:
            return _entries(connection, listed)

    # ---- papers in full ----

    def candidates(self, entries: Sequence[Entry]) -> list[Candidate]:
        """Return the papers of some entries in full, in the same order."""
        with self._engine.connect() as connection:
            ids = [entry.paper_id for entry in entries]
            found = rows_with(connection, papers, papers.c.id, ids)
            pictures = pictures_of(connection, ids)
        by_id = {row.id: row for row in found}
        return [
            Candidate(
                entry.paper_id,
                by_id[entry.paper_id].key,
                facts_of(by_id[entry.paper_id]),
                entry.signals,
                entry.listed_on,
                entry.risen,
                picture=pictures.get(entry.paper_id),
            )
            for entry in entries
            if entry.paper_id in by_id
        ]

    def find(self, keys: Sequence[str]) -> list[Candidate]:
        """Return the listed papers with some canonical ids, in this order; leave out the others."""
        with self._engine.connect() as connection:
            rows = rows_with(connection, papers, papers.c.key, keys)
            ids = [row.id for row in rows]
            listed: dict[int, date] = {}
            for row in rows_with(connection, listings, listings.c.paper_id, ids):
                listed[row.paper_id] = min(row.listed_on, listed.get(row.paper_id, row.listed_on))
            signals = current_signals(connection, ids)
            risen = risen_since(connection, ids, _since(connection))
            pictures = pictures_of(connection, ids)
        found = {
            row.key: Candidate(
                row.id,
                row.key,
                facts_of(row),
                signals[row.id],
                listed[row.id],
                risen[row.id],
                picture=pictures.get(row.id),
            )
            for row in rows
            if row.id in listed
        }
        return [found[key] for key in keys if key in found]

    def observed(self, paper_id: int) -> list[Observation]:
        """Return what sources stated about a paper's counts, in the order of time."""
        query = select(observations).where(observations.c.paper_id == paper_id)
        in_order = query.order_by(observations.c.seen_at, observations.c.id).limit(_MOST_OBSERVED)
        return [
            Observation(row.source, row.seen_at, Signals(row.upvotes, row.comments, row.stars))
            for row in self._rows(in_order)
        ]

    def keys(self, skip: int, most: int) -> list[str]:
        """Return canonical ids of papers that were ever listed, in the order of id."""
        was_listed = exists().where(listings.c.paper_id == papers.c.id)
        query = select(papers.c.key).where(was_listed).order_by(papers.c.id)
        return self._values(query.offset(skip).limit(most))

    def count(self) -> int:
        """Return how many papers were ever listed."""
        return self._count(select(func.count(listings.c.paper_id.distinct())))


def _first_listed(first: date, last: date) -> Select[tuple[int, date]]:
    """Select the papers that were first listed on some days, and those days."""
    earlier = listings.alias()
    was_listed_before = exists().where(
        earlier.c.paper_id == listings.c.paper_id, earlier.c.listed_on < first
    )
    return (
        select(listings.c.paper_id, func.min(listings.c.listed_on).label("listed_on"))
        .where(listings.c.listed_on.between(first, last), ~was_listed_before)
        .group_by(listings.c.paper_id)
    )


def _since(connection: Connection) -> datetime:
    """Return the moment that a rise is counted from: a day before the last collection."""
    last = select(collections.c.at).order_by(collections.c.id.desc()).limit(1)
    at = connection.execute(last).scalar()
    return at - _RECENTLY if at else datetime.min.replace(tzinfo=UTC)


def _entries(connection: Connection, listed: Select[tuple[int, date]]) -> list[Entry]:
    """Read papers in short: without what only the papers on a page need."""
    its = listed.subquery()
    signals, risen = _counted(connection, select(its.c.paper_id))
    rows = connection.execute(
        select(
            papers.c.id,
            its.c.listed_on,
            papers.c.published_on,
            papers.c.organisation,
            papers.c.code_url,
            papers.c.keywords,
        )
        .join(its, its.c.paper_id == papers.c.id)
        .order_by(papers.c.id)
    ).all()  # all at once: one by one takes twice the time
    return [
        Entry(
            paper_id=row.id,
            listed_on=row.listed_on,
            signals=signals.get(row.id, Signals()),
            published_on=row.published_on,
            organisation=row.organisation,
            has_code=bool(row.code_url),
            keywords=tuple(row.keywords),
            risen=risen.get(row.id, 0),
        )
        for row in rows
    ]


def _counted(
    connection: Connection, paper_ids: Select[tuple[int]]
) -> tuple[dict[int, Signals], dict[int, int]]:
    """Return the counts of many papers and their gains, as ``current_signals``, ``risen_since``.

    A month has thousands of observations: so what makes them readable is left out, and their
    moments are compared by the database.
    """
    its = observations.c
    is_before = (its.seen_at <= _since(connection)).label("is_before")
    columns = (its.paper_id, its.source, its.upvotes, its.comments, its.stars, is_before)
    rows = connection.execute(
        select(*columns)
        .where(its.paper_id.in_(paper_ids))
        .order_by(its.paper_id, its.seen_at, its.id)
    ).all()
    counts: dict[int, tuple[int | None, int | None, int | None]] = {}
    before: dict[tuple[int, str], int] = {}
    risen: dict[int, int] = defaultdict(int)
    for paper_id, source, upvotes, comments, stars, is_old in rows:
        then = counts.get(paper_id, (None, None, None))
        counts[paper_id] = (
            then[0] if upvotes is None else upvotes,
            then[1] if comments is None else comments,
            then[2] if stars is None else stars,
        )
        if upvotes is not None:
            seen = (paper_id, source)
            if is_old or seen not in before:
                before[seen] = upvotes
            risen[paper_id] = max(risen[paper_id], upvotes - before[seen])
    return {paper_id: Signals(*count) for paper_id, count in counts.items()}, risen
