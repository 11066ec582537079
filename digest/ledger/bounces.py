"""Bounces and complaints about deliveries: one of each kind per delivery, however often told."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, distinct, exists, func, or_, select, update

from digest.ledger.database import insert_if_new
from digest.ledger.delivery_rows import delivery_of
from digest.ledger.tables import bounces, deliveries, editions
from digest.model.deliveries import Bounce, BounceKind, BounceSource, Delivery, DeliveryState
from subscribers.model import SuppressionReason
from subscribers.store.store import Store
from subscribers.store.tables import subscribers, suppressions

# A provider that refuses so many, and takes the mail of nobody, refuses us.
FEWEST_ALIKE = 3


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

    def record(self, delivery: Delivery, bounce: Bounce, now: datetime) -> None:
        """Write down what came back; if it is known already, only that there is proof of it now."""
        with self._engine.begin() as connection:
            is_new = insert_if_new(
                connection,
                bounces,
                delivery_id=delivery.id,
                kind=bounce.kind,
                at=now,
                status=bounce.status,
                text=_storable(bounce.text),
                source=bounce.source,
            )
            if not is_new and bounce.source.is_proof:
                its_row = update(bounces).where(_is(delivery, bounce.kind))
                connection.execute(its_row.values(source=bounce.source))

    def knows(self, delivery: Delivery, bounce: Bounce) -> bool:
        """Return whether a bounce of this kind is recorded for a delivery, at least as surely."""
        return any(
            past.bounce.kind is bounce.kind
            and (past.bounce.source.is_proof or not bounce.source.is_proof)
            for past in self.of(delivery)
        )

    def of(self, delivery: Delivery) -> list[PastBounce]:
        """Return the bounces of a delivery in the order in which they were read."""
        query = select(bounces).where(bounces.c.delivery_id == delivery.id)
        rows = self._rows(query.order_by(bounces.c.at, bounces.c.id))
        return [
            PastBounce(
                row.at,
                Bounce(BounceKind(row.kind), row.status, row.text, BounceSource(row.source)),
            )
            for row in rows
        ]

    def forget_soft(self, reason: SuppressionReason, since: datetime) -> int:
        """Forget the soft bounces of addresses that were blocked for a reason since a moment.

        If these blocks were a mistake, the next soft bounce must not bring them back. Return how
        many there were.
        """
        blocked = select(suppressions.c.address_key).where(
            suppressions.c.reason == reason, suppressions.c.at >= since
        )
        people = select(subscribers.c.id).where(subscribers.c.address_key.in_(blocked))
        theirs = select(deliveries.c.id).where(deliveries.c.subscriber_id.in_(people))
        is_soft = bounces.c.kind == BounceKind.SOFT, bounces.c.delivery_id.in_(theirs)
        return self._write(delete(bounces).where(*is_soft))

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
        """Return the days of a subscriber's editions with a soft bounce read since a moment.

        Without those that were refused to all alike (see ``may_be_about_address``).
        """
        query = (
            select(editions.c.day, editions.c.frozen_at)
            .join(deliveries, deliveries.c.edition_id == editions.c.id)
            .join(bounces, bounces.c.delivery_id == deliveries.c.id)
            .where(deliveries.c.subscriber_id == subscriber_id, bounces.c.kind == BounceKind.SOFT)
            .where(or_(bounces.c.source != BounceSource.SMTP, _others_got_theirs()))
            .order_by(editions.c.frozen_at)
        )
        if since is not None:
            query = query.where(bounces.c.at >= since)
        return [_day(row) for row in self._rows(query)]

    def may_be_about_address(self, delivery: Delivery) -> bool:
        """Return whether a refusal of a delivery may be about its address.

        It is not if the relay has taken the edition for nobody, or for nobody at its provider
        although it tried several, whatever was said.
        """
        query = select(func.count()).where(deliveries.c.id == delivery.id, _others_got_theirs())
        return self._count(query) > 0

    def day_of(self, delivery: Delivery) -> date:
        """Return the day of a delivery's edition, or that of its announcement."""
        query = select(editions.c.day, editions.c.frozen_at)
        return _day(self._rows(query.where(editions.c.id == delivery.edition_id))[0])

    def recipients(self, kind: BounceKind, emails: Span, *, proven: bool = False) -> int:
        """Count the people to whom emails of a span came back, or of whom there is proof of it."""
        # Nothing comes back before it was sent.
        recent = bounces.c.at >= emails.sent_since
        about = select(bounces.c.delivery_id).where(bounces.c.kind == kind, recent)
        if proven:
            about = about.where(bounces.c.source != BounceSource.MAIL)
        people = func.count(distinct(deliveries.c.subscriber_id))
        return self._count_of(people, emails, deliveries.c.id.in_(about))

    def recipients_at(self, provider: str, kind: BounceKind, since: datetime) -> int:
        """Count the people at a provider to whom emails came back since a moment, with proof."""
        query = (
            select(func.count(distinct(deliveries.c.subscriber_id)))
            .join(bounces, bounces.c.delivery_id == deliveries.c.id)
            .where(deliveries.c.provider == provider, deliveries.c.changed_at > since)
            .where(bounces.c.kind == kind, bounces.c.at >= since)
            .where(bounces.c.source != BounceSource.MAIL)
        )
        return self._count(query)

    def accepted(self, emails: Span) -> int:
        """Count the emails of a span that were accepted."""
        return self._count_of(func.count(), emails, deliveries.c.state == DeliveryState.ACCEPTED)

    def _count_of(self, what: ColumnElement[int], emails: Span, which: ColumnElement[bool]) -> int:
        # By edition, because there is an index for that: a long list has millions of deliveries.
        theirs = select(editions.c.id).where(editions.c.frozen_at >= emails.frozen_since)
        sent = deliveries.c.changed_at >= emails.sent_since
        return self._count(
            select(what)
            .select_from(deliveries)
            .where(which, deliveries.c.edition_id.in_(theirs), sent)
        )


def _others_got_theirs() -> ColumnElement[bool]:
    """Return the condition of ``may_be_about_address`` for a row of deliveries."""
    others = deliveries.alias()
    same = others.c.edition_id == deliveries.c.edition_id
    there = others.c.provider == deliveries.c.provider
    accepted = others.c.state == DeliveryState.ACCEPTED
    refused = select(func.count()).where(same, there, others.c.state == DeliveryState.REFUSED)
    return and_(
        exists().where(same, accepted),
        or_(
            deliveries.c.provider == "",
            exists().where(same, there, accepted),
            refused.correlate(deliveries).scalar_subquery() < FEWEST_ALIKE,
        ),
    )


def _day(row: Row[Any]) -> date:
    day: date = row.day or row.frozen_at.date()
    return day


def _is(delivery: Delivery, kind: BounceKind) -> ColumnElement[bool]:
    return and_(bounces.c.delivery_id == delivery.id, bounces.c.kind == kind)


def _storable(text: str) -> str:
    """Return a text without what PostgreSQL refuses: NUL and lone surrogates."""
    return text.replace("\0", "").encode(errors="replace").decode()
