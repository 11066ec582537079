"""Who works with this ledger, and since when: the ledger's side of instance_guard.py."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, text, update

from digest.ledger.tables import instances
from subscribers.store.store import Store

COPIED = ""  # the marker in a copy: no folder has it


@dataclass(frozen=True, slots=True)
class Instance:
    """A folder that this ledger is used with. ``mark`` changes each time before messages are sent.

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
        """Return all of them, the one seen last first."""
        query = select(instances).order_by(instances.c.seen_at.desc(), instances.c.id)
        with self._engine.connect() as connection:
            return [Instance(**row) for row in connection.execute(query).mappings()]

    def enter(self, instance: Instance) -> None:
        """Add one, or replace what was known of it."""
        with self._engine.begin() as connection:
            connection.execute(delete(instances).where(instances.c.id == instance.id))
            connection.execute(insert(instances).values(**_values(instance)))

    def mark(self, instance_id: str, mark: str, now: datetime) -> None:
        """Write down the marker that an instance has from now on."""
        this = update(instances).where(instances.c.id == instance_id)
        self._write(this.values(mark=mark, seen_at=now))

    def table_id(self) -> str:
        """Return the number that PostgreSQL gave the table: restored, it has another.

        A file of SQLite has none.
        """
        if self._engine.dialect.name == "sqlite":
            return "-"
        with self._engine.connect() as connection:
            return str(connection.execute(text("SELECT 'instances'::regclass::oid")).scalar_one())

    def sends_from(self) -> datetime | None:
        """Return the moment before which nothing that was due is sent; None if there is none."""
        return self._value(select(func.max(instances.c.sends_from)))


def mark_as_copied(connection: Connection, copied_from: Instance) -> None:
    """Make the guard ask whoever uses this ledger: the one it was copied from may have sent since.

    Where no instance is known, ``copied_from`` becomes one.
    """
    if not connection.execute(update(instances).values(mark=COPIED)).rowcount:
        connection.execute(insert(instances).values(**_values(copied_from)))


def _values(instance: Instance) -> dict[str, object]:
    return {column.name: getattr(instance, column.name) for column in instances.columns}
