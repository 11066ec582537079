"""Limit the public work, so that it never holds up people who leave or confirm."""

from asyncio import Semaphore, Task, create_task, get_running_loop, timeout_at, wait
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from typing import Any, ParamSpec, TypeVar

from fastapi import HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute

AT_ONCE = 2
WAITING = 100
RETRY_AFTER = "5"  # seconds, told to those who are turned away

P = ParamSpec("P")
R = TypeVar("R")


class Crowded(HTTPException):
    """The refusal of work, because as much as may be is under way or waits."""

    def __init__(self) -> None:
        super().__init__(HTTPStatus.SERVICE_UNAVAILABLE, headers={"Retry-After": RETRY_AFTER})


class Limiter:
    """Work that shares a limit: some of it at once, and some that waits for its turn.

    What waits takes no thread, so that the threads are there for the pages of single people.
    """

    def __init__(self, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._most = at_once + waiting
        self._admitted = 0
        self._working = Semaphore(at_once)
        self._late: set[Task[Any]] = set()

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Wait for a place, and hold it. Raises Crowded if too many wait."""
        if self._admitted == self._most:
            raise Crowded
        self._admitted += 1
        try:
            async with self._working:
                yield
        finally:
            self._admitted -= 1

    async def run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Do work in a thread, under the limit. Raises Crowded if too many wait."""
        async with self.place():
            return await run_in_threadpool(work, *args, **kwargs)

    async def run_within(
        self, seconds: float, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> R | None:
        """Do work in a thread, under the limit; return None if that takes too long.

        Work that has begun is finished nevertheless, and holds its place so long.
        """
        ends = get_running_loop().time() + seconds
        held = AsyncExitStack()
        try:
            async with timeout_at(ends):
                await held.enter_async_context(self.place())
        except (TimeoutError, Crowded):
            return None

        async def finished() -> R:
            async with held:
                return await run_in_threadpool(work, *args, **kwargs)

        task = create_task(finished())
        await wait({task}, timeout=ends - get_running_loop().time())
        if task.done():
            return await task
        self._late.add(task)  # or it could be collected as garbage
        task.add_done_callback(self._late.discard)
        return None


def limited_route(limiter: Limiter) -> type[APIRoute]:
    """Return the class of routes whose answers are made under a limit.

    Not for what has a body: a place would wait for it.
    """

    class LimitedRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            answer = super().get_route_handler()

            async def handle(request: Request) -> Response:
                async with limiter.place():
                    return await answer(request)

            return handle

    return LimitedRoute
