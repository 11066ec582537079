"""Readers' ratings of single papers: more like this, or not for me."""

from collections.abc import Collection
from contextlib import suppress
from datetime import datetime

from sqlalchemy import delete, insert, select, true
from sqlalchemy.exc import IntegrityError

from subscribers.model import Rating, Verdict
from subscribers.store.rows import ratings_by_person
from subscribers.store.store import Store, near
from subscribers.store.tables import ratings


class Ratings(Store):
    """The ratings in one database."""

    def rate(self, subscriber_id: int, paper: str, verdict: Verdict | None, now: datetime) -> None:
        """Store a verdict on a paper; None removes it. Of two at the same moment one stays."""
        key = {"subscriber_id": subscriber_id, "paper": paper}
        with suppress(IntegrityError), self._engine.begin() as connection:
            connection.execute(delete(ratings).filter_by(**key))
            if verdict is not None:
                connection.execute(insert(ratings).values(**key, verdict=verdict, at=now))

    def of_everybody(self) -> dict[int, list[Rating]]:
        """Return all ratings by the subscriber's id, oldest first."""
        with self._engine.connect() as connection:
            return ratings_by_person(connection, true())

    def of_some(self, ids: Collection[int]) -> dict[int, list[Rating]]:
        """Return the ratings of the people with these ids who have any, oldest first."""
        with self._engine.connect() as connection:
            found = ratings_by_person(connection, near(ratings.c.subscriber_id, ids))
        return {person: found[person] for person in found.keys() & set(ids)}

    def of(self, subscriber_id: int) -> list[Rating]:
        """Return a subscriber's ratings, newest first."""
        with self._engine.connect() as connection:
            mine = ratings_by_person(connection, ratings.c.subscriber_id == subscriber_id)
        return mine.get(subscriber_id, [])[::-1]

    def on(self, subscriber_id: int, paper: str) -> Verdict | None:
        """Return a subscriber's verdict on one paper."""
        query = select(ratings.c.verdict).filter_by(subscriber_id=subscriber_id, paper=paper)
        verdict = self._value(query)
        return None if verdict is None else Verdict(verdict)
