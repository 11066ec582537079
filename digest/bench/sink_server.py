"""A server that takes all mail at once and keeps nothing: `python -m digest.bench.sink_server`.

It prints its port, and works until its standard input ends; then it prints, as JSON, how many
messages it took, how many octets these had, and when the first one was there.
"""

import asyncio
import json
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass

_DOT = b"\r\n.\r\n"


@dataclass(slots=True)
class Taken:
    """Tell what a sink took; ``first_at`` is by the clock that all processes share (monotonic)."""

    messages: int = 0
    octets: int | None = 0
    first_at: float | None = None


class _Server(asyncio.Protocol):
    """Answers a client that sends all commands at once as well (RFC 5321, RFC 2920)."""

    def __init__(self, taken: Taken) -> None:
        self._taken = taken
        self._unread = bytearray()
        self._is_content = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._out = transport
        self._out.write(b"220 sink.example\r\n")

    def data_received(self, data: bytes) -> None:
        self._unread += data
        answers = []
        while True:
            end = self._unread.find(_DOT if self._is_content else b"\r\n")
            if end < 0:
                break
            if self._is_content:
                self._count(end + len(_DOT))
                answers.append(b"250 2.0.0 Taken\r\n")
            else:
                answers.append(self._answer(bytes(self._unread[:4]).upper()))
                # The line end of DATA may be the first one of the dot that ends the content.
                del self._unread[: end + 2 * (not self._is_content)]
        if self._is_content and len(self._unread) > len(_DOT):  # content is not kept
            self._skip(len(self._unread) - len(_DOT) + 1)
        self._out.write(b"".join(answers))

    def _answer(self, command: bytes) -> bytes:
        if command == b"EHLO":
            return b"250-sink.example\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 PIPELINING\r\n"
        if command == b"QUIT":
            return b"221 Bye\r\n"
        self._is_content = command == b"DATA"
        return b"354 Go on\r\n" if self._is_content else b"250 OK\r\n"

    def _count(self, octets: int) -> None:
        self._skip(octets)
        self._is_content = False
        self._taken.messages += 1
        self._taken.first_at = self._taken.first_at or time.monotonic()

    def _skip(self, octets: int) -> None:
        del self._unread[:octets]
        assert self._taken.octets is not None
        self._taken.octets += octets


async def _serve() -> Taken:
    taken = Taken()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Server(taken), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    return taken


if __name__ == "__main__":
    counted = json.dumps(asdict(asyncio.run(_serve())))
    with suppress(BrokenPipeError):  # whoever started it was killed
        print(counted, flush=True)
