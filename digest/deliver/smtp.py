"""SMTP (RFC 5321), over TLS that is verified, with each failure put in its phase.

The phase decides what may happen next. Before the final dot nothing was handed over, so another
attempt is safe. After it only the server knows, and if its answer never comes the outcome is
uncertain.
"""

import smtplib
import socket
import ssl
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

from digest.deliver.replies import OUT_OF_REACH, outcome_of
from digest.errors import TransportError
from digest.model import Message, Outcome, OutcomeKind

_LOST = (OSError, smtplib.SMTPServerDisconnected)  # TimeoutError and ssl.SSLError are OSErrors


class Security(StrEnum):
    """By the scheme of the URL."""

    NONE = "smtp"
    STARTTLS = "smtp+starttls"
    TLS = "smtps"

    @property
    def default_port(self) -> int:
        return {Security.NONE: 25, Security.STARTTLS: 587, Security.TLS: 465}[self]


class UnsuitableError(Exception):
    """The server is there, but not as it must be."""


class SmtpTransport:
    """One connection to a relay, kept for many messages and opened anew when it is lost."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        security: Security,
        user: str = "",
        password: str = "",
        ca_file: Path | None = None,
        timeout: float = 60,
        own_name: str | None = None,
    ) -> None:
        """``own_name`` is for EHLO; by default what the machine takes for its full name."""
        self._host = host
        self._port = port
        self._security = security
        self._user = user
        self._password = password
        self._ca_file = ca_file
        self._timeout = timeout
        self._own_name = own_name
        self._connection: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        self._connection = self._connect()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    @property
    def takes_smtputf8(self) -> bool:
        """Whether the relay says that it takes addresses beyond ASCII (RFC 6531)."""
        return self._ready().has_extn("smtputf8")

    def send(self, message: Message) -> Outcome:
        connection = self._ready()
        if message.envelope.is_international and not connection.has_extn("smtputf8"):
            return OUT_OF_REACH
        try:
            refusal = self._open_transaction(connection, message)
            if refusal is None:
                self._put(connection, message.content)
        except _LOST as error:
            # Before the final dot: by RFC 5321 section 4.1.1.4 the server must drop the message.
            self._close()
            return Outcome(OutcomeKind.DEFERRED, f"connection lost before the end: {error}")
        if refusal is not None:
            self._forget(connection)
            return refusal
        try:
            connection.send(b".\r\n")
            code, reply = connection.getreply()
        except _LOST as error:
            self._close()
            return Outcome(OutcomeKind.UNCERTAIN, f"no answer to the final dot: {error}")
        if code // 100 not in (2, 4, 5):
            # Neither taken nor refused, by RFC 5321 section 4.2.1: asking again might mail twice.
            self._close()
            said = f"{code} {in_words(reply)}"
            return Outcome(OutcomeKind.UNCERTAIN, f"no verdict on the final dot: {said}")
        return outcome_of(code, reply)

    def _open_transaction(self, connection: smtplib.SMTP, message: Message) -> Outcome | None:
        """MAIL, RCPT and DATA; the outcome if the server will not have the message."""
        envelope = message.envelope
        international = envelope.is_international
        # RFC 6531 section 3.4; a server that offers SMTPUTF8 offers 8BITMIME as well (section 3.1).
        options = " BODY=8BITMIME SMTPUTF8" if international else ""
        connection.command_encoding = "utf-8" if international else "ascii"
        steps = (
            (f"MAIL FROM:<{envelope.mail_from}>{options}", {250}),
            # 251 is "will forward" (RFC 5321 section 3.4).
            (f"RCPT TO:<{envelope.rcpt_to}>", {250, 251}),
            ("DATA", {354}),
        )
        for command, expected in steps:
            code, reply = connection.docmd(command)
            if code not in expected:
                refused = outcome_of(code, reply)
                if refused.kind is OutcomeKind.ACCEPTED:  # a 2yz that means nothing here
                    return Outcome(OutcomeKind.DEFERRED, refused.text, code)
                return refused
        return None

    def _put(self, connection: smtplib.SMTP, content: bytes) -> None:
        """Everything but the final dot: dots at line starts doubled (RFC 5321 section 4.5.2)."""
        stuffed = content.replace(b"\r\n.", b"\r\n..")
        connection.send(b"." + stuffed if stuffed.startswith(b".") else stuffed)
        if not content.endswith(b"\r\n"):
            connection.send(b"\r\n")

    def _forget(self, connection: smtplib.SMTP) -> None:
        """Clear the refused transaction, so that the next message starts afresh."""
        try:
            connection.rset()
        except _LOST:
            self._close()

    def _ready(self) -> smtplib.SMTP:
        """The connection, found alive or opened anew. Raises TransportError."""
        if self._connection is not None:
            try:
                if self._connection.noop()[0] == 250:
                    return self._connection
            except _LOST:
                pass
            self._close()
        self._connection = self._connect()
        return self._connection

    def _connect(self) -> smtplib.SMTP:
        where = self._where
        connection: smtplib.SMTP | None = None
        try:
            connection = self._open()
            assert connection.sock is not None
            if connection.sock.family != socket.AF_UNIX:
                connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._introduce(connection)
        except ssl.SSLCertVerificationError as error:
            _abandon(connection)
            why = error.verify_message or str(error)
            raise TransportError(f"{where}: its certificate is not valid: {why}") from error
        except smtplib.SMTPAuthenticationError as error:
            _abandon(connection)
            said = f"{error.smtp_code} {in_words(error.smtp_error)}"
            raise TransportError(f"{where}: login refused: {said}") from error
        except (OSError, smtplib.SMTPException, UnsuitableError) as error:
            _abandon(connection)
            raise TransportError(f"{where}: {error}") from error
        except TransportError:
            _abandon(connection)
            raise
        return connection

    @property
    def _where(self) -> str:
        return f"{self._security}://{self._host}:{self._port}"

    def _open(self) -> smtplib.SMTP:
        """A connection, and the server's greeting read."""
        to = self._host, self._port, self._own_name
        if self._security is Security.TLS:
            return smtplib.SMTP_SSL(*to, timeout=self._timeout, context=self._tls_context())
        return smtplib.SMTP(*to, timeout=self._timeout)

    def _introduce(self, connection: smtplib.SMTP) -> None:
        """All that comes before the first message."""
        if self._security is Security.STARTTLS:
            connection.ehlo_or_helo_if_needed()
            if not connection.has_extn("starttls"):
                raise UnsuitableError("the server offers no STARTTLS")
            connection.starttls(context=self._tls_context())
        connection.ehlo_or_helo_if_needed()
        if self._user:
            connection.login(self._user, self._password)

    def _tls_context(self) -> ssl.SSLContext:
        try:
            # smtplib verifies nothing unless it is given a context that does.
            return ssl.create_default_context(cafile=self._ca_file)
        except OSError as error:
            raise TransportError(f"{self._ca_file}: {error}") from error

    def _close(self) -> None:
        if self._connection is not None:
            try:
                self._connection.quit()
            except (*_LOST, smtplib.SMTPException):
                self._connection.close()
            self._connection = None


def _abandon(connection: smtplib.SMTP | None) -> None:
    if connection is not None:
        connection.close()


def in_words(reply: bytes | str) -> str:
    return reply.decode("utf-8", errors="replace") if isinstance(reply, bytes) else reply
