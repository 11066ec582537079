"""The guard: a ledger that was restored or copied does not send before somebody says so.

A ledger and the folder that it is used with (DIGEST_HOME) have the same number and the same mark,
and the mark is another each time before mail is sent. So an older copy of the ledger has a mark
that its folder no longer has, and a ledger on another machine has no folder that it knows.
"""

import secrets
from dataclasses import astuple, dataclass, fields, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from digest.errors import LedgerError
from digest.ledger.instances import Instance, Instances
from digest.ledger.locks import holding

FILE = "instance"  # in DIGEST_HOME
_NONE = "-"


@dataclass(frozen=True, slots=True)
class _InstanceId:
    """What the folder knows: its number, the mark, and while that is changed, the one before.

    The folder is written first. If that is as far as it came, the ledger has the one before.
    """

    id: str
    copy_marker: str
    before: str = _NONE


class InstanceGuard:
    """Of one ledger and one folder, on one machine."""

    def __init__(self, engine: Engine, home: Path, host: str) -> None:
        self._engine = engine
        self._instances = Instances(engine)
        self._file = home / FILE
        self._home = str(home.resolve())
        self._host = host

    def check(self) -> None:
        """Raises LedgerError, saying what to do, where this ledger is not known to be ours."""
        if why := self.objection():
            raise LedgerError(why)

    def objection(self) -> str | None:
        """Why nothing is sent, and what to do; None if nothing is in the way."""
        # Looked at twice: in between the ledger and the folder somebody may have changed both.
        stranger = self._stranger() and self._stranger()
        if not stranger:
            return None
        last = self._instances.all()[0]
        return (
            f"nothing is sent before you say `digest db adopt`: {stranger}. It was used last "
            f"by {last.host} ({last.home}), {last.seen_at:%Y-%m-%d %H:%M} UTC, and may have "
            "sent mails since that it does not know of"
        )

    def renew(self, now: datetime) -> None:
        """Right before mails are sent: check, and change the mark."""
        with holding(self._engine, "instance") as is_ours:
            if not is_ours:
                return  # somebody else does the same in this moment
            self.check()
            ours = self._ours()
            if ours is None:  # nobody has used it yet
                self.adopt(now)
                return
            instance = _InstanceId(ours.id, _new_marker())
            self._write(replace(instance, before=ours.mark))
            self._instances.mark(instance.id, instance.copy_marker, now)
            self._write(instance)

    def adopt(self, now: datetime, sends_from: datetime | None = None) -> None:
        """From now on this ledger is used here. What was due before ``sends_from`` is not sent."""
        worn = self._instance()
        instance = _InstanceId(worn.id if worn else secrets.token_hex(16), _new_marker())
        self._write(instance)
        self._instances.enter(
            Instance(instance.id, self._host, self._home, instance.copy_marker, now, sends_from)
        )

    def _stranger(self) -> str:
        """Why this ledger is not known to be ours, which some have used; empty if it is."""
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
        return ""

    def _ours(self) -> Instance | None:
        """What the ledger knows of this folder."""
        instance = self._instance()
        return next(
            (each for each in self._instances.all() if instance and each.id == instance.id), None
        )

    def _instance(self) -> _InstanceId | None:
        try:
            lines = self._file.read_text("utf-8").split()
        except FileNotFoundError:
            return None
        return _InstanceId(*lines) if len(lines) == len(fields(_InstanceId)) else None

    def _write(self, instance: _InstanceId) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        part = self._file.with_suffix(".part")
        part.write_text("\n".join((*astuple(instance), "")), "utf-8")
        part.replace(self._file)  # whole or not at all


def _new_marker() -> str:
    return secrets.token_hex(16)
