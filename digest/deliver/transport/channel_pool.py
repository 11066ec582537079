"""Share some connections among many who need one for a while."""

from asyncio import LifoQueue
from collections.abc import Callable
from dataclasses import dataclass

from digest.deliver.transport.channel import Channel, MayHandOver
from digest.errors import TransportError
from digest.model.messages import Message, Outcome


@dataclass(slots=True)
class _Kept:
    channel: Channel
    is_open: bool = False


class ChannelPool:
    """Holds the channels of one event loop; each stays open for whoever borrows it next."""

    def __init__(self, make: Callable[[], Channel], most: int) -> None:
        # What was returned last is borrowed first: no more are opened than are in use at once.
        self._free: LifoQueue[_Kept] = LifoQueue()
        for _ in range(most):
            self._free.put_nowait(_Kept(make()))

    def channel(self) -> Channel:
        """Return a channel that borrows one of the pool while it is open, and waits for it."""
        return _Borrowed(self._free)

    async def close(self) -> None:
        """Close all that nobody has now; who borrows one later opens it again."""
        free = [self._free.get_nowait() for _ in range(self._free.qsize())]
        try:
            for kept in free:
                await _close(kept)
        finally:  # none may be lost, or somebody would wait for it for ever
            for kept in free:
                self._free.put_nowait(kept)


class _Borrowed:
    def __init__(self, free: LifoQueue[_Kept]) -> None:
        self._free = free
        self._kept: _Kept | None = None

    async def open(self) -> None:
        kept = await self._free.get()
        try:
            if not kept.is_open:
                await kept.channel.open()
                kept.is_open = True
        except BaseException:
            self._free.put_nowait(kept)
            raise
        self._kept = kept

    async def close(self) -> None:
        assert self._kept
        self._free.put_nowait(self._kept)
        self._kept = None

    async def send(self, message: Message, may_hand_over: MayHandOver) -> Outcome | None:
        assert self._kept
        try:
            return await self._kept.channel.send(message, may_hand_over)
        except TransportError:
            await _close(self._kept)
            raise


async def _close(kept: _Kept) -> None:
    if kept.is_open:
        kept.is_open = False
        await kept.channel.close()
