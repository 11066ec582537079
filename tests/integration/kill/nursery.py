"""Start runs quickly: a process that has imported everything forks a child for each.

It has one thread and no connections, so that a fork of it is like a process just started. It alone
kills what it has forked: so no signal ever meets a process that has the number of one that is gone.
"""

import ctypes
import gc
import json
import os
import resource
import select
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any, Self

from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError

from digest.app.app import App
from digest.compose.composer import Composer
from digest.compose.environment import Templates
from digest.compose.from_identity import from_identity
from digest.deliver import worker_pool
from digest.errors import DigestError
from digest.ledger import database
from digest.monitoring.logs import configure_logs
from digest.pipeline import Pipeline
from digest.plan import announcing, planning
from subscribers.errors import SubscriberError
from tests.integration.pipelines import make_pipeline
from tests.support import make_candidate, make_corpus, make_edition, make_settings

ROOT = Path(__file__).parents[3]
_TEMPLATES = Templates()
_SET_CHILD_SUBREAPER = 36  # prctl(2): orphans of our children become ours, so that they are reaped


class Nursery:
    """Starts runs, each in a process group of its own, and kills them."""

    def __init__(self) -> None:
        one_thread_each = {f"{name}_NUM_THREADS": "1" for name in ("OPENBLAS", "OMP", "MKL")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", __spec__.name],
            cwd=ROOT,
            env={**os.environ, **one_thread_each},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()  # it kills what is left, and ends
        self._process.wait(20)
        self._process.stdout.close()

    def start(self, settings: dict[str, str], now: datetime, what: str = "run") -> "Child":
        """Start a run (or a ``worker``) of an application with these settings.

        It plans for few people at a time, and sends while it plans. Beside the program's own
        settings there are ``dies_at``, the statement at which it kills itself; ``patience``, for how many seconds it tries to
        record an outcome; ``most_octets`` that a file may have; and a ``pragma``, with which each
        use of a connection to SQLite begins.
        """
        return Child(self, self.ask("start", settings, now.isoformat(), what))

    def ask(self, *question: object) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer["answer"]


class Child:
    """A process group that runs; ``said`` is its output without logs, once it has ended."""

    def __init__(self, nursery: Nursery, pid: int) -> None:
        self._nursery = nursery
        self._pid = pid
        self.said = ""
        self.seconds = 0.0
        self._has_ended = False

    def ends_within(self, seconds: float) -> bool:
        """Wait for the end of the first process, for so many seconds at most."""
        if self._has_ended:
            return True
        ended = self._nursery.ask("wait", self._pid, seconds)
        if ended is None:
            return False
        self._has_ended = True
        lines, self.seconds = ended
        self.said = "\n".join(line for line in lines.splitlines() if not line.startswith("{"))
        return True

    def kill(self, *, all_of_it: bool = True) -> None:
        """Kill the process group, or only its first process."""
        self._nursery.ask("kill", self._pid, all_of_it, signal.SIGKILL)
        assert self.ends_within(20)

    def tell_to_stop(self) -> None:
        self._nursery.ask("kill", self._pid, False, signal.SIGTERM)

    def kill_one_below(self) -> bool:
        """Kill a process that the first one has started; return whether one is there."""
        return bool(self._nursery.ask("kill_one_below", self._pid))

    def has_some_below(self) -> bool:
        """Return whether the first process has started others by now."""
        return bool(self._nursery.ask("below", self._pid))

    def is_gone(self) -> bool:
        """Return whether nothing is left of the process group after the first process ended."""
        return bool(self._nursery.ask("is_gone", self._pid))


# ---- in that process -------------------------------------------------------------------------


def _is_alive(pid: str) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")[2][:1]
    except OSError:
        return False
    return state != "Z"


class _Forks:
    def __init__(self) -> None:
        self._began: dict[int, float] = {}
        self._ears: dict[int, int] = {}
        self._first_is_gone: set[int] = set()

    def start(self, settings: dict[str, str], now: str, what: str) -> int:
        ear, mouth = os.pipe()
        pid = os.fork()
        if not pid:
            os.close(ear)
            os.dup2(mouth, 1)
            os.dup2(mouth, 2)
            _live(settings, datetime.fromisoformat(now), what)
        os.setpgid(pid, pid)
        os.close(mouth)
        os.set_blocking(ear, False)
        self._began[pid], self._ears[pid] = monotonic(), ear
        return pid

    def wait(self, pid: int, seconds: float) -> tuple[str, float] | None:
        alive = os.pidfd_open(pid)
        try:
            if not select.select([alive], [], [], seconds)[0]:
                return None
        finally:
            os.close(alive)
        lasted = monotonic() - self._began[pid]
        os.waitpid(pid, 0)
        self._first_is_gone.add(pid)
        said = b""
        with suppress(BlockingIOError):  # somebody below may live on, and hold the other end
            while octets := os.read(self._ears[pid], 65_536):
                said += octets
        os.close(self._ears.pop(pid))
        return said.decode(), lasted

    def kill(self, pid: int, all_of_it: bool, sign: int) -> None:
        (os.killpg if all_of_it else os.kill)(pid, sign)

    def below(self, pid: int) -> list[int]:
        tasks = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        # The first keeps account of what they share; some have ended, and their parent does not
        # know yet.
        return [int(task) for task in tasks[1:] if _is_alive(task)]

    def kill_one_below(self, pid: int) -> bool:
        below = self.below(pid)
        for child in below[-1:]:
            os.kill(child, signal.SIGKILL)  # its parent has not reaped it: it waits for all
        return bool(below)

    def is_gone(self, pid: int) -> bool:
        try:
            while os.waitpid(-pid, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return True
        return False

    def end(self) -> None:
        for pid in self._began:
            with suppress(ProcessLookupError):
                if pid not in self._first_is_gone or not self.is_gone(pid):
                    os.killpg(pid, signal.SIGKILL)


def _live(settings: dict[str, str], now: datetime, what: str) -> None:
    """Do in a child what a command does, without its time to start."""
    os.setpgid(0, 0)
    os.close(0)
    status = 1
    try:
        configure_logs()
        worker_pool.WORTH_A_PROCESS = 1
        planning.RANGE = announcing.RANGE = 4
        database._PATIENCE = float(settings.pop("patience", database._PATIENCE))
        if octets := settings.pop("most_octets", ""):
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(octets), int(octets)))
        pragma = settings.pop("pragma", "")
        dies_at = int(settings.pop("dies_at", "0"))
        app = App({}, None, **settings)
        if pragma:
            event.listen(app.engine, "checkout", lambda made, *_: made.execute(pragma))
        if dies_at:
            event.listen(app.engine, "before_cursor_execute", _die_at(dies_at))
        app.templates = _TEMPLATES
        pipeline = make_pipeline(
            app.settings, app.ledger, app.registry, deliver=app.worker_pool.send
        )
        _DOES[what](app, pipeline, now)
        status = 0
    except (DigestError, SubscriberError) as error:
        print(f"digest: {error}", flush=True)
    except SQLAlchemyError as error:
        print(f"digest: the database failed: {str(error).splitlines()[0]}", flush=True)
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        os._exit(status)


def _die_at(statement: int) -> Callable[..., None]:
    numbers = count(1)

    def die(*_: object) -> None:
        if next(numbers) == statement:
            os.kill(os.getpid(), signal.SIGKILL)

    return die


def _run(app: App, pipeline: Pipeline, now: datetime) -> None:
    done = pipeline.tick(now, everybody=True)
    print(*done.trouble, "done", sep="\n", flush=True)


def _work(app: App, pipeline: Pipeline, now: datetime) -> None:
    """Do as `digest worker`, but without its pauses."""
    told_to_stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: (told_to_stop.append(1), app.worker_pool.stop()))
    while not told_to_stop:
        for trouble in pipeline.deliver(now):
            print(trouble, flush=True)
        select.select([], [], [], 0.01)
    print("done", flush=True)


_DOES: dict[str, Callable[[App, Pipeline, datetime], None]] = {"run": _run, "worker": _work}


def _warm_up() -> None:
    """Do once, for all children, what takes long the first time."""
    make_corpus()
    composer = Composer(_TEMPLATES, from_identity(make_settings()))
    composer.try_out(make_edition(make_candidate()), [make_candidate()])


def _serve() -> None:
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1)
    _warm_up()
    gc.freeze()  # what a child's collector does not look at, it need not copy
    forks = _Forks()
    try:
        for line in sys.stdin:
            name, *given = json.loads(line)
            try:
                answer = {"answer": getattr(forks, name)(*given)}
            except (OSError, KeyError) as error:
                answer = {"error": repr(error)}
            print(json.dumps(answer), flush=True)
    finally:
        forks.end()


if __name__ == "__main__":
    _serve()
