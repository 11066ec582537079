"""Last runs: when each recurring job was done last."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, insert, select

from digest.ledger.database import write_transaction
from digest.ledger.tables import last_runs
from subscribers.store.store import Store


class Job(StrEnum):
    """The recurring jobs whose last run is recorded."""

    PLANNED = "planned"  # everybody who was due by then has a row
    TIDIED = "tidied"  # old rows and files were removed
    INBOX = "inbox"  # bounces and replies were read


class LastRuns(Store):
    """The last runs in one ledger."""

    def last(self, name: Job) -> datetime | None:
        """Return when a job was done last; None if never."""
        return self._value(select(last_runs.c.at).where(last_runs.c.name == name))

    def all(self) -> dict[Job, datetime]:
        """Return when each job that was ever done was done last."""
        rows = self._rows(select(last_runs.c.name, last_runs.c.at))
        return {Job(row.name): row.at for row in rows if row.name in set(Job)}

    def reach(self, name: Job, at: datetime) -> None:
        """Record that a job is done up to a moment."""
        with write_transaction(self._engine) as connection:
            connection.execute(delete(last_runs).where(last_runs.c.name == name))
            connection.execute(insert(last_runs).values(name=name, at=at))
