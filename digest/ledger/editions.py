"""Editions: each day's frozen pool."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, insert, select, update

from digest.ledger.database import write_transaction
from digest.ledger.edition_papers import (
    IS_LISTED,
    best_between,
    candidates_of,
    known_rows,
    listed_between,
    listed_rows,
    new_rows,
    of_numbers,
    papers_in,
    with_rise,
)
from digest.ledger.tables import bounces, deliveries, edition_papers, editions
from digest.model.announcements import Mailing
from digest.model.deliveries import Balance, Delivery, DeliveryState
from digest.model.digests import Candidate, Edition, Pick, Role, SkipReason
from digest.model.packed_picks import numbers_in, picks_of
from digest.model.rising import RISING_DAYS
from digest.model.timetable import Frozen
from subscribers.store.store import Store

# The others are announcements (see announcements.py).
IS_DIGEST = editions.c.day.is_not(None)

# Nobody has it, and there is no bounce of it.
_WAS_NEVER_TRIED = and_(
    deliveries.c.state.in_([DeliveryState.SKIPPED, DeliveryState.PENDING]),
    deliveries.c.attempts == 0,
    deliveries.c.id.not_in(select(bounces.c.delivery_id)),
)

# More editions than deliveries may wait for (DIGEST_STALE_AFTER_HOURS).
_MAY_BE_OPEN = 14


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
            .where(editions.c.id.in_(select(edition_papers.c.edition_id).where(IS_LISTED)))
        )
        return last or day - timedelta(days=lookback_days)

    def freeze(
        self,
        day: date,
        first_day: date,
        now: datetime,
        missing: Sequence[str] = (),
        rising_days: int = RISING_DAYS,
    ) -> Edition:
        """Return the edition of ``day``; freeze it, from ``first_day`` on, if there is none.

        It lists no paper of an earlier edition, but keeps the counts of those of the last
        ``rising_days`` days, and which of them are late risers. An edition that lists no papers is
        tried again; once it has some, the people are due again who were told, or to be told, that
        there were none. ``missing`` are the sources that failed.
        """
        with self._engine.begin() as connection:
            found = select(editions.c.id).where(editions.c.day == day)
            edition_id = connection.execute(found).scalar()
            is_late = edition_id is not None
            if edition_id is None:
                number = select(func.coalesce(func.max(editions.c.id), 0) + 1).where(IS_DIGEST)
                new = insert(editions).values(
                    id=connection.execute(number).scalar_one(),  # announcements have higher ones
                    day=day,
                    frozen_at=now,
                    missing=list(missing),
                )
                edition_id = connection.execute(new.returning(editions.c.id)).scalar_one()
                _keep(connection, edition_id, known_rows(connection, day, rising_days))
            its = select(func.count()).where(edition_papers.c.edition_id == edition_id, IS_LISTED)
            is_empty = not connection.execute(its).scalar_one()
            if is_empty and (rows := new_rows(connection, first_day, day)):
                _keep(connection, edition_id, with_rise(connection, rows, now))
                _undo_no_papers(connection, edition_id, missing)
                if is_late:
                    last = select(func.max(deliveries.c.id)).scalar_subquery()
                    its_row = update(editions).where(editions.c.id == edition_id)
                    connection.execute(its_row.values(filled_after=last))
            return _edition(connection, edition_id)

    def state(self) -> tuple[int, ...]:
        """Return numbers of which one changes when an edition is made or gets papers."""
        newest = select(func.max(editions.c.id)).where(IS_DIGEST)
        # Not max(): with a condition, that would read all papers of all editions.
        its_edition = edition_papers.c.edition_id
        filled = select(its_edition).where(IS_LISTED).order_by(its_edition.desc()).limit(1)
        row = self._rows(select(newest.scalar_subquery(), filled.scalar_subquery()))[0]
        return tuple(number or 0 for number in row)

    # ---- the days ----

    def made_at(self, edition: Mailing) -> datetime:
        """Return when an edition was frozen."""
        query = select(editions.c.frozen_at).where(editions.c.id == edition.id)
        moment: datetime = self._values(query)[0]
        return moment

    def calendar(
        self, most: int, until: date = date.max, *, with_papers: bool = False
    ) -> list[Frozen]:
        """Return when the latest editions up to a day were frozen, oldest first.

        ``with_papers`` leaves out those without any.
        """
        query = select(editions.c.id, editions.c.day, editions.c.frozen_at)
        query = query.where(editions.c.day <= until)
        if with_papers:
            its_papers = and_(edition_papers.c.edition_id == editions.c.id, IS_LISTED)
            query = query.where(exists().where(its_papers))
        rows = self._rows(query.order_by(editions.c.day.desc()).limit(most))
        return [Frozen(*row) for row in rows][::-1]

    def first_after(self, day: date) -> date | None:
        """Return the day of the first edition after a day."""
        return self._value(select(func.min(editions.c.day)).where(editions.c.day > day))

    def days(self, most: int) -> list[tuple[date, int]]:
        """Return the days of the latest editions with papers, newest first, and how many papers."""
        # Editions are few: the papers are counted only of those that are returned.
        its_papers = and_(edition_papers.c.edition_id == editions.c.id, IS_LISTED)
        rows = self._rows(
            select(editions.c.day, select(func.count()).where(its_papers).scalar_subquery())
            .where(exists().where(its_papers))
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
        """Count the papers that an edition of ``day`` would list if it was frozen now."""
        with self._engine.connect() as connection:
            return len(new_rows(connection, first_day, day))

    def listing_days(self, since: date) -> list[date]:
        """Return the days on which the papers were listed that editions since a day list."""
        query = select(edition_papers.c.listed_on).distinct().join(editions)
        return self._values(query.where(editions.c.day >= since, IS_LISTED))

    def count_rising(self, day: date, rising_days: int) -> int:
        """Count the late risers that an edition of ``day`` would have if it was frozen now."""
        with self._engine.connect() as connection:
            known = known_rows(connection, day, rising_days)
        return sum(row["role"] == Role.RISING for row in known)

    def coming(self, day: date, first_day: date, rising_days: int, after: date) -> Edition:
        """Return the edition of ``day`` as ``since`` would, if it was frozen now. Store nothing."""
        with self._engine.connect() as connection:
            new = new_rows(connection, first_day, day)
            known = known_rows(connection, day, rising_days)
            again = [row for row in known if row["since"] > after]
            rising = [row for row in known if row["role"] == Role.RISING and row not in again]
            before = listed_between(connection, after, day)
            counted = candidates_of(connection, [*again, *new])
            pool = {candidate.paper_id: candidate for candidate in (*before, *counted)}
            listed = tuple(pool[number] for number in sorted(pool))
            return Edition(0, day, listed, rising=candidates_of(connection, rising))

    def draft(self, day: date, first_day: date) -> Edition:
        """Return the edition of ``day`` as it would be if there were no others. Store nothing."""
        with self._engine.connect() as connection:
            rows = listed_rows(connection, first_day, day)
            return Edition(0, day, candidates_of(connection, rows))

    def since(self, edition: Edition, day: date) -> Edition:
        """Return an edition with the papers that all editions after a day list, until its own.

        Their counts are those that the last of these editions knows.
        """
        with self._engine.connect() as connection:
            listed = listed_between(connection, day, edition.day)
        numbers = {candidate.paper_id for candidate in listed}
        rising = (paper for paper in edition.rising if paper.paper_id not in numbers)
        return replace(edition, candidates=listed, rising=tuple(rising))

    def best_of(self, first: date, last: date, most: int) -> Edition:
        """Return the most popular papers of the editions of some days, as one of the last day."""
        with self._engine.connect() as connection:
            return Edition(0, last, best_between(connection, first - timedelta(days=1), last, most))

    def papers_of(
        self, edition: Edition, its_deliveries: Iterable[Delivery] = ()
    ) -> dict[int, Candidate]:
        """Return the papers of an edition by id, and those of earlier ones in some deliveries."""
        papers = {its.paper_id: its for its in (*edition.candidates, *edition.rising)}
        others = numbers_in(delivery.picks for delivery in its_deliveries) - papers.keys()
        if others:
            with self._reading.connect() as connection:
                of_others = of_numbers(connection, sorted(others), edition.day)
            papers |= {candidate.paper_id: candidate for candidate in of_others}
        return papers

    def picks(self, edition: Edition, delivery: Delivery) -> tuple[Pick, ...]:
        """Return the picks of a delivery of an edition, in order."""
        return picks_of(delivery.picks, self.papers_of(edition, [delivery]))

    # ---- the balance ----

    def changed_at(self, now: datetime) -> list[Edition]:
        """Return the editions with a delivery that changed at a moment: that of a run."""
        return self._with_delivery(deliveries.c.changed_at == now)

    def unfinished(self) -> list[Edition]:
        """Return the editions with a delivery that is still to be sent."""
        states = [DeliveryState.PENDING, DeliveryState.DEFERRED, DeliveryState.SENDING]
        return self._with_delivery(deliveries.c.state.in_(states))

    def open(self) -> list[Edition]:
        """Return the latest editions whose stored balance is not final."""
        query = select(editions.c.id, editions.c.balance).where(editions.c.balance.is_not(None))
        rows = self._rows(query.order_by(editions.c.day.desc()).limit(_MAY_BE_OPEN))
        return [
            self.get(row.id) for row in rows if row.balance["pending"] or row.balance["deferred"]
        ]

    def _with_delivery(self, which: ColumnElement[bool]) -> list[Edition]:
        query = select(deliveries.c.edition_id).join(editions).where(which, IS_DIGEST).distinct()
        return [self.get(edition_id) for edition_id in sorted(self._values(query))]

    def balance(self, edition: Edition) -> Balance:
        """Return the balance of an edition, counted now."""
        with self._engine.connect() as connection:
            return count(connection, edition.id, edition.day)

    def gone(self, edition: Mailing) -> int:
        """Return how many deliveries of an edition are counted, but no longer kept."""
        with self._engine.connect() as connection:
            return sum(count for _, _, count in _gone(connection, edition.id))

    def close(self, edition: Edition) -> Balance:
        """Return the balance of an edition and store it, whether it adds up or not."""
        its_id = editions.c.id == edition.id
        with write_transaction(self._engine) as connection:
            # Another process that closes it at the same time counts after this one.
            connection.execute(select(editions.c.id).where(its_id).with_for_update())
            balance = count(connection, edition.id, edition.day)
            stored = {**asdict(balance), "edition": str(balance.edition)}
            connection.execute(update(editions).where(its_id).values(balance=stored))
        return balance


def _keep(connection: Connection, edition_id: int, rows: Iterable[dict[str, Any]]) -> None:
    """Put papers into an edition."""
    its_papers = [{"edition_id": edition_id, **row} for row in rows]
    if its_papers:
        connection.execute(insert(edition_papers), its_papers)


def _undo_no_papers(connection: Connection, edition_id: int, missing: Sequence[str]) -> None:
    """Undo the deliveries that say that an edition has no papers.

    Their people are counted as due again when they are planned again.
    """
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
    return Edition(
        id=edition_id,
        day=row.day,
        candidates=papers_in(connection, edition_id, Role.LISTED),
        missing=tuple(row.missing or ()),
        rising=papers_in(connection, edition_id, Role.RISING),
    )


def count(connection: Connection, edition_id: int, name: date | str) -> Balance:
    """Return the balance of an edition or an announcement, counted from its rows."""
    query = (
        select(deliveries.c.state, deliveries.c.reason, func.count())
        .where(deliveries.c.edition_id == edition_id)
        .group_by(deliveries.c.state, deliveries.c.reason)
    )
    kept = connection.execute(query).all()
    its_row = select(editions.c.due, editions.c.planning_since).where(editions.c.id == edition_id)
    due, planning_since = connection.execute(its_row).one_or_none() or (None, None)
    rows = [*kept, *_gone(connection, edition_id)]
    return balance_of(name, due, rows, is_being_planned=planning_since is not None)


def _gone(connection: Connection, edition_id: int) -> list[Any]:
    """Return the state, reason and number of deliveries no longer kept (see retention.py)."""
    query = select(editions.c.gone).where(editions.c.id == edition_id)
    return list(connection.execute(query).scalar() or ())


def balance_of(
    name: date | str,
    due: int | None,
    rows: Iterable[Iterable[Any]],
    *,
    is_being_planned: bool = False,
) -> Balance:
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
    return Balance(
        edition=name, due=due, skipped_for=skipped_for, is_being_planned=is_being_planned, **states
    )
