"""Count the code one thing passes through: `python -m tests.bench.bench_path [--list]`.

How many files of digest/ and subscribers/ (migrations apart), and how many functions in them:

- one mail, from plan to wire: all that `Pipeline.tick` does for one subscriber with
  two topics. The sample edition has been collected, and the parts of the program have been made (as
  `digest run` does first): neither is counted. The edition is frozen, ranked and planned, the mail
  composed, and a real SMTP server on this machine takes it.
- one bounce: `Inbox.read` with a Maildir in which the failure report for that mail lies.
- one unsubscribe: the one-click POST of RFC 8058 to the link in such a mail, from the moment at which
  the web application has the request until all that follows from it is done.

A function is what has a name: a lambda or a comprehension counts as part of the function it stands
in, and class bodies and modules, which run as they are loaded, not at all. Nor does what Python
writes itself (a dataclass's `__init__`), what logs go through, or the DNS (DIGEST_MX_LOOKUPS=no).
With --list, each file is followed by its functions.
"""

import argparse
import asyncio
import email
import email.policy
import inspect
import mailbox
import sys
import tempfile
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from types import CodeType, FrameType

import httpx
import structlog

# All that is used of the program, at one place: the rest is reached through App.
import digest
import subscribers
from digest.app.app import App
from digest.app.web import web
from digest.cli.demo import NOW
from digest.collect.sample_edition import SAMPLE_EDITION
from digest.inbound.mailboxes import messages_in
from subscribers.topics import parse_topics
from tests import reports
from tests.integration.smtp_server import Received, SmtpServer
from tests.support import SENDING

READER = "ada@example.org"
TOPICS = ("video generation", "world models")
ROOTS = tuple(Path(folder) for package in (digest, subscribers) for folder in package.__path__)


@dataclass
class Passed:
    """The functions that were passed through, by file."""

    what: str
    functions: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add(self, code: CodeType) -> None:
        """Note a piece of code that ran, if it is a named function of the project."""
        # Class bodies lack the flag; <module>, <lambda> and <listcomp> have no name of their own.
        if not code.co_flags & inspect.CO_OPTIMIZED or code.co_name.startswith("<"):
            return
        file = Path(code.co_filename)
        for root in ROOTS:
            if file.is_relative_to(root) and not file.is_relative_to(
                root / "ledger" / "migrations"
            ):
                name = file.relative_to(root.parent).as_posix()
                self.functions[name].add(code.co_qualname)

    def print_line(self) -> None:
        count = sum(map(len, self.functions.values()))
        print(f"{self.what:<28}{len(self.functions):>6}{count:>11}")

    def print_list(self) -> None:
        print(f"\n{self.what}")
        for file, names in sorted(self.functions.items()):
            print(f"  {file} ({len(names)})")
            for name in sorted(names):
                print(f"    {name}")


@contextmanager
def watched(what: str) -> Iterator[Passed]:
    """Note what runs meanwhile, in this thread and in those that begin meanwhile."""
    path = Passed(what)
    codes: set[CodeType] = set()

    def note(frame: FrameType, event: str, _argument: object) -> None:
        # No more than this: it is called for each call of any library, too.
        if event == "call":
            codes.add(frame.f_code)

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield path
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
        # Of a copy: a thread that is about to end may still be noting.
        for code in tuple(codes):
            path.add(code)


@dataclass
class Sent:
    """A home in which one mail was sent, and what was passed through for it."""

    app: App
    mail: Received
    path: Passed


@contextmanager
def one_mail_sent() -> Iterator[Sent]:
    """Send one mail, in a home of its own."""
    with tempfile.TemporaryDirectory() as home, SmtpServer() as server:
        app = App(
            environment={},
            dotenv=None,
            clock=lambda: NOW,
            home=home,
            transport=server.url(),
            mx_lookups="no",
            **SENDING,
        )
        app.registry.add(READER, parse_topics(TOPICS), source="bench", now=NOW)
        app.collector.collect_files([SAMPLE_EDITION], None, NOW)
        app.make_ready()
        with watched("mail, from plan to wire") as path:
            run = app.pipeline.tick(NOW, everybody=True)
        assert not run.trouble, run.trouble
        (mail,) = server.received
        yield Sent(app, mail, path)


def bounce(sent: Sent) -> Passed:
    """Have the mail come back: its reader's address is dead."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "maildir"
        mailbox.Maildir(place, create=True).add(reports.failure(sent.mail.mail_from))
        inbox = sent.app.inbox
        with watched("bounce, from a Maildir") as path:
            verdicts = inbox.read(messages_in(place), NOW)
    assert dict(verdicts) == {"hard": 1}, verdicts
    return path


def unsubscribe(sent: Sent) -> Passed:
    """Have the reader leave, as a mail program does it for them."""
    headers = email.message_from_bytes(sent.mail.content, policy=email.policy.default)
    links = (part.strip(" <>") for part in headers["List-Unsubscribe"].split(","))
    link = next(part for part in links if part.startswith("https:"))
    transport = httpx.ASGITransport(web(sent.app))
    # The application is put together at its first request, whatever that is. This one has an event
    # loop of its own: the threads of the next one are to begin while they are watched.
    asyncio.run(_ask(transport, "GET", f"{SENDING['base_url']}/no-such-page"))
    with watched("unsubscribe, one-click POST") as path:
        status = asyncio.run(_ask(transport, "POST", link, {"List-Unsubscribe": "One-Click"}))
    assert status == HTTPStatus.OK, status
    person = sent.app.registry.file_of(READER)
    assert person is not None
    assert person.subscriber.consent == "withdrawn", person
    return path


async def _ask(
    transport: httpx.ASGITransport, method: str, url: str, form: dict[str, str] | None = None
) -> int:
    async with httpx.AsyncClient(transport=transport) as client:
        return (await client.request(method, url, data=form)).status_code


def main(*, lists: bool) -> None:
    # What is logged is no part of the table.
    structlog.configure(processors=[], logger_factory=structlog.ReturnLoggerFactory())
    with one_mail_sent() as sent:
        paths = [sent.path, bounce(sent)]
    with one_mail_sent() as sent:  # to somebody whom no bounce has blocked
        paths.append(unsubscribe(sent))
    print(f"{'what':<28}{'files':>6}{'functions':>11}")
    for path in paths:
        path.print_line()
    if lists:
        for path in paths:
            path.print_list()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--list", action="store_true", help="name the files and functions")
    main(lists=parser.parse_args().list)
