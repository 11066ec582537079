"""Who works with this ledger, and since when: the ledger's side of guard.py."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from digest.ledger.tables import instances

COPIED = ""  # the mark in a copy: no folder has it


@dataclass(frozen=True, slots=True)
class Instance:
    """A folder that this ledger is used with. ``mark`` is another after each time mail was sent.

    What was due before ``sends_from`` is not sent.
    """

    id: str
    host: str
    home: str
    mark: str
    seen_at: datetime
    sends_from: datetime | None = None


class Instances:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self) -> list[Instance]:
        """All of them, the one seen last first."""
        query = select(instances).order_by(instances.c.seen_at.desc(), instances.c.id)
        with self._engine.connect() as connection:
            return [Instance(**row) for row in connection.execute(query).mappings()]

    def enter(self, instance: Instance) -> None:
        """From now on this is one, as it is given here."""
        with self._engine.begin() as connection:
            connection.execute(delete(instances).where(instances.c.id == instance.id))
            connection.execute(insert(instances).values(**_values(instance)))

    def mark(self, instance_id: str, mark: str, now: datetime) -> None:
        this = update(instances).where(instances.c.id == instance_id)
        with self._engine.begin() as connection:
            connection.execute(this.values(mark=mark, seen_at=now))

    def sends_from(self) -> datetime | None:
        """What was due before is not sent; None if there is no such moment."""
        with self._engine.connect() as connection:
            return connection.execute(select(func.max(instances.c.sends_from))).scalar()


def mark_as_copied(connection: Connection, copied_from: Instance) -> None:
    """Whoever uses this ledger is asked first: it is a copy of one that may have sent since.

    Where nobody is known to have used it, that is who has.
    """
    if not connection.execute(update(instances).values(mark=COPIED)).rowcount:
        connection.execute(insert(instances).values(**_values(copied_from)))


def _values(instance: Instance) -> dict[str, object]:
    return {column.name: getattr(instance, column.name) for column in instances.columns}
