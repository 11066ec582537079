"""Provider queues: how fast email may go to a provider, and whether at all. "*" is all email."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, or_, select, update

from digest.ledger.database import insert_if_new, write_transaction
from digest.ledger.tables import provider_queues
from subscribers.store.store import Store

_Q = provider_queues.c
ALL = "*"
EVERYBODY = "everybody"  # its name for people, because a shell expands *

# Longer than any interval. A slot further ahead was set by a wrong clock, and is ignored.
_TOO_FAR = timedelta(hours=2)


def name_of(queue: str) -> str:
    """Return a queue's name for people."""
    return EVERYBODY if queue == ALL else queue


@dataclass(frozen=True, slots=True)
class Pause:
    """A queue from which nothing is sent until the operator resumes it."""

    provider: str
    since: datetime
    why: str


class ProviderQueues(Store):
    """The provider queues of one ledger. Each method is one short, committed transaction."""

    # ---- pauses ----

    def pause(self, provider: str, why: str, now: datetime) -> bool:
        """Pause a queue. Return False if it is paused already."""
        with write_transaction(self._engine) as connection:
            _ensure(connection, provider)
            its_row = update(provider_queues).where(_Q.provider == provider, _Q.paused_at.is_(None))
            return connection.execute(its_row.values(paused_at=now, why=why)).rowcount == 1

    def resume(self, provider: str | None, now: datetime) -> list[str]:
        """Resume one queue or all. Return those that were paused, by name."""
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
        """Return the paused queues, by name."""
        query = select(_Q.provider, _Q.paused_at, _Q.why).where(_Q.paused_at.is_not(None))
        return [Pause(*row) for row in self._rows(query.order_by(_Q.provider))]

    def resumed_at(self, provider: str) -> datetime | None:
        """Return when the operator resumed a queue last."""
        return self._value(select(_Q.resumed_at).where(_Q.provider == provider))

    # ---- rates ----

    def intervals(self) -> dict[str, float]:
        """Return the seconds between two messages of each queue that replies have slowed down."""
        query = select(_Q.provider, _Q.gap).where(_Q.gap > 0)
        return {row.provider: row.gap for row in self._rows(query)}

    def sent_on(self, day: date) -> int:
        """Return how many messages were sent on a day of a warm-up; zero if later ones were."""
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
    """Select the paused providers."""
    return select(_Q.provider).where(_Q.paused_at.is_not(None))


def providers_that_wait(now: datetime) -> Select[tuple[str]]:
    """Select the providers to which nothing may be sent at a moment."""
    waits = or_(_Q.paused_at.is_not(None), is_to_come(now))
    return select(_Q.provider).where(waits)


def is_to_come(now: datetime) -> ColumnElement[bool]:
    """Return the condition that the next slot of a queue is later."""
    return and_(_Q.next_at > now, _Q.next_at <= now + _TOO_FAR)


@dataclass(frozen=True, slots=True)
class Slot:
    """The next slot in a provider queue: its moment (None: at once), or that the queue is paused.

    ``interval`` is the seconds to the slot after it, if replies have slowed the queue down.
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
    """Return the next slot of a queue, and keep it locked until the transaction ends.

    If there is no limit (not ``is_paced``), a row is not made for a queue that has none.
    """
    row = _row(connection, provider)
    if row is None and is_paced:
        _ensure(connection, provider)
        row = _row(connection, provider)
    if row is None:
        return Slot(provider)
    return Slot(provider, row.next_at, row.paused_at is not None, row.gap, is_written=True)


def acquire_slot(connection: Connection, slot: Slot, least_interval: float, now: datetime) -> None:
    """Take a slot: the next message of the queue waits for its interval, if there is one."""
    interval = max(least_interval, slot.interval)
    if slot.is_written and interval:
        next_at = now + timedelta(seconds=interval)
        which = update(provider_queues).where(_Q.provider == slot.provider)
        connection.execute(which.values(next_at=next_at))


def count_one(connection: Connection, day: date, most: int) -> bool:
    """Count a message of a day. Return False, and count nothing, if the limit is reached."""
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
