"""What came back about deliveries: each kind once for each delivery, however often it is told."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, func, select

from digest.ledger.database import insert_if_new
from digest.ledger.deliveries import delivery_of
from digest.ledger.tables import bounces, deliveries, editions
from digest.model.deliveries import Bounce, BounceKind, Delivery, DeliveryState
from subscribers.store.store import Store


@dataclass(frozen=True, slots=True)
class Span:
    """Mails of editions that were frozen since a moment; of these, those sent since another."""

    frozen_since: datetime
    sent_since: datetime


@dataclass(frozen=True, slots=True)
class PastBounce:
    """Something that came back, and when that was read."""

    at: datetime
    bounce: Bounce


class Bounces(Store):
    """The bounces of one ledger. Each method is one short, committed transaction."""

    def record(self, delivery: Delivery, bounce: Bounce, now: datetime) -> bool:
        """Write down what came back; false, and nothing changes, if it is known already."""
        with self._engine.begin() as connection:
            return insert_if_new(
                connection,
                bounces,
                delivery_id=delivery.id,
                kind=bounce.kind,
                at=now,
                status=bounce.status,
                text=_storable(bounce.text),
            )

    def knows(self, delivery: Delivery, kind: BounceKind) -> bool:
        """Whether this came back before."""
        found = select(bounces.c.id).where(
            bounces.c.delivery_id == delivery.id, bounces.c.kind == kind
        )
        return self._value(found) is not None

    def of(self, delivery: Delivery) -> list[PastBounce]:
        """All that came back about a delivery, in the order in which it was read."""
        query = select(bounces).where(bounces.c.delivery_id == delivery.id)
        rows = self._rows(query.order_by(bounces.c.at, bounces.c.id))
        return [
            PastBounce(row.at, Bounce(BounceKind(row.kind), row.status, row.text)) for row in rows
        ]

    # ---- whom it is about ----

    def delivery(self, delivery_id: int) -> Delivery | None:
        """The delivery of this number, if there ever was one."""
        return self._one(select(deliveries).where(deliveries.c.id == delivery_id))

    def last_sent_to(self, subscriber_id: int) -> Delivery | None:
        """The delivery that went out to somebody last, as far as anybody knows."""
        went_out = [DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN]
        query = select(deliveries).where(
            deliveries.c.subscriber_id == subscriber_id, deliveries.c.state.in_(went_out)
        )
        return self._one(query.order_by(deliveries.c.id.desc()).limit(1))

    def _one(self, query: Select[tuple[object, ...]]) -> Delivery | None:
        row = self._row(query)
        return None if row is None else delivery_of(row)

    # ---- what it comes to ----

    def soft_bounced(self, subscriber_id: int, since: datetime | None = None) -> list[date]:
        """The days of the editions that came back softly from somebody, as told since a moment."""
        query = (
            select(editions.c.day)
            .join(deliveries, deliveries.c.edition_id == editions.c.id)
            .join(bounces, bounces.c.delivery_id == deliveries.c.id)
            .where(deliveries.c.subscriber_id == subscriber_id, bounces.c.kind == BounceKind.SOFT)
            .order_by(editions.c.day)
        )
        if since is not None:
            query = query.where(bounces.c.at >= since)
        return self._values(query)

    def day_of(self, delivery: Delivery) -> date:
        """The day of a delivery's edition."""
        query = select(editions.c.day).where(editions.c.id == delivery.edition_id)
        with self._engine.connect() as connection:
            day: date = connection.execute(query).scalar_one()
            return day

    def changed_at(self, delivery: Delivery) -> datetime:
        """When the delivery became what it is: when it was sent, if it was."""
        query = select(deliveries.c.changed_at).where(deliveries.c.id == delivery.id)
        with self._engine.connect() as connection:
            moment: datetime = connection.execute(query).scalar_one()
            return moment

    def came_back(self, kind: BounceKind, mails: Span) -> int:
        """Of how many mails of a span something came back."""
        # Nothing comes back before it was sent.
        recent = bounces.c.at >= mails.sent_since
        about = select(bounces.c.delivery_id).where(bounces.c.kind == kind, recent)
        return self._count_of(mails, deliveries.c.id.in_(about))

    def accepted(self, mails: Span) -> int:
        """How many mails of a span were accepted."""
        return self._count_of(mails, deliveries.c.state == DeliveryState.ACCEPTED)

    def _count_of(self, mails: Span, which: ColumnElement[bool]) -> int:
        # By edition, because there is an index for that: a long list has millions of deliveries.
        theirs = select(editions.c.id).where(editions.c.frozen_at >= mails.frozen_since)
        query = (
            select(func.count())
            .select_from(deliveries)
            .where(which, deliveries.c.edition_id.in_(theirs))
            .where(deliveries.c.changed_at >= mails.sent_since)
        )
        return self._count(query)


def _storable(text: str) -> str:
    """A text as a database takes it: PostgreSQL has no NUL, and no lone surrogates."""
    return text.replace("\0", "").encode(errors="replace").decode()
