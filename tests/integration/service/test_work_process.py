"""The work of `digest up` in a process of its own: started again, and stopped in order."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PATIENCE = 30  # seconds

# The work says which process does it, and obeys what its file says.
PROGRAM = """
import os, time
from pathlib import Path
from digest.service import work_process
from digest.errors import SettingError
from digest.monitoring.logs import configure_logs
from digest.service.os_signals import stop_signals

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

def work():
    with stop_signals() as told:
        order = Path("order").read_text()
        Path("order").write_text("")
        if order == "refuse":
            raise SettingError("it is not set")
        if order == "fail":
            raise ZeroDivisionError
        say(os.getpid())
        os.read(told, 1)
        if order == "dawdle":
            say("dawdles")
            time.sleep(3600)
        say("ends")

if __name__ == "__main__":
    configure_logs()
    work_process.START_AGAIN_AFTER = 0.1
    with stop_signals() as told:
        work_process.keep_running(work, told, lambda trouble: say("told:", trouble))
    say("over")
"""


class Tree:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def line(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def end(self) -> tuple[list[str], str]:
        """What it still says, and its log."""
        said, log = self.process.communicate(timeout=PATIENCE)
        return said.splitlines(), log


@pytest.fixture
def grow(tmp_path: Path):
    """Starts a process and its work, and makes sure of their end."""
    (tmp_path / "program.py").write_text(textwrap.dedent(PROGRAM))

    @contextmanager
    def grow(order: str = "") -> Iterator[Tree]:
        (tmp_path / "order").write_text(order)
        with subprocess.Popen(
            [sys.executable, "program.py"],
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
def test_told_to_stop_the_work_ends_in_peace(grow, told: signal.Signals) -> None:
    with grow() as tree:
        tree.line()
        tree.process.send_signal(told)
        assert tree.end() == (["ends", "over"], "")
    assert tree.process.returncode == 0


@pytest.mark.long
def test_told_twice_in_a_moment_is_told_once(grow) -> None:
    with grow() as tree:
        tree.line()
        tree.process.terminate()
        tree.process.send_signal(signal.SIGINT)  # two of a kind may be one to the system
        assert tree.end() == (["ends", "over"], "")


@pytest.mark.long
def test_ctrl_c_comes_to_both(grow) -> None:
    with grow() as tree:
        tree.line()
        os.killpg(tree.process.pid, signal.SIGINT)
        assert tree.end() == (["ends", "over"], "")


def test_work_that_is_killed_is_told_of_and_started_again(grow) -> None:
    with grow() as tree:
        before = int(tree.line())
        os.kill(before, signal.SIGKILL)
        assert tree.line() == "told: the process that ranks and sends died (status -9)"
        assert int(tree.line()) != before
        tree.process.terminate()
        said, log = tree.end()
    assert said == ["ends", "over"]
    assert "the work died" in log


@pytest.mark.parametrize(
    ("order", "logged"), [("refuse", "it is not set"), ("fail", "ZeroDivisionError")]
)
def test_work_that_fails_is_told_of_and_started_again(grow, order: str, logged: str) -> None:
    with grow(order) as tree:
        assert tree.line() == "told: the process that ranks and sends died (status 1)"
        int(tree.line())
        tree.process.terminate()
        said, log = tree.end()
    assert said == ["ends", "over"]
    assert logged in log


def test_told_twice_the_work_is_killed(grow) -> None:
    with grow("dawdle") as tree:
        tree.line()
        tree.process.terminate()
        assert tree.line() == "dawdles"
        with pytest.raises(subprocess.TimeoutExpired):
            tree.process.wait(1)
        tree.process.terminate()
        said, log = tree.end()
    assert said == ["over"]
    assert "the work is killed" in log


def test_where_the_parent_is_killed_the_work_ends(grow) -> None:
    with grow() as tree:
        tree.line()
        tree.process.kill()
        # To its end: the child has the same standard output.
        assert tree.end()[0] == ["ends"]
