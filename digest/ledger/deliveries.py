"""Deliveries: the durable intent to send, and its result. The rows are the queue."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    case,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    update,
)

from digest.ledger.database import write_transaction
from digest.ledger.provider_queues import ALL, closed_queues
from digest.ledger.tables import attempts, deliveries, delivery_papers, editions
from digest.model.deliveries import Delivery, DeliveryReport, DeliveryState
from digest.model.digests import Candidate, Edition, Match, Pick, Reason, Section, SkipReason
from subscribers.store.store import Store

_S = DeliveryState

# The states from which each state can be reached; nothing else happens. Only somebody who knows
# more ends uncertainty: the operator, or the worker that claimed it and was taken for dead.
REACHED_FROM: dict[DeliveryState, frozenset[DeliveryState]] = {
    # Claimed: from now on a crash makes it uncertain.
    _S.SENDING: frozenset({_S.PENDING, _S.DEFERRED}),
    # Released untouched, because the relay could not be used at all; or resent by the operator.
    _S.PENDING: frozenset({_S.SENDING, _S.UNCERTAIN}),
    # A failure report proves that the relay had accepted it.
    _S.ACCEPTED: frozenset({_S.SENDING, _S.UNCERTAIN}),
    # Put off by a server, or refused for another reason than the address.
    _S.DEFERRED: frozenset({_S.SENDING, _S.UNCERTAIN}),
    _S.REFUSED: frozenset({_S.SENDING, _S.UNCERTAIN}),
    _S.UNCERTAIN: frozenset({_S.SENDING}),
    # Found when it was claimed, or before.
    _S.SUPPRESSED: frozenset({_S.SENDING, _S.UNCERTAIN}),
    _S.SKIPPED: frozenset({_S.PENDING, _S.DEFERRED, _S.SENDING, _S.UNCERTAIN}),
}

# Deliveries of old versions have no such moment; then it is that of their edition.
_FROZEN_AT = select(editions.c.frozen_at).where(editions.c.id == deliveries.c.edition_id)
PLANNED_AT = func.coalesce(
    deliveries.c.planned_at, _FROZEN_AT.correlate(deliveries).scalar_subquery()
)

_BLOCK = 500  # rows in one transaction
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
    """The plan for one subscriber and edition: picks, or why there are none.

    With ``note`` they are told so by email, with ``skipped`` they get nothing. ``provider`` takes
    the subscriber's mail.
    """

    subscriber_id: int
    picks: tuple[Pick, ...] = ()
    provider: str = ""
    skipped: SkipReason | None = None
    note: SkipReason | None = None


class Deliveries(Store):
    """The deliveries of one ledger. Each method is one short, committed transaction."""

    # ---- planning ----

    def planned(self, edition_id: int, *, for_good: bool = False) -> set[int]:
        """Return the ids of the subscribers who have a row for this edition already.

        ``for_good`` leaves out those who missed it, because they may get it after all.
        """
        query = select(deliveries.c.subscriber_id).where(deliveries.c.edition_id == edition_id)
        if for_good:
            query = query.where(deliveries.c.reason.is_distinct_from(SkipReason.MISSED))
        return set(self._values(query))

    def plan(
        self,
        edition_id: int,
        plans: Iterable[Plan],
        now: datetime,
        due: Collection[int] | None = None,
    ) -> None:
        """Insert a row for each plan; it replaces a row that says that its subscriber missed this.

        ``due`` are the ids of all who are due, counted from the people and apart from the plans:
        the balance is compared with their number, so that a missing plan is noticed.

        Some hundreds are committed at a time; the next run plans what was broken off. If rows of
        the edition are no longer kept, nobody knows who had it, so nothing is planned.
        """
        rest = iter(plans)
        block: list[Plan] | None = None
        while block is None or len(block) == _BLOCK:
            block = list(islice(rest, _BLOCK))
            with write_transaction(self._engine) as connection:
                if _has_lost_rows(connection, edition_id):
                    return
                if due is not None:
                    _store_due(connection, edition_id, due)
                    due = None
                _insert(connection, edition_id, block, now)

    def last_had(
        self, edition: Edition, after: date, subscribers: Collection[int]
    ) -> dict[int, date]:
        """Return the day of the last edition in between whose papers each subscriber has had.

        An edition of which nothing matched counts too. If its papers came after the delivery was
        planned, it is the day of the edition before it.
        """
        was_shown = and_(deliveries.c.state.in_(_GOES_OUT), deliveries.c.reason.is_(None))
        others = editions.alias()
        before = select(func.max(others.c.day)).where(others.c.day < editions.c.day)
        came_later = and_(
            deliveries.c.id <= editions.c.filled_after,
            deliveries.c.reason.is_distinct_from(SkipReason.PAUSED),
        )
        day_before = func.coalesce(before.scalar_subquery(), after)
        day = case((came_later, day_before), else_=editions.c.day)
        query = (
            select(deliveries.c.subscriber_id, func.max(day).label("day"))
            .join(editions, editions.c.id == deliveries.c.edition_id)
            .where(editions.c.day > after, editions.c.day < edition.day)
            .where(or_(was_shown, deliveries.c.reason.in_(_PASSED_OVER)))
            .group_by(deliveries.c.subscriber_id)
        )
        if len(subscribers) <= _BLOCK:  # else it is quicker to look at everybody's
            query = query.where(deliveries.c.subscriber_id.in_(subscribers))
        with self._engine.connect() as connection:
            return {row.subscriber_id: row.day for row in connection.execute(query)}

    def of(self, edition: Edition, subscriber_id: int) -> Delivery | None:
        """Return the delivery of an edition to a subscriber, if one was planned."""
        report = self.report(edition, subscriber_id)
        return report.delivery if report else None

    def picks(self, delivery: Delivery, papers: Mapping[int, Candidate]) -> tuple[Pick, ...]:
        """Return the picks of a delivery in order, from ``Editions.papers_of`` its edition."""
        query = select(delivery_papers).where(delivery_papers.c.delivery_id == delivery.id)
        rows = self._rows(query.order_by(delivery_papers.c.position))
        return tuple(Pick(Section(row.section), papers[row.paper_id], _match(row)) for row in rows)

    def report(self, edition: Edition, subscriber_id: int) -> DeliveryReport | None:
        """Return the result of the delivery to one subscriber, if one was planned."""
        found = self.reports(edition, deliveries.c.subscriber_id == subscriber_id)
        return found[0] if found else None

    def reports(
        self, edition: Edition, *only: ColumnElement[bool], most: int | None = None, skip: int = 0
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

    def papers_to_send(self, edition_id: int) -> set[int]:
        """Return the ids of the papers in an edition's deliveries that are still to be sent."""
        of_papers = select(delivery_papers.c.paper_id).distinct()
        of_papers = of_papers.join(deliveries, deliveries.c.id == delivery_papers.c.delivery_id)
        return set(self._values(of_papers.where(*_is_to_be_sent(edition_id))))

    def notes_to_send(self, edition_id: int) -> set[SkipReason]:
        """Return the reasons of the notes among an edition's deliveries still to be sent."""
        reason = deliveries.c.reason
        query = select(reason).distinct().where(*_is_to_be_sent(edition_id), reason.is_not(None))
        return set(map(SkipReason, self._values(query)))

    def expire(self, before: datetime, now: datetime) -> int:
        """Skip as stale what waits and was planned before a moment. Return how many there were."""
        return self._skip(before > PLANNED_AT, SkipReason.STALE, now)

    def retry(self, edition: Edition | None, now: datetime) -> list[datetime]:
        """Make deliveries that wait for another attempt due now, of one edition or of all.

        Return when each was planned.
        """
        waits = deliveries.c.state.in_([_S.PENDING, _S.DEFERRED])
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
        waits = deliveries.c.state.in_([_S.PENDING, _S.DEFERRED])
        skipped = update(deliveries).where(waits, which)
        return self._write(skipped.values(state=_S.SKIPPED, reason=reason, changed_at=now))


def _is_to_be_sent(edition_id: int) -> tuple[ColumnElement[bool], ...]:
    still_open = [_S.PENDING, _S.DEFERRED, _S.SENDING]
    return deliveries.c.edition_id == edition_id, deliveries.c.state.in_(still_open)


def may_be_tried(now: datetime) -> ColumnElement[bool]:
    """Return the condition that a delivery waits and may be tried now."""
    return and_(deliveries.c.state.in_([_S.PENDING, _S.DEFERRED]), is_time_for(now))


def is_time_for(now: datetime) -> ColumnElement[bool]:
    """Return the condition that the wait after an attempt, if there was one, is over."""
    return or_(deliveries.c.next_attempt_at.is_(None), deliveries.c.next_attempt_at <= now)


def delivery_of(row: Row[tuple[Any, ...]]) -> Delivery:
    """Return the delivery of a row. It is a note if it has a reason and is not skipped."""
    is_note = row.reason and row.state != _S.SKIPPED
    return Delivery(
        id=row.id,
        edition_id=row.edition_id,
        subscriber_id=row.subscriber_id,
        attempts=row.attempts,
        provider=row.provider,
        note=SkipReason(row.reason) if is_note else None,
    )


def _has_lost_rows(connection: Connection, edition_id: int) -> bool:
    """Return whether rows are no longer kept (see retention.py); prevent it in this transaction."""
    gone = select(editions.c.gone).where(editions.c.id == edition_id).with_for_update(read=True)
    return bool(connection.execute(gone).scalar())


def _store_due(connection: Connection, edition_id: int, due: Collection[int]) -> None:
    """Store how many are due for an edition: these people, and all who have a row already."""
    query = select(deliveries.c.subscriber_id).where(deliveries.c.edition_id == edition_id)
    people = set(connection.execute(query).scalars()).union(due)
    its_row = update(editions).where(editions.c.id == edition_id)
    connection.execute(its_row.values(due=len(people)))


def _insert(connection: Connection, edition_id: int, plans: Sequence[Plan], now: datetime) -> None:
    if not plans:
        return
    connection.execute(
        delete(deliveries).where(
            deliveries.c.edition_id == edition_id,
            deliveries.c.subscriber_id.in_([plan.subscriber_id for plan in plans]),
            deliveries.c.reason == SkipReason.MISSED,
        )
    )
    rows = [
        {
            "edition_id": edition_id,
            "subscriber_id": plan.subscriber_id,
            "state": _S.PENDING if plan.skipped is None else _S.SKIPPED,
            "reason": plan.skipped or plan.note,
            "attempts": 0,
            "changed_at": now,
            "planned_at": now,
            "provider": plan.provider,
        }
        for plan in plans
    ]
    new = insert(deliveries).returning(deliveries.c.id, sort_by_parameter_order=True)
    ids = connection.execute(new, rows).scalars()
    picks = [
        {
            "delivery_id": delivery_id,
            "position": position,
            "paper_id": pick.candidate.paper_id,
            "section": pick.section,
            "score": pick.match and pick.match.score,
            "topic": pick.match and pick.match.reason.topic,
            "words": pick.match and list(pick.match.reason.words),
            "liked": pick.match and pick.match.reason.liked,
        }
        for delivery_id, plan in zip(ids, plans, strict=True)
        for position, pick in enumerate(plan.picks)
    ]
    if picks:
        connection.execute(insert(delivery_papers), picks)


def _match(row: Row[tuple[Any, ...]]) -> Match | None:
    if row.score is None:
        return None
    return Match(row.score, Reason(row.topic, tuple(row.words or ()), row.liked or ""))
