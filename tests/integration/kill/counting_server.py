"""A small SMTP server that counts: how many copies of each message it has received whole.

It takes its time at each point, a little and at random, so that a client that is killed at any
moment is killed in each phase.
"""

import asyncio
import re
import socket
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from random import Random
from threading import Condition, Thread
from typing import NamedTuple, Self

HOST = "127.0.0.1"
_MESSAGE_ID = re.compile(rb"^message-id:\s*(<[^>]+>)", re.IGNORECASE | re.MULTILINE)


class Mail(NamedTuple):
    """The values by which messages are counted: two copies agree in all of them."""

    message_id: str
    mail_from: str
    rcpt_to: str


class CountingServer:
    """Counts the messages that have arrived, and those that were answered with 250.

    ``slow`` is how many seconds an answer takes at most, ``puts_off`` for how many recipients in a
    hundred it says "later" the first time. ``at_dot`` is called with how many have arrived, before
    a message is answered; while it returns something awaitable, the answer waits for that.
    """

    def __init__(self, seed: int = 0, slow: float = 0.0, puts_off: float = 0.0) -> None:
        self.arrived: Counter[Mail] = Counter()
        self.answered: Counter[Mail] = Counter()
        self.put_off: set[str] = set()
        self.at_dot: Callable[[int], asyncio.Future[None] | None] = lambda _: None
        self.words = "OK"  # beside the code, for a mail that is taken
        self.loop = asyncio.new_event_loop()
        self._slow = slow
        self._puts_off = puts_off
        self._random = Random(seed)
        self.ever_connected = 0
        self._connections = 0
        self._changed = Condition()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.bind((HOST, 0))
        self._socket.listen(100)
        self._thread = Thread(target=self.loop.run_forever, name="counting server")

    @property
    def url(self) -> str:
        """Return the value for DIGEST_TRANSPORT."""
        return f"smtp://{HOST}:{self._socket.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        starting = asyncio.start_server(self._serve, sock=self._socket, limit=2**20)
        self._server = asyncio.run_coroutine_threadsafe(starting, self.loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()

    async def _stop(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for other in others:
            other.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    # ---- for the tests -----------------------------------------------------------------------

    @property
    def copies(self) -> int:
        return sum(self.arrived.values())

    def wait_until(self, holds: Callable[[], bool], seconds: float = 40) -> None:
        """Wait for a message to arrive, or for a client to leave."""
        with self._changed:
            assert self._changed.wait_for(holds, seconds), "it never came to that"

    def hear_out(self) -> None:
        """Wait until every client has gone and all that they sent is read."""
        self.wait_until(lambda: self._connections == 0)

    # ---- a conversation ----------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._change(connections=1)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await _Conversation(self, reader, writer).run()
        finally:
            writer.close()
            self._change(connections=-1)

    async def take_time(self) -> None:
        if self._slow:
            await asyncio.sleep(self._random.random() * self._slow)

    def wants(self, recipient: str) -> bool:
        """Return whether a recipient is accepted this time."""
        if recipient in self.put_off or self._random.random() * 100 >= self._puts_off:
            return True
        self.put_off.add(recipient)
        return False

    def count(self, what: Mail) -> asyncio.Future[None] | None:
        self._change(what)
        return self.at_dot(self.copies)

    def _change(self, arrived: Mail | None = None, connections: int = 0) -> None:
        with self._changed:
            self._connections += connections
            self.ever_connected += max(connections, 0)
            if arrived:
                self.arrived[arrived] += 1
            self._changed.notify_all()


class _Conversation:
    def __init__(
        self, server: CountingServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self._mail_from = self._rcpt_to = ""

    async def run(self) -> None:
        await self._say("220 counting.test")
        while True:
            command = (await self._reader.readuntil(b"\r\n")).decode()
            match command[:4].upper():
                case "EHLO":
                    await self._say("250-counting.test\r\n250 SMTPUTF8")
                case "MAIL":
                    self._mail_from = _address(command)
                    await self._say("250 OK")
                case "RCPT":
                    self._rcpt_to = _address(command)
                    wanted = self._server.wants(self._rcpt_to)
                    await self._say("250 2.1.5 OK" if wanted else "450 4.2.0 Come back later")
                case "DATA":
                    await self._say("354 Go on")
                    await self._take()
                case "QUIT":
                    await self._say("221 Bye")
                    return
                case _:
                    await self._say("250 OK")

    async def _take(self) -> None:
        """Count a message, from the moment at which all of it has arrived."""
        octets = await self._reader.readuntil(b"\r\n.\r\n")
        found = _MESSAGE_ID.search(octets)
        assert found
        what = Mail(found[1].decode(), self._mail_from, self._rcpt_to)
        if waiting := self._server.count(what):
            await waiting
        await self._say(f"250 2.0.0 {self._server.words}")
        self._server.answered[what] += 1

    async def _say(self, line: str) -> None:
        await self._server.take_time()
        self._writer.write(f"{line}\r\n".encode())
        await self._writer.drain()


def _address(command: str) -> str:
    return command.partition("<")[2].partition(">")[0]
