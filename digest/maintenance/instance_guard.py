"""The instance guard: a restored or copied ledger sends nothing before the operator adopts it.

A ledger and its folder (DIGEST_HOME) hold the same instance id and copy marker, and the marker
changes each time before messages are sent. So an older copy has another marker than the folder, a
moved ledger has no folder, and a table that pg_restore has made has another number.
"""

import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import astuple, dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from digest.errors import LedgerError
from digest.ledger.instances import Instance, Instances
from digest.ledger.locks import wait_for_lock
from digest.settings.settings import Settings

FILE = "instance"  # in DIGEST_HOME
_NONE = "-"


@dataclass(frozen=True, slots=True)
class _InstanceId:
    """The file in the folder: instance id, marker, the previous marker, and number of the table.

    The file is written first. If nothing more was written, the ledger has the previous marker.
    ``table`` is unknown if an older version wrote the file.
    """

    id: str
    copy_marker: str
    before: str = _NONE
    table: str = _NONE


def guard_of(settings: Settings, engine: Engine) -> "InstanceGuard":
    """Return the guard of the ledger that the settings name, on this machine."""
    return InstanceGuard(engine, settings.home, socket.gethostname(), name=settings.instance)


class InstanceGuard:
    """The guard of one ledger and one folder, on one machine, or wherever it has its ``name``."""

    def __init__(
        self,
        engine: Engine,
        home: Path,
        host: str,
        sleep: Callable[[float], None] = time.sleep,
        *,
        name: str | None = None,
    ) -> None:
        self._engine = engine
        self._instances = Instances(engine)
        self._file = home / FILE
        self._host, self._home = (name, _NONE) if name else (host, str(home.resolve()))
        self._sleep = sleep

    def check(self) -> None:
        """Raise LedgerError, with what to do, if this ledger is not known to be ours."""
        if why := self.objection():
            raise LedgerError(why)

    def objection(self) -> str | None:
        """Return why nothing is sent, and what to do; None if this ledger is ours."""
        # Asked twice, because another process may be changing ledger and folder.
        reason = self._mismatch() and self._mismatch()
        if not reason:
            return None
        last = self._instances.all()[0]
        return (
            f"nothing is sent before you run `digest db adopt`: {reason}. It was last used by "
            f"{last.host} ({last.home}), {last.seen_at:%Y-%m-%d %H:%M} UTC, and may have sent "
            "emails since that are not recorded in it"
        )

    def renew(self, now: datetime) -> None:
        """Check and change the marker, right before messages are sent. Raises LedgerError."""
        self.check()  # before the wait, so that an error is reported at once
        with wait_for_lock(self._engine, "instance", self._sleep):
            self.check()
            ours = self._ours()
            if ours is None:  # a new ledger
                self.adopt(now)
                return
            instance = self._new(ours.id)
            self._write(replace(instance, before=ours.mark))
            self._instances.mark(instance.id, instance.copy_marker, now)
            self._write(instance)

    def adopt(self, now: datetime, sends_from: datetime | None = None) -> None:
        """Use this ledger with this folder. What was due before ``sends_from`` is not sent."""
        known = self._instance()
        instance = self._new(known.id if known else secrets.token_hex(16))
        self._write(instance)
        self._instances.enter(
            Instance(instance.id, self._host, self._home, instance.copy_marker, now, sends_from)
        )

    def _mismatch(self) -> str:
        """Return why this ledger is not known to be ours; empty if it is, or is new."""
        if not self._instances.all():
            return ""
        ours = self._ours()
        instance = self._instance()
        if instance is None or ours is None:
            return "this database has not been used here yet"
        if (ours.host, ours.home) != (self._host, self._home):
            return "this database has moved"
        if ours.mark not in {instance.copy_marker, instance.before}:
            return "this database is an older copy"
        if instance.table not in {_NONE, self._instances.table_id()}:
            return "this database was restored"
        return ""

    def _ours(self) -> Instance | None:
        """Return the ledger's row of this folder, if it has one."""
        known = self._instance()
        all_of_them = {instance.id: instance for instance in self._instances.all()}
        return all_of_them.get(known.id) if known else None

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
