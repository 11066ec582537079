"""The bounds on connections: clients that do not go on, or too many of them, hold up nobody.

A proxy has such bounds, but not everybody has a proxy, and uvicorn has none for a request that
comes drop by drop or an answer that nobody takes. The bounds on what is sent are h11's (16 KiB for
the head of a request) and the application's (subscribers/web/body_limit.py).
"""

from asyncio import TimerHandle, Transport

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

MOST = 500  # connections; many systems allow a process 1024 open files
ACCEPTED_AT_ONCE = 128  # before the bound on connections can do anything
PERIOD = 10.0  # seconds
LEAST = 16 * 1024  # octets that move in each PERIOD, if a request or its answer takes so long


class BoundedConnection(H11Protocol):
    """A connection that ends when its client is too slow, or makes room for another one.

    While the application works for it, it neither ends nor makes room. ``_moved`` are the octets
    received, less those that wait to be sent: so it grows by what goes on in either direction.
    """

    _received = 0
    _moved_before = 0
    _period: TimerHandle | None = None
    since = 0.0  # by the clock of the loop

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # uvicorn's
        super().connection_made(transport)
        self._start_period()
        if len(self.connections) > MOST:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        super().data_received(data)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._start_period()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._start_period()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._period:
            self._period.cancel()

    @property
    def _moved(self) -> int:
        return self._received - self.transport.get_write_buffer_size()

    @property
    def waits_for_client(self) -> bool:
        """Return whether the rest of a request is to come, or the answer to be taken."""
        cycle = self.cycle
        has_request = cycle and not cycle.response_complete and not cycle.more_body
        return self.flow.write_paused or not (has_request or self.flow.read_paused)

    @property
    def _is_answered_too_early(self) -> bool:
        """Return whether the rest of the request, which has its answer already, still comes."""
        is_answered = self.cycle and self.cycle.response_complete
        return bool(is_answered) and self.conn.their_state is h11.SEND_BODY

    def _start_period(self) -> None:
        if self._period:
            self._period.cancel()
        self.since, self._moved_before = self.loop.time(), self._moved
        self._period = self.loop.call_later(PERIOD, self._end_period)

    def _end_period(self) -> None:
        is_slow = self.waits_for_client and self._moved - self._moved_before < LEAST
        if is_slow or self._is_answered_too_early:
            self.transport.abort()
        else:
            self._start_period()

    def _make_room(self) -> None:
        """End the connection whose client has been waited for longest."""
        others = [
            other
            for other in self.connections
            if isinstance(other, BoundedConnection) and not other.transport.is_closing()
        ]
        waited_for = [other for other in others if other is not self and other.waits_for_client]
        if len(others) > MOST and waited_for:
            min(waited_for, key=lambda other: other.since).transport.abort()
