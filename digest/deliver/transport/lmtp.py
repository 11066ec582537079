"""LMTP (RFC 2033): to a server that puts mail into mailboxes itself, over TCP or a Unix socket.

It is SMTP but for LHLO in place of EHLO, and for an answer to the final dot for each recipient that
was taken. As a message here has one recipient, that is one answer, and all that is said of SMTP
holds.
"""

import socket

from digest.deliver.transport.replies import Reply
from digest.deliver.transport.smtp_conversation import Conversation, Timeouts
from digest.deliver.transport.smtp_relay import Relay


class LmtpServer(Relay):
    """``host`` is a name, or the absolute path of a socket, which has no port.

    It is neither logged in to nor encrypted: such a server is to be reached from inside only.
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
        """LHLO; where it is not known, the server is one of SMTP."""
        conversation.ehlo_msg = "LHLO"
        self._expect(250, Reply(*conversation.ehlo()), "LHLO refused")
