"""Look for an input that a reader of outside input cannot bear.

    python -m tests.fuzz [SECONDS] [READER…]

Each reader gets its share of the seconds (60 by default, for all of them together), and inputs that
are almost right: recorded ones, changed. It may raise its documented error, and nothing else; take
MOST_SECONDS of the processor, and MOST_MEMORY more than there was. What is found is stored as small
as it can be made, and belongs into a test of that reader. The exit status is 1 then.
"""

import argparse
import faulthandler
import resource
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic, process_time

import structlog
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.common import Reader
from tests.fuzz.readers import READERS

DEFAULT_SECONDS = 60.0
MOST_SECONDS = 10.0  # of the processor, for half a megabyte at most; TeX takes the longest
MOST_MEMORY = 1024**3  # octets, for all that is read and kept meanwhile
STUCK = 120  # seconds after which an input that never ends is shown by a traceback
STANDARD_ERROR = 2  # what faulthandler writes to, whatever stands for it meanwhile
LONGEST_LINE = 200
BATCH = 50  # inputs between two looks at the clock


class SlowError(Exception):
    """A reader took too long."""


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    arguments.add_argument("seconds", nargs="?", type=float, default=DEFAULT_SECONDS)
    arguments.add_argument("readers", nargs="*", metavar="READER", help=", ".join(READERS))
    given_words = arguments.parse_args()
    if unknown := set(given_words.readers) - READERS.keys():
        arguments.error(f"there is no reader {', '.join(sorted(unknown))}: {', '.join(READERS)}")
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    _limit_memory()
    chosen = given_words.readers or list(READERS)
    results = [_try(name, READERS[name], given_words.seconds / len(chosen)) for name in chosen]
    return 0 if all(results) else 1


def _try(name: str, reader: Reader, seconds: float) -> bool:
    """Try a reader for some seconds, and tell how many inputs it bore. Return whether all."""
    end, count = monotonic() + seconds, 0
    found = Path(tempfile.gettempdir()) / f"digest-fuzz-{name}.txt"

    def bear(value: object) -> None:
        nonlocal count
        count += 1
        try:
            bears(reader, value)
        except BaseException:
            found.write_text(repr(value), encoding="utf-8")  # at the end the smallest one
            raise

    while monotonic() < end:
        try:
            _batch(reader, bear, count)
        except Exception as error:  # noqa: BLE001  whatever it is, it is the finding
            print(f"{name}: {type(error).__name__}: {str(error)[:LONGEST_LINE]}; see {found}")
            traceback.print_tb(error.__traceback__, limit=-4)
            return False
    print(f"{name}: {count} inputs", flush=True)
    return True


def _batch(reader: Reader, bear: Callable[[object], None], number: int) -> None:
    test = given(reader.inputs)(bear)
    quiet = settings(
        max_examples=BATCH,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
        print_blob=False,
    )
    seed(number)(quiet(test))()


def bears(reader: Reader, value: object) -> None:
    """Give a reader an input. Raises what it must not raise, and SlowError."""
    begun = process_time()
    faulthandler.dump_traceback_later(STUCK, exit=True, file=STANDARD_ERROR)
    try:
        with suppress(*reader.raises):
            reader.read(value)
    finally:
        faulthandler.cancel_dump_traceback_later()
    if (taken := process_time() - begun) > MOST_SECONDS:
        raise SlowError(f"{taken:.1f} seconds of the processor")


def _limit_memory() -> None:
    """Let an input that takes more raise MemoryError, here rather than on somebody's machine."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + MOST_MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    sys.exit(main())
