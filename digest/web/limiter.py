"""Limit the public work that takes long, so that it never holds up who leaves or confirms."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from threading import BoundedSemaphore
from typing import ParamSpec, TypeVar

from fastapi import HTTPException

AT_ONCE = 2
WAITING = 6
RETRY_AFTER = "5"  # seconds, told to those who are turned away

P = ParamSpec("P")
R = TypeVar("R")


class Crowded(HTTPException):
    """The refusal of work, because as much as may be is under way or waits."""

    def __init__(self) -> None:
        super().__init__(HTTPStatus.SERVICE_UNAVAILABLE, headers={"Retry-After": RETRY_AFTER})


class Limiter:
    """Work that shares a limit: some of it at once, and some that waits for its turn.

    Pages are served by a limited number of threads, which all pages share: so no more may wait.
    """

    def __init__(self, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._admitted = BoundedSemaphore(at_once + waiting)
        self._working = BoundedSemaphore(at_once)

    def limited(self, work: Callable[P, R]) -> Callable[P, R]:
        """Return a function that does the work under the limit; it raises Crowded beyond it."""

        @wraps(work)
        def do(*args: P.args, **kwargs: P.kwargs) -> R:
            if not self._admitted.acquire(blocking=False):
                raise Crowded
            try:
                with self._working:
                    return work(*args, **kwargs)
            finally:
                self._admitted.release()

        return do
