"""The papers of editions: what an edition freezes, and how it is read again."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from digest.ledger.papers import SIGNALS, current_signals, facts_of, risen_since, rows_with
from digest.ledger.pictures import pictures_of
from digest.ledger.tables import (
    edition_papers,
    editions,
    listings,
    papers,
)
from digest.model.digests import Candidate, Role
from digest.model.papers import Signals
from digest.model.rising import Growth, late_risers

IS_LISTED = edition_papers.c.role == Role.LISTED
_RECENTLY = timedelta(days=1)  # before an edition: the time in which a new paper's rise is counted

# ---- what is frozen ----------------------------------------------------------------------------


def new_rows(connection: Connection, first_day: date, day: date) -> list[dict[str, Any]]:
    """Return the rows of the papers listed in some days that no edition lists yet."""
    rows = listed_rows(connection, first_day, day)
    ids = [row["paper_id"] for row in rows]
    taken = {
        row.paper_id
        for row in rows_with(connection, edition_papers, edition_papers.c.paper_id, ids)
        if row.role == Role.LISTED
    }
    return [row for row in rows if row["paper_id"] not in taken]


def with_rise(
    connection: Connection, rows: Sequence[dict[str, Any]], now: datetime
) -> list[dict[str, Any]]:
    """Return rows of new papers with the upvotes that these gained in the last day."""
    risen = risen_since(connection, [row["paper_id"] for row in rows], now - _RECENTLY)
    return [{**row, "risen": risen[row["paper_id"]]} for row in rows]


def listed_rows(connection: Connection, first_day: date, day: date) -> list[dict[str, Any]]:
    """Return the rows of all papers listed in some days, as if there were no editions."""
    rows = connection.execute(
        select(listings.c.paper_id, func.min(listings.c.listed_on).label("listed_on"))
        .where(listings.c.listed_on.between(first_day, day))
        .group_by(listings.c.paper_id)
        .order_by(listings.c.paper_id)
    ).all()
    signals = current_signals(connection, [row.paper_id for row in rows])
    return [
        {
            "paper_id": row.paper_id,
            "listed_on": row.listed_on,
            **asdict(signals[row.paper_id]),
            "risen": 0,
            "role": Role.LISTED,
            "since": None,
        }
        for row in rows
    ]


def known_rows(connection: Connection, day: date, days: int) -> list[dict[str, Any]]:
    """Return the rows of the papers that the editions of the days before one list, as of now."""
    its = edition_papers.c
    first_day = day - timedelta(days=days)
    earlier = connection.execute(
        select(its.paper_id, its.listed_on, its.upvotes, editions.c.day)
        .join(editions, editions.c.id == its.edition_id)
        .where(editions.c.day >= first_day, editions.c.day < day, IS_LISTED)
        .order_by(its.paper_id)
    ).all()
    signals = current_signals(connection, [row.paper_id for row in earlier])
    growths = {
        row.paper_id: Growth(row.paper_id, row.day, row.upvotes or 0, now)
        for row in earlier
        if (now := signals[row.paper_id].upvotes) is not None
    }
    rising = late_risers(growths.values())
    return [
        {
            "paper_id": row.paper_id,
            "listed_on": row.listed_on,
            **asdict(signals[row.paper_id]),
            "risen": growths[row.paper_id].gain if row.paper_id in growths else 0,
            "role": Role.RISING if row.paper_id in rising else Role.KNOWN,
            "since": row.day,
        }
        for row in earlier
    ]


# ---- how it is read ----------------------------------------------------------------------------


def papers_in(connection: Connection, edition_id: int, role: Role) -> tuple[Candidate, ...]:
    """Return the papers that an edition froze in some role."""
    return _last(
        connection, edition_papers.c.edition_id == edition_id, edition_papers.c.role == role
    )


def listed_between(connection: Connection, after: date, until: date) -> tuple[Candidate, ...]:
    """Return the papers that editions after a day list, with their last counts until another."""
    is_between = editions.c.day > after, editions.c.day <= until
    its = select(edition_papers.c.paper_id).join(editions).where(*is_between, IS_LISTED)
    return _last(connection, edition_papers.c.paper_id.in_(its), *is_between)


def best_between(
    connection: Connection, after: date, until: date, most: int
) -> tuple[Candidate, ...]:
    """Return the most popular papers of ``listed_between``, at most so many.

    The database chooses them, by the order of ``rank.popularity``: a month may list thousands.
    """
    its = edition_papers.c
    is_between = editions.c.day > after, editions.c.day <= until
    listed = select(its.paper_id).join(editions).where(*is_between, IS_LISTED)
    place = func.row_number().over(partition_by=its.paper_id, order_by=editions.c.day.desc())
    rows = select(edition_papers, place.label("place")).join(editions)
    placed = rows.where(its.paper_id.in_(listed), *is_between).subquery()
    counts = placed.c
    upvotes, comments, stars = (
        func.coalesce(count, -1).desc() for count in (counts.upvotes, counts.comments, counts.stars)
    )
    query = select(placed).where(counts.place == 1)  # those of the last edition
    query = query.order_by(upvotes, comments, counts.listed_on.desc(), stars, counts.paper_id)
    return candidates_of(connection, connection.execute(query.limit(most)).mappings())


def of_numbers(
    connection: Connection, numbers: Collection[int], until: date
) -> tuple[Candidate, ...]:
    """Return these papers, with their last counts in editions until a day."""
    of_these = edition_papers.c.paper_id.in_(numbers)
    return _last(connection, of_these, editions.c.day <= until)


def _last(connection: Connection, *which: ColumnElement[bool]) -> tuple[Candidate, ...]:
    """Return the papers of some rows, each with the counts of its last edition among them."""
    query = select(edition_papers).join(editions).where(*which).order_by(editions.c.day)
    return candidates_of(connection, connection.execute(query).mappings())


def candidates_of(
    connection: Connection, rows: Iterable[Mapping[Any, Any]]
) -> tuple[Candidate, ...]:
    """Return the papers of rows, stored or not, in the order of id; of several, the last counts."""
    by_id = {row["paper_id"]: row for row in rows}
    pictures = pictures_of(connection, sorted(by_id))
    return tuple(
        Candidate(
            paper_id=paper.id,
            key=paper.key,
            facts=facts_of(paper),
            signals=Signals(**{name: by_id[paper.id][name] for name in SIGNALS}),
            listed_on=by_id[paper.id]["listed_on"],
            risen=by_id[paper.id]["risen"],
            since=by_id[paper.id]["since"],
            picture=pictures.get(paper.id),
        )
        for paper in rows_with(connection, papers, papers.c.id, sorted(by_id))
    )
