"""What readers think of single papers: more like this, or not for me."""

from contextlib import suppress
from datetime import datetime

from sqlalchemy import delete, insert, select, true
from sqlalchemy.exc import IntegrityError

from subscribers.model import Rating, Verdict
from subscribers.store.rows import ratings_by_person
from subscribers.store.store import Store
from subscribers.store.tables import ratings


class Ratings(Store):
    """The ratings in one database."""

    def rate(self, subscriber_id: int, paper: str, verdict: Verdict | None, now: datetime) -> None:
        """Store what a subscriber thinks of a paper; None takes it back.

        Of two verdicts at the same moment one stands.
        """
        with suppress(IntegrityError), self._engine.begin() as connection:
            connection.execute(
                delete(ratings)
                .where(ratings.c.subscriber_id == subscriber_id)
                .where(ratings.c.paper == paper)
            )
            if verdict is not None:
                connection.execute(
                    insert(ratings).values(
                        subscriber_id=subscriber_id, paper=paper, verdict=verdict, at=now
                    )
                )

    def of_everybody(self) -> dict[int, list[Rating]]:
        """Return all ratings by the subscriber's id, oldest first."""
        with self._engine.connect() as connection:
            return ratings_by_person(connection, true())

    def on(self, subscriber_id: int, paper: str) -> Verdict | None:
        """Return what a subscriber thinks of one paper."""
        query = select(ratings.c.verdict).where(
            ratings.c.subscriber_id == subscriber_id, ratings.c.paper == paper
        )
        verdict = self._value(query)
        return None if verdict is None else Verdict(verdict)
