"""What readers think of single papers: more like this, or not for me."""

from collections import defaultdict
from contextlib import suppress
from datetime import datetime

from sqlalchemy import Engine, delete, insert, select
from sqlalchemy.exc import IntegrityError

from subscribers.model import Rating, Verdict
from subscribers.store.rows import rating_of
from subscribers.store.tables import ratings


class Ratings:
    """The opinions in one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def hold(self, subscriber_id: int, paper: str, verdict: Verdict | None, now: datetime) -> None:
        """What a subscriber thinks of a paper from now on; none takes it back.

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
        """All opinions by the subscriber's id, each oldest first."""
        held: dict[int, list[Rating]] = defaultdict(list)
        query = select(ratings).order_by(ratings.c.at, ratings.c.paper)
        with self._engine.connect() as connection:
            for row in connection.execute(query):
                held[row.subscriber_id].append(rating_of(row))
        return held

    def on(self, subscriber_id: int, paper: str) -> Verdict | None:
        """What a subscriber thinks of one paper."""
        query = select(ratings.c.verdict).where(
            ratings.c.subscriber_id == subscriber_id, ratings.c.paper == paper
        )
        with self._engine.connect() as connection:
            verdict = connection.execute(query).scalar()
        return None if verdict is None else Verdict(verdict)
