"""Connect to a server, with verified TLS and a login (RFC 3207, RFC 4954)."""

import smtplib
import socket
import ssl
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import NoReturn

from digest.deliver.transport.replies import Reply, outcome_of
from digest.deliver.transport.smtp_conversation import Conversation
from digest.deliver.transport.smtp_transaction import Timeouts
from digest.errors import TransportError
from digest.model.diagnosis import Phase

_UNKNOWN_COMMAND = {500, 502}


class Security(StrEnum):
    """The encryption of a connection; the values are the schemes of the URL."""

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
    """A server: where it is, and how to speak to it; ``own_name`` is for EHLO."""

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
        """Open a conversation that is ready for its first message.

        Raises NotNowError if the relay takes no mail at the moment (4yz), else TransportError.
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
        # Each write goes out at once. With Nagle's algorithm the final dot, which is a write of its
        # own, would wait until the content is acknowledged.
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._encrypted(opened) if self.security is Security.TLS else opened

    def _introduce(self, conversation: Conversation, timeouts: Timeouts) -> None:
        """Say all that comes before the first message."""
        self._expect(220, conversation.reply(timeouts.greeting), "it refuses us")
        self._hello(conversation)
        if self.security is Security.STARTTLS:
            self._start_tls(conversation)
            # Extensions that were offered in clear no longer count.
            self._hello(conversation)
        if self.user:
            self._login(conversation)

    def _hello(self, conversation: Conversation) -> None:
        """Say EHLO, or HELO to a server that does not know EHLO (RFC 5321 section 3.2)."""
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
            # It is made here because smtplib's own verifies nothing.
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
            # It comes from base64 or ASCII in smtplib, and its text may quote the password.
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

    It is SMTP with LHLO in place of EHLO, and with an answer to the final dot for each accepted
    recipient; a message here has one, so there is one answer. ``host`` is a name, or the absolute
    path of a socket, which has no port. There is no login and no encryption, because such a server
    should be reachable from inside only.
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
        """Say LHLO; a server that does not know it is an SMTP server."""
        conversation.ehlo_msg = "LHLO"
        self._expect(250, Reply(*conversation.ehlo()), "LHLO refused")


def _reply_of(error: smtplib.SMTPResponseException) -> Reply:
    said = error.smtp_error
    return Reply(error.smtp_code, said if isinstance(said, bytes) else said.encode())
