"""Read mail in a folder on an IMAP server (RFC 9051; RFC 3501 is enough).

Nothing is kept from one reading to the next but the server's own flags, so it does not matter
whether the numbers of emails last (UIDVALIDITY): within one connection they do.
"""

import imaplib
import re
import socket
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Timer
from typing import Any

import structlog

from digest.errors import InboxError
from digest.inbound.report import MOST_OCTETS, Flag, InboundMessage
from digest.settings.imap_folder import ImapFolder, Security

SILENCE = 60.0  # seconds in which the server must say something
GOODBYE = 5.0  # seconds for the answer to LOGOUT, which changes nothing
LONGEST_CONVERSATION = 600.0  # seconds; what is left then is read the next time
LARGEST_ANSWER = 4 * MOST_OCTETS  # to one command; imaplib takes lines of a million octets
_FLAGS = {Flag.SEEN: r"(\Seen)", Flag.REVIEW: r"(\Flagged)"}
_LONGEST_REASON = 200
_BODY = re.compile(rb"BODY\[\]", re.IGNORECASE)

log = structlog.get_logger()


class _RefusedError(Exception):
    """The server is there, and will not do what it has to."""


class _Conversation(imaplib.IMAP4):
    """A connection that ends after LONGEST_CONVERSATION, and takes no more than LARGEST_ANSWER.

    imaplib's own time-out is for each octet: a server that drips would hold it for ever.
    """

    def open(self, *where: Any, **options: Any) -> None:
        super().open(*where, **options)
        self._octets = 0
        self._end_in(LONGEST_CONVERSATION)

    def logout(self) -> Any:
        self._timer.cancel()
        self._end_in(GOODBYE)
        return super().logout()

    def shutdown(self) -> None:
        self._timer.cancel()
        super().shutdown()

    def send(self, data: Any) -> None:
        self._octets = 0
        self.untagged_responses.clear()  # imaplib would keep all that nobody asked for
        super().send(data)

    def read(self, size: int) -> bytes:
        self._count(size)  # before it is read
        return self._in_time(super().read(size))

    def readline(self) -> bytes:
        line = self._in_time(super().readline())
        self._count(len(line))
        return line

    def _end_in(self, seconds: float) -> None:
        self._is_late = False
        self._timer = Timer(seconds, self._hang_up)
        self._timer.daemon = True
        self._timer.start()

    def _hang_up(self) -> None:
        self._is_late = True
        with suppress(OSError):
            # Not SSLSocket's own, after which what is sent would go out in clear.
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    def _in_time(self, octets: bytes) -> bytes:
        if self._is_late:
            raise TimeoutError(f"not finished after {LONGEST_CONVERSATION:g} seconds")
        return octets

    def _count(self, octets: int) -> None:
        self._octets += octets
        if self._octets > LARGEST_ANSWER:
            raise OSError(f"an answer of more than {LARGEST_ANSWER} bytes")


class _TlsConversation(_Conversation, imaplib.IMAP4_SSL):
    """The same, with TLS from the start."""


def messages_on_server(folder: ImapFolder, ca_file: Path | None = None) -> Iterator[InboundMessage]:
    """Yield a folder's emails that are neither seen nor flagged; see ``mailboxes.messages_in``.

    ``ca_file`` holds certificates to trust as well as the system's. Raises InboxError.
    """
    with _as_inbox_error(folder), _logged_in(folder, ca_file) as server:
        _select(server, folder.name)
        for uid in _found(server, "UNSEEN", "UNFLAGGED", "UNDELETED"):
            content = _fetch(server, uid)
            if content is None:
                continue
            message = InboundMessage(content)
            yield message
            if message.flag:
                _ask(server, "STORE", uid, "+FLAGS.SILENT", _FLAGS[message.flag])


def count_flagged(folder: ImapFolder, ca_file: Path | None = None) -> int:
    """Count the emails in a folder that are flagged and not seen. Raises InboxError."""
    with _as_inbox_error(folder), _logged_in(folder, ca_file) as server:
        _select(server, folder.name)
        return len(_found(server, "UNSEEN", "FLAGGED", "UNDELETED"))


@contextmanager
def _as_inbox_error(folder: ImapFolder) -> Iterator[None]:
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        why = error.verify_message or str(error)
        raise InboxError(f"{folder}: its certificate is not valid: {why}") from error
    except imaplib.IMAP4.abort as error:
        raise InboxError(f"{folder}: the connection was lost: {error}") from error
    except (OSError, imaplib.IMAP4.error, _RefusedError, ValueError) as error:
        # ValueError: imaplib reads numbers and words that need not be any.
        raise InboxError(f"{folder}: {error}") from error


@contextmanager
def _logged_in(folder: ImapFolder, ca_file: Path | None) -> Iterator[imaplib.IMAP4]:
    # imaplib verifies nothing unless it is given a context that does.
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    to = folder.host, folder.port
    if folder.security is Security.TLS:
        server: imaplib.IMAP4 = _TlsConversation(*to, ssl_context=context, timeout=SILENCE)
    else:
        server = _Conversation(*to, timeout=SILENCE)
    try:
        if folder.security is Security.STARTTLS:
            server.starttls(context)
        _log_in(server, folder)
        yield server
    finally:
        # What was marked is marked: a server that says no good-bye takes nothing back.
        with suppress(OSError, imaplib.IMAP4.error, ValueError):
            server.logout()
        with suppress(OSError):  # closed already, if it did
            server.shutdown()


def _log_in(server: imaplib.IMAP4, folder: ImapFolder) -> None:
    """Log in by SASL PLAIN (RFC 4616), which every server has (RFC 9051 section 11.1)."""
    credentials = f"\0{folder.user}\0{folder.password}".encode()
    try:
        server.authenticate("PLAIN", lambda _: credentials)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        raise _RefusedError(f"login refused: {error}") from error


def _select(server: imaplib.IMAP4, name: str) -> None:
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    try:
        answer, data = server.select(f'"{quoted}"')
    except server.readonly as error:
        raise _RefusedError("the folder may be read, but no mail be marked in it") from error
    if answer != "OK":
        raise _RefusedError(f"the folder cannot be opened: {_reason(data)}")


def _found(server: imaplib.IMAP4, *criteria: str) -> list[str]:
    """Return the numbers of the emails that meet some criteria."""
    found = _ask(server, "SEARCH", *criteria)
    return [uid.decode() for line in found if isinstance(line, bytes) for uid in line.split()]


def _fetch(server: imaplib.IMAP4, uid: str) -> bytes | None:
    """Return the beginning of an email; None if it is gone, or the server cannot read it."""
    try:
        parts = _ask(server, "FETCH", uid, f"(BODY.PEEK[]<0.{MOST_OCTETS}>)")
    except _RefusedError as error:
        log.warning("a message cannot be fetched", uid=uid, why=str(error))
        return None
    # Others may be told of in between; their flags only, and not as octets.
    bodies = [part[1] for part in parts if isinstance(part, tuple) and _BODY.search(part[0])]
    return bodies[0] if bodies else None


def _ask(server: imaplib.IMAP4, command: str, *arguments: str) -> list[bytes | tuple[bytes, bytes]]:
    answer, data = server.uid(command, *arguments)
    if answer != "OK":
        raise _RefusedError(f"{command} refused: {_reason(data)}")
    return data


def _reason(data: Iterable[object]) -> str:
    text = b" ".join(octets for octets in data if isinstance(octets, bytes))
    return " ".join(text.decode(errors="replace").split())[:_LONGEST_REASON]
