"""Send messages over an open connection beside others, in one event loop and without threads."""

import asyncio
import ssl
from contextlib import suppress

from digest.deliver.transport.channel import MayHandOver
from digest.deliver.transport.replies import Reply
from digest.deliver.transport.smtp_conversation import Conversation
from digest.deliver.transport.smtp_transaction import (
    Await,
    Ended,
    HandOver,
    Put,
    Step,
    Transaction,
)

_READ_SIZE = 65_536  # octets
# Of a socket that has nothing to read, or no room to write; TLS may need either for both.
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Wire:
    """The connection of a conversation, from its first message to its last.

    What the server says is read as it comes, and kept until it is asked for.
    """

    def __init__(self, conversation: Conversation) -> None:
        assert conversation.sock is not None
        self._conversation = conversation
        self._socket = conversation.sock
        self._socket.setblocking(False)
        self._replies = conversation.replies
        self._loop = asyncio.get_running_loop()
        self._broken: OSError | None = None
        self._heard: asyncio.Future[None] | None = None
        self._loop.add_reader(self._socket, self._read)

    async def perform(self, message: Transaction, may_hand_over: MayHandOver) -> Ended:
        """Take the steps of a transaction; ask before the message is handed over."""
        steps = message.steps()
        try:
            step = next(steps)
            while True:
                try:
                    answer = await self._take(step, may_hand_over)
                except OSError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(answer)
        except StopIteration as stop:
            ended: Ended = stop.value
            return ended

    async def leave(self) -> None:
        """Say QUIT and close the connection, whatever the answer is."""
        self._stop_reading()
        # In a thread: a server may take long to say nothing.
        await self._loop.run_in_executor(None, self._conversation.leave)

    def close(self) -> None:
        self._stop_reading()
        self._conversation.close()

    async def _take(self, step: Step, may_hand_over: MayHandOver) -> Reply | bool | None:
        match step:
            case Await():
                return await self._reply(step.within)
            case HandOver():
                return await may_hand_over()
            case Put():
                await self._put(step.octets, step.within)
                return None

    async def _reply(self, within: float) -> Reply:
        """Return the next reply, which must be complete within so many seconds."""
        if (reply := self._replies.next()) is not None:
            return reply
        deadline = self._loop.call_later(within, self._break, TimeoutError("timed out"))
        try:
            while (reply := self._replies.next()) is None:
                if self._broken:
                    raise self._broken
                self._heard = self._loop.create_future()
                await self._heard
        finally:
            deadline.cancel()
            self._heard = None
        return reply

    async def _put(self, octets: bytes, within: float) -> None:
        """Hand octets to the system. Raises OSError if it has not taken all of them."""
        self._replies.expect_nothing()
        if self._broken:
            raise self._broken
        left = memoryview(octets)
        with suppress(*_NOT_NOW):
            left = left[self._socket.send(left) :]
        if left:
            try:
                async with asyncio.timeout(within):
                    await self._put_rest(left)
            except TimeoutError:
                raise TimeoutError("timed out") from None

    async def _put_rest(self, left: memoryview) -> None:
        while left:
            has_room = self._loop.create_future()
            self._loop.add_writer(self._socket, _settle, has_room)
            try:
                await has_room
            finally:
                self._loop.remove_writer(self._socket)
            with suppress(*_NOT_NOW):
                left = left[self._socket.send(left) :]

    # ---- what the server says ----

    def _read(self) -> None:
        try:
            # TLS may have more than the system says; a server that never stops gets no further
            # than the bound of a reply.
            octets = self._socket.recv(_READ_SIZE)
            if octets:
                self._replies.feed(octets)
                while isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
                    self._replies.feed(self._socket.recv(_READ_SIZE))
                self._tell()
            else:
                self._break(ConnectionError("closed by the server"))
        except _NOT_NOW:
            pass
        except OSError as error:
            self._break(error)
        if len(self._replies.unread) > _READ_SIZE:
            self._stop_reading()  # nobody asked for so much

    def _break(self, error: OSError) -> None:
        self._broken = error
        self._stop_reading()
        self._tell()

    def _tell(self) -> None:
        if self._heard:
            _settle(self._heard)

    def _stop_reading(self) -> None:
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket)


def _settle(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
