"""Services in one process tree: begun together, started again, stopped together."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

PATIENCE = 30  # seconds

# A service says that it runs, and with which process id; and obeys what its file says.
PROGRAM = """
import os, sys, time
from functools import partial
from pathlib import Path
from digest.service import supervisor
from digest.errors import DigestError, SettingError
from digest.monitoring.logs import configure_logs
from digest.service.os_signals import stop_signals

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

def serve(name, ready):
    with stop_signals() as told:
        order = Path(name).read_text() if Path(name).exists() else ""
        if order == "refuse":
            raise SettingError("it is not set")
        if order == "die":
            os._exit(3)
        ready()
        say(name, os.getpid())
        os.read(told, 1)
        if order == "dawdle":
            say(name, "dawdles")
            time.sleep(3600)
        say(name, "ends")

if __name__ == "__main__":
    configure_logs()
    names = sys.argv[1:]
    services = [supervisor.Service(name, partial(serve, name)) for name in names]
    try:
        supervisor.supervise(services, lambda: say("ready"))
    except DigestError as error:
        say("failed:", error)
        sys.exit(1)
    say("over")
"""


class Tree:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def lines(self, count: int) -> set[str]:
        assert self.process.stdout
        return {self.process.stdout.readline().strip() for _ in range(count)}

    def begin(self, *names: str) -> dict[str, int]:
        """Wait until all run; their process ids."""
        said = self.lines(len(names) + 1)
        assert "ready" in said
        return {name: int(pid) for name, pid in (line.split() for line in said - {"ready"})}

    def tell_until_it_ends(self) -> tuple[str, str]:
        """Again and again, as somebody does who is impatient."""
        for _ in range(10 * PATIENCE):
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                return self.process.communicate(timeout=0.1)
        raise AssertionError("it does not end")

    def end(self) -> str:
        said, told = self.process.communicate(timeout=PATIENCE)
        assert "Traceback" not in told
        return said


@pytest.fixture
def grow(tmp_path: Path, monkeypatch):
    """Starts a tree of services, and makes sure of its end."""
    (tmp_path / "program.py").write_text(textwrap.dedent(PROGRAM))

    @contextmanager
    def grow(*names: str, **orders: str) -> Iterator[Tree]:
        for name, order in orders.items():
            (tmp_path / name).write_text(order)
        with subprocess.Popen(
            [sys.executable, "program.py", *names],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                yield Tree(process)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)

    return grow


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_all_end_in_peace(grow, told: signal.Signals) -> None:
    with grow("one", "two") as tree:
        tree.begin("one", "two")
        tree.process.send_signal(told)
        assert sorted(tree.end().splitlines()) == ["one ends", "over", "two ends"]
    assert tree.process.returncode == 0


def test_told_twice_in_a_moment_is_told_once(grow) -> None:
    with grow("one", "two") as tree:
        tree.begin("one", "two")
        tree.process.terminate()
        tree.process.send_signal(signal.SIGINT)  # two of a kind may be one to the system
        assert sorted(tree.end().splitlines()) == ["one ends", "over", "two ends"]
    assert tree.process.returncode == 0


def test_ctrl_c_comes_to_all_of_them(grow) -> None:
    with grow("one", "two") as tree:
        tree.begin("one", "two")
        os.killpg(tree.process.pid, signal.SIGINT)
        assert sorted(tree.end().splitlines()) == ["one ends", "over", "two ends"]


def test_one_that_dies_is_started_again(grow) -> None:
    with grow("one", "two") as tree:
        before = tree.begin("one", "two")
        os.kill(before["one"], signal.SIGKILL)
        [line] = tree.lines(1)
        name, pid = line.split()
        assert name == "one"
        assert int(pid) != before["one"]
        tree.process.terminate()
        assert sorted(tree.end().splitlines()) == ["one ends", "over", "two ends"]


@pytest.mark.parametrize("order", ["refuse", "die"])
def test_one_that_cannot_begin_ends_all(grow, order: str) -> None:
    with grow("one", "two", two=order) as tree:
        said = tree.end().splitlines()
    assert said[-1] == "failed: two could not begin"
    assert tree.process.returncode == 1


def test_told_twice_they_are_killed(grow) -> None:
    with grow("one", "two", two="dawdle") as tree:
        tree.begin("one", "two")
        tree.process.terminate()
        assert tree.lines(2) == {"one ends", "two dawdles"}
        said, told = tree.tell_until_it_ends()
    assert said == "over\n"
    assert "two" in {json.loads(line)["service"] for line in told.splitlines()}


def test_where_the_parent_is_killed_they_end(grow) -> None:
    with grow("one", "two") as tree:
        tree.begin("one", "two")
        tree.process.kill()
        # To its end: the children have the same standard output.
        assert sorted(tree.end().splitlines()) == ["one ends", "two ends"]
