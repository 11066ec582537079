"""Machines: each has a network, process numbers and a name of its own, and a clock that is wrong.

A process that has imported everything forks them, so that a machine starts in a moment. Needs root
on Linux; without it the machines share everything but the clock, and no cable can be pulled.
"""

import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep

from digest.app.app import App
from digest.errors import DigestError
from digest.monitoring.logs import configure_logs
from digest.service import cluster
from digest.service.jobs import Jobs
from digest.service.recurring import Recurring

_LIBC = ctypes.CDLL(None, use_errno=True)
_NEW_NAMES, _NEW_NUMBERS, _NEW_MOUNTS = 0x04000000, 0x20000000, 0x00020000  # unshare(2)
_NEW_NETWORK = 0x40000000
_PRIVATE = (1 << 18) | (1 << 14)  # mount(2): MS_PRIVATE, MS_REC
_DIE_WITH_PARENT = 1  # prctl(2)
RECONCILE_EVERY = 2.0  # seconds


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


class Cable:
    """A network namespace and the pair of interfaces that leads there."""

    def __init__(self, number: int) -> None:
        self.name, self._here = f"digest-faults-{number}", f"dgf{number}"
        self.address, there = f"10.211.{number}.1", f"10.211.{number}.2"
        self.remove()
        ip("netns", "add", self.name)
        ip("link", "add", self._here, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        ip("addr", "add", f"{self.address}/24", "dev", self._here)
        ip("link", "set", self._here, "up")
        for words in (
            ("addr", "add", f"{there}/24", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
            ("link", "set", "lo", "up"),
        ):
            ip("netns", "exec", self.name, "ip", *words)

    def pull(self) -> None:
        ip("link", "set", self._here, "down")

    def plug_in(self) -> None:
        ip("link", "set", self._here, "up")

    def enter(self) -> None:
        """Move this process to the other end."""
        with Path(f"/run/netns/{self.name}").open() as namespace:
            _checked(_LIBC.setns(namespace.fileno(), _NEW_NETWORK))

    def remove(self) -> None:
        with suppress(subprocess.CalledProcessError):
            ip("link", "del", self._here)
        with suppress(subprocess.CalledProcessError):
            ip("netns", "del", self.name)


def can_have_cables() -> bool:
    """Return whether network namespaces can be made here."""
    try:
        Cable(250).remove()
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


class Machine:
    """One worker; its two processes die and are started again together."""

    def __init__(
        self, number: int, settings: dict[str, str], cable: Cable | None, wrong_by: timedelta
    ) -> None:
        self.name = f"machine-{number}"
        self.cable = cable
        self._settings = settings
        self._wrong_by = wrong_by
        self._pid = 0
        self.starts = 0
        self.frozen_until = self.unplugged_until = 0.0

    def start(self) -> None:
        self.starts += 1
        self._pid = os.fork()
        if not self._pid:
            try:
                self._live()
            finally:
                os._exit(1)

    @property
    def is_up(self) -> bool:
        with suppress(ChildProcessError):
            return os.waitpid(self._pid, os.WNOHANG)[0] == 0
        return False

    def processes(self) -> list[int]:
        """Return the numbers of its processes, as they are here; the first is the parent."""
        found = [self._pid]
        for pid in found:
            with suppress(OSError):
                tasks = Path(f"/proc/{pid}/task").glob("*/children")
                found += [int(child) for task in tasks for child in task.read_text().split()]
        return found

    def signal_all(self, number: int) -> None:
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def end(self, *, gently: bool) -> None:
        """End it, and wait for that."""
        for pid in self.processes()[1:] if gently else []:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        give_up = monotonic() + 15
        while gently and self.is_up and monotonic() < give_up:
            sleep(0.05)
        self.signal_all(signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self._pid, 0)

    # ---- in its processes ----

    def _live(self) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _checked(_LIBC.prctl(_DIE_WITH_PARENT, signal.SIGKILL))
        os.setpgid(0, 0)
        if self.cable:
            self.cable.enter()
            _checked(_LIBC.unshare(_NEW_NAMES | _NEW_NUMBERS | _NEW_MOUNTS))
            socket.sethostname(self.name)
        first = self._fork(self._begin)
        os.waitpid(first, 0)
        self._kill_rest(first)

    def _kill_rest(self, first: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(first, signal.SIGKILL)

    def _begin(self) -> None:
        """Be the first process of the machine: it ends when one of the other two has."""
        if self.cable:
            _checked(_LIBC.mount(b"none", b"/", None, _PRIVATE, None))
            _checked(_LIBC.mount(b"proc", b"/proc", b"proc", 0, None))
        else:
            os.setpgid(0, 0)
        halves = [self._fork(self._send), self._fork(self._keep_time)]
        ended, _ = os.wait()
        for half in halves:
            if half != ended:
                os.kill(half, signal.SIGTERM)
                os.waitpid(half, 0)

    def _fork(self, do: Callable[[], None]) -> int:
        pid = os.fork()
        if pid:
            return pid
        _checked(_LIBC.prctl(_DIE_WITH_PARENT, signal.SIGKILL))
        status = 1
        try:
            do()
            status = 0
        except DigestError as error:
            print(f"{self.name}: {error}", file=sys.stderr, flush=True)
        finally:
            os._exit(status)

    def _app(self) -> App:
        configure_logs()
        wrong_by = self._wrong_by
        return App({}, None, clock=lambda: datetime.now(UTC) + wrong_by, **self._settings)

    def _send(self) -> None:
        cluster._clock_process = lambda *_: nullcontext()
        cluster.work(self._app(), lambda: None)

    def _keep_time(self) -> None:
        cluster.recurring_jobs = lambda app, **_: [
            Recurring("reconciling", Jobs(app).reconcile, RECONCILE_EVERY)
        ]
        app = self._app()
        cluster._do_recurring_jobs(lambda: app, 1)


def _checked(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
