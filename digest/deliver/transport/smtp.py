"""Send by SMTP (RFC 5321) or LMTP: keep a connection, and make a new one when it is needed."""

import asyncio
from typing import Self

from digest.deliver.transport.channel import MayHandOver, at_once
from digest.deliver.transport.smtp_conversation import Conversation
from digest.deliver.transport.smtp_relay import NotNowError, Relay
from digest.deliver.transport.smtp_transaction import After, Ended, Timeouts, Transaction
from digest.deliver.transport.smtp_wire import Wire
from digest.model.messages import Message, Outcome


class SmtpChannel:
    """One connection to a relay, kept for many messages, and replaced when it is lost or worn."""

    def __init__(self, relay: Relay, timeouts: Timeouts, connection_messages: int) -> None:
        """``connection_messages`` is how many messages go over one connection, at most."""
        self._relay = relay
        self._timeouts = timeouts
        self._connection_messages = connection_messages
        self._conversation: Conversation | None = None
        self._wire: Wire | None = None
        self._messages = 0  # over this connection, whatever their outcomes

    async def open(self) -> None:
        await self._connected()

    async def close(self) -> None:
        if self._wire is not None:
            wire, self._wire = self._wire, None
            await wire.leave()

    @property
    def extensions(self) -> dict[str, str]:
        """Return what the server offers, in lower case."""
        return self._conversation.esmtp_features if self._conversation else {}

    async def send(self, message: Message, may_hand_over: MayHandOver = at_once) -> Outcome | None:
        """Send a message; a connection that was kept may be lost by now, and is then replaced."""
        was_kept = self._wire is not None
        try:
            ended = await self._transact(message, may_hand_over)
            if ended.connection_was_over and was_kept:
                # Nothing was handed over, so a second attempt is safe; there is only one.
                ended = await self._transact(message, may_hand_over)
        except NotNowError as error:
            return error.outcome
        return ended.outcome

    async def _transact(self, message: Message, may_hand_over: MayHandOver) -> Ended:
        wire = await self._connected()
        self._messages += 1
        try:
            transaction = Transaction(message, self._timeouts, self.extensions)
            ended = await wire.perform(transaction, may_hand_over)
        except BaseException:
            self._drop()  # interrupted: nobody knows what the server waits for
            raise
        if ended.after is After.CLOSE:
            self._drop()
        elif ended.after is After.QUIT or self._messages >= self._connection_messages:
            await self.close()
        return ended

    async def _connected(self) -> Wire:
        """Return the connection; make it if there is none. Raises TransportError."""
        if self._wire is None:
            # In a thread: names are looked up, and TLS and the login take their time.
            connect = asyncio.get_running_loop().run_in_executor
            self._conversation = await connect(None, self._relay.connect, self._timeouts)
            self._wire = Wire(self._conversation)
            self._messages = 0
        return self._wire

    def _drop(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None


class SmtpTransport:
    """Sends one message after the other over a channel, and waits for its reply."""

    def __init__(self, channel: SmtpChannel) -> None:
        self._channel = channel
        self._loop = asyncio.Runner()

    def __enter__(self) -> Self:
        try:
            self._loop.run(self._channel.open())
        except BaseException:
            self._loop.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        try:
            self._loop.run(self._channel.close())
        finally:
            self._loop.close()

    @property
    def takes_smtputf8(self) -> bool:
        """Return whether the relay takes addresses beyond ASCII (RFC 6531)."""
        self._loop.run(self._channel.open())
        return "smtputf8" in self._channel.extensions

    def send(self, message: Message) -> Outcome:
        outcome = self._loop.run(self._channel.send(message))
        assert outcome is not None  # nobody withholds it
        return outcome
