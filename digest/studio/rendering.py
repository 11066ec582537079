"""Render emails in a child process with limits: two nested loops in a template may never end.

The child looks at its own processor time and memory now and then, and raises an exception where it
is, so that the error has the line of the template. If that does not help, it is killed.
"""

import resource
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Lock
from time import process_time
from typing import Any, NamedTuple

from digest.compose.content import Content, fill
from digest.compose.environment import Templates
from digest.compose.pseudo import studio_language
from digest.compose.source_map import Rendered
from digest.compose.view import AnyView
from digest.errors import TemplateError

SECONDS = 5.0  # of the processor, for one email; a usual one takes 0.05
MEGABYTES = 600  # of memory in all; usual are 100
_LOOK_EVERY = 0.1  # seconds of the processor
_AGAIN_AFTER = 1.0  # likewise
_A_MEGABYTE = 1024**2 if sys.platform == "darwin" else 1024  # in the units of getrusage
_KILL_AFTER = 60.0  # seconds
_MOST_MEMORY = 2 * 1024**3  # octets of address space, whatever is looked at

Render = Callable[[str, AnyView], tuple[Content, Rendered]]


class _Fault(NamedTuple):
    """The values of a TemplateError."""

    template: str
    line: int
    what: str


class _Limit(NamedTuple):
    """The same, where a limit was exceeded."""

    template: str
    line: int
    what: str


class _LimitError(TimeoutError):
    """A limit is exceeded. Templates tell the place of an OSError."""


class TooExpensive(TemplateError):  # noqa: N818  the name says it without "Error"
    """Rendering took more time or memory than is allowed."""


def render_email(templates: Templates, mail: str, view: AnyView) -> tuple[Content, Rendered]:
    """Fill the templates of an email, and trace the lines of its MJML. Raises TemplateError."""
    said = templates.for_reader(view.language)
    return fill(said, mail, view), said.trace(f"mail/{mail}/body.mjml.j2", mail=view)


def render_apart(folder: Path | None, mail: str, view: AnyView) -> tuple[Content, Rendered]:
    """Do as ``render_email``, in the child process, from an operator's folder."""
    return _CHILD.render(folder, mail, view)


class Child:
    """A process that renders one email at a time: started when needed, replaced after a failure."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None

    def render(self, folder: Path | None, mail: str, view: AnyView) -> tuple[Content, Rendered]:
        with self._lock:
            pipe = self._started()
            answer: Any = None
            with suppress(EOFError, OSError):
                pipe.send((folder, mail, view))
                if pipe.poll(_KILL_AFTER):
                    answer = pipe.recv()
            if answer is None or isinstance(answer, _Limit):
                self.end()  # it hangs, is dead, or holds much memory
        match answer:
            case _Fault(template, line, what):
                raise TemplateError(template, line, what)
            case _Limit(template, line, what):
                raise TooExpensive(template, line, what)
            case tuple():
                return answer
            case str():
                raise RuntimeError(answer)
        what = f"rendering took more than {_KILL_AFTER:.0f} seconds, or too much memory"
        raise TooExpensive(f"mail/{mail}/body.mjml.j2", 0, what)

    def end(self) -> None:
        """End the process, if there is one."""
        if self._process and self._pipe:
            self._pipe.close()
            self._process.kill()
            self._process.join()
            self._process = None

    def _started(self) -> Connection:
        if self._process is None or self._pipe is None or not self._process.is_alive():
            context = get_context("spawn")  # a fork of a process with threads may hang
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(target=serve, args=(theirs,), daemon=True)
            self._process.start()
            theirs.close()
        return self._pipe


_CHILD = Child()


def serve(pipe: Connection) -> None:
    """Render what is asked for, until the parent closes the pipe or ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    import_module("digest.compose.html")  # now: a limit must not break an import off in the middle
    with suppress(ValueError, OSError):  # where the system has no such limit
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    with suppress(EOFError, OSError):
        while True:
            pipe.send(_answer(*pipe.recv()))


def _answer(folder: Path | None, mail: str, view: AnyView) -> object:
    """Return what was rendered, a fault, or the trace of an unexpected exception."""
    try:
        with _limits():
            version = studio_language(view.language, folder).version
            templates = _templates(folder, view.language, version)
            return render_email(templates, mail, view)
    except TemplateError as error:  # an exception with arguments of its own cannot be pickled
        kind = _Limit if isinstance(error.__cause__, _LimitError) else _Fault
        return kind(error.template, error.line, error.what)
    except (MemoryError, _LimitError) as error:
        what = str(error) or "rendering needs too much memory"
        return _Limit(f"mail/{mail}/body.mjml.j2", 0, what)
    except Exception:  # noqa: BLE001  the parent raises it
        return traceback.format_exc()


@lru_cache(maxsize=8)  # what is built of them is kept
def _templates(folder: Path | None, code: str, _version: str) -> Templates:
    return Templates(folder, studio_language(code, folder))


def _megabytes() -> float:
    """Return the memory that this process has now, in MB.

    ru_maxrss would be that of the parent, if it was more: Linux passes it on to a new process.
    """
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:  # another system
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _A_MEGABYTE
    return pages * resource.getpagesize() / 2**20


@contextmanager
def _limits() -> Iterator[None]:
    """Raise _LimitError in what is executed within if it takes too much time or memory."""
    began = process_time()

    def look(_signal: int, _frame: object) -> None:
        if process_time() - began > SECONDS:
            what = f"rendering takes more than {SECONDS:.0f} seconds"
        elif _megabytes() > MEGABYTES:
            what = f"rendering needs more than {MEGABYTES} MB of memory"
        else:
            return
        # Again in a while, should what is executed catch it: a build does, and tries the plain way.
        signal.setitimer(signal.ITIMER_PROF, _AGAIN_AFTER, _LOOK_EVERY)
        raise _LimitError(what)

    signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, _LOOK_EVERY, _LOOK_EVERY)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
