"""Measure what a message takes on its way to a relay: `python -m tests.bench.bench_smtp [MESSAGES]`.

To a server of this machine, over a line on which each answer is under way for a while, with and
without pipelining: messages a second, the round trips that each waits for (among them the server's
own time, as it shares our processor), and the processor time of the client alone.
"""

import sys
import time

from digest.deliver.transport.smtp import SmtpChannel, SmtpTransport
from digest.deliver.transport.smtp_relay import Relay
from digest.deliver.transport.smtp_transaction import Timeouts
from digest.model.messages import Envelope, Message, OutcomeKind
from tests.integration.smtp_server import HOST, SmtpServer

SIZE = 60_000
LATENCIES = (0.005, 0.02, 0.05)


def main(messages: int) -> None:
    print(f"{messages:,} messages of {SIZE:,} octets over one connection")
    for latency in LATENCIES:
        for pipelining in (False, True):
            took, worked = _seconds_each(messages, latency, pipelining=pipelining)
            print(
                f"{1000 * latency:3.0f} ms, {'pipelined' if pipelining else 'one by one':<11}"
                f"{1 / took:6.0f} messages a second{took / latency:6.1f} round trips"
                f"{1000 * worked:6.2f} ms of processor"
            )


def _seconds_each(messages: int, latency: float, *, pipelining: bool) -> tuple[float, float]:
    content = b"Subject: x\r\n\r\n" + (b"x" * 70 + b"\r\n") * (SIZE // 72)
    message = Message(Envelope("a@example.org", "b@example.org"), "<x@example.org>", content)
    with (
        SmtpServer(pipelining=pipelining, latency=latency) as server,
        SmtpTransport(SmtpChannel(Relay(HOST, server.port), Timeouts(), messages + 1)) as transport,
    ):
        started, began = time.perf_counter(), time.thread_time()
        for _ in range(messages):
            assert transport.send(message).kind is OutcomeKind.ACCEPTED
        took, worked = time.perf_counter() - started, time.thread_time() - began
    return took / messages, worked / messages


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
