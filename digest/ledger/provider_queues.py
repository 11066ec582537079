"""Provider queues: how fast email may go to a provider, and whether at all. "*" is all email."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, or_, select, true, update

from digest.ledger.database import insert_if_new, write_transaction
from digest.ledger.tables import provider_queues
from subscribers.store.store import Store

_Q = provider_queues.c
ALL = "*"
EVERYBODY = "everybody"  # its name for people, because a shell expands *

# The time from a pause to its first probe; it doubles from each probe to the next.
FIRST_PROBE = timedelta(minutes=10)
LONGEST_PROBE = timedelta(hours=6)
# Longer than any interval. A slot further ahead was set by a wrong clock, and is ignored.
_TOO_FAR = timedelta(hours=2)


def name_of(queue: str) -> str:
    """Return a queue's name for people."""
    return EVERYBODY if queue == ALL else queue


@dataclass(frozen=True, slots=True)
class Pause:
    """A queue from which nothing is sent until the operator resumes it, or a probe is accepted.

    A probe is a single message, sent at ``probe_at``; None if only the operator ends the pause.
    ``probes`` were sent so far.
    """

    provider: str
    since: datetime
    why: str
    probe_at: datetime | None = None
    probes: int = 0


class ProviderQueues(Store):
    """The provider queues of one ledger. Each method is one short, committed transaction."""

    # ---- pauses ----

    def pause(
        self, provider: str, why: str, now: datetime, probe_at: datetime | None = None
    ) -> bool:
        """Pause a queue. Return False if it is paused already.

        With ``probe_at``, the pause ends as soon as a probe is accepted.
        """
        pause = {"paused_at": now, "why": why, "probe_at": probe_at, "probes": 0}
        with write_transaction(self._engine) as connection:
            _ensure(connection, provider)
            its_row = update(provider_queues).where(_Q.provider == provider, _Q.paused_at.is_(None))
            return connection.execute(its_row.values(pause)).rowcount == 1

    def resume(self, provider: str | None, now: datetime) -> list[str]:
        """Resume one queue or all. Return those that were paused, by name."""
        return self._resume(now, true() if provider is None else _Q.provider == provider)

    def end_by_probe(self, provider: str, now: datetime) -> list[str]:
        """Resume what a probe to a provider was sent for. Return the queues, by name."""
        return self._resume(now, _Q.provider.in_([provider, ALL]), _Q.probe_at.is_not(None))

    def _resume(self, now: datetime, *which: ColumnElement[bool]) -> list[str]:
        resumed = {"paused_at": None, "why": "", "resumed_at": now, "probe_at": None, "probes": 0}
        with write_transaction(self._engine) as connection:
            ended = connection.execute(
                update(provider_queues)
                .where(_Q.paused_at.is_not(None), *which)
                .values(resumed)
                .returning(_Q.provider)
            )
            return sorted(ended.scalars())

    def probe_now(self, now: datetime, provider: str | None = None) -> None:
        """Make the next probes due now: for a provider and all mail, or for every pause."""
        its_rows = update(provider_queues).where(_Q.probe_at > now)
        if provider is not None:
            its_rows = its_rows.where(_Q.provider.in_([provider, ALL]))
        self._write(its_rows.values(probe_at=now))

    def paused(self) -> list[Pause]:
        """Return the paused queues, by name."""
        query = select(_Q.provider, _Q.paused_at, _Q.why, _Q.probe_at, _Q.probes)
        rows = self._rows(query.where(_Q.paused_at.is_not(None)).order_by(_Q.provider))
        return [Pause(*row) for row in rows]

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


def closed_queues(now: datetime) -> Select[tuple[str]]:
    """Select the paused queues for which no probe is due at a moment."""
    return paused_providers().where(or_(_Q.probe_at.is_(None), _Q.probe_at > now))


def providers_that_wait(now: datetime) -> Select[tuple[str]]:
    """Select the providers to which nothing may be sent at a moment."""
    return select(_Q.provider).where(or_(_Q.provider.in_(closed_queues(now)), is_to_come(now)))


def is_to_come(now: datetime) -> ColumnElement[bool]:
    """Return the condition that the next slot of a queue is later."""
    return and_(_Q.next_at > now, _Q.next_at <= now + _TOO_FAR)


@dataclass(frozen=True, slots=True)
class Slot:
    """The next slot in a provider queue: its moment (None: at once), or that the queue is paused.

    ``interval`` is the seconds to the slot after it, if replies have slowed the queue down. A slot
    of a paused queue may be for a probe (``is_probe``); ``probes`` were sent before.
    """

    provider: str
    at: datetime | None = None
    is_closed: bool = False
    interval: float = 0
    is_written: bool = False
    is_probe: bool = False
    probes: int = 0

    def is_now(self, now: datetime) -> bool:
        waits = self.at is not None and now < self.at <= now + _TOO_FAR
        return not self.is_closed and not waits


def next_slot(connection: Connection, provider: str, now: datetime, *, is_paced: bool) -> Slot:
    """Return the next slot of a queue, and keep it locked until the transaction ends.

    If there is no limit (not ``is_paced``), a row is not made for a queue that has none.
    """
    row = _row(connection, provider)
    if row is None and is_paced:
        _ensure(connection, provider)
        row = _row(connection, provider)
    if row is None:
        return Slot(provider)
    is_paused = row.paused_at is not None
    is_probe = is_paused and row.probe_at is not None and row.probe_at <= now
    return Slot(
        provider,
        row.next_at,
        is_paused and not is_probe,
        row.gap,
        is_written=True,
        is_probe=is_probe,
        probes=row.probes,
    )


def acquire_slot(connection: Connection, slot: Slot, least_interval: float, now: datetime) -> None:
    """Take a slot: the next message waits for the queue's interval, the next probe for its time."""
    interval = max(least_interval, slot.interval)
    values: dict[str, object] = {}
    if slot.is_written and interval:
        values["next_at"] = now + timedelta(seconds=interval)
    if slot.is_probe:
        wait = min(FIRST_PROBE * 2 ** min(slot.probes + 1, 10), LONGEST_PROBE)
        values |= {"probe_at": now + wait, "probes": slot.probes + 1}
    if values:
        its_row = update(provider_queues).where(_Q.provider == slot.provider)
        connection.execute(its_row.values(values))


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
