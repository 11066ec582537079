"""Send messages over smtplib, as somebody would write it with the same libraries.

The plain way makes each message by Jinja2, MJML, premailer and EmailMessage. As many processes and
connections as ours send; each connection has a thread, and is kept. Processes are started, and
modules imported, before the clock.
"""

import smtplib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import make_msgid
from itertools import cycle, islice
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from digest.bench.day import NOW
from digest.bench.measured_run import Sample, app_of
from digest.bench.usage import Span
from digest.compose.composer import Composer
from digest.compose.content import fill_plainly
from digest.errors import ServiceError
from digest.model.digests import Digest

_spawning = get_context("spawn")

# Returns the octets of the message of a sample.
Make = Callable[[Sample], bytes]


@dataclass(frozen=True, slots=True)
class Load:
    """Say what to send: so many messages, like the samples, over so many connections."""

    settings: dict[str, str]
    port: int
    samples: tuple[Sample, ...]
    messages: int
    connections: int
    processes: int


@dataclass(frozen=True, slots=True)
class Took:
    """Tell what that took; ``octets`` are those of a message."""

    messages: int
    seconds: float
    processor_seconds: float
    octets: int


def send_ready(load: Load) -> Took:
    """Send messages that are ready."""
    return _send(load, _ready)


def send_plainly(load: Load) -> Took:
    """Make each message the plain way, and send it."""
    return _send(load, _plainly)


def plain_message(composer: Composer, digest: Digest, public_id: str, to: str) -> EmailMessage:
    """Make a message the plain way, from what the templates see of a digest."""
    links = composer.links(digest, public_id)
    content = fill_plainly(composer.templates, "digest", composer.view(digest, links))
    message = EmailMessage(policy=SMTP)
    message["From"] = composer.identity.address
    message["To"], message["Message-ID"] = to, make_msgid(domain="example.org")
    message["Subject"], message["Date"] = content.subject, NOW
    message["List-Unsubscribe"] = f"<{links.unsubscribe}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(content.text)
    message.add_alternative(content.html, subtype="html")
    return message


def _ready(_: Load) -> Make:
    return lambda sample: sample.message.content


def _plainly(load: Load) -> Make:
    composer = app_of(load.settings).composer
    sign = _dkimpy(load.settings) if "dkim_key" in load.settings else None

    def make(sample: Sample) -> bytes:
        to = sample.message.envelope.rcpt_to
        octets = plain_message(composer, sample.digest, sample.public_id, to).as_bytes()
        return sign(octets) + octets if sign else octets

    return make


def _dkimpy(settings: dict[str, str]) -> Callable[[bytes], bytes]:
    """Return what makes the header of a signature. Raises ModuleNotFoundError."""
    import dkim  # noqa: PLC0415  it may be missing

    key = Path(settings["dkim_key"]).read_bytes()
    domain = settings["from_"].rpartition("@")[2].encode()
    selector = settings["dkim_selector"].encode()

    def sign(octets: bytes) -> bytes:
        header: bytes = dkim.sign(
            octets, selector, domain, key, canonicalize=(b"relaxed", b"relaxed")
        )
        return header

    return sign


def _send(load: Load, way: Callable[[Load], Make]) -> Took:
    """Send in several processes; take the time from when all are ready until the last one ends."""
    processes = min(load.processes, load.connections)
    ready = _spawning.Barrier(processes + 1)
    answers = _spawning.SimpleQueue()
    workers = [
        _spawning.Process(
            target=_work, args=(load, way, number, processes, ready, answers), daemon=True
        )
        for number in range(processes)
    ]
    for worker in workers:
        worker.start()
    ready.wait()
    span = Span(lambda: 0.0)
    for worker in workers:
        worker.join()
        if worker.exitcode:
            ready.abort()
            raise ServiceError("a process that sends over smtplib died")
    span.end()
    used, octets = zip(*(answers.get() for _ in workers), strict=True)
    return Took(load.messages, span.seconds, sum(used), sum(octets) // load.messages)


def _work(
    load: Load,
    way: Callable[[Load], Make],
    number: int,
    processes: int,
    ready: Barrier,
    answers: Any,
) -> None:
    try:
        make = way(load)
        share = range(number, load.messages, processes)
        threads = len(range(number, load.connections, processes))
        make(load.samples[0])  # templates are read, and modules imported
    except BaseException:
        ready.abort()
        raise
    ready.wait()
    span = Span(time.process_time)
    samples = cycle(load.samples)

    def over_one_connection(mine: Sequence[Sample]) -> int:
        octets = 0
        with smtplib.SMTP("127.0.0.1", load.port) as connection:
            for sample in mine:
                content = make(sample)
                envelope = sample.message.envelope
                connection.sendmail(envelope.mail_from, envelope.rcpt_to, content)
                octets += len(content)
        return octets

    chosen = list(islice(samples, len(share)))
    with ThreadPoolExecutor(threads) as pool:
        octets = sum(pool.map(over_one_connection, (chosen[n::threads] for n in range(threads))))
    span.end()
    answers.put((span.processor_seconds, octets))
