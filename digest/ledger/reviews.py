"""Reviews: how many inbound emails wait for a person, as of the last reading of each mailbox."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, func, insert, select

from digest.ledger.database import write_transaction
from digest.ledger.tables import reviews
from subscribers.store.store import Store


class ReviewPlace(StrEnum):
    """The places where emails wait for a person."""

    INBOX = "inbox"  # DIGEST_INBOX
    ASIDE = "aside"  # DIGEST_HOME/aside, from standard input


@dataclass(frozen=True, slots=True)
class Review:
    """The emails that wait for a person; ``since`` is when the first of them was found."""

    count: int = 0
    since: datetime | None = None


class Reviews(Store):
    """The reviews of one ledger."""

    def record(self, place: ReviewPlace, count: int, now: datetime) -> None:
        """Record how many wait in a mailbox now; if some did before, they wait since then."""
        its_row = reviews.c.inbox == place
        with write_transaction(self._engine) as connection:
            before = connection.execute(select(reviews.c.since).where(its_row)).scalar()
            connection.execute(delete(reviews).where(its_row))
            if count:
                values = {"inbox": place, "count": count, "since": before or now}
                connection.execute(insert(reviews).values(values))

    def all(self) -> Review:
        """Return how many wait anywhere."""
        query = select(func.coalesce(func.sum(reviews.c.count), 0), func.min(reviews.c.since))
        [(count, since)] = self._rows(query)
        return Review(int(count), since)
