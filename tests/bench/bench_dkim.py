"""Measure what a signature costs: `python -m tests.bench.bench_dkim [MESSAGES]`.

The first 60 KB of a mail of the demo: processor time of one core for signing with RSA (2048 bits),
and with Ed25519 beside it; and for the parts of it.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from digest.cli.demo import demo_app, run_demo
from digest.deliver.transport.dkim import Signer, SigningKey, relaxed_body
from digest.model.messages import Envelope, Message
from tests.support import NOW

SIZE = 60_000


def main(messages: int) -> None:
    message = Message(Envelope("a@example.org", "b@example.org"), "<x@example.org>", _mail())
    body = message.content.partition(b"\r\n\r\n")[2]
    print(f"a message of {len(message.content):,} octets, {messages:,} times")
    rsa = SigningKey("a", generate_private_key(65537, 2048))
    ed25519 = SigningKey("b", Ed25519PrivateKey.generate())
    one, two = Signer("example.org", (rsa,)), Signer("example.org", (rsa, ed25519))
    _timed("signed by RSA", messages, lambda: one.sign(message, NOW))
    _timed("by RSA and Ed25519", messages, lambda: two.sign(message, NOW))
    _timed("  RSA alone", messages, lambda: rsa.sign(b"x" * 2000))
    _timed("  the body, relaxed", messages, lambda: relaxed_body(body))
    _timed("  SHA-256 of it", messages, lambda: sha256(body).digest())


def _mail() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        done = run_demo(demo_app(Path(folder)), lambda _done, _total: None)
        longest = max((mail.eml.read_bytes() for mail in done.mails), key=len)
    assert len(longest) >= SIZE
    return longest[:SIZE]


def _timed(what: str, times: int, do: Callable[[], object]) -> None:
    started = time.process_time()
    for _ in range(times):
        do()
    print(f"{what:<24}{1000 * (time.process_time() - started) / times:9.3f} ms")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
