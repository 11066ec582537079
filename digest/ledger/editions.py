"""Editions: each day's frozen pool."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    delete,
    func,
    insert,
    select,
    update,
)

from digest.ledger.database import write_transaction
from digest.ledger.papers import current_signals, facts_of, risen_since, signals_of
from digest.ledger.tables import (
    bounces,
    deliveries,
    delivery_papers,
    edition_papers,
    editions,
    listings,
    papers,
)
from digest.model.deliveries import Balance, DeliveryState
from digest.model.digests import Candidate, Edition, SkipReason
from digest.model.papers import Signals
from digest.model.timetable import Frozen
from subscribers.store.store import Store

RISING = timedelta(days=1)  # before an edition: the time in which a paper's rise is counted

# Nobody has it, and there is no bounce of it.
_WAS_NEVER_TRIED = and_(
    deliveries.c.state.in_([DeliveryState.SKIPPED, DeliveryState.PENDING]),
    deliveries.c.attempts == 0,
    deliveries.c.id.not_in(select(bounces.c.delivery_id)),
)


class Editions(Store):
    """The editions of one ledger."""

    def first_day_for(self, day: date, lookback_days: int) -> date:
        """Return the first day of an edition: the day of the last edition that held papers.

        Papers may have been listed on that day after it was frozen. The first edition of all looks
        back ``lookback_days``.
        """
        last = self._value(
            select(func.max(editions.c.day))
            .where(editions.c.day < day)
            .where(editions.c.id.in_(select(edition_papers.c.edition_id)))
        )
        return last or day - timedelta(days=lookback_days)

    def freeze(
        self, day: date, first_day: date, now: datetime, missing: Sequence[str] = ()
    ) -> Edition:
        """Return the edition of ``day``; freeze it, from ``first_day`` on, if there is none.

        Papers of earlier editions are left out. An edition without papers is tried again; once it
        has some, the people are due again who were told, or to be told, that there were none.
        ``missing`` are the sources that failed.
        """
        with self._engine.begin() as connection:
            found = select(editions.c.id).where(editions.c.day == day)
            edition_id = connection.execute(found).scalar()
            is_late = edition_id is not None
            if edition_id is None:
                new = insert(editions).values(day=day, frozen_at=now, missing=list(missing))
                edition_id = connection.execute(new.returning(editions.c.id)).scalar_one()
            its = select(func.count()).where(edition_papers.c.edition_id == edition_id)
            is_empty = not connection.execute(its).scalar_one()
            if is_empty and (rows := _eligible(connection, first_day, day)):
                _fill(connection, edition_id, rows, now, missing)
                if is_late:
                    last = select(func.max(deliveries.c.id)).scalar_subquery()
                    its_row = update(editions).where(editions.c.id == edition_id)
                    connection.execute(its_row.values(filled_after=last))
            return _edition(connection, edition_id)

    # ---- the days ----

    def made_at(self, edition: Edition) -> datetime:
        """Return when an edition was frozen."""
        query = select(editions.c.frozen_at).where(editions.c.id == edition.id)
        moment: datetime = self._values(query)[0]
        return moment

    def calendar(self, most: int, until: date = date.max) -> list[Frozen]:
        """Return when the latest editions up to a day were frozen, oldest first."""
        query = select(editions.c.id, editions.c.day, editions.c.frozen_at)
        query = query.where(editions.c.day <= until)
        rows = self._rows(query.order_by(editions.c.day.desc()).limit(most))
        return [Frozen(*row) for row in rows][::-1]

    def first_after(self, day: date) -> date | None:
        """Return the day of the first edition after a day."""
        return self._value(select(func.min(editions.c.day)).where(editions.c.day > day))

    def days(self, most: int) -> list[tuple[date, int]]:
        """Return the days of the latest editions with papers, newest first, and how many papers."""
        rows = self._rows(
            select(editions.c.day, func.count())
            .join(edition_papers, edition_papers.c.edition_id == editions.c.id)
            .group_by(editions.c.day)
            .order_by(editions.c.day.desc())
            .limit(most)
        )
        return [(day, papers) for day, papers in rows]

    # ---- the papers ----

    def get(self, edition_id: int) -> Edition:
        """Return the edition of this number, which there must be."""
        with self._engine.connect() as connection:
            return _edition(connection, edition_id)

    def on(self, day: date) -> Edition | None:
        """Return the edition of a day, if there is one."""
        found = self._value(select(editions.c.id).where(editions.c.day == day))
        return None if found is None else self.get(found)

    def latest(self) -> Edition | None:
        """Return the edition of the latest day, if there is any."""
        day = self._value(select(func.max(editions.c.day)))
        return None if day is None else self.on(day)

    def eligible(self, day: date, first_day: date) -> int:
        """Count the papers that an edition of ``day`` would hold if it was frozen now."""
        with self._engine.connect() as connection:
            return len(_eligible(connection, first_day, day))

    def coming(self, day: date, first_day: date) -> Edition:
        """Return the edition of ``day`` as it would be if it was frozen now. Store nothing."""
        with self._engine.connect() as connection:
            return Edition(0, day, _drafted(connection, _eligible(connection, first_day, day)))

    def draft(self, day: date, first_day: date) -> Edition:
        """Return the edition of ``day`` as it would be if there were no others. Store nothing."""
        with self._engine.connect() as connection:
            return Edition(0, day, _drafted(connection, _listed(connection, first_day, day)))

    def since(self, edition: Edition, day: date) -> Edition:
        """Return an edition with the papers of all editions after a day, until its own."""
        between = (editions.c.day > day, editions.c.day <= edition.day)
        its = select(editions.c.id).where(*between)
        with self._engine.connect() as connection:
            found = _frozen(connection, edition_papers.c.edition_id.in_(its))
        return replace(edition, candidates=found)

    def papers_of(self, edition: Edition) -> dict[int, Candidate]:
        """Return the papers in an edition's digests by id, also those of earlier editions."""
        its = select(deliveries.c.id).where(deliveries.c.edition_id == edition.id)
        planned = select(delivery_papers.c.paper_id).where(delivery_papers.c.delivery_id.in_(its))
        is_other = edition_papers.c.edition_id != edition.id
        with self._engine.connect() as connection:
            found = _frozen(connection, and_(edition_papers.c.paper_id.in_(planned), is_other))
        return {candidate.paper_id: candidate for candidate in (*edition.candidates, *found)}

    # ---- the balance ----

    def changed_at(self, now: datetime) -> list[Edition]:
        """Return the editions with a delivery that changed at a moment: that of a run."""
        return self._with_delivery(deliveries.c.changed_at == now)

    def unfinished(self) -> list[Edition]:
        """Return the editions with a delivery that is still to be sent."""
        states = [DeliveryState.PENDING, DeliveryState.DEFERRED, DeliveryState.SENDING]
        return self._with_delivery(deliveries.c.state.in_(states))

    def _with_delivery(self, which: ColumnElement[bool]) -> list[Edition]:
        query = select(deliveries.c.edition_id).where(which).distinct()
        return [self.get(edition_id) for edition_id in sorted(self._values(query))]

    def balance(self, edition: Edition) -> Balance:
        """Return the balance of an edition, counted now."""
        with self._engine.connect() as connection:
            return _count(connection, edition)

    def gone(self, edition: Edition) -> int:
        """Return how many deliveries of an edition are counted, but no longer kept."""
        with self._engine.connect() as connection:
            return sum(count for _, _, count in _gone(connection, edition))

    def close(self, edition: Edition) -> Balance:
        """Return the balance of an edition and store it, whether it adds up or not."""
        its_id = editions.c.id == edition.id
        with write_transaction(self._engine) as connection:
            # Another process that closes it at the same time counts after this one.
            connection.execute(select(editions.c.id).where(its_id).with_for_update())
            balance = _count(connection, edition)
            stored = {**asdict(balance), "edition": balance.edition.isoformat()}
            connection.execute(update(editions).where(its_id).values(balance=stored))
        return balance


def _fill(
    connection: Connection,
    edition_id: int,
    rows: Sequence[dict[str, Any]],
    now: datetime,
    missing: Sequence[str],
) -> None:
    """Put papers into an edition without any, and undo its deliveries that say that there are none.

    The people of those deliveries are counted as due again when they are planned again.
    """
    risen = risen_since(connection, [row["paper_id"] for row in rows], now - RISING)
    its_papers = [
        {"edition_id": edition_id, "risen": risen[row["paper_id"]], **row} for row in rows
    ]
    connection.execute(insert(edition_papers), its_papers)
    undone = connection.execute(
        delete(deliveries)
        .where(deliveries.c.edition_id == edition_id)
        .where(deliveries.c.reason == SkipReason.NO_PAPERS, _WAS_NEVER_TRIED)
    )
    its_row = update(editions).where(editions.c.id == edition_id)
    connection.execute(its_row.values(missing=list(missing), due=editions.c.due - undone.rowcount))


def _edition(connection: Connection, edition_id: int) -> Edition:
    query = select(editions.c.day, editions.c.missing).where(editions.c.id == edition_id)
    row = connection.execute(query).one()
    candidates = _frozen(connection, edition_papers.c.edition_id == edition_id)
    return Edition(edition_id, row.day, candidates, tuple(row.missing or ()))


def _count(connection: Connection, edition: Edition) -> Balance:
    query = (
        select(deliveries.c.state, deliveries.c.reason, func.count())
        .where(deliveries.c.edition_id == edition.id)
        .group_by(deliveries.c.state, deliveries.c.reason)
    )
    kept = connection.execute(query).all()
    due = connection.execute(select(editions.c.due).where(editions.c.id == edition.id)).scalar()
    return balance_of(edition.day, due, [*kept, *_gone(connection, edition)])


def _gone(connection: Connection, edition: Edition) -> list[Any]:
    """Return the state, reason and number of deliveries no longer kept (see retention.py)."""
    query = select(editions.c.gone).where(editions.c.id == edition.id)
    return list(connection.execute(query).scalar() or ())


def balance_of(day: date, due: int | None, rows: Iterable[Iterable[Any]]) -> Balance:
    """Return a balance from counts by state and reason, and how many people were counted as due."""
    counts = dict.fromkeys(DeliveryState, 0)
    skipped_for: dict[str, int] = {}
    for state, reason, count in rows:
        counts[DeliveryState(state)] += count
        if state == DeliveryState.SKIPPED:
            skipped_for[reason or ""] = skipped_for.get(reason or "", 0) + count
    if due is None:
        due = sum(counts.values())
    # What a living worker is sending at this moment is not decided yet.
    counts[DeliveryState.PENDING] += counts.pop(DeliveryState.SENDING)
    states = {state.value: count for state, count in counts.items()}
    return Balance(edition=day, due=due, skipped_for=skipped_for, **states)


def _frozen(connection: Connection, which: ColumnElement[bool]) -> tuple[Candidate, ...]:
    its = edition_papers.c
    rows = connection.execute(
        select(papers, its.listed_on, its.upvotes, its.comments, its.stars, its.risen)
        .join(edition_papers, edition_papers.c.paper_id == papers.c.id)
        .where(which)
        .order_by(papers.c.id)
    )
    return tuple(
        Candidate(row.id, row.key, facts_of(row), signals_of(row), row.listed_on, row.risen)
        for row in rows.all()
    )


def _eligible(connection: Connection, first_day: date, day: date) -> list[dict[str, Any]]:
    """Return the rows of edition_papers for what was listed and is in no edition yet."""
    taken = set(connection.execute(select(edition_papers.c.paper_id)).scalars())
    return [row for row in _listed(connection, first_day, day) if row["paper_id"] not in taken]


def _listed(connection: Connection, first_day: date, day: date) -> list[dict[str, Any]]:
    """Return the rows of edition_papers for papers listed in these days."""
    rows = connection.execute(
        select(listings.c.paper_id, func.min(listings.c.listed_on).label("listed_on"))
        .where(listings.c.listed_on.between(first_day, day))
        .group_by(listings.c.paper_id)
        .order_by(listings.c.paper_id)
    ).all()
    signals = current_signals(connection, [row.paper_id for row in rows])
    return [
        {"paper_id": row.paper_id, "listed_on": row.listed_on, **asdict(signals[row.paper_id])}
        for row in rows
    ]


def _drafted(connection: Connection, rows: list[dict[str, Any]]) -> tuple[Candidate, ...]:
    by_id = {row["paper_id"]: row for row in rows}
    query = select(papers).where(papers.c.id.in_(by_id)).order_by(papers.c.id)
    drafted = []
    for paper in connection.execute(query).all():
        listed = by_id[paper.id]
        signals = Signals(listed["upvotes"], listed["comments"], listed["stars"])
        facts = facts_of(paper)
        drafted.append(Candidate(paper.id, paper.key, facts, signals, listed["listed_on"]))
    return tuple(drafted)
