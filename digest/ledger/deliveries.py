"""Deliveries: the durable intent to send, and its result. The rows are the queue."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    Select,
    and_,
    delete,
    func,
    literal,
    or_,
    select,
    true,
    update,
)

from digest.ledger.bulk_insert import insert_many
from digest.ledger.database import write_transaction
from digest.ledger.delivery_rows import (
    IS_ANNOUNCED,
    PLANNED_AT,
    delivery_of,
    may_be_tried,
)
from digest.ledger.editions import IS_DIGEST
from digest.ledger.provider_queues import ALL, closed_queues
from digest.ledger.tables import announcements, attempts, deliveries, editions
from digest.model.announcements import FIRST_NUMBER, Mailing
from digest.model.deliveries import WAITING, Delivery, DeliveryReport, DeliveryState, Had
from digest.model.digests import Edition, SkipReason
from digest.model.packed_picks import numbers_in, pattern_of
from subscribers.store.id_list import one_of
from subscribers.store.store import Store, near

_S = DeliveryState

ANNOUNCED_FOR = timedelta(days=7)  # an announcement may wait so long for pauses and rates
# The states in which somebody got, or will get, what was planned for them.
_GOES_OUT = (_S.PENDING, _S.DEFERRED, _S.SENDING, _S.ACCEPTED, _S.UNCERTAIN)
# The reasons for which nothing was sent, and the papers are not news to the reader later.
_PASSED_OVER = (
    SkipReason.NO_PAPERS,
    SkipReason.NOTHING_MATCHED,
    SkipReason.PAUSED,
    SkipReason.WITHDRAWN,
    SkipReason.DROPPED,
)


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan for one subscriber and edition: packed picks, or why there are none.

    With ``note`` they are told so by email, with ``skipped`` they get nothing. ``provider`` takes
    the subscriber's mail.
    """

    subscriber_id: int
    picks: str = ""
    provider: str = ""
    skipped: SkipReason | None = None
    note: SkipReason | None = None


# Has the deliveries of an edition to some subscribers sent, once the transaction that plans them is
# committed.
HandOut = Callable[[Connection, int, Collection[int]], None]


def hand_out_nothing(
    _connection: Connection, _edition_id: int, _subscribers: Collection[int]
) -> None:
    """Leave deliveries in their rows, where a worker on the same machine looks for them."""


class Deliveries(Store):
    """The deliveries of one ledger. Each method is one short, committed transaction."""

    def __init__(self, engine: Engine, hand_out: HandOut = hand_out_nothing) -> None:
        super().__init__(engine)
        self._hand_out = hand_out

    # ---- planning ----

    def planned(
        self, edition_id: int, among: Collection[int] | None = None, *, for_good: bool = False
    ) -> set[int]:
        """Return who has a row for this edition already, of some people or of all, by their ids.

        ``for_good`` leaves out those who missed it, because they may get it after all.
        """
        query = select(deliveries.c.subscriber_id).where(deliveries.c.edition_id == edition_id)
        if for_good:
            query = query.where(deliveries.c.reason.is_distinct_from(SkipReason.MISSED))
        if among is None:
            return set(self._values(query))
        return set(self._values(query.where(near(deliveries.c.subscriber_id, among)))).intersection(
            among
        )

    def had(self, subscribers: Collection[int]) -> list[Had]:
        """Return which editions some people have had, be it that nothing in them matched.

        Left out are those without papers, and those that they missed.
        """
        theirs = one_of(deliveries.c.subscriber_id, subscribers)
        is_none = deliveries.c.reason.in_([SkipReason.NO_PAPERS, SkipReason.MISSED])
        query = select(deliveries.c.subscriber_id, editions.c.day, PLANNED_AT)
        query = query.join(editions, editions.c.id == deliveries.c.edition_id)
        query = query.where(theirs, or_(deliveries.c.reason.is_(None), ~is_none), ~IS_ANNOUNCED)
        return [Had(*row) for row in self._rows(query)]

    def skipped(self, edition_id: int, subscribers: Collection[int]) -> set[int]:
        """Return which of some people get nothing of an edition."""
        query = select(deliveries.c.subscriber_id).where(
            deliveries.c.edition_id == edition_id, deliveries.c.state == _S.SKIPPED
        )
        return set(self._values(query)).intersection(subscribers)

    def begin_planning(self, edition_id: int, now: datetime) -> int | None:
        """Record that deliveries of an edition are being planned; return how many there are.

        Until ``end_planning`` its balance does not add up. If rows are no longer kept, nobody knows
        who had it, and nothing may be planned: then return None.
        """
        its_row = update(editions).where(editions.c.id == edition_id)
        there_are = select(func.count()).where(deliveries.c.edition_id == edition_id)
        with write_transaction(self._engine) as connection:
            if _has_lost_rows(connection, edition_id):
                return None
            connection.execute(its_row.values(planning_since=now, balance=None))
            return connection.execute(there_are).scalar_one()

    def being_planned(self) -> list[int]:
        """Return the ids of the editions with a day whose planning has begun, but not ended."""
        is_open = editions.c.planning_since.is_not(None)
        return self._values(select(editions.c.id).where(is_open, IS_DIGEST))

    def plan(self, edition_id: int, plans: Sequence[Plan], now: datetime) -> bool:
        """Insert a row for each of some thousand plans, in one transaction.

        It replaces a row that says that its subscriber missed this. If rows of the edition are no
        longer kept, or an announcement was stopped, nothing is planned: then return False.
        """
        with write_transaction(self._engine) as connection:
            if _has_lost_rows(connection, edition_id) or _is_stopped(connection, edition_id):
                return False
            _insert(connection, edition_id, plans, now)
            people = [plan.subscriber_id for plan in plans if plan.skipped is None]
            self._hand_out(connection, edition_id, people)
            return True

    def end_planning(self, edition_id: int, due: int | None) -> None:
        """Record how many are due for an edition, if known, and that all are planned for.

        They are counted from the people, apart from the plans: the balance is compared with it, so
        that a missing plan is noticed.
        """
        known = {} if due is None else {"due": due}
        its_row = update(editions).where(editions.c.id == edition_id)
        self._write(its_row.values(planning_since=None, **known))

    def last_had(
        self, edition: Edition, after: date, subscribers: Collection[int]
    ) -> dict[int, date]:
        """Return the day of the last edition in between whose papers each subscriber has had.

        An edition of which nothing matched counts too. If its papers came after the delivery was
        planned, it is the day of the edition before it.
        """
        between = select(editions.c.id, editions.c.day, editions.c.filled_after).where(
            editions.c.day > after, editions.c.day < edition.day
        )
        newest_first = self._rows(between.order_by(editions.c.day.desc()))
        earlier = [row.day for row in newest_first[1:]]
        before = self._value(select(func.max(editions.c.day)).where(editions.c.day <= after))
        last: dict[int, date] = {}
        left = set(subscribers)
        for its, day_before in zip(newest_first, [*earlier, before or after], strict=False):
            if not left:
                break
            for person, came_later in self._rows(_had_of(its, left)):
                last[person] = day_before if came_later else its.day
            left -= last.keys()
        return {person: last[person] for person in last.keys() & set(subscribers)}

    def shown(self, edition: Edition, subscribers: Collection[int]) -> dict[int, set[int]]:
        """Return which of an edition's late risers each subscriber was shown, or will be.

        That is what other editions' deliveries hold that are sent, may be, or wait.
        """
        rising = {candidate.paper_id for candidate in edition.rising}
        if not rising:
            return {}
        its = deliveries.c
        since = min(candidate.since or edition.day for candidate in edition.rising)
        others = select(editions.c.id).where(editions.c.day >= since, editions.c.id != edition.id)
        may_hold = its.picks.regexp_match(pattern_of(rising))
        query = (
            select(its.subscriber_id, its.picks)
            .where(
                its.edition_id.in_(self._values(others)),
                near(deliveries.c.subscriber_id, subscribers),
            )
            .where(its.state.in_(_GOES_OUT), may_hold)
        )
        shown: dict[int, set[int]] = {}
        for subscriber_id, picks in self._rows(query):
            shown.setdefault(subscriber_id, set()).update(rising & numbers_in([picks]))
        return shown

    def of(self, edition: Mailing, subscriber_id: int) -> Delivery | None:
        """Return the delivery of an edition to a subscriber, if one was planned."""
        report = self.report(edition, subscriber_id)
        return report.delivery if report else None

    def report(self, edition: Mailing, subscriber_id: int) -> DeliveryReport | None:
        """Return the result of the delivery to one subscriber, if one was planned."""
        found = self.reports(edition, deliveries.c.subscriber_id == subscriber_id)
        return found[0] if found else None

    def reports(
        self, edition: Mailing, *only: ColumnElement[bool], most: int | None = None, skip: int = 0
    ) -> list[DeliveryReport]:
        """Return the results of an edition's deliveries, in the order they were planned."""
        last = (
            select(attempts.c.text)
            .where(attempts.c.delivery_id == deliveries.c.id)
            .order_by(attempts.c.id.desc())
            .limit(1)
            .scalar_subquery()
        )
        query = select(deliveries, last.label("last_words")).order_by(deliveries.c.id)
        query = query.where(deliveries.c.edition_id == edition.id, *only).limit(most).offset(skip)
        return [
            DeliveryReport(
                delivery=delivery_of(row),
                state=DeliveryState(row.state),
                reason=row.reason or "",
                last_words=row.last_words or "",
                planned_at=row.planned_at,
                changed_at=row.changed_at,
                next_attempt_at=row.next_attempt_at,
            )
            for row in self._rows(query)
        ]

    # ---- what waits ----

    def waiting(self, now: datetime) -> int:
        """Count the deliveries that may be tried now; paused ones only while a probe is due."""
        closed = closed_queues(now)
        is_open = deliveries.c.provider.not_in(closed), literal(ALL).not_in(closed)
        return self._count(select(func.count()).where(may_be_tried(now), *is_open))

    def waiting_by_provider(self, now: datetime) -> dict[str, int]:
        """Count the deliveries that may be tried now, by provider, whether paused or not."""
        query = select(deliveries.c.provider, func.count()).where(may_be_tried(now))
        return dict(self._rows(query.group_by(deliveries.c.provider)))

    def expire(self, before: datetime, now: datetime) -> int:
        """Skip as stale the digests that wait and were planned before a moment; return how many.

        An announcement is given up too, but has longer.
        """
        digests = self._skip(and_(before > PLANNED_AT, ~IS_ANNOUNCED), SkipReason.STALE, now)
        oldest = now - ANNOUNCED_FOR
        announced = self._skip(and_(oldest > PLANNED_AT, IS_ANNOUNCED), SkipReason.STALE, now)
        return digests + announced

    def retry(self, edition: Edition | None, now: datetime) -> list[datetime]:
        """Make deliveries that wait for another attempt due now, of one edition or of all.

        Return when each was planned.
        """
        waits = deliveries.c.state.in_(WAITING)
        its = [] if edition is None else [deliveries.c.edition_id == edition.id]
        put_off = (waits, deliveries.c.next_attempt_at.is_not(None), *its)
        with write_transaction(self._engine) as connection:
            planned = connection.execute(select(PLANNED_AT).where(*put_off)).scalars().all()
            connection.execute(update(deliveries).where(*put_off).values(next_attempt_at=now))
        return list(planned)

    def drop_waiting(self, now: datetime) -> int:
        """Skip all deliveries that wait. Return how many there were."""
        return self._skip(true(), SkipReason.DROPPED, now)

    def _skip(self, which: ColumnElement[bool], reason: SkipReason, now: datetime) -> int:
        waits = deliveries.c.state.in_(WAITING)
        skipped = update(deliveries).where(waits, which)
        return self._write(skipped.values(state=_S.SKIPPED, reason=reason, changed_at=now))


def _has_lost_rows(connection: Connection, edition_id: int) -> bool:
    """Return whether rows are no longer kept (see retention.py); prevent it in this transaction."""
    gone = select(editions.c.gone).where(editions.c.id == edition_id).with_for_update(read=True)
    return bool(connection.execute(gone).scalar())


def _is_stopped(connection: Connection, edition_id: int) -> bool:
    """Return whether an announcement was stopped. Whoever stops it has to wait for its row."""
    its = announcements.c.edition_id == edition_id
    found = select(announcements.c.stopped_at).where(its)
    return edition_id >= FIRST_NUMBER and connection.execute(found).scalar() is not None


def _had_of(edition: Row[Any], people: Collection[int]) -> Select[tuple[int, bool]]:
    """Select which of these people had an edition, and whether its papers came after that."""
    was_shown = and_(deliveries.c.state.in_(_GOES_OUT), deliveries.c.reason.is_(None))
    came_later = and_(
        deliveries.c.id <= (edition.filled_after or 0),
        deliveries.c.reason.is_distinct_from(SkipReason.PAUSED),
    )
    return (
        select(deliveries.c.subscriber_id, came_later)
        .where(deliveries.c.edition_id == edition.id, near(deliveries.c.subscriber_id, people))
        .where(or_(was_shown, deliveries.c.reason.in_(_PASSED_OVER)))
    )


def _insert(connection: Connection, edition_id: int, plans: Sequence[Plan], now: datetime) -> None:
    people = {plan.subscriber_id for plan in plans}
    of_edition = deliveries.c.edition_id == edition_id, deliveries.c.reason == SkipReason.MISSED
    found = connection.execute(
        select(deliveries.c.subscriber_id).where(
            *of_edition, near(deliveries.c.subscriber_id, people)
        )
    )
    if missed := people.intersection(found.scalars()):
        theirs = one_of(deliveries.c.subscriber_id, missed)
        connection.execute(delete(deliveries).where(*of_edition, theirs))
    insert_many(
        connection,
        deliveries,
        ("subscriber_id", "state", "reason", "provider", "picks"),
        [
            (
                plan.subscriber_id,
                _S.PENDING if plan.skipped is None else _S.SKIPPED,
                plan.skipped or plan.note,
                plan.provider,
                plan.picks or None,
            )
            for plan in plans
        ],
        {"edition_id": edition_id, "attempts": 0, "changed_at": now, "planned_at": now},
    )
