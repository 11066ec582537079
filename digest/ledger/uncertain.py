"""Uncertain deliveries: nobody knows whether they arrived, and only the operator resolves them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, select, update

from digest.ledger.delivery_rows import PLANNED_AT
from digest.ledger.tables import announcements, attempts, deliveries, editions
from digest.model.announcements import name_of
from digest.model.deliveries import Delivery, DeliveryState
from digest.model.digests import Edition, SkipReason
from subscribers.store.store import Store
from subscribers.store.tables import subscribers

_IS_UNCERTAIN = deliveries.c.state == DeliveryState.UNCERTAIN
_NO_WORDS = "the run was broken off while sending it"


@dataclass(frozen=True, slots=True)
class UncertainDelivery:
    """An uncertain delivery; ``address`` is empty if the subscriber was removed.

    ``edition`` is the day of its edition, or the name of an announcement.

    ``since`` is when it became uncertain, ``last_words`` the error of that attempt.
    """

    edition: date | str
    address: str
    planned_at: datetime
    since: datetime
    last_words: str


class Uncertain(Store):
    """The uncertain deliveries of one ledger, of one edition or of all.

    ``resend`` and ``drop`` return how many there were; their caller holds the lock of runs.
    """

    def all(self, edition: Edition | None = None) -> list[UncertainDelivery]:
        """Return the uncertain deliveries, those of the oldest edition first."""
        # An attempt is recorded at the moment at which the delivery changes. The words of an
        # earlier attempt, which was deferred, do not say why this one is uncertain.
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
            select(
                editions.c.day,
                announcements.c.subject,
                subscribers.c.address,
                PLANNED_AT,
                deliveries.c.changed_at,
                words,
            )
            .join_from(deliveries, editions, editions.c.id == deliveries.c.edition_id)
            .outerjoin(announcements, announcements.c.edition_id == editions.c.id)
            .outerjoin(subscribers, subscribers.c.id == deliveries.c.subscriber_id)
            .where(*_of(edition))
            .order_by(editions.c.id, deliveries.c.id)
        )
        return [
            UncertainDelivery(
                day or name_of(subject), address or "", planned_at, since, last_words or _NO_WORDS
            )
            for day, subject, address, planned_at, since, last_words in self._rows(query)
        ]

    def resend(self, edition: Edition | None, now: datetime) -> int:
        """Let the next run send them, as if they had never been tried."""
        return self._resolve(_of(edition), now, state=DeliveryState.PENDING, next_attempt_at=None)

    def drop(self, edition: Edition | None, now: datetime) -> int:
        """Skip them."""
        skipped, dropped = DeliveryState.SKIPPED, SkipReason.DROPPED
        return self._resolve(_of(edition), now, state=skipped, reason=dropped)

    def arrived(self, delivery: Delivery, now: datetime) -> bool:
        """Record that the relay had accepted a delivery. Return False if it was not uncertain."""
        is_it = (deliveries.c.id == delivery.id, _IS_UNCERTAIN)
        return self._resolve(is_it, now, state=DeliveryState.ACCEPTED) == 1

    def _resolve(
        self, which: Iterable[ColumnElement[bool]], now: datetime, **values: object
    ) -> int:
        # The worker that claimed it may change it no longer.
        resolved = update(deliveries).where(*which)
        return self._write(resolved.values(changed_at=now, claimed_by=None, **values))


def _of(edition: Edition | None) -> list[ColumnElement[bool]]:
    its = [] if edition is None else [deliveries.c.edition_id == edition.id]
    return [_IS_UNCERTAIN, *its]
