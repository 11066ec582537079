"""A line to a server, which can be cut, and mended."""

import asyncio
from contextlib import suppress
from threading import Condition, Thread
from typing import Self

HOST = "127.0.0.1"


class Line:
    """Passes on what it hears on a free port of its own to another, and back."""

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="line")
        self._calls: set[asyncio.Task[None]] = set()
        self._is_cut = False
        self._in_vain = 0
        self._changed = Condition()

    def __enter__(self) -> Self:
        self._thread.start()
        starting = asyncio.start_server(self._pass_on, HOST, 0)
        self._server = asyncio.run_coroutine_threadsafe(starting, self._loop).result(10)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def cut(self) -> None:
        """Nothing passes any more, and who calls is hung up on."""
        asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result(10)

    def mend(self) -> None:
        self._is_cut = False

    def wait_for_calls_in_vain(self, least: int = 1) -> None:
        """Wait until somebody has called since it was cut."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._in_vain >= least, 20)

    async def _cut(self) -> None:
        self._is_cut, self._in_vain = True, 0
        calls = list(self._calls)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = asyncio.current_task()
        assert call
        if self._is_cut:
            writer.transport.abort()
            with self._changed:
                self._in_vain += 1
                self._changed.notify_all()
            return
        self._calls.add(call)
        there, out = await asyncio.open_connection(*self._to)
        try:
            with suppress(asyncio.CancelledError):
                await asyncio.gather(_copy(reader, out), _copy(there, writer))
        finally:
            out.transport.abort()
            writer.transport.abort()
            self._calls.discard(call)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while octets := await reader.read(65_536):
            writer.write(octets)
            await writer.drain()
    writer.transport.abort()
