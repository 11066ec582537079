"""The papers that were chosen for a person lately, whatever became of the emails."""

from dataclasses import dataclass
from datetime import UTC, datetime, time

from sqlalchemy import select

from digest.ledger.papers import rows_with
from digest.ledger.tables import deliveries, editions, papers
from digest.model.digests import Match, Section
from digest.model.packed_picks import unpack
from subscribers.store.store import Store


@dataclass(frozen=True, slots=True)
class ChosenPaper:
    """A paper that was chosen for somebody: its canonical id, and why and when."""

    key: str
    section: Section
    match: Match | None
    at: datetime


class ChosenPapers(Store):
    """The chosen papers in one ledger."""

    def of(self, subscriber_id: int, most: int) -> list[ChosenPaper]:
        """Return a person's last papers, in the order of their digests, the newest digest first."""
        query = (
            select(deliveries.c.picks, deliveries.c.planned_at, editions.c.day)
            .join(editions, editions.c.id == deliveries.c.edition_id)
            .where(deliveries.c.subscriber_id == subscriber_id, deliveries.c.picks.is_not(None))
            .order_by(editions.c.day.desc(), deliveries.c.id.desc())
        )
        with self._engine.connect() as connection:
            digests = connection.execute(query.limit(most))  # with a paper at least
            chosen = [(row, pick) for row in digests for pick in unpack(row.picks)][:most]
            numbers = {pick.paper_id for _, pick in chosen}
            keys = {
                row.id: row.key
                for row in rows_with(connection, papers, papers.c.id, sorted(numbers))
            }
        return [
            ChosenPaper(
                keys[pick.paper_id],
                pick.section,
                pick.match,
                row.planned_at or datetime.combine(row.day, time(), UTC),
            )
            for row, pick in chosen
        ]
