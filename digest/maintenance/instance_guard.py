"""The instance guard: a ledger that was restored or copied sends nothing before somebody says so.

A ledger and its folder (DIGEST_HOME) hold the same instance id and copy marker, and the marker
changes each time before messages are sent. So an older copy has a marker that the folder no longer
has, and a moved one has no folder. What pg_restore has restored is a table with another number.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import astuple, dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from digest.errors import LedgerError
from digest.ledger.instances import Instance, Instances
from digest.ledger.locks import wait_for_lock

FILE = "instance"  # in DIGEST_HOME
_NONE = "-"


@dataclass(frozen=True, slots=True)
class _InstanceId:
    """What the folder knows: its id, the marker, the one before while it changes, and the table.

    The folder is written first. If that is as far as it came, the ledger has the one before.
    ``table`` is unknown where an older version wrote the file.
    """

    id: str
    copy_marker: str
    before: str = _NONE
    table: str = _NONE


class InstanceGuard:
    """Of one ledger and one folder, on one machine."""

    def __init__(
        self, engine: Engine, home: Path, host: str, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._engine = engine
        self._instances = Instances(engine)
        self._file = home / FILE
        self._home = str(home.resolve())
        self._host = host
        self._sleep = sleep

    def check(self) -> None:
        """Raise LedgerError, saying what to do, where this ledger is not known to be ours."""
        if why := self.objection():
            raise LedgerError(why)

    def objection(self) -> str | None:
        """Return why nothing is sent, and what to do; None if nothing is in the way."""
        # Looked at twice: another process may have changed ledger and folder in between.
        reason = self._mismatch() and self._mismatch()
        if not reason:
            return None
        last = self._instances.all()[0]
        return (
            f"nothing is sent before you say `digest db adopt`: {reason}. It was used last "
            f"by {last.host} ({last.home}), {last.seen_at:%Y-%m-%d %H:%M} UTC, and may have "
            "sent mails since that it does not know of"
        )

    def renew(self, now: datetime) -> None:
        """Check, and change the marker, right before messages are sent. Raises LedgerError."""
        self.check()  # before the wait: what is wrong is said at once
        with wait_for_lock(self._engine, "instance", self._sleep):
            self.check()
            ours = self._ours()
            if ours is None:  # nobody has used it yet
                self.adopt(now)
                return
            instance = self._new(ours.id)
            self._write(replace(instance, before=ours.mark))
            self._instances.mark(instance.id, instance.copy_marker, now)
            self._write(instance)

    def adopt(self, now: datetime, sends_from: datetime | None = None) -> None:
        """Use this ledger here from now on. What was due before ``sends_from`` is not sent."""
        known = self._instance()
        instance = self._new(known.id if known else secrets.token_hex(16))
        self._write(instance)
        self._instances.enter(
            Instance(instance.id, self._host, self._home, instance.copy_marker, now, sends_from)
        )

    def _mismatch(self) -> str:
        """Return why this ledger, which some have used, is not known to be ours; empty if it is."""
        if not self._instances.all():
            return ""
        ours = self._ours()
        instance = self._instance()
        if instance is None or ours is None:
            return "this ledger has not been used here yet"
        if (ours.host, ours.home) != (self._host, self._home):
            return "this ledger has moved"
        if ours.mark not in {instance.copy_marker, instance.before}:
            return "this ledger is an older copy"
        if instance.table not in {_NONE, self._instances.table_id()}:
            return "this ledger was restored"
        return ""

    def _ours(self) -> Instance | None:
        """Return what the ledger knows of this folder."""
        known = self._instance()
        return next(
            (instance for instance in self._instances.all() if known and instance.id == known.id),
            None,
        )

    def _instance(self) -> _InstanceId | None:
        try:
            lines = self._file.read_text("utf-8").split()
        except FileNotFoundError:
            return None
        return _InstanceId(*lines) if len(lines) in {3, 4} else None

    def _new(self, instance_id: str) -> _InstanceId:
        return _InstanceId(instance_id, secrets.token_hex(16), table=self._instances.table_id())

    def _write(self, instance: _InstanceId) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        part = self._file.with_suffix(".part")
        part.write_text("\n".join((*astuple(instance), "")), "utf-8")
        part.replace(self._file)  # whole or not at all
