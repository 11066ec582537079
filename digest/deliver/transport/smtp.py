"""Mail by SMTP (RFC 5321) or LMTP: which connection a message goes over, and when it is new."""

from typing import Self

from digest.deliver.transport.smtp_conversation import Conversation, Timeouts
from digest.deliver.transport.smtp_relay import NotNowError, Relay
from digest.deliver.transport.smtp_transaction import Ended, Transaction
from digest.model.messages import Message, Outcome


class SmtpTransport:
    """One connection to a relay, kept for many messages and made anew when it is lost or worn."""

    def __init__(self, relay: Relay, timeouts: Timeouts, connection_messages: int) -> None:
        """``connection_messages`` is how many messages go over one connection, at most."""
        self._relay = relay
        self._timeouts = timeouts
        self._connection_messages = connection_messages
        self._conversation: Conversation | None = None
        self._messages = 0  # over this connection, whatever became of them

    def __enter__(self) -> Self:
        self._connected()
        return self

    def __exit__(self, *error: object) -> None:
        self._leave()

    @property
    def takes_smtputf8(self) -> bool:
        """Tell whether the relay takes addresses beyond ASCII (RFC 6531)."""
        return self._connected().has_extn("smtputf8")

    def send(self, message: Message) -> Outcome:
        """Send a message, also over a connection that was kept and may be lost by now."""
        was_kept = self._conversation is not None
        try:
            ended = self._transact(message)
            if ended.connection_was_over and was_kept:
                # Nothing was handed over, so that this is safe; but once only.
                ended = self._transact(message)
        except NotNowError as error:
            return error.outcome
        return ended.outcome

    def _transact(self, message: Message) -> Ended:
        conversation = self._connected()
        self._messages += 1
        try:
            ended = Transaction(conversation, message, self._timeouts).run()
        except BaseException:
            conversation.close()  # interrupted: nobody knows what the server waits for
            raise
        if not conversation.is_open or self._messages >= self._connection_messages:
            self._leave()
        return ended

    def _connected(self) -> Conversation:
        """Return the connection, made if there is none. Raises TransportError."""
        if self._conversation is None:
            self._conversation = self._relay.connect(self._timeouts)
            self._messages = 0
        return self._conversation

    def _leave(self) -> None:
        if self._conversation is not None:
            self._conversation.leave()
            self._conversation = None
