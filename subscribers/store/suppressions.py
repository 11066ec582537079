"""Blocks on addresses. They outlive the person's removal and return."""

from datetime import datetime

from sqlalchemy import delete, insert

from subscribers.addresses import address_key
from subscribers.model import SuppressionReason
from subscribers.store.rows import is_suppressed
from subscribers.store.store import Store
from subscribers.store.tables import suppressions


class Suppressions(Store):
    """The blocks of one database."""

    def add(self, address: str, reason: SuppressionReason, *, now: datetime) -> None:
        """Block an address. The first reason stays."""
        key = address_key(address)
        with self._engine.begin() as connection:
            if not is_suppressed(connection, key):
                connection.execute(
                    insert(suppressions).values(address_key=key, reason=reason, at=now)
                )

    def lift(self, address: str) -> bool:
        """Lift the block on an address; return whether there was one."""
        block = suppressions.c.address_key == address_key(address)
        return self._write(delete(suppressions).where(block)) > 0

    def covers(self, address: str) -> bool:
        """Return whether there is a block on an address."""
        with self._engine.connect() as connection:
            return is_suppressed(connection, address_key(address))
