"""Note SIGINT and SIGTERM, so that the program ends when its work allows it."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from select import select
from threading import Thread

STOPS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_signals() -> Iterator[int]:
    """Yield a file descriptor from which an octet can be read for each of these signals.

    Nothing else happens: the interpreter writes to a pipe, because the main thread may hold any
    lock. Blocking the signals would not be enough: libraries have started threads by now, in which
    the signals would still end the process.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    pipe_before = signal.set_wakeup_fd(writing)
    handlers_before = {number: signal.signal(number, lambda *_: None) for number in STOPS}
    try:
        yield reading
    finally:
        for number, handler in handlers_before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(pipe_before)
        os.close(writing)
        os.close(reading)


@contextmanager
def stopping(stop: Callable[[], object]) -> Iterator[None]:
    """Call ``stop`` in a thread of its own when the first of these signals arrives."""
    over, end = os.pipe()

    def wait_for_one(told: int) -> None:
        if told in select([told, over], [], [])[0]:
            stop()

    with stop_signals() as told:
        thread = Thread(target=wait_for_one, args=(told,))
        thread.start()
        try:
            yield
        finally:
            os.write(end, b".")
            thread.join()  # before what it waits for is closed
            os.close(over)
            os.close(end)
