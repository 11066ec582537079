"""Exchange commands and replies over one connection (RFC 5321 sections 4.1, 4.2), within bounds.

This is for what comes before the first message and after the last one: in a thread that waits. The
messages go over a Wire. A reply must be complete by a deadline, and one that nobody asked for ends
the conversation.
"""

import smtplib
import socket
from contextlib import suppress
from time import monotonic

from digest.deliver.transport.replies import CLOSING, Reply
from digest.deliver.transport.reply_reader import ReplyReader


class Conversation(smtplib.SMTP):
    """A conversation over an open socket: smtplib does EHLO and the login, replies are read here.

    Every fault of the connection raises OSError; smtplib's own errors are OSErrors too.
    """

    def __init__(self, opened: socket.socket, own_name: str | None, timeout: float) -> None:
        """``own_name`` is for EHLO; by default it is the machine's full name, as far as known."""
        super().__init__(local_hostname=own_name, timeout=timeout)  # without a host: no connection
        self.sock = opened
        self.replies = ReplyReader()

    def put(self, octets: bytes, within: float) -> None:
        """Hand octets to the system. Raises OSError if it has not taken all of them."""
        self.replies.expect_nothing()
        wire = self._wire()
        wire.settimeout(within)
        wire.sendall(octets)

    def reply(self, within: float) -> Reply:
        """Read the next reply, which must be complete within so many seconds."""
        deadline = monotonic() + within
        while (reply := self.replies.next()) is None:
            left = deadline - monotonic()
            if left <= 0:
                raise TimeoutError("timed out")
            wire = self._wire()
            wire.settimeout(left)
            octets = wire.recv(8192)
            if not octets:
                raise ConnectionError("closed by the server")
            self.replies.feed(octets)
        return reply

    def leave(self) -> None:
        """Say QUIT and close the connection, whatever the answer is."""
        with suppress(OSError):
            self.docmd("QUIT")
        self.close()

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
            # Without this, smtplib would try the next way to log in.
            raise smtplib.SMTPResponseException(*reply)
        return reply
