"""Measure what processes use: time, processor and memory."""

import os
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

_LOOK_EVERY = 0.2  # seconds


def processor_seconds() -> float:
    """Return the processor time of this process and of those that it has waited for."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def tree_processor_seconds(pid: int) -> float:
    """Return the processor time of a process and of all below it; 0 if the system does not tell."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace")
        # Its own and that of children it has waited for, in user and system mode.
        used = sum(map(int, stat.rpartition(")")[2].split()[11:15]))
        return used / os.sysconf("SC_CLK_TCK") + sum(map(tree_processor_seconds, _children(pid)))
    except OSError:
        return 0.0


class Span:
    """Holds the seconds that something took by the clock, and those of the processor."""

    def __init__(self, processor: Callable[[], float] = processor_seconds) -> None:
        self._processor = processor
        self.began_at = time.monotonic()
        self._used_before = processor()
        self.seconds = self.processor_seconds = 0.0

    def end(self) -> None:
        self.seconds = time.monotonic() - self.began_at
        self.processor_seconds = self._processor() - self._used_before


def forget_peak() -> None:
    """Begin to measure anew how much memory this process has at most."""
    with suppress(OSError):  # only Linux has this
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_octets(pid: int | None = None) -> int:
    """Return the most memory that a process has had, in octets; 0 if the system does not tell."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid or os.getpid()}/status").read_text("utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


@dataclass(slots=True)
class ChildrenPeak:
    """The most memory that any one of this process's children has had, in octets."""

    octets: int = 0


@contextmanager
def watched_children() -> Iterator[ChildrenPeak]:
    """Look at the memory of this process's children again and again meanwhile."""
    peak, over = ChildrenPeak(), Event()

    def look() -> None:
        while not over.wait(_LOOK_EVERY):
            peak.octets = max([peak.octets, *map(peak_octets, _children(os.getpid()))])

    watching = Thread(target=look, daemon=True)
    watching.start()
    try:
        yield peak
    finally:
        over.set()
        watching.join()


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, thread.read_text("ascii").split())
    return found
