"""Live workers: each worker has a name, and holds the lock of that name while it lives.

So a delivery whose worker has died is recognised without a clock.
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
        """Register a worker for as long as the context lasts; yield its claims. Raises Busy."""
        name = secrets.token_hex(8)
        # Others hold the lock for a moment when they look whether it is held.
        with wait_for_lock(self._engine, _lock(name)):
            try:
                yield Claims(self._engine, name)
            finally:
                forget(self._engine, _lock(name))

    def resolve_orphaned(self, now: datetime) -> int:
        """Mark as uncertain what dead workers were sending. Return how many deliveries."""
        being_sent = deliveries.c.state == DeliveryState.SENDING
        names = self._values(select(deliveries.c.claimed_by).where(being_sent).distinct())
        resolved = 0
        for name in names:  # None: claimed before workers had names
            if name is None or not is_held(self._engine, _lock(name)):
                its = deliveries.c.claimed_by.is_not_distinct_from(name)
                uncertain = update(deliveries).where(being_sent, its)
                uncertain = uncertain.values(state=DeliveryState.UNCERTAIN, changed_at=now)
                resolved += self._write(uncertain)
                forget(self._engine, _lock(name or ""))
        return resolved

    def some_live(self) -> bool:
        """Return whether any worker lives; only for SQLite, where locks are files."""
        return bool(held(self._engine, _KIND))

    def clear_away(self, before: datetime) -> int:
        """Remove the locks that dead workers took before a moment. Return how many there were."""
        names = left_behind(self._engine, _KIND, before)
        for name in names:
            forget(self._engine, name)
        return len(names)


def _lock(name: str) -> str:
    return f"{_KIND}{name}"
