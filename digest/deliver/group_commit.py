"""Commit together what the connections of a process ask of the ledger.

A transaction costs the same for one message as for thirty. So the first that asks waits a moment
for the others, and one thread does what all have asked for: it alone writes.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from digest.ledger.claims import (
    Answers,
    Claims,
    Group,
    Mark,
    Record,
    Release,
    Skip,
)
from digest.ledger.database import retry_on_disconnect
from digest.ledger.leases import Lease, Leased
from digest.ledger.provider_queues import Exceptions, IntervalChange, Limits, Turn, Wait

LINGER = 0.005  # seconds
_ENOUGH = 0.75  # of the connections have asked: the rest is not waited for

Future = asyncio.Future


def _future() -> Future[Any]:
    return asyncio.get_running_loop().create_future()


@dataclass(slots=True)
class _Asked:
    """Holds the requests since the last transaction, and the futures that wait for answers."""

    group: Group
    turns: list[Future[Turn | Wait]] = field(default_factory=list)
    marks: list[Future[bool]] = field(default_factory=list)
    leases: list[Future[Leased]] = field(default_factory=list)
    # Done after the transaction, in transactions of its own.
    afterwards: list[Callable[[], object]] = field(default_factory=list)
    all_done: Future[None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    @property
    def _futures(self) -> list[Future[Any]]:
        return [*self.turns, *self.marks, *self.leases, self.all_done]

    def answer(self, answers: Answers) -> None:
        given = [*answers.turns, *answers.marks, *answers.leases, None]
        for future, answer in zip(self._futures, given, strict=True):
            if not future.done():  # its connection may have been interrupted
                future.set_result(answer)

    def fail(self, error: Exception) -> None:
        for future in self._futures:
            if not future.done():
                future.set_exception(error)
                future.exception()  # not everybody waits for it


class GroupCommit:
    """The ledger, as the connections of one process use it. Make it within the event loop.

    ``hearers`` are told after each transaction which queues are slowed down or paused.
    """

    def __init__(
        self,
        claims: Claims,
        limits: Callable[[datetime], Limits],
        clock: Callable[[], datetime],
        connections: int,
    ) -> None:
        self.hearers: list[Callable[[Exceptions], None]] = []
        self._claims = claims
        self._limits = limits
        self._clock = clock
        self._connections = connections
        self._asked = self._nothing()
        self._some = asyncio.Event()
        self._enough = asyncio.Event()
        self._is_closing = False
        self._failure: Exception | None = None
        self._thread = ThreadPoolExecutor(1, "ledger")

    # ---- what is asked for ----

    def record(self, record: Record, then: Callable[[], object] | None = None) -> Future[None]:
        """Record an outcome, and do something ``then``; the answer comes when both are done."""
        self._asked.group.records.append(record)
        return self.afterwards(then) if then else self._wake()

    def release(self, release: Release) -> Future[None]:
        self._asked.group.releases.append(release)
        return self._wake()

    def skip(self, skip: Skip) -> Future[None]:
        self._asked.group.skips.append(skip)
        return self._wake()

    def change_interval(self, change: IntervalChange) -> Future[None]:
        self._asked.group.changes.append(change)
        return self._wake()

    def afterwards(self, do: Callable[[], object]) -> Future[None]:
        """Do something after the next transaction."""
        self._asked.afterwards.append(do)
        return self._wake()

    def all_recorded(self) -> Future[None]:
        """Wait until what was asked for before is committed: nobody waits for an acceptance."""
        return self._wake()

    def turn(self, provider: str) -> Future[Turn | Wait]:
        self._asked.group.turns.append(provider)
        self._asked.turns.append(_future())
        self._wake()
        return self._asked.turns[-1]

    def mark(self, mark: Mark) -> Future[bool]:
        self._asked.group.marks.append(mark)
        self._asked.marks.append(_future())
        self._wake()
        return self._asked.marks[-1]

    def lease(self, lease: Lease) -> Future[Leased]:
        self._asked.group.leases.append(lease)
        self._asked.leases.append(_future())
        self._wake()
        return self._asked.leases[-1]

    # ---- the transactions ----

    @asynccontextmanager
    async def running(self) -> AsyncIterator["asyncio.Task[None]"]:
        """Commit while the context lasts, and at its end what was asked for before."""
        task = asyncio.create_task(self.run())
        try:
            yield task
        finally:
            self.close()
            await task

    async def run(self) -> None:
        """Commit until ``close`` is called, and what was asked for before."""
        with self._thread:
            while not (self._is_closing and not self._some.is_set()):
                await self._some.wait()
                await self._linger()
                asked, self._asked = self._asked, self._nothing()
                self._some.clear()
                self._enough.clear()
                try:
                    await self._commit(asked)
                except Exception as error:
                    self._failure = error
                    asked.fail(error)
                    self._asked.fail(error)  # and so is whatever is asked from now on
                    raise

    def close(self) -> None:
        self._is_closing = True
        self._some.set()

    async def _linger(self) -> None:
        """Wait a moment for other connections, unless most have asked already."""
        if self._connections > 1 and not self._is_closing:
            with suppress(TimeoutError):
                async with asyncio.timeout(LINGER):
                    await self._enough.wait()

    async def _commit(self, asked: _Asked) -> None:
        asked.group.limits = self._limits(self._clock())
        work = partial(self._in_thread, asked)
        answers = await asyncio.get_running_loop().run_in_executor(self._thread, work)
        for hear in list(self.hearers):
            hear(answers.exceptions)
        asked.answer(answers)

    def _in_thread(self, asked: _Asked) -> Answers:
        answers = retry_on_disconnect(lambda: self._claims.commit(asked.group, self._clock()))
        for do in asked.afterwards:
            retry_on_disconnect(do)
        return answers

    def _wake(self) -> Future[None]:
        if self._failure:
            self._asked.fail(self._failure)
        self._some.set()
        group = self._asked.group
        if len(group.marks) + len(group.turns) + len(group.leases) >= _ENOUGH * self._connections:
            self._enough.set()
        return self._asked.all_done

    def _nothing(self) -> _Asked:
        return _Asked(Group(Limits()))
