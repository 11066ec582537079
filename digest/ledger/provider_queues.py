"""Provider queues: how fast email may go to a provider, and whether at all. "*" is all email."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum, auto
from typing import Any

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
TOO_FAR = timedelta(hours=2)
_LITTLE_LATE = timedelta(seconds=1)  # a turn that is taken as late as this was taken in time
_UNLIMITED = 1_000_000


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


# ---- within the transactions of claims --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Limits:
    """The configured rate limits. An interval is the seconds between two messages.

    ``most`` is a day and the number of messages allowed on it.
    """

    interval: float = 0
    provider_interval: float = 0
    most: tuple[date, int] | None = None


@dataclass(frozen=True, slots=True)
class IntervalChange:
    """A change of a queue's interval because of a reply: what it ``becomes``, in seconds.

    If it is ``held``, the next message waits for the new interval.
    """

    queue: str
    becomes: Callable[[float], float]
    is_held: bool = False


@dataclass(frozen=True, slots=True)
class Exceptions:
    """The queues that are not as the settings say: slowed down by replies, or paused."""

    slow: frozenset[str] = frozenset()
    paused: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Wait:
    """The answer that a queue has no turn before a moment."""

    queue: str
    until: datetime


class Turn(Enum):
    """The other answers to whether a message may go now."""

    NOW = auto()
    NOT_TODAY = auto()


def paused_providers() -> Select[tuple[str]]:
    """Select the paused providers."""
    return select(_Q.provider).where(_Q.paused_at.is_not(None))


def closed_queues(now: datetime) -> Select[tuple[str]]:
    """Select the paused queues for which no probe is due at a moment."""
    return paused_providers().where(or_(_Q.probe_at.is_(None), _Q.probe_at > now))


def providers_that_wait(now: datetime, until: datetime) -> Select[tuple[str]]:
    """Select the providers to which nothing may be sent before ``until``."""
    waits = and_(_Q.next_at > until, _Q.next_at <= now + TOO_FAR)
    return select(_Q.provider).where(or_(_Q.provider.in_(closed_queues(now)), waits))


_EXCEPTIONS = select(_Q.provider, _Q.gap, _Q.paused_at).where(
    or_(_Q.gap > 0, _Q.paused_at.is_not(None))
)


def exceptions(connection: Connection) -> Exceptions:
    """Return which queues are slowed down or paused."""
    rows = connection.execute(_EXCEPTIONS).all()
    return Exceptions(
        slow=frozenset(row.provider for row in rows if row.gap),
        paused=frozenset(row.provider for row in rows if row.paused_at),
    )


def change_interval(connection: Connection, change: IntervalChange, now: datetime) -> None:
    """Change a queue's interval."""
    _ensure(connection, change.queue)
    row = _row(connection, change.queue)
    assert row is not None
    interval = change.becomes(row.gap)
    values: dict[str, object] = {"gap": interval}
    if change.is_held:
        values["next_at"] = now + timedelta(seconds=interval)
    connection.execute(update(provider_queues).where(_Q.provider == change.queue).values(values))


def acquire_turn(
    connection: Connection, provider: str, limits: Limits, now: datetime
) -> Turn | Wait:
    """Take the turn of a message in its provider's queue and in that of all mail, if it is now.

    Queues that are not paced have no turns.
    """
    queues = [(ALL, limits.interval), (provider, limits.provider_interval)]
    turns = []
    for queue, least in queues:
        row = _row(connection, queue)
        if row is None and (least or (limits.most and queue == ALL)):
            _ensure(connection, queue)
            row = _row(connection, queue)
        if row is not None:
            at: datetime | None = row.next_at
            if at and now < at <= now + TOO_FAR:
                return Wait(queue, at)
            turns.append((row, max(least, row.gap)))
    if limits.most and not _count_one(connection, turns[0][0], *limits.most):
        return Turn.NOT_TODAY
    for row, interval in turns:
        if interval:
            its_row = update(provider_queues).where(_Q.provider == row.provider)
            connection.execute(its_row.values(next_at=_following(row.next_at, interval, now)))
    return Turn.NOW


def _following(turn: datetime | None, interval: float, now: datetime) -> datetime:
    """Return the turn after one that is taken a little late, so that a rate is kept on average."""
    is_late = turn is None or now - turn > min(timedelta(seconds=interval), _LITTLE_LATE)
    return (now if turn is None or is_late else turn) + timedelta(seconds=interval)


def _count_one(connection: Connection, row: Row[Any], day: date, most: int) -> bool:
    """Count a message of a day. Return False, and count nothing, if the limit is reached."""
    before = row.sent if row.day == day else 0
    if before >= most:
        return False
    which = update(provider_queues).where(_Q.provider == ALL)
    connection.execute(which.values(day=day, sent=before + 1))
    return True


@dataclass(frozen=True, slots=True)
class Opening:
    """Says how many messages of a queue may be leased, and whether the one is a probe.

    ``at`` is the moment from which on any may be, if that is later.
    """

    most: int
    is_probe: bool = False
    at: datetime | None = None


def openings(
    connection: Connection,
    queues: Collection[str],
    limits: Limits,
    now: datetime,
    horizon: timedelta,
) -> dict[str, Opening]:
    """Return how many messages of each queue may be leased: what it allows until the horizon."""
    if not queues:
        return {}
    found = connection.execute(select(provider_queues).where(_Q.provider.in_(sorted(queues))))
    rows = {row.provider: row for row in found}
    return {queue: _opening(queue, rows.get(queue), limits, now, horizon) for queue in queues}


def _opening(
    queue: str, row: Row[Any] | None, limits: Limits, now: datetime, horizon: timedelta
) -> Opening:
    least = limits.interval if queue == ALL else limits.provider_interval
    interval = max(least, row.gap) if row else least
    most = max(1, int(horizon.total_seconds() / interval)) if interval else _UNLIMITED
    if row is None:
        return Opening(most)
    if row.paused_at is not None:
        is_due = row.probe_at is not None and row.probe_at <= now
        return Opening(1 if is_due else 0, is_probe=is_due)
    if row.next_at and now + horizon < row.next_at <= now + TOO_FAR:
        return Opening(0, at=row.next_at - horizon)
    return Opening(most)


def take_probe(connection: Connection, queue: str, now: datetime) -> None:
    """Count a probe, and have the next one wait."""
    row = _row(connection, queue)
    if row is not None:
        wait = min(FIRST_PROBE * 2 ** min(row.probes + 1, 10), LONGEST_PROBE)
        its_row = update(provider_queues).where(_Q.provider == queue)
        connection.execute(its_row.values(probe_at=now + wait, probes=row.probes + 1))


def _row(connection: Connection, provider: str) -> Row[Any] | None:
    query = select(provider_queues).where(_Q.provider == provider).with_for_update()
    return connection.execute(query).one_or_none()


def _ensure(connection: Connection, provider: str) -> None:
    insert_if_new(connection, provider_queues, provider=provider)
