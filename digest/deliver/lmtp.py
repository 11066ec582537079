"""LMTP (RFC 2033): to a server that puts mail into mailboxes itself, over TCP or a Unix socket.

It is SMTP but for LHLO in place of EHLO, and for an answer to the final dot for each recipient that
was taken. As a message here has one recipient, that is one answer, and all that is said of the
phases in smtp.py holds.
"""

import smtplib

from digest.deliver.smtp import Security, SmtpTransport, UnsuitableError, in_words


class LmtpTransport(SmtpTransport):
    """One connection to an LMTP server, kept and opened anew as for SMTP.

    It neither logs in nor encrypts: such a server is to be reached from inside only.
    """

    def __init__(self, *, place: str, port: int = 0, timeout: float, own_name: str | None) -> None:
        """``place`` is a host, or the absolute path of a socket, which has no port."""
        super().__init__(
            host=place, port=port, security=Security.NONE, timeout=timeout, own_name=own_name
        )

    @property
    def _where(self) -> str:
        is_socket = self._host.startswith("/")
        return f"lmtp://{self._host}" if is_socket else f"lmtp://{self._host}:{self._port}"

    def _open(self) -> smtplib.SMTP:
        return smtplib.LMTP(self._host, self._port, self._own_name, timeout=self._timeout)

    def _introduce(self, connection: smtplib.SMTP) -> None:
        # Said outright: where it is refused, smtplib would fall back to HELO, which is not LMTP.
        code, reply = connection.ehlo()
        if code != 250:
            raise UnsuitableError(f"LHLO refused: {code} {in_words(reply)}")
