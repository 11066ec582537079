"""Last runs: when each recurring job was done last."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, insert, select

from digest.ledger.database import write_transaction
from digest.ledger.tables import last_runs
from subscribers.store.store import Store


class Job(StrEnum):
    PLANNED = "planned"  # everybody who was due up to then has a row
    TIDIED = "tidied"  # what is kept for some time only
    INBOX = "inbox"  # the mail that comes back was read


class LastRuns(Store):
    def last(self, name: Job) -> datetime | None:
        """Return when it was done last; None if never."""
        query = select(last_runs.c.at).where(last_runs.c.name == name)
        return self._value(query)

    def all(self) -> dict[Job, datetime]:
        """Return when each was done last, of those that ever were."""
        rows = self._rows(select(last_runs.c.name, last_runs.c.at))
        known = set(Job)
        return {Job(row.name): row.at for row in rows if row.name in known}

    def reach(self, name: Job, at: datetime) -> None:
        with write_transaction(self._engine) as connection:
            connection.execute(delete(last_runs).where(last_runs.c.name == name))
            connection.execute(insert(last_runs).values(name=name, at=at))
