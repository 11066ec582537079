"""Outcomes: the deliveries of an edition, searched and in pages, and the attempts at each."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, func, or_, select

from digest.ledger.deliveries import Deliveries
from digest.ledger.provider_queues import paused_providers
from digest.ledger.tables import announcements, attempts, deliveries, editions
from digest.model.announcements import Mailing, name_of
from digest.model.deliveries import WAITING, Delivery, DeliveryReport, DeliveryState
from digest.model.diagnosis import Scope
from digest.model.messages import OutcomeKind
from subscribers.store.overview import ids_with
from subscribers.store.store import Store


@dataclass(frozen=True, slots=True)
class Attempt:
    """An SMTP transaction: its outcome, and the server's reply."""

    at: datetime
    outcome: OutcomeKind
    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Sought:
    """A search for deliveries: by state, and by text in the address. Empty values match all."""

    state: DeliveryState | None = None
    address: str = ""


@dataclass(frozen=True, slots=True)
class Past:
    """Somebody's delivery of an edition: its state since ``at``, and why it was skipped."""

    day: date
    state: DeliveryState
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RefusedEdition:
    """The number of an edition's deliveries that wait because they were refused because of us.

    ``day`` is that of the edition, or the name of an announcement. ``said`` is the first of the
    replies.
    """

    day: date | str
    count: int
    said: str


class Outcomes(Store):
    """The results of the deliveries in one ledger."""

    def count(self, edition: Mailing, sought: Sought) -> int:
        """Count the deliveries of an edition that match."""
        its = deliveries.c.edition_id == edition.id
        return self._count(select(func.count()).where(its, *_conditions(sought)))

    def page(
        self, edition: Mailing, sought: Sought, most: int, skip: int = 0
    ) -> list[DeliveryReport]:
        """Return some of the deliveries that match, in the order they were planned."""
        found = Deliveries(self._engine)
        return found.reports(edition, *_conditions(sought), most=most, skip=skip)

    def of_person(self, subscriber_id: int, most: int) -> list[Past]:
        """Return somebody's latest deliveries, newest first."""
        query = (
            select(editions.c.day, deliveries.c.state, deliveries.c.reason, deliveries.c.changed_at)
            .join(editions, editions.c.id == deliveries.c.edition_id)
            .where(deliveries.c.subscriber_id == subscriber_id)
            .order_by(deliveries.c.id.desc())
            .limit(most)
        )
        return [
            Past(row.day, DeliveryState(row.state), row.reason or "", row.changed_at)
            for row in self._rows(query)
        ]

    def attempts(self, delivery: Delivery, most: int = 100) -> list[Attempt]:
        """Return the latest attempts at a delivery, oldest first."""
        query = select(attempts).where(attempts.c.delivery_id == delivery.id)
        rows = self._rows(query.order_by(attempts.c.id.desc()).limit(most))
        return [
            Attempt(row.at, OutcomeKind(row.outcome), row.code, row.text) for row in reversed(rows)
        ]

    def refused_editions(self) -> list[RefusedEdition]:
        """Return the editions with deliveries that were refused, but not for the address, by day.

        Those that a paused provider refused are left out: the pause says why.
        """
        is_ours = deliveries.c.refused_for != Scope.PROVIDER  # never true where there is none
        is_of_provider = deliveries.c.refused_for == Scope.PROVIDER
        is_paused = deliveries.c.provider.in_(paused_providers())
        query = (
            select(editions.c.day, announcements.c.subject, func.count(), func.min(deliveries.c.id))
            .join_from(deliveries, editions, editions.c.id == deliveries.c.edition_id)
            .outerjoin(announcements, announcements.c.edition_id == editions.c.id)
            .where(deliveries.c.state.in_(WAITING))
            .where(or_(is_ours, and_(is_of_provider, ~is_paused)))
            .group_by(editions.c.id, editions.c.day, announcements.c.subject)
            .order_by(editions.c.id)
        )
        return [
            RefusedEdition(day or name_of(subject), count, self._first_refusal(delivery_id))
            for day, subject, count, delivery_id in self._rows(query)
        ]

    def _first_refusal(self, delivery_id: int) -> str:
        its = attempts.c.delivery_id == delivery_id, attempts.c.outcome == OutcomeKind.REFUSED
        query = select(attempts.c.code, attempts.c.text).where(*its).order_by(attempts.c.id)
        row = self._row(query.limit(1))
        return f"{row.code} {row.text}" if row else ""


def _conditions(sought: Sought) -> list[ColumnElement[bool]]:
    conditions = []
    if sought.state is not None:
        conditions.append(deliveries.c.state == sought.state)
    if sought.address:
        conditions.append(deliveries.c.subscriber_id.in_(ids_with(sought.address)))
    return conditions
