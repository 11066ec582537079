"""Deliveries: the durable intent to send, and what became of it. The queue is these rows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, insert, or_, select, update

from digest.ledger.tables import attempts, deliveries, delivery_papers, editions
from digest.model import (
    Delivery,
    DeliveryReport,
    DeliveryState,
    Edition,
    Match,
    Outcome,
    Pick,
    Reason,
    Section,
    SkipReason,
)

_S = DeliveryState

# From where each state can be reached; what is not listed does not happen.
REACHED_FROM: dict[DeliveryState, frozenset[DeliveryState]] = {
    # Claimed: from now on a crash makes it uncertain.
    _S.SENDING: frozenset({_S.PENDING, _S.DEFERRED}),
    # Given back untouched, because the relay could not be used at all. From uncertain only by the
    # operator (ledger.uncertain), as skipped is: the one who may know whether it has arrived.
    _S.PENDING: frozenset({_S.SENDING, _S.UNCERTAIN}),
    _S.ACCEPTED: frozenset({_S.SENDING}),
    _S.DEFERRED: frozenset({_S.SENDING}),
    _S.REFUSED: frozenset({_S.SENDING}),
    _S.UNCERTAIN: frozenset({_S.SENDING}),
    # Found out in the last moment, or before it came to that.
    _S.SUPPRESSED: frozenset({_S.PENDING, _S.DEFERRED, _S.SENDING}),
    _S.SKIPPED: frozenset({_S.PENDING, _S.DEFERRED, _S.SENDING, _S.UNCERTAIN}),
}


class Deliveries:
    """The deliveries of one ledger. Each method is one short, committed transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # ---- planning ----

    def planned(self, edition: Edition) -> set[int]:
        """The ids of the subscribers who have a row for this edition already."""
        with self._engine.connect() as connection:
            query = select(deliveries.c.subscriber_id)
            rows = connection.execute(query.where(deliveries.c.edition_id == edition.id))
            return set(rows.scalars())

    def plan(
        self, edition: Edition, subscriber_id: int, picks: Sequence[Pick], now: datetime
    ) -> None:
        """Intend to send these papers."""
        with self._engine.begin() as connection:
            delivery_id = _insert(connection, edition, subscriber_id, _S.PENDING, None, now)
            connection.execute(
                insert(delivery_papers),
                [_pick_row(delivery_id, position, pick) for position, pick in enumerate(picks)],
            )

    def plan_skipped(
        self, edition: Edition, subscriber_id: int, reason: SkipReason, now: datetime
    ) -> None:
        """Decide to send nothing, and say why."""
        with self._engine.begin() as connection:
            _insert(connection, edition, subscriber_id, _S.SKIPPED, reason, now)

    def of(self, edition: Edition, subscriber_id: int) -> Delivery | None:
        """The delivery of an edition to a subscriber, if one was ever planned."""
        query = select(deliveries).where(
            deliveries.c.edition_id == edition.id, deliveries.c.subscriber_id == subscriber_id
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _delivery(row)

    def picks(self, delivery: Delivery, edition: Edition) -> tuple[Pick, ...]:
        """What was chosen for a delivery, in order."""
        by_id = {candidate.paper_id: candidate for candidate in edition.candidates}
        query = select(delivery_papers).where(delivery_papers.c.delivery_id == delivery.id)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(delivery_papers.c.position)).all()
        return tuple(
            Pick(
                section=Section(row.section),
                candidate=by_id[row.paper_id],
                match=_match(row),
            )
            for row in rows
        )

    def reports(self, edition: Edition) -> list[DeliveryReport]:
        """What became of each delivery of an edition, with the server's last words."""
        return self._reports(edition)

    def report(self, edition: Edition, subscriber_id: int) -> DeliveryReport | None:
        """What became of the delivery of an edition to one subscriber, if one was planned."""
        found = self._reports(edition, deliveries.c.subscriber_id == subscriber_id)
        return found[0] if found else None

    def _reports(self, edition: Edition, *only: ColumnElement[bool]) -> list[DeliveryReport]:
        last = (
            select(attempts.c.text)
            .where(attempts.c.delivery_id == deliveries.c.id)
            .order_by(attempts.c.id.desc())
            .limit(1)
            .scalar_subquery()
        )
        query = select(deliveries, last.label("last_words")).order_by(deliveries.c.id)
        with self._engine.connect() as connection:
            rows = connection.execute(query.where(deliveries.c.edition_id == edition.id, *only))
            return [
                DeliveryReport(
                    delivery=_delivery(row),
                    state=DeliveryState(row.state),
                    reason=row.reason or "",
                    last_words=row.last_words or "",
                )
                for row in rows
            ]

    # ---- sending ----

    def to_send(self, now: datetime) -> list[Delivery]:
        """What may be tried now, oldest edition first."""
        query = (
            select(deliveries)
            .where(_may_be_tried(now))
            .order_by(deliveries.c.edition_id, deliveries.c.id)
        )
        with self._engine.connect() as connection:
            return [_delivery(row) for row in connection.execute(query)]

    def papers_to_send(self, edition_id: int, now: datetime) -> set[int]:
        """The papers in what of an edition may be tried now."""
        query = (
            select(delivery_papers.c.paper_id)
            .distinct()
            .join(deliveries, deliveries.c.id == delivery_papers.c.delivery_id)
            .where(deliveries.c.edition_id == edition_id, _may_be_tried(now))
        )
        with self._engine.connect() as connection:
            return set(connection.scalars(query))

    def claim(self, delivery: Delivery, now: datetime) -> bool:
        """Mark as being sent. False if it is no longer there to be sent: leave it alone."""
        with self._engine.begin() as connection:
            return _move(connection, delivery, _S.SENDING, now)

    def release(self, delivery: Delivery, now: datetime) -> None:
        """Undo a claim: nothing was put on the wire, and no transaction was begun."""
        with self._engine.begin() as connection:
            _move(connection, delivery, _S.PENDING, now)

    def record(
        self, delivery: Delivery, outcome: Outcome, next_attempt_at: datetime | None, now: datetime
    ) -> None:
        """The end of one SMTP transaction; with a time, if it is worth another."""
        with self._engine.begin() as connection:
            _move(
                connection,
                delivery,
                DeliveryState(outcome.kind),
                now,
                next_attempt_at=next_attempt_at,
                attempts=deliveries.c.attempts + 1,
            )
            connection.execute(
                insert(attempts).values(
                    delivery_id=delivery.id,
                    at=now,
                    outcome=outcome.kind,
                    code=outcome.code,
                    text=outcome.text,
                )
            )

    def skip(self, delivery: Delivery, reason: SkipReason, now: datetime) -> None:
        with self._engine.begin() as connection:
            _move(connection, delivery, _S.SKIPPED, now, reason=reason)

    def suppress(self, delivery: Delivery, now: datetime) -> None:
        with self._engine.begin() as connection:
            _move(connection, delivery, _S.SUPPRESSED, now)

    # ---- what a run finds when it starts ----

    def settle_leftovers(self, now: datetime) -> int:
        """What a run that died was sending is uncertain from now on; how many there are.

        Only to be called by the one run that holds the ledger.
        """
        with self._engine.begin() as connection:
            settled = connection.execute(
                update(deliveries)
                .where(deliveries.c.state == _S.SENDING)
                .values(state=_S.UNCERTAIN, changed_at=now)
            )
            return settled.rowcount

    def expire(self, before: datetime, now: datetime) -> int:
        """Give up on what belongs to an edition frozen before a moment; how many there are."""
        stale = select(editions.c.id).where(editions.c.frozen_at < before)
        with self._engine.begin() as connection:
            expired = connection.execute(
                update(deliveries)
                .where(deliveries.c.state.in_([_S.PENDING, _S.DEFERRED]))
                .where(deliveries.c.edition_id.in_(stale))
                .values(state=_S.SKIPPED, reason=SkipReason.STALE, changed_at=now)
            )
            return expired.rowcount


def _may_be_tried(now: datetime) -> ColumnElement[bool]:
    waiting = or_(deliveries.c.next_attempt_at.is_(None), deliveries.c.next_attempt_at <= now)
    return and_(deliveries.c.state.in_([_S.PENDING, _S.DEFERRED]), waiting)


def _delivery(row: Row[tuple[Any, ...]]) -> Delivery:
    return Delivery(row.id, row.edition_id, row.subscriber_id, row.attempts)


def _insert(
    connection: Connection,
    edition: Edition,
    subscriber_id: int,
    state: DeliveryState,
    reason: SkipReason | None,
    now: datetime,
) -> int:
    row = insert(deliveries).values(
        edition_id=edition.id,
        subscriber_id=subscriber_id,
        state=state,
        reason=reason,
        attempts=0,
        changed_at=now,
    )
    return int(connection.execute(row.returning(deliveries.c.id)).scalar_one())


def _move(
    connection: Connection, delivery: Delivery, to: DeliveryState, now: datetime, **values: object
) -> bool:
    """Whether it could be moved. What is uncertain is none of a run's business any more."""
    before = REACHED_FROM[to] - {_S.UNCERTAIN}
    moved = connection.execute(
        update(deliveries)
        .where(deliveries.c.id == delivery.id, deliveries.c.state.in_(before))
        .values(state=to, changed_at=now, **values)
    )
    return moved.rowcount == 1


def _pick_row(delivery_id: int, position: int, pick: Pick) -> dict[str, object]:
    return {
        "delivery_id": delivery_id,
        "position": position,
        "paper_id": pick.candidate.paper_id,
        "section": pick.section,
        "score": pick.match and pick.match.score,
        "topic": pick.match and pick.match.reason.topic,
        "words": pick.match and list(pick.match.reason.words),
        "liked": pick.match and pick.match.reason.liked,
    }


def _match(row: Row[tuple[Any, ...]]) -> Match | None:
    if row.score is None:
        return None
    return Match(row.score, Reason(row.topic, tuple(row.words or ()), row.liked or ""))
