"""Bounces and complaints about deliveries: one of each kind per delivery, however often told."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, select

from digest.ledger.database import insert_if_new
from digest.ledger.deliveries import delivery_of
from digest.ledger.tables import bounces, deliveries, editions
from digest.model.deliveries import Bounce, BounceKind, Delivery, DeliveryState
from subscribers.store.store import Store


@dataclass(frozen=True, slots=True)
class Span:
    """The emails of editions frozen since a moment that were sent since another."""

    frozen_since: datetime
    sent_since: datetime


@dataclass(frozen=True, slots=True)
class PastBounce:
    """A bounce, and when it was read."""

    at: datetime
    bounce: Bounce


class Bounces(Store):
    """The bounces of one ledger. Each method is one short, committed transaction."""

    def record(self, delivery: Delivery, bounce: Bounce, now: datetime) -> bool:
        """Record a bounce. Return False, and change nothing, if its kind is known already."""
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
        """Return whether a bounce of this kind is recorded for a delivery."""
        return any(past.bounce.kind is kind for past in self.of(delivery))

    def of(self, delivery: Delivery) -> list[PastBounce]:
        """Return the bounces of a delivery in the order in which they were read."""
        query = select(bounces).where(bounces.c.delivery_id == delivery.id)
        rows = self._rows(query.order_by(bounces.c.at, bounces.c.id))
        return [
            PastBounce(row.at, Bounce(BounceKind(row.kind), row.status, row.text)) for row in rows
        ]

    # ---- the delivery that a bounce is about ----

    def delivery(self, delivery_id: int) -> Delivery | None:
        """Return the delivery of this number, if it is known."""
        rows = self._rows(select(deliveries).where(deliveries.c.id == delivery_id))
        return delivery_of(rows[0]) if rows else None

    def last_sent_to(self, subscriber_id: int) -> Delivery | None:
        """Return the last delivery to a subscriber that was, or may have been, accepted."""
        query = select(func.max(deliveries.c.id)).where(
            deliveries.c.subscriber_id == subscriber_id,
            deliveries.c.state.in_([DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN]),
        )
        return self.delivery(self._count(query))

    # ---- counts ----

    def soft_bounced(self, subscriber_id: int, since: datetime | None = None) -> list[date]:
        """Return the days of a subscriber's editions with a soft bounce read since a moment."""
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
        """Return the day of a delivery's edition."""
        query = select(editions.c.day).where(editions.c.id == delivery.edition_id)
        day: date = self._values(query)[0]
        return day

    def changed_at(self, delivery: Delivery) -> datetime:
        """Return when a delivery got its present state: when it was sent, if it was."""
        query = select(deliveries.c.changed_at).where(deliveries.c.id == delivery.id)
        moment: datetime = self._values(query)[0]
        return moment

    def came_back(self, kind: BounceKind, emails: Span) -> int:
        """Count the emails of a span with a bounce of this kind."""
        # Nothing comes back before it was sent.
        recent = bounces.c.at >= emails.sent_since
        about = select(bounces.c.delivery_id).where(bounces.c.kind == kind, recent)
        return self._count_of(emails, deliveries.c.id.in_(about))

    def accepted(self, emails: Span) -> int:
        """Count the emails of a span that were accepted."""
        return self._count_of(emails, deliveries.c.state == DeliveryState.ACCEPTED)

    def _count_of(self, emails: Span, which: ColumnElement[bool]) -> int:
        # By edition, because there is an index for that: a long list has millions of deliveries.
        theirs = select(editions.c.id).where(editions.c.frozen_at >= emails.frozen_since)
        sent = deliveries.c.changed_at >= emails.sent_since
        return self._count(
            select(func.count()).where(which, deliveries.c.edition_id.in_(theirs), sent)
        )


def _storable(text: str) -> str:
    """Return a text without what PostgreSQL refuses: NUL and lone surrogates."""
    return text.replace("\0", "").encode(errors="replace").decode()
