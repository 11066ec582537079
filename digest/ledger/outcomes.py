"""Who got what: the deliveries of an edition, to be looked through, and the attempts at one."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select

from digest.ledger.deliveries import report_of
from digest.ledger.tables import attempts, deliveries
from digest.model.deliveries import Delivery, DeliveryReport, DeliveryState
from digest.model.digests import Edition
from digest.model.messages import OutcomeKind
from subscribers.store.overview import ids_with
from subscribers.store.store import Store


@dataclass(frozen=True, slots=True)
class Attempt:
    """One SMTP transaction as it was: its end, and the server's reply."""

    at: datetime
    outcome: OutcomeKind
    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Sought:
    """Which deliveries to look at: those of a state, or for an address with this text in it.

    What is empty does not narrow the search. People who were removed have no address.
    """

    state: DeliveryState | None = None
    address: str = ""


class Outcomes(Store):
    """What became of the deliveries in one ledger."""

    def count(self, edition: Edition, sought: Sought) -> int:
        """How many deliveries of an edition there are of those sought."""
        query = select(func.count()).where(*_conditions(edition, sought))
        return self._count(query)

    def page(
        self, edition: Edition, sought: Sought, most: int, skip: int = 0
    ) -> list[DeliveryReport]:
        """Some of the deliveries sought, in the order they were planned."""
        found = select(deliveries).where(*_conditions(edition, sought)).order_by(deliveries.c.id)
        with self._engine.connect() as connection:
            rows = connection.execute(found.limit(most).offset(skip)).all()
            ids = [row.id for row in rows]
            last = select(func.max(attempts.c.id)).where(attempts.c.delivery_id.in_(ids))
            words = select(attempts.c.delivery_id, attempts.c.text).where(
                attempts.c.id.in_(last.group_by(attempts.c.delivery_id))
            )
            last_words = {row.delivery_id: row.text for row in connection.execute(words)}
        return [report_of(row, last_words.get(row.id, "")) for row in rows]

    def attempts(self, delivery: Delivery, most: int = 100) -> list[Attempt]:
        """The latest attempts at a delivery, oldest first."""
        query = select(attempts).where(attempts.c.delivery_id == delivery.id)
        rows = self._rows(query.order_by(attempts.c.id.desc()).limit(most))
        return [
            Attempt(row.at, OutcomeKind(row.outcome), row.code, row.text) for row in reversed(rows)
        ]


def _conditions(edition: Edition, sought: Sought) -> list[ColumnElement[bool]]:
    conditions = [deliveries.c.edition_id == edition.id]
    if sought.state is not None:
        conditions.append(deliveries.c.state == sought.state)
    if sought.address:
        conditions.append(deliveries.c.subscriber_id.in_(ids_with(sought.address)))
    return conditions
