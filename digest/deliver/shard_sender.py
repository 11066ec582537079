"""Send shards: an engine hands them to this process, several at a time.

They share its connections, and one thread that writes. What is to be done for a shard is read from
its rows, so it may be handed out twice, to two machines, or never (ledger/shards.py).
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from math import ceil
from threading import Event
from typing import TypeVar

from digest.deliver.breaker import Refusals
from digest.deliver.delivery_worker import Parts, Pass, limits_of
from digest.deliver.edition_messages import EditionMessages
from digest.deliver.group_commit import GroupCommit
from digest.deliver.rate_limit import is_within
from digest.deliver.transport.channel_pool import ChannelPool
from digest.ledger.claims import Claims
from digest.ledger.database import retry_on_disconnect
from digest.ledger.ledger import Ledger
from digest.settings.settings import Settings

# Longer without a turn, a slot is for other shards.
PATIENCE = timedelta(seconds=5)
_LONGEST = timedelta(minutes=5)
_SOON = timedelta(seconds=3)  # somebody else is sending it
_IN_TROUBLE = timedelta(seconds=30)  # the relay, or a template; doubled some times
_FRESH = timedelta(hours=1)  # what was read of editions
_IS_OURS = timedelta(minutes=1)  # the database, since that was looked up
_CONNECTIONS = 8  # for a shard
_MESSAGES = 10  # for each of them, at least: to connect takes longer than to send

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Again:
    """The answer that a shard is not settled: look again at a moment.

    ``queue`` is the provider whose turns it waits for.
    """

    at: datetime
    queue: str | None = None


class ShardSender:
    """Sends for one process of several machines, within an event loop.

    ``slots`` are its connections. ``renew`` is called before shards, once a minute, and raises
    DigestError if nothing may be sent.
    """

    def __init__(
        self,
        parts: Parts,
        clock: Callable[[], datetime],
        slots: int,
        renew: Callable[[datetime], None],
    ) -> None:
        self._channels = ChannelPool(parts.channel, slots)
        self._parts = replace(parts, channel=self._channels.channel)
        self._clock = clock
        self._slots = slots
        self._renew = renew
        self._refusals = Refusals(slots)
        self._read_at = clock()
        self._renewed_at: datetime | None = None
        self._under_way: set[int] = set()
        self.stopping = Event()

    @property
    def at_once(self) -> int:
        """Return how many shards to send at once: while some are sent, the next are read."""
        return 2 * ceil(self._slots / _CONNECTIONS)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["asyncio.Task[None]"]:
        """Register this worker while the context lasts; the task ends early if it cannot write."""
        limits = partial(limits_of, self._parts.settings)
        with self._parts.ledger.live_workers.enter(self._slots) as claims:
            self._claims: Claims = claims
            self._commit = GroupCommit(claims, limits, self._clock, self._slots)
            self._messages = EditionMessages(
                self._parts.ledger, self._parts.composer, self._parts.sentences
            )
            try:
                async with self._commit.running() as writing:
                    yield writing
            finally:
                await self._channels.close()

    async def send(self, ids: Collection[int], runs_before: int = 0) -> Again | None:
        """Send what may be sent now of a shard; None if it is settled.

        It is, when none of it may be tried now or is being sent. Mail that is paused, put off, or
        for other hours is handed out anew when it is time. Raises DigestError.
        """
        # A second run in this process would give back what the first has marked.
        if not self._under_way.isdisjoint(ids):
            return Again(self._clock() + _SOON)
        self._under_way.update(ids)
        try:
            return await self._send(ids, runs_before)
        finally:
            self._under_way.difference_update(ids)
            if not self._under_way:
                await self._channels.close()

    async def _send(self, ids: Collection[int], runs_before: int) -> Again | None:
        if not await _in_thread(partial(self._begin, ids)):
            return None
        a_pass = Pass(
            self._parts,
            self._refusals,
            self._clock,
            self.stopping,
            messages=self._messages,
            longest=_LONGEST,
        )
        connections = min(_CONNECTIONS, self._slots, ceil(len(ids) / _MESSAGES))
        later = await a_pass.send_over(self._commit, connections, lambda _: None, ids, PATIENCE)
        await self._commit.all_recorded()
        if a_pass.accepted == len(ids):
            return None
        wait = _IN_TROUBLE * 2 ** min(runs_before, 4) if a_pass.troubles else _SOON
        return await _in_thread(partial(self._end, ids, later, wait))

    def _begin(self, ids: Collection[int]) -> bool:
        """Resolve what has been left of a shard. Return whether it may be sent now.

        Dead workers have, or a run of this one that an error ended: it may have handed over what
        it had marked.
        """
        now = self._clock()
        if not may_send(self._parts.settings, self._parts.ledger, now):
            return False
        if self._renewed_at is None or now - self._renewed_at >= _IS_OURS:
            self._renew(now)
            self._renewed_at = now
        self._parts.ledger.live_workers.resolve_orphaned(now, ids, idle=self._claims.name)
        if now - self._read_at > _FRESH:
            self._messages = EditionMessages(
                self._parts.ledger, self._parts.composer, self._parts.sentences
            )
            self._read_at = now
        return True

    def _end(self, ids: Collection[int], later: datetime | None, wait: timedelta) -> Again | None:
        now = self._clock()
        rest = self._parts.ledger.shards.rest(ids, now, self._claims.name)
        if rest.held:  # the answer to a commit was lost
            self._claims.release_forgotten(now, ids)
        if rest.is_settled or not may_send(self._parts.settings, self._parts.ledger, now):
            return None
        if self.stopping.is_set():
            return Again(now)
        return Again(later, rest.provider) if later else Again(now + wait)


def may_send(settings: Settings, ledger: Ledger, now: datetime) -> bool:
    """Return whether anything may be sent at a moment: by its hours, and by a warm-up's limit."""
    if not is_within(settings.send_window, now.astimezone(settings.timezone)):
        return False
    most = limits_of(settings, now).most
    return most is None or ledger.provider_queues.sent_on(most[0]) < most[1]


async def _in_thread(ask: Callable[[], T]) -> T:
    return await asyncio.to_thread(retry_on_disconnect, ask)
