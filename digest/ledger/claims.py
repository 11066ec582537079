"""Claims: what a worker leases, marks and records, for all of its connections together.

A delivery is leased while it waits: nothing of it was handed over, and if its worker dies it simply
goes back. Right before its message is handed over it is marked as being sent; from then on only its
outcome ends it, and a crash makes it uncertain. Many workers may run at once. Only the one that has
leased a delivery touches it until its outcome is recorded.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Engine, case, update

from digest.ledger import group_statements
from digest.ledger.database import write_transaction
from digest.ledger.delivery_rows import REACHED_FROM, among, is_held_by
from digest.ledger.leases import Lease, Leased, take
from digest.ledger.locks import in_turn
from digest.ledger.provider_queues import (
    ALL,
    Exceptions,
    IntervalChange,
    Limits,
    Turn,
    Wait,
    acquire_turn,
    change_interval,
    exceptions,
)
from digest.ledger.tables import deliveries
from digest.model.deliveries import WAITING, Delivery, DeliveryState
from digest.model.digests import SkipReason
from digest.model.messages import Outcome
from subscribers.model import Standing
from subscribers.store import rows
from subscribers.store.store import Store

_S = DeliveryState
_SKIPPED_FOR = {
    Standing.WITHDRAWN: SkipReason.WITHDRAWN,
    Standing.NOT_CONFIRMED: SkipReason.NOT_CONFIRMED,
    Standing.REMOVED: SkipReason.REMOVED,
}


@dataclass(frozen=True, slots=True)
class Mark:
    """A wish to hand over the message of a leased delivery, which is to this address."""

    delivery: Delivery
    address: str


@dataclass(frozen=True, slots=True)
class Record:
    """The outcome of one SMTP transaction, and when the next attempt is, if any.

    A delivery that is refused for another reason than its address is deferred. Without a mark of
    its own, it does not end what another lease of this worker is sending.
    """

    delivery: Delivery
    outcome: Outcome
    next_attempt_at: datetime | None = None
    took: timedelta | None = None
    is_marked: bool = True

    @property
    def state(self) -> DeliveryState:
        return _S.DEFERRED if self.outcome.refused_for else _S(self.outcome.kind)


@dataclass(frozen=True, slots=True)
class Release:
    """A lease that is given back; with a moment, to be tried then at the earliest.

    Only who has marked it may undo the mark.
    """

    delivery: Delivery
    not_before: datetime | None = None
    undoes_mark: bool = False


@dataclass(frozen=True, slots=True)
class Skip:
    """A leased delivery that must not be sent."""

    delivery: Delivery
    reason: SkipReason


@dataclass(slots=True)
class Group:
    """Holds all that a worker's connections ask for together, in the order in which it is done.

    ``turns`` are the providers of messages that may have to wait for their queue's interval.
    """

    limits: Limits
    records: list[Record] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)
    skips: list[Skip] = field(default_factory=list)
    changes: list[IntervalChange] = field(default_factory=list)
    turns: list[str] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    leases: list[Lease] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers to a group, each list in its order: a mark is answered by whether it stands."""

    turns: list[Turn | Wait]
    marks: list[bool]
    leases: list[Leased]
    exceptions: Exceptions


class Claims(Store):
    """The claims of one worker, which is called ``name``."""

    def __init__(self, engine: Engine, name: str) -> None:
        super().__init__(engine)
        self.name = name

    def commit(self, group: Group, now: datetime) -> Answers:
        """Do all that a group asks for, in one transaction.

        If its answer is lost it may be done again: nothing is recorded or handed over twice, but
        turns are lost, and leases forgotten.
        """
        with in_turn(self._engine), write_transaction(self._engine) as connection:
            self._record(connection, group.records, now)
            for release in group.releases:
                self._release(connection, release, now)
            for skip in group.skips:
                self._move(
                    connection, skip.delivery, _S.SKIPPED, now, is_marked=False, reason=skip.reason
                )
            for change in group.changes:
                change_interval(connection, change, now)
            turns = self._turns(connection, group.turns, group.limits, now)
            found = exceptions(connection)
            return Answers(
                turns,
                self._mark(connection, group.marks, found.paused, now),
                [take(connection, lease, self.name, group.limits, now) for lease in group.leases],
                found,
            )

    def release_forgotten(self, now: datetime, only: Collection[int] | None = None) -> int:
        """Give back leases and undo marks whose commit was not answered; return how many.

        Call it while nothing is being sent: nothing at all, or ``only`` nothing of a shard.
        """
        ours = update(deliveries).where(is_held_by(self.name), *among(only))
        return self._write(ours.values(_as_it_was(now)))

    # ---- outcomes ----

    def _record(self, connection: Connection, records: Sequence[Record], now: datetime) -> None:
        accepted = {record.delivery.id for record in records if record.state is _S.ACCEPTED}
        moved = set()
        if accepted:
            moved = group_statements.accept(connection, accepted, self.name, now)
        for record in records:
            if record.state is not _S.ACCEPTED and self._move(
                connection,
                record.delivery,
                record.state,
                now,
                is_marked=record.is_marked,
                next_attempt_at=record.next_attempt_at,
                attempts=deliveries.c.attempts + 1,
                refused_for=record.outcome.refused_for,
            ):
                moved.add(record.delivery.id)
        # None is moved if this was recorded before, and the answer to that commit was lost.
        rows_of_attempts = [
            {
                "delivery_id": record.delivery.id,
                "at": now,
                "outcome": record.outcome.kind.value,
                "code": record.outcome.code,
                "text": record.outcome.text,
                "seconds": None if record.took is None else record.took.total_seconds(),
            }
            for record in records
            if record.delivery.id in moved
        ]
        if rows_of_attempts:
            group_statements.add_attempts(connection, rows_of_attempts)

    def _move(
        self,
        connection: Connection,
        delivery: Delivery,
        to: DeliveryState,
        now: datetime,
        *,
        is_marked: bool = True,
        **values: object,
    ) -> bool:
        """Change the state of a delivery that this worker has. Return whether it has it.

        A worker that lost the database and was taken for dead may still record its outcomes. It may
        have leased it anew beside its old lease: only the one that is marked ends the mark.
        """
        before = REACHED_FROM[to] if is_marked else REACHED_FROM[to] & WAITING
        ours = update(deliveries).where(*self._is_ours(delivery, before))
        keeps = self.name if to is _S.UNCERTAIN else None
        moved = ours.values(state=to, changed_at=now, claimed_by=keeps, **values)
        return connection.execute(moved).rowcount == 1

    def _is_ours(
        self, delivery: Delivery, before: Iterable[DeliveryState]
    ) -> list[ColumnElement[bool]]:
        return [
            deliveries.c.id == delivery.id,
            deliveries.c.state.in_(sorted(before)),
            deliveries.c.claimed_by == self.name,
        ]

    def _release(self, connection: Connection, release: Release, now: datetime) -> None:
        if release.not_before is not None:
            at, its_mark = {"next_attempt_at": release.not_before}, release.undoes_mark
            self._move(connection, release.delivery, _S.PENDING, now, is_marked=its_mark, **at)
            return
        before = REACHED_FROM[_S.PENDING] if release.undoes_mark else WAITING
        ours = update(deliveries).where(*self._is_ours(release.delivery, before))
        connection.execute(ours.values(_as_it_was(now)))

    # ---- turns and marks ----

    def _turns(
        self, connection: Connection, providers: Sequence[str], limits: Limits, now: datetime
    ) -> list[Turn | Wait]:
        # In one order, or two workers wait for each other.
        asked = sorted(range(len(providers)), key=lambda place: providers[place])
        turns = {place: acquire_turn(connection, providers[place], limits, now) for place in asked}
        return [turns[place] for place in range(len(providers))]

    def _mark(
        self, connection: Connection, marks: Sequence[Mark], paused: Iterable[str], now: datetime
    ) -> list[bool]:
        """Mark deliveries as being sent, unless they are paused or may no longer be sent.

        Consent, suppression and address are read in the mark's own transaction. What is not marked
        waits as before, or ends.
        """
        if not marks:
            return []
        known = rows.standings(connection, [mark.delivery.subscriber_id for mark in marks])
        gone = (Standing.REMOVED, "")
        standings = [known.get(mark.delivery.subscriber_id, gone) for mark in marks]
        stand = [
            its == (Standing.MAY_RECEIVE, mark.address)
            and (mark.delivery.is_probe or not {ALL, mark.delivery.provider} & set(paused))
            for mark, its in zip(marks, standings, strict=True)
        ]
        ids = {mark.delivery.id for mark, stands in zip(marks, stand, strict=True) if stands}
        marked = group_statements.mark(connection, ids, self.name, now)
        answers = []
        for mark, stands, (standing, _) in zip(marks, stand, standings, strict=True):
            delivery = mark.delivery
            answers.append(stands and delivery.id in marked)
            if stands:
                marked.discard(delivery.id)  # it may be asked for twice
            elif standing is Standing.MAY_RECEIVE:
                self._release(connection, Release(delivery), now)
            else:
                self._drop(connection, delivery, standing, now)
        return answers

    def _drop(
        self, connection: Connection, delivery: Delivery, standing: Standing, now: datetime
    ) -> None:
        """End an unmarked delivery that its subscriber may not get."""
        if standing is Standing.SUPPRESSED:
            self._move(connection, delivery, _S.SUPPRESSED, now, is_marked=False)
        else:
            why = _SKIPPED_FOR[standing]
            self._move(connection, delivery, _S.SKIPPED, now, is_marked=False, reason=why)


def _as_it_was(now: datetime) -> dict[str, object]:
    """Return what gives a delivery back: a mark is undone, and a lease leaves no trace."""
    is_marked = deliveries.c.state.in_([_S.SENDING, _S.UNCERTAIN])
    return {
        "state": case((is_marked, _S.PENDING), else_=deliveries.c.state),
        "changed_at": case((is_marked, now), else_=deliveries.c.changed_at),
        "claimed_by": None,
    }
