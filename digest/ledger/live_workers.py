"""The workers that send: each takes a name, and holds the lock of that name while it lives.

So a delivery that is being sent is told from one whose worker has died without looking at a clock.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import select, update

from digest.ledger.claims import Claims
from digest.ledger.locks import forget, held, is_held, left_behind, wait_for_lock
from digest.ledger.tables import deliveries
from digest.model.deliveries import DeliveryState
from subscribers.store.store import Store

_KIND = "sender-"


class LiveWorkers(Store):
    """The workers of one ledger."""

    @contextmanager
    def enter(self) -> Iterator[Claims]:
        """Be a worker, and claim deliveries in its name. Raises Busy."""
        name = secrets.token_hex(8)
        # Others may hold it for a moment: they look whether it is held.
        with wait_for_lock(self._engine, _lock(name)):
            try:
                yield Claims(self._engine, name)
            finally:
                forget(self._engine, _lock(name))

    def resolve_orphaned(self, now: datetime) -> int:
        """Make uncertain what was being sent by workers that died. Return how many they were."""
        being_sent = deliveries.c.state == DeliveryState.SENDING
        names = self._values(select(deliveries.c.claimed_by).where(being_sent).distinct())
        return sum(self._release(name, now) for name in names if not self._lives(name))

    def some_live(self) -> bool:
        """Return whether any worker lives; on SQLite only, where their locks are files."""
        return bool(held(self._engine, _KIND))

    def clear_away(self, before: datetime) -> int:
        """Remove the locks that dead workers took before a moment. Return how many they were."""
        names = left_behind(self._engine, _KIND, before)
        for name in names:
            forget(self._engine, name)
        return len(names)

    def _lives(self, name: str | None) -> bool:
        """Return whether a worker lives; claims from before workers had names have none."""
        return name is not None and is_held(self._engine, _lock(name))

    def _release(self, name: str | None, now: datetime) -> int:
        settled = self._write(
            update(deliveries)
            .where(deliveries.c.state == DeliveryState.SENDING)
            .where(deliveries.c.claimed_by.is_not_distinct_from(name))
            .values(state=DeliveryState.UNCERTAIN, changed_at=now)
        )
        if name is not None:
            forget(self._engine, _lock(name))
        return settled


def _lock(name: str) -> str:
    return f"{_KIND}{name}"
