"""Changes that an operator makes to many people at once, some hundred in each transaction."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from sqlalchemy import bindparam, delete, select, update

from subscribers.model import Suppression, SuppressionReason
from subscribers.store import rows
from subscribers.store.store import Store
from subscribers.store.tables import subscribers, suppressions

_BLOCK = 500  # people in one transaction


class BulkChanges(Store):
    """Changes to the people with some ids; each returns how many people or blocks it changed.

    Whoever is no longer there is left out, so that a change which was broken off can be repeated.
    """

    def pause(self, ids: Sequence[int], until: date | None) -> int:
        """Pause people until a day, or end their pauses; nothing else of them changes."""
        text = None if until is None else until.isoformat()
        return sum(self._pause(some, text) for some in _blocks(ids))

    def _pause(self, ids: Sequence[int], until: str | None) -> int:
        its = subscribers.c
        theirs = its.id.in_(ids)
        with self._engine.begin() as connection:
            # It changes nothing, but whoever saves their preferences at this moment has to wait.
            connection.execute(update(subscribers).where(theirs).values(public_id=its.public_id))
            found = connection.execute(select(its.id, its.preferences).where(theirs))
            changed = [
                {"whose": number, "new": {**record, "paused_until": until}}
                for number, record in found
                if record.get("paused_until") != until
            ]
            if changed:
                one = update(subscribers).where(its.id == bindparam("whose"))
                connection.execute(one.values(preferences=bindparam("new")), changed)
            return len(changed)

    def block(self, ids: Sequence[int], now: datetime) -> int:
        """Block people's addresses, as `suppress` does."""
        new, blocked = Suppression(SuppressionReason.OPERATOR, now), 0
        for some in _blocks(ids):
            theirs = select(subscribers.c.address).where(subscribers.c.id.in_(some))
            with self._engine.begin() as connection:
                blocked += rows.block(connection, connection.execute(theirs).scalars().all(), new)
        return blocked

    def unblock(self, ids: Sequence[int]) -> int:
        """Lift the blocks on people's addresses, whatever they are for."""
        lifted = 0
        for some in _blocks(ids):
            keys = select(subscribers.c.address_key).where(subscribers.c.id.in_(some))
            lifted += self._write(delete(suppressions).where(suppressions.c.address_key.in_(keys)))
        return lifted

    def remove(self, ids: Sequence[int]) -> int:
        """Delete people and all data about them, but not blocks."""
        return sum(
            self._write(delete(subscribers).where(subscribers.c.id.in_(some)))
            for some in _blocks(ids)
        )


def _blocks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for begin in range(0, len(ids), _BLOCK):
        yield ids[begin : begin + _BLOCK]
