"""Instances: the folders that this ledger is used with (see maintenance/instance_guard.py)."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, text, update

from digest.ledger.tables import instances
from subscribers.store.store import Store

COPIED = ""  # the marker in a copy: no folder has it
MOVED = "moved"  # the marker in a ledger that is moved elsewhere, or was


@dataclass(frozen=True, slots=True)
class Instance:
    """A folder that this ledger is used with. ``mark`` is its copy marker.

    What was due before ``sends_from`` is not sent.
    """

    id: str
    host: str
    home: str
    mark: str
    seen_at: datetime
    sends_from: datetime | None = None


class Instances(Store):
    """The instances of one ledger."""

    def all(self) -> list[Instance]:
        """Return all instances, the one seen last first."""
        query = select(instances).order_by(instances.c.seen_at.desc(), instances.c.id)
        with self._engine.connect() as connection:
            return [Instance(**row) for row in connection.execute(query).mappings()]

    def enter(self, instance: Instance) -> None:
        """Add an instance, or replace it."""
        with self._engine.begin() as connection:
            connection.execute(delete(instances).where(instances.c.id == instance.id))
            connection.execute(insert(instances).values(**asdict(instance)))

    def mark(self, instance_id: str, mark: str, now: datetime) -> None:
        """Change the copy marker of an instance."""
        this = update(instances).where(instances.c.id == instance_id)
        self._write(this.values(mark=mark, seen_at=now))

    def table_id(self) -> str:
        """Return PostgreSQL's number of the table, which a restore changes; "-" for SQLite."""
        if self._engine.dialect.name == "sqlite":
            return "-"
        with self._engine.connect() as connection:
            return str(connection.execute(text("SELECT 'instances'::regclass::oid")).scalar_one())

    def sends_from(self) -> datetime | None:
        """Return the moment before which nothing that was due is sent, if there is one."""
        return self._value(select(func.max(instances.c.sends_from)))


def mark_as_copied(connection: Connection, copied_from: Instance) -> None:
    """Mark a ledger as a copy, so that the guard stops sending: the original may have sent since.

    ``copied_from``, which has the marker, is added if the ledger knows no instance.
    """
    if not connection.execute(update(instances).values(mark=copied_from.mark)).rowcount:
        connection.execute(insert(instances).values(**asdict(copied_from)))
