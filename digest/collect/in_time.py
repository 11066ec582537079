"""Do something with many things at once, for so long and no longer."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import TypeVar

_WAIT = 0.5  # seconds until a request to stop is seen

Thing = TypeVar("Thing")
Result = TypeVar("Result")


def in_time(
    things: Iterable[Thing],
    do: Callable[[Thing], Result],
    most_seconds: float,
    at_once: int,
    stopping: Event,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Result]:
    """Yield what ``do`` returns, as it comes, for so many seconds; it must not raise.

    What has not come by then is left behind, in threads that end by themselves, and nothing more is
    begun; so it is if whoever goes over the results stops.
    """
    until = clock() + most_seconds
    waiting, came = deque(things), SimpleQueue[Result]()

    def do_some() -> None:
        while waiting and clock() < until and not stopping.is_set():
            try:
                came.put(do(waiting.popleft()))
            except IndexError:  # another thread took the last one
                return

    missing = len(waiting)
    for number in range(min(at_once, missing)):
        Thread(target=do_some, name=f"{do.__name__} {number}", daemon=True).start()
    try:
        while missing and (left := until - clock()) > 0 and not stopping.is_set():
            try:
                yield came.get(timeout=min(left, _WAIT))
            except Empty:
                continue
            missing -= 1
    finally:
        waiting.clear()
