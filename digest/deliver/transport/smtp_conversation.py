"""Commands and replies over one connection (RFC 5321 sections 4.1 and 4.2), within bounds.

A server may be slow, broken or hostile: a reply has a time by which it must be whole, and a size
that it must not exceed; and nothing counts that was said without being asked.
"""

import re
import smtplib
import socket
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

from digest.deliver.transport.replies import CLOSING, Reply, in_one_line

# In octets. The longest replies are to EHLO, and far shorter.
LONGEST_REPLY = 65_536

_LINE = re.compile(rb"(?P<code>[2-5]\d\d)(?:(?P<mark>[ -])(?P<text>.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How many seconds to wait in each phase; the defaults are those of RFC 5321 section 4.5.3.2.

    ``connect`` is for what it leaves open: the connection, and each answer to a command that is no
    part of a transaction. ``block`` is for handing over a piece of the content, ``end`` for the
    answer to the final dot.
    """

    connect: float = 60
    greeting: float = 300
    mail: float = 300
    rcpt: float = 300
    data: float = 120
    block: float = 180
    end: float = 600


class GarbledError(OSError):
    """What came is no reply, or nobody asked for it.

    It is an OSError because the conversation is as good as lost: whose answer would the next be?
    """


class Conversation(smtplib.SMTP):
    """smtplib's way through EHLO and the login, over a socket opened elsewhere; replies read here.

    Whatever goes wrong on the wire raises OSError, as smtplib's own errors are.
    """

    def __init__(self, opened: socket.socket, own_name: str | None, timeout: float) -> None:
        """``own_name`` is for EHLO; by default what the machine takes for its full name."""
        super().__init__(local_hostname=own_name, timeout=timeout)  # without a host: no connection
        self.sock = opened
        self._unread = b""

    def put(self, octets: bytes, within: float) -> None:
        """Hand octets to the system. An OSError says that it has not taken the last of them."""
        if self._unread:
            # Also what stood behind the answer to STARTTLS, unencrypted (RFC 3207 section 4.2).
            raise GarbledError(f"it said, unasked: {in_one_line(self._unread[:80])}")
        wire = self._wire()
        wire.settimeout(within)
        wire.sendall(octets)

    def reply(self, within: float) -> Reply:
        """Read the next reply, which must be whole by then."""
        deadline = monotonic() + within
        size, said = 0, []
        while size <= LONGEST_REPLY:
            line = self._next_line(deadline)
            size += len(line)
            read = _LINE.fullmatch(line.rstrip(b"\r"))
            if read is None:
                raise GarbledError(f"this is no reply: {in_one_line(line[:80])}")
            said.append(read["text"] or b"")
            if read["mark"] != b"-":
                return Reply(int(read["code"]), b"\n".join(said))
        raise GarbledError("a reply without an end")

    def _next_line(self, deadline: float) -> bytes:
        while b"\n" not in self._unread:
            if len(self._unread) > LONGEST_REPLY:
                raise GarbledError("a line without an end")
            left = deadline - monotonic()
            if left <= 0:
                raise TimeoutError("timed out")
            wire = self._wire()
            wire.settimeout(left)
            octets = wire.recv(8192)
            if not octets:
                raise ConnectionError("closed by the server")
            self._unread += octets
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def leave(self) -> None:
        """Say goodbye, as one should; the connection is closed however that goes."""
        with suppress(OSError):
            self.docmd("QUIT")
        self.close()

    @property
    def is_open(self) -> bool:
        return self.sock is not None

    def _wire(self) -> socket.socket:
        if self.sock is None:
            raise ConnectionError("closed by us")
        return self.sock

    # ---- what smtplib calls ----------------------------------------------------------------

    def send(self, s: object) -> None:
        """Send a command of smtplib's own."""
        assert isinstance(s, str)
        self.put(s.encode(self.command_encoding), self.timeout)

    def getreply(self) -> Reply:
        reply = self.reply(self.timeout)
        if reply.code == CLOSING:
            # smtplib would go on to the next way of logging in.
            raise smtplib.SMTPResponseException(*reply)
        return reply
