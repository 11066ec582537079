"""Provider queues: how fast mail may go to a provider, and whether at all. "*" is that of all."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, or_, select, update

from digest.ledger.database import insert_if_new, write_transaction
from digest.ledger.tables import provider_queues
from subscribers.store.store import Store

_Q = provider_queues.c
ALL = "*"
EVERYBODY = "everybody"  # what people call it; in a shell * is something else

# Longer than any interval. A slot further ahead was set by a wrong clock, and holds nobody up.
_TOO_FAR = timedelta(hours=2)


def name_of(queue: str) -> str:
    """Return a queue's name for people: to whom its mail goes."""
    return EVERYBODY if queue == ALL else queue


@dataclass(frozen=True, slots=True)
class Pause:
    """A queue from which nothing goes until the operator says so."""

    provider: str
    since: datetime
    why: str


class ProviderQueues(Store):
    """The provider queues of one ledger. Each method is one short, committed transaction."""

    # ---- pauses ----

    def pause(self, provider: str, why: str, now: datetime) -> bool:
        """Let nothing go from a queue; false if that is so already."""
        with write_transaction(self._engine) as connection:
            _ensure(connection, provider)
            its_row = update(provider_queues).where(_Q.provider == provider, _Q.paused_at.is_(None))
            return connection.execute(its_row.values(paused_at=now, why=why)).rowcount == 1

    def resume(self, provider: str | None, now: datetime) -> list[str]:
        """Let mail go again, from one queue or all. Return those that were paused, by name."""
        paused = _Q.paused_at.is_not(None)
        which = paused if provider is None else paused & (_Q.provider == provider)
        with write_transaction(self._engine) as connection:
            resumed = connection.execute(
                update(provider_queues)
                .where(which)
                .values(paused_at=None, why="", resumed_at=now)
                .returning(_Q.provider)
            )
            return sorted(resumed.scalars())

    def paused(self) -> list[Pause]:
        """Return the queues from which nothing goes, by name."""
        query = select(_Q.provider, _Q.paused_at, _Q.why).where(_Q.paused_at.is_not(None))
        return [Pause(*row) for row in self._rows(query.order_by(_Q.provider))]

    def resumed_at(self, provider: str) -> datetime | None:
        """Return when the operator resumed a queue last."""
        return self._value(select(_Q.resumed_at).where(_Q.provider == provider))

    # ---- rates ----

    def intervals(self) -> dict[str, float]:
        """Return the seconds between two messages of each queue, where replies have led to some."""
        query = select(_Q.provider, _Q.gap).where(_Q.gap > 0)
        return {row.provider: row.gap for row in self._rows(query)}

    def sent_on(self, day: date) -> int:
        """Return how many went out on a day of a warm-up, if it is the latest on which any did."""
        query = select(_Q.sent).where(_Q.provider == ALL, _Q.day == day)
        return self._value(query) or 0

    def set_interval(
        self, provider: str, interval: float, not_before: datetime | None = None
    ) -> None:
        """Set the seconds between two messages, and when the next may go at the earliest."""
        with write_transaction(self._engine) as connection:
            _ensure(connection, provider)
            values: dict[str, object] = {"gap": interval}
            if not_before is not None:
                values["next_at"] = not_before
            its_row = update(provider_queues).where(_Q.provider == provider)
            connection.execute(its_row.values(values))


# ---- within the transaction of a claim --------------------------------------------------------


def paused_providers() -> Select[tuple[str]]:
    """The providers to which nothing may go until the operator says so."""
    return select(_Q.provider).where(_Q.paused_at.is_not(None))


def providers_that_wait(now: datetime) -> Select[tuple[str]]:
    """The providers to which nothing may go at a moment."""
    waits = or_(_Q.paused_at.is_not(None), is_to_come(now))
    return select(_Q.provider).where(waits)


def is_to_come(now: datetime) -> ColumnElement[bool]:
    """Select whether the next slot of a queue is later."""
    return and_(_Q.next_at > now, _Q.next_at <= now + _TOO_FAR)


@dataclass(frozen=True, slots=True)
class Slot:
    """The next slot in a provider queue: when it is (none: at once), or that it is closed.

    ``interval`` are the seconds to the slot after it, as replies have led to.
    """

    provider: str
    at: datetime | None = None
    is_closed: bool = False
    interval: float = 0
    is_written: bool = False

    def is_now(self, now: datetime) -> bool:
        waits = self.at is not None and now < self.at <= now + _TOO_FAR
        return not self.is_closed and not waits


def next_slot(connection: Connection, provider: str, *, is_paced: bool) -> Slot:
    """Return the next slot of a queue, which nobody else takes before the transaction ends.

    Without a limit (``is_paced``), a queue of which nothing is known is not written down.
    """
    row = _row(connection, provider)
    if row is None and is_paced:
        _ensure(connection, provider)
        row = _row(connection, provider)
    if row is None:
        return Slot(provider)
    return Slot(provider, row.next_at, row.paused_at is not None, row.gap, is_written=True)


def acquire_slot(connection: Connection, slot: Slot, least_interval: float, now: datetime) -> None:
    """Make the next message of a queue wait for its interval, if it has one."""
    interval = max(least_interval, slot.interval)
    if slot.is_written and interval:
        next_at = now + timedelta(seconds=interval)
        which = update(provider_queues).where(_Q.provider == slot.provider)
        connection.execute(which.values(next_at=next_at))


def count_one(connection: Connection, day: date, most: int) -> bool:
    """Count a mail of a day; false, and none is counted, if there were enough."""
    _ensure(connection, ALL)
    row = _row(connection, ALL)
    before = row.sent if row and row.day == day else 0
    if before >= most:
        return False
    which = update(provider_queues).where(_Q.provider == ALL)
    connection.execute(which.values(day=day, sent=before + 1))
    return True


def _row(connection: Connection, provider: str) -> Row[tuple[object, ...]] | None:
    query = select(provider_queues).where(_Q.provider == provider).with_for_update()
    return connection.execute(query).one_or_none()


def _ensure(connection: Connection, provider: str) -> None:
    insert_if_new(connection, provider_queues, provider=provider)
