"""Being told to stop: SIGINT and SIGTERM are noted, and the program ends when it is fit to."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from select import select
from threading import Thread

STOPS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_signals() -> Iterator[int]:
    """Within, these signals only make what it gives, a file descriptor, readable: an octet each.

    The interpreter writes to a pipe, in whichever thread the signal strikes, and nothing else is
    done then: the main thread may hold any lock. To block the signals would not do, because
    libraries have started threads of their own by now, in which they would still end the process.
    """
    reading, write_transaction = os.pipe()
    os.set_blocking(write_transaction, False)
    pipe_before = signal.set_wakeup_fd(write_transaction)
    handlers_before = {number: signal.signal(number, lambda *_: None) for number in STOPS}
    try:
        yield reading
    finally:
        for number, handler in handlers_before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(pipe_before)
        os.close(write_transaction)
        os.close(reading)


@contextmanager
def stopping(stop: Callable[[], object]) -> Iterator[None]:
    """Within, the first of these signals calls ``stop``, in a thread of its own."""
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
