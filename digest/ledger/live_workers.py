"""Live workers: each has a name, and shows that it lives.

On SQLite it holds the lock of its name. On PostgreSQL it has a row and renews it every few seconds,
because a session's lock outlives its machine, and a pooler of connections knows no sessions. All
moments in those rows are PostgreSQL's own, so the clocks of the machines do not matter.
"""

import os
import secrets
import socket
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from threading import Event, Thread

import structlog
from sqlalchemy import Engine, delete, func, insert, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from digest.ledger.claims import Claims
from digest.ledger.delivery_rows import among
from digest.ledger.locks import forget, held, is_held, left_behind, wait_for_lock
from digest.ledger.tables import deliveries, workers
from digest.model.deliveries import DeliveryState
from subscribers.store.store import Store

SILENCE = timedelta(seconds=60)  # after which a worker counts as dead
_BEATS = 6  # in that time
_KEPT = timedelta(hours=1)  # that a silent worker is shown
_KIND = "sender-"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class LiveWorker:
    """A worker on PostgreSQL, and for how long it has been silent."""

    name: str
    host: str
    pid: int
    version: str
    slots: int
    silent_for: timedelta


class LiveWorkers(Store):
    """The workers of one ledger."""

    def __init__(self, engine: Engine, silence: timedelta = SILENCE) -> None:
        super().__init__(engine)
        self._silence = silence
        self._has_locks = engine.dialect.name == "sqlite"

    @contextmanager
    def enter(self, slots: int = 0) -> Iterator[Claims]:
        """Register a worker for as long as the context lasts; yield its claims. Raises Busy."""
        name = secrets.token_hex(8)
        if not self._has_locks:
            with self._registered(name, slots):
                yield Claims(self._engine, name)
            return
        # Others hold the lock for a moment when they look whether it is held.
        with wait_for_lock(self._engine, _lock(name)):
            try:
                yield Claims(self._engine, name)
            finally:
                forget(self._engine, _lock(name))

    def resolve_orphaned(
        self, now: datetime, only: Collection[int] | None = None, idle: str = ""
    ) -> int:
        """Give back what dead workers had leased; mark as uncertain what they were sending.

        ``only`` are the ids of a shard, and ``idle`` is a worker that lives and sends nothing of
        it. Return how many are uncertain.
        """
        its = deliveries.c
        these = among(only)
        being_sent = its.state == DeliveryState.SENDING
        is_uncertain = its.state == DeliveryState.UNCERTAIN
        is_held = or_(its.claimed_by.is_not(None), being_sent)
        query = select(its.claimed_by).where(is_held, ~is_uncertain, *these)
        names = {*self._values(query.distinct())}
        resolved = 0
        if None in names:  # by an old version
            names.remove(None)
            unnamed = update(deliveries).where(being_sent, its.claimed_by.is_(None), *these)
            unnamed = unnamed.values(state=DeliveryState.UNCERTAIN, changed_at=now)
            resolved = self._write(unnamed)
        for name in [*self._dead(names), *({idle} & names)]:
            uncertain = update(deliveries).where(being_sent, its.claimed_by == name, *these)
            uncertain = uncertain.values(state=DeliveryState.UNCERTAIN, changed_at=now)
            resolved += self._write(uncertain)
            leased = update(deliveries).where(its.claimed_by == name, ~is_uncertain, *these)
            self._write(leased.values(claimed_by=None))
            forget(self._engine, _lock(name))
        return resolved

    def is_alive(self, name: str) -> bool:
        """Return whether a worker lives."""
        return not self._dead([name])

    def all(self) -> list[LiveWorker]:
        """Return the workers of the last hour, by host; only for PostgreSQL.

        Left out are those whose process is known to have ended.
        """
        if self._has_locks:
            return []
        row = workers.c
        silent_for = func.now() - row.heard_at
        query = select(row.process, row.name, row.host, row.pid, row.version, row.slots, silent_for)
        query = query.where(row.heard_at > func.now() - _KEPT).order_by(row.host, row.pid, row.name)
        return [
            LiveWorker(*values) for process, *values in self._rows(query) if not _has_ended(process)
        ]

    def some_live(self) -> bool:
        """Return whether any worker lives; only for SQLite, where locks are files."""
        return bool(held(self._engine, _KIND))

    def clear_away(self, before: datetime) -> int:
        """Remove what dead workers have left behind. Return how many there were."""
        if not self._has_locks:
            return self._write(delete(workers).where(workers.c.heard_at < func.now() - _KEPT))
        names = left_behind(self._engine, _KIND, before)
        for name in names:
            forget(self._engine, name)
        return len(names)

    # ---- rows, on PostgreSQL ----

    def _dead(self, names: Collection[str]) -> list[str]:
        """Return which of these workers no longer live."""
        if self._has_locks:
            return [name for name in names if not is_held(self._engine, _lock(name))]
        if not names:
            return []
        is_heard = workers.c.heard_at > func.now() - self._silence
        query = select(workers.c.name, workers.c.process).where(workers.c.name.in_(names), is_heard)
        live = {row.name for row in self._rows(query) if not _has_ended(row.process)}
        return sorted(set(names) - live)

    @contextmanager
    def _registered(self, name: str, slots: int) -> Iterator[None]:
        row = {
            "name": name,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "process": _this_process(),
            "version": version("paper-digest"),
            "slots": slots,
        }
        self._renew(row)
        over = Event()
        beats = Thread(target=self._beat, args=(row, over), name="heartbeat", daemon=True)
        beats.start()
        try:
            yield
        finally:
            over.set()
            beats.join()
            self._write(delete(workers).where(workers.c.name == name))

    def _beat(self, row: dict[str, object], over: Event) -> None:
        while not over.wait(self._silence.total_seconds() / _BEATS):
            try:
                self._renew(row)
            except SQLAlchemyError as error:
                log.warning("a worker cannot show that it lives", why=type(error).__name__)

    def _renew(self, row: dict[str, object]) -> None:
        """Show that a worker lives, whether or not others took it for dead and removed its row."""
        with self._engine.begin() as connection:
            its_row = update(workers).where(workers.c.name == row["name"])
            if not connection.execute(its_row.values(heard_at=func.now())).rowcount:
                new = insert(workers).values(**row, started_at=func.now(), heard_at=func.now())
                connection.execute(new)


def _lock(name: str) -> str:
    return f"{_KIND}{name}"


# ---- processes of this machine: their end is seen at once, where /proc tells it ---------------


def _this_machine() -> str:
    """Return what is the same for all processes that see each other's numbers; empty if unknown."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _this_process() -> str:
    return f"{_this_machine()} {os.getpid()} {_began(os.getpid())}"


def _has_ended(process: str) -> bool:
    """Return whether a process is one of this machine, and is known to have ended."""
    machine, pid, began = process.rsplit(" ", 2)
    is_here = bool(machine) and machine == _this_machine()
    return is_here and _began(int(pid)) != began


def _began(pid: int) -> str:
    """Return when a process of this machine began, in ticks; empty if there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace")
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()  # the name before may hold anything
    return "" if fields[0] in "ZX" else fields[19]
