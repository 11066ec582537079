"""Run a command as a user does, in a session of its own, with all processes that it starts."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Condition, Thread
from time import monotonic, sleep
from typing import Self

ROOT = Path(__file__).parents[3]
# As the installed command does it; with a file, as each new process wants it.
COMMAND = """\
import sys
from digest.cli.main import main
if __name__ == "__main__":
    sys.exit(main())
"""
PATIENCE = 60  # seconds, where a machine is busy


class Tree:
    """``settings`` are its environment, by the names of the settings, and so is ``environment``.

    On leaving nothing is left.
    """

    def __init__(
        self,
        home: Path,
        settings: dict[str, str],
        *command: str,
        program: str = COMMAND,
        **environment: str,
    ) -> None:
        home.mkdir(exist_ok=True)
        file = home / "digest.py"
        file.write_text(program, "utf-8")
        own = {f"DIGEST_{name.upper().rstrip('_')}": value for name, value in settings.items()}
        others = {name: value for name, value in os.environ.items() if "DIGEST" not in name}
        one_thread = {f"{name}_NUM_THREADS": "1" for name in ("OPENBLAS", "OMP", "MKL")}
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(file), *command],
            cwd=home,
            env={**others, **one_thread, **own, **environment, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.pid = self._process.pid
        self.lines: list[str] = []
        self._news = Condition()
        self._reader = Thread(target=self._read, name="reader", daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill_all()
        self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        assert self._process.stdout
        self._process.stdout.close()

    # ---- what it says ------------------------------------------------------------------------

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            with self._news:
                self.lines.append(line.rstrip())
                self._news.notify_all()

    @property
    def said(self) -> str:
        return "\n".join(self.lines)

    def wait_for(self, words: str, seconds: float = PATIENCE) -> None:
        with self._news:
            assert self._news.wait_for(lambda: words in self.said, seconds), self.said

    def ends(self, seconds: float = PATIENCE) -> int:
        """Return its status, once it has ended by itself."""
        try:
            status = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it does not end: {self.said}") from None
        eventually(lambda: not list(self.everybody()), seconds)
        self._reader.join(seconds)
        return status

    # ---- its processes -----------------------------------------------------------------------

    def everybody(self) -> Iterator[int]:
        """Return all living processes of its session; a zombie counts if it is our child."""
        for process in Path("/proc").iterdir():
            if process.name.isdecimal():
                with suppress(OSError, ValueError):
                    state, parent, _, session, *_ = _stat(process)
                    # The first is buried by us, and orphans by whoever is the first of all.
                    is_others = state == "Z" and (int(parent) == 1 or int(process.name) == self.pid)
                    if int(session) == self.pid and not is_others:
                        yield int(process.name)

    def connected_to(self, port: int) -> list[int]:
        """Return the processes with a connection to a port of this machine."""
        sockets = set()
        for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]:
            fields = line.split()
            if fields[2].endswith(f":{port:04X}") and fields[3] == "01":
                sockets.add(f"socket:[{fields[9]}]")
        return [person for person in self.everybody() if sockets & _open(person)]

    def tell_to_stop(self, sign: signal.Signals = signal.SIGTERM) -> None:
        os.kill(self.pid, sign)

    def press_ctrl_c(self) -> None:
        """Send SIGINT to all of them, as a terminal does."""
        os.killpg(self.pid, signal.SIGINT)

    def kill(self, pid: int) -> None:
        assert pid in list(self.everybody())
        os.kill(pid, signal.SIGKILL)

    def kill_all(self) -> None:
        """Kill all at once, so that the first cannot start another one."""
        deadline = monotonic() + PATIENCE
        while (found := list(self.everybody())) and monotonic() < deadline:
            for pid in (self.pid, *found) if self.pid in found else found:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(0.05)


def eventually(holds, seconds: float = PATIENCE) -> None:
    """Wait until something is so, by asking again and again."""
    give_up = monotonic() + seconds
    while not holds():
        assert monotonic() < give_up, "it never came to that"
        sleep(0.02)


def _stat(process: Path) -> Sequence[str]:
    """Return the fields from the state on; the name before it may hold anything."""
    return (process / "stat").read_text("utf-8").rpartition(")")[2].split()


def _open(pid: int) -> set[str]:
    found = set()
    with suppress(OSError):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                found.add(str(link.readlink()))
    return found
