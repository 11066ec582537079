"""The server that the benchmark sends to, in a process of its own.

Postfix's smtp-sink where it is installed, else a small one of our own. Either ends when this
process does, however that is: it reads from a pipe that ends with it.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

from digest.bench.sink_server import Taken
from digest.errors import ServiceError

_POSTFIX = f"{os.environ.get('PATH', os.defpath)}{os.pathsep}/usr/sbin"
_PATIENCE = 10.0  # seconds to start
_LOOK_EVERY = 0.005  # seconds, until the first message is there
# Runs a program until its standard input ends.
_UNTIL_EOF = '"$@" & child=$!; read _; kill $child; wait $child'
_MESSAGES = re.compile(rb"mesg=(\d+)")


def of_postfix(program: str) -> str | None:
    """Return the path of a program that comes with Postfix; None if it is not installed."""
    return shutil.which(program, path=_POSTFIX)


@dataclass(slots=True)
class Sink:
    """A sink: its port; and what it took, once it has ended."""

    port: int
    taken: Taken = field(default_factory=Taken)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"


@contextmanager
def running_sink(folder: Path) -> Iterator[Sink]:
    """Start a sink, and end it; ``folder`` is for its file. Raises ServiceError."""
    program = of_postfix("smtp-sink")
    with _smtp_sink(program, folder) if program else _own_sink() as sink:
        yield sink


@contextmanager
def _own_sink() -> Iterator[Sink]:
    process = subprocess.Popen(
        [sys.executable, "-m", "digest.bench.sink_server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for us
    )
    assert process.stdout
    try:
        sink = Sink(int(process.stdout.readline()))
        yield sink
    finally:
        said, _ = process.communicate()
    sink.taken = Taken(**json.loads(said))


@contextmanager
def _smtp_sink(program: str, folder: Path) -> Iterator[Sink]:
    counters = folder / "smtp-sink"
    sink = Sink(_free_port())
    user = ["-u", "nobody"] if os.geteuid() == 0 else []  # it refuses to be root
    command = [program, *user, "-c", f"127.0.0.1:{sink.port}", "1024"]
    with counters.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  nothing in it is given
            ["/bin/sh", "-c", _UNTIL_EOF, "sh", *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.DEVNULL,  # where the shell says that it was ended
            start_new_session=True,
        )
    over = Event()
    watching = Thread(target=_note_first, args=(counters, sink, over))
    try:
        _wait_for(sink.port, process)
        watching.start()
        yield sink
    finally:
        over.set()
        process.communicate()
        if watching.ident:
            watching.join()
    sink.taken = Taken(_messages(counters), None, sink.taken.first_at)


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(_LOOK_EVERY)
    raise ServiceError("smtp-sink does not start")


def _note_first(counters: Path, sink: Sink, over: Event) -> None:
    while not _messages(counters):
        if over.wait(_LOOK_EVERY):
            return
    sink.taken.first_at = time.monotonic()


def _messages(counters: Path) -> int:
    """Return the last count that smtp-sink has written."""
    with counters.open("rb") as written:
        size = written.seek(0, os.SEEK_END)
        written.seek(max(0, size - 200))
        found = _MESSAGES.findall(written.read())
    return int(found[-1]) if found else 0
