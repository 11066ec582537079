"""Blocks on addresses. They outlive the person's removal and return."""

from datetime import datetime

from sqlalchemy import delete, func, select

from subscribers.addresses import address_key
from subscribers.model import Suppression, SuppressionReason
from subscribers.store import rows
from subscribers.store.store import Store
from subscribers.store.tables import suppressions


class Suppressions(Store):
    """The blocks of one database."""

    def add(self, address: str, reason: SuppressionReason, *, now: datetime) -> None:
        """Block an address. The first reason stays, but any other replaces a bounce."""
        with self._engine.begin() as connection:
            rows.block(connection, [address], Suppression(reason, now))

    def lift(self, address: str) -> bool:
        """Lift the block on an address; return whether there was one."""
        block = suppressions.c.address_key == address_key(address)
        return self._write(delete(suppressions).where(block)) > 0

    def count(self, reason: SuppressionReason, since: datetime) -> int:
        """Return how many addresses were blocked for a reason since a moment."""
        which = suppressions.c.reason == reason, suppressions.c.at >= since
        return self._count(select(func.count()).select_from(suppressions).where(*which))

    def lift_all(self, reason: SuppressionReason, since: datetime) -> int:
        """Lift the blocks for a reason since a moment. Return how many there were."""
        which = suppressions.c.reason == reason, suppressions.c.at >= since
        return self._write(delete(suppressions).where(*which))

    def covers(self, address: str) -> bool:
        """Return whether there is a block on an address."""
        with self._engine.connect() as connection:
            return rows.block_on(connection, address) is not None

    def allow_request(self, address: str) -> bool:
        """Return whether an email may ask for confirmation: if it arrives, bounces are over."""
        with self._engine.connect() as connection:
            known = rows.block_on(connection, address)
        return known is None or known.reason.is_bounce
