"""Give the deliveries of a pass to its connections, each when its turn has come.

They are leased in blocks, and all that a block needs is read at once. While the connections work on
one block, the next is fetched.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.deliver.group_commit import GroupCommit
from digest.ledger.claims import Release
from digest.ledger.leases import Lease
from digest.ledger.provider_queues import ALL, Exceptions, Limits, Turn, Wait
from digest.model.announcements import Announced
from digest.model.deliveries import Delivery
from digest.model.digests import Digest
from subscribers.model import Subscriber

BLOCK = 200  # deliveries


@dataclass(frozen=True, slots=True)
class Parcel:
    """A leased delivery with what its message is made of."""

    delivery: Delivery
    person: Subscriber
    digest: Digest | Announced

    @property
    def provider(self) -> str:
        return self.delivery.provider


class Feed:
    """The deliveries that a process has leased and not begun.

    ``read`` returns the parcels of a block, without those that cannot be sent. ``goes_on`` says
    whether more may be begun, and ``wait`` waits until a moment, or until that is no longer so.
    ``only`` are the ids of a shard, if it is one's feed; if it gets no turn for as long as its
    ``patience``, it ends, and ``later`` says when to go on.
    """

    later: datetime | None = None

    def __init__(
        self,
        commit: GroupCommit,
        read: Callable[[Sequence[Delivery]], Awaitable[list[Parcel]]],
        limits: Callable[[datetime], Limits],
        clock: Callable[[], datetime],
        goes_on: Callable[[datetime], bool],
        wait: Callable[[datetime], Awaitable[None]],
        connections: int,
        only: Collection[int] | None = None,
        patience: timedelta | None = None,
    ) -> None:
        self._commit = commit
        self._only = only
        self._patience = patience
        self._idle_since: datetime | None = None
        self._read = read
        self._limits = limits
        self._clock = clock
        self._goes_on = goes_on
        self._wait = wait
        self._few = min(BLOCK // 2, 4 * connections)
        self._refill_below = self._few
        self._parcels: deque[Parcel] = deque()
        self._held: dict[str, datetime] = {}  # queues without a turn before a moment
        self._exceptions = Exceptions()
        self._fetching: asyncio.Task[None] | None = None
        self._failure: Exception | None = None
        self._is_exhausted = False
        self._later: datetime | None = None

    def begin(self) -> None:
        """Fetch the first block, while connections are made."""
        if self._goes_on(self._clock()):
            self._fetch()

    async def next(self) -> Parcel | None:
        """Return the next delivery whose turn it is; None if the pass is over."""
        while self._goes_on(self._clock()):
            if self._failure:
                raise self._failure
            parcel = self._first_free()
            if self._may_fetch():
                self._fetch()
            if parcel is not None:
                if await self._has_turn(parcel):
                    self._idle_since = None
                    return parcel
            elif self._fetching:
                await asyncio.wait([self._fetching])
            elif moment := self._next_moment():
                self._idle_since = self._idle_since or self._clock()
                if self._patience and moment > self._idle_since + self._patience:
                    self.later = moment
                    return None
                await self._wait(moment)
            else:
                return None
        return None

    async def end(self) -> None:
        """Give back what was not begun, also what is being leased."""
        if self._fetching:
            await asyncio.wait([self._fetching])
        self.drop(ALL)

    # ---- what the pass learns ----

    def hear(self, exceptions: Exceptions) -> None:
        """Learn which queues are slowed down or paused."""
        self._exceptions = exceptions
        for queue in exceptions.paused:
            self.drop(queue)

    def slow_down(self, queue: str) -> None:
        """Let nothing of a queue begin without a turn, even before the ledger says so."""
        slow = self._exceptions.slow | {queue}
        self._exceptions = Exceptions(slow, self._exceptions.paused)

    def is_slow(self, queue: str) -> bool:
        """Return whether replies have slowed a queue down."""
        return queue in self._exceptions.slow

    def drop(self, queue: str) -> None:
        """Give back what belongs to a queue, but for probes."""
        kept: deque[Parcel] = deque()
        for parcel in self._parcels:
            if queue in {ALL, parcel.provider} and not parcel.delivery.is_probe:
                self._commit.release(Release(parcel.delivery))
            else:
                kept.append(parcel)
        self._parcels = kept

    def look_again(self) -> None:
        """Look for deliveries once more: something was given back."""
        self._is_exhausted = False
        self._refill_below = self._few
        self._later = None

    # ---- whose turn it is ----

    def _first_free(self) -> Parcel | None:
        """Take the first parcel whose queue is not waited for."""
        now = self._clock()
        self._held = {queue: until for queue, until in self._held.items() if until > now}
        if ALL in self._held:
            return None
        for place, parcel in enumerate(self._parcels):
            if parcel.provider not in self._held:
                del self._parcels[place]
                return parcel
        return None

    async def _has_turn(self, parcel: Parcel) -> bool:
        """Take the turn of a parcel in its queues; put it back if there is none yet."""
        if not self._is_paced(parcel.provider):
            return True
        match await self._commit.turn(parcel.provider):
            case Turn.NOW:
                return True
            case Wait(queue, until):
                self._held[queue] = until
                self._parcels.appendleft(parcel)
            case Turn.NOT_TODAY:
                self._parcels.appendleft(parcel)
                self.drop(ALL)
                self._is_exhausted, self._later = True, None
        return False

    def _is_paced(self, provider: str) -> bool:
        limits = self._limits(self._clock())
        is_set = limits.interval or limits.provider_interval or limits.most
        return bool(is_set or self.is_slow(ALL) or self.is_slow(provider))

    def _next_moment(self) -> datetime | None:
        """Return when a parcel is free again, or may be leased."""
        moments = [self._later] if self._later and self._is_low else []
        if self._parcels:
            waits_for = {ALL, *(parcel.provider for parcel in self._parcels)}
            moments += [until for queue, until in self._held.items() if queue in waits_for]
        return min(moments, default=None)

    # ---- blocks ----

    @property
    def _is_low(self) -> bool:
        return len(self._parcels) < self._refill_below

    def _may_fetch(self) -> bool:
        if self._fetching or self._is_exhausted or not self._is_low:
            return False
        return self._later is None or self._later <= self._clock()

    def _fetch(self) -> None:
        self._fetching = asyncio.create_task(self._fetch_block())

    async def _fetch_block(self) -> None:
        try:
            has = Counter(parcel.provider for parcel in self._parcels)
            leased = await self._commit.lease(Lease(BLOCK, has, self._only))
            self._later = leased.later
            # Nothing more may only mean that of each queue there is as much as it allows.
            is_short = leased.deliveries or not self._parcels
            self._refill_below = self._few if is_short else len(self._parcels)
            is_something = leased.deliveries or leased.later or self._parcels
            self._is_exhausted = leased.is_all or not is_something
            if leased.deliveries:
                self._parcels += await self._read(leased.deliveries)
        except Exception as error:  # noqa: BLE001  raised to whoever asks next
            self._failure = error
        finally:
            self._fetching = None
