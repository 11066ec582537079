"""Define how messages leave beside others, in an event loop."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

from digest.deliver.transport.dkim import Signer
from digest.model.messages import Message, Outcome

# Asked right before a message is handed over; from then on it may have arrived.
MayHandOver = Callable[[], Awaitable[bool]]


class Channel(Protocol):
    """A way for messages to leave, one after the other.

    Opening and sending raise TransportError if it cannot be used at all; the message was not sent
    then. Everything else that can happen to a message is an Outcome; None if it might not be
    handed over.
    """

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def send(self, message: Message, may_hand_over: MayHandOver) -> Outcome | None: ...


class Transport(Protocol):
    """As much of a transport as a channel needs (see transport.Transport)."""

    def __enter__(self) -> object: ...

    def __exit__(self, *error: object) -> None: ...

    def send(self, message: Message) -> Outcome: ...


class ThreadChannel:
    """A transport that waits, in threads. It has handed over what it was given."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def open(self) -> None:
        await asyncio.to_thread(self._transport.__enter__)

    async def close(self) -> None:
        await asyncio.to_thread(self._transport.__exit__, None, None, None)

    async def send(self, message: Message, may_hand_over: MayHandOver) -> Outcome | None:
        if not await may_hand_over():
            return None
        return await asyncio.to_thread(self._transport.send, message)


class SigningChannel:
    """Signs each message (DKIM) right before another channel takes it.

    So every message is signed, and one that is tried again gets a new signature.
    """

    def __init__(self, channel: Channel, signer: Signer, clock: Callable[[], datetime]) -> None:
        self._channel = channel
        self._signer = signer
        self._clock = clock

    async def open(self) -> None:
        await self._channel.open()

    async def close(self) -> None:
        await self._channel.close()

    async def send(self, message: Message, may_hand_over: MayHandOver) -> Outcome | None:
        return await self._channel.send(self._signer.sign(message, self._clock()), may_hand_over)


async def at_once() -> bool:
    """Let a message be handed over without asking anybody."""
    return True
