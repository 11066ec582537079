"""The way to a server: the connection, verified TLS, and the login (RFC 3207, RFC 4954)."""

import smtplib
import socket
import ssl
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import NoReturn

from digest.deliver.transport.replies import Reply, outcome_of
from digest.deliver.transport.smtp_conversation import Conversation, Timeouts
from digest.errors import TransportError
from digest.model.diagnosis import Phase

_UNKNOWN_COMMAND = {500, 502}


class Security(StrEnum):
    """By the scheme of the URL."""

    NONE = "smtp"
    STARTTLS = "smtp+starttls"
    TLS = "smtps"

    @property
    def default_port(self) -> int:
        return {Security.NONE: 25, Security.STARTTLS: 587, Security.TLS: 465}[self]


class NotNowError(TransportError):
    """The relay is there, but takes no mail from us at the moment; ``outcome`` has its words."""

    def __init__(self, text: str, reply: Reply) -> None:
        super().__init__(text)
        self.outcome = outcome_of(reply, Phase.OPENING)


@dataclass(frozen=True)
class Relay:
    """Where it is, and how it is to be spoken to; ``own_name`` is for EHLO."""

    host: str
    port: int
    security: Security = Security.NONE
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: Path | None = None
    own_name: str | None = None

    def __str__(self) -> str:
        return f"{self.security}://{self.host}:{self.port}"

    def connect(self, timeouts: Timeouts) -> Conversation:
        """Begin a conversation, up to its first message.

        Raises TransportError; if the relay itself has put us off (4yz), NotNowError.
        """
        try:
            conversation = Conversation(self._socket(timeouts), self.own_name, timeouts.connect)
            try:
                self._introduce(conversation, timeouts)
            except BaseException:
                conversation.close()
                raise
        except ssl.SSLCertVerificationError as error:
            why = error.verify_message or str(error)
            raise TransportError(f"{self}: its certificate is not valid: {why}") from error
        except smtplib.SMTPResponseException as error:
            self._refuse(_reply_of(error), "it is closing")
        except OSError as error:
            raise TransportError(f"{self}: {error}") from error
        return conversation

    def _socket(self, timeouts: Timeouts) -> socket.socket:
        opened = socket.create_connection((self.host, self.port), timeouts.connect)
        # What is written goes out at once. By Nagle's algorithm the final dot, which is a write of
        # its own, would wait for the content to be acknowledged.
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._encrypted(opened) if self.security is Security.TLS else opened

    def _introduce(self, conversation: Conversation, timeouts: Timeouts) -> None:
        """Say all that comes before the first message."""
        self._expect(220, conversation.reply(timeouts.greeting), "it refuses us")
        self._hello(conversation)
        if self.security is Security.STARTTLS:
            self._start_tls(conversation)
            # What was offered in clear does not count any more.
            self._hello(conversation)
        if self.user:
            self._login(conversation)

    def _hello(self, conversation: Conversation) -> None:
        """Say EHLO, and HELO where that is not known (RFC 5321 section 3.2)."""
        reply = Reply(*conversation.ehlo())
        if reply.code in _UNKNOWN_COMMAND:
            reply = Reply(*conversation.helo())
        self._expect(250, reply, "EHLO refused")

    def _start_tls(self, conversation: Conversation) -> None:
        if not conversation.has_extn("starttls"):
            raise TransportError(f"{self}: the server offers no STARTTLS")
        self._expect(220, Reply(*conversation.docmd("STARTTLS")), "STARTTLS refused")
        assert conversation.sock is not None
        conversation.sock = self._encrypted(conversation.sock)

    def _encrypted(self, opened: socket.socket) -> ssl.SSLSocket:
        try:
            # Made here, because smtplib's own verifies nothing.
            context = ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:
            opened.close()
            raise TransportError(f"{self.ca_file}: {error}") from error
        return context.wrap_socket(opened, server_hostname=self.host)

    def _login(self, conversation: Conversation) -> None:
        try:
            conversation.login(self.user, self.password)
        except smtplib.SMTPAuthenticationError as error:
            self._refuse(_reply_of(error), "login refused")
        except ValueError:
            # From base64 or ASCII within smtplib; its words may quote from the password.
            text = f"{self}: login failed: its challenge or our password is not ASCII"
            raise TransportError(text) from None

    def _expect(self, code: int, reply: Reply, otherwise: str) -> None:
        if reply.code != code:
            self._refuse(reply, otherwise)

    def _refuse(self, reply: Reply, what: str) -> NoReturn:
        text = f"{self}: {what}: {reply}"
        if reply.code // 100 == 4:
            raise NotNowError(text, reply)
        raise TransportError(text)


class LmtpServer(Relay):
    """LMTP (RFC 2033): a server that puts mail into mailboxes itself, over TCP or a Unix socket.

    It is SMTP but for LHLO in place of EHLO, and for an answer to the final dot for each recipient
    that was taken; as a message here has one recipient, that is one answer. ``host`` is a name, or
    the absolute path of a socket, which has no port. It is neither logged in to nor encrypted: such
    a server is to be reached from inside only.
    """

    def __str__(self) -> str:
        return f"lmtp://{self.host}" if self._is_path else f"lmtp://{self.host}:{self.port}"

    @property
    def _is_path(self) -> bool:
        return self.host.startswith("/")

    def _socket(self, timeouts: Timeouts) -> socket.socket:
        if not self._is_path:
            return super()._socket(timeouts)
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            opened.settimeout(timeouts.connect)
            opened.connect(self.host)
        except OSError:
            opened.close()
            raise
        return opened

    def _hello(self, conversation: Conversation) -> None:
        """Say LHLO; where that is not known, the server is one of SMTP."""
        conversation.ehlo_msg = "LHLO"
        self._expect(250, Reply(*conversation.ehlo()), "LHLO refused")


def _reply_of(error: smtplib.SMTPResponseException) -> Reply:
    said = error.smtp_error
    return Reply(error.smtp_code, said if isinstance(said, bytes) else said.encode())
