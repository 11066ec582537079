"""Deliveries of which nobody knows whether they arrived, and what the operator makes of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, select, update

from digest.ledger.deliveries import PLANNED_AT
from digest.ledger.tables import attempts, deliveries, editions
from digest.model.deliveries import Delivery, DeliveryState
from digest.model.digests import Edition, SkipReason
from subscribers.store.store import Store

_IS_UNCERTAIN = deliveries.c.state == DeliveryState.UNCERTAIN


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A delivery whose outcome is uncertain.

    ``since`` is when that was found out. ``last_words`` are what was said in that attempt; empty
    where the run died in it, so that nobody could say anything.
    """

    delivery: Delivery
    edition: date
    planned_at: datetime
    since: datetime
    last_words: str


class Uncertain(Store):
    """The uncertain deliveries of one ledger, of one edition or of all.

    ``resend`` and ``drop`` say how many they were; they are for whoever holds the ledger.
    """

    def all(self, edition: Edition | None = None) -> list[Unanswered]:
        """Those of the oldest edition first."""
        # The attempt is recorded in the moment in which the delivery changes. Earlier ones are no
        # help: what the relay said when it put the delivery off is not why it is uncertain.
        words = (
            select(attempts.c.text)
            .where(
                attempts.c.delivery_id == deliveries.c.id, attempts.c.at == deliveries.c.changed_at
            )
            .order_by(attempts.c.id.desc())
            .limit(1)
            .scalar_subquery()
        )
        query = (
            select(deliveries, editions.c.day, PLANNED_AT.label("planned"), words.label("words"))
            .join(editions, editions.c.id == deliveries.c.edition_id)
            .where(*_of(edition))
            .order_by(editions.c.day, deliveries.c.id)
        )
        return [
            Unanswered(
                delivery=Delivery(row.id, row.edition_id, row.subscriber_id, row.attempts),
                edition=row.day,
                planned_at=row.planned,
                since=row.changed_at,
                last_words=row.words or "",
            )
            for row in self._rows(query)
        ]

    def resend(self, edition: Edition | None, now: datetime) -> int:
        """Have them sent by the next run, as if they never had been tried."""
        return self._settle(_of(edition), now, state=DeliveryState.PENDING, next_attempt_at=None)

    def drop(self, edition: Edition | None, now: datetime) -> int:
        """Give them up."""
        return self._settle(
            _of(edition), now, state=DeliveryState.SKIPPED, reason=SkipReason.DROPPED
        )

    def arrived(self, delivery: Delivery, now: datetime) -> bool:
        """Record that the relay had taken what something came back about; false if known."""
        is_it = (deliveries.c.id == delivery.id, _IS_UNCERTAIN)
        return self._settle(is_it, now, state=DeliveryState.ACCEPTED) == 1

    def _settle(self, which: Iterable[ColumnElement[bool]], now: datetime, **values: object) -> int:
        settled = update(deliveries).where(*which)
        # Its sender has no say any longer.
        return self._write(settled.values(changed_at=now, claimed_by=None, **values))


def _of(edition: Edition | None) -> list[ColumnElement[bool]]:
    its = [] if edition is None else [deliveries.c.edition_id == edition.id]
    return [_IS_UNCERTAIN, *its]
