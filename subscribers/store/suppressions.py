"""Standing blocks on addresses. They outlive the person's removal and return."""

from datetime import datetime

from sqlalchemy import Engine, delete, insert

from subscribers.addresses import address_key
from subscribers.model import SuppressionReason
from subscribers.store.rows import is_suppressed
from subscribers.store.tables import suppressions


class Suppressions:
    """The blocks of one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, address: str, reason: SuppressionReason, *, now: datetime) -> None:
        """Block an address. The first reason stays."""
        key = address_key(address)
        with self._engine.begin() as connection:
            if not is_suppressed(connection, key):
                connection.execute(
                    insert(suppressions).values(address_key=key, reason=reason, at=now)
                )

    def lift(self, address: str) -> bool:
        """Lift the block on an address; false if there was none."""
        with self._engine.begin() as connection:
            lifted = connection.execute(
                delete(suppressions).where(suppressions.c.address_key == address_key(address))
            )
            return lifted.rowcount > 0

    def covers(self, address: str) -> bool:
        """Tell whether there is a block on an address."""
        with self._engine.connect() as connection:
            return is_suppressed(connection, address_key(address))
