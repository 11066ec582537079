"""A few connections, shared by many who need one for a while."""

import asyncio

import pytest

from digest.deliver.transport.channel import at_once
from digest.deliver.transport.channel_pool import ChannelPool
from digest.errors import TransportError
from digest.model.messages import Envelope, Message, Outcome, OutcomeKind

ACCEPTED = Outcome(OutcomeKind.ACCEPTED, "250 OK", 250)
MESSAGE = Message(Envelope("from@example.org", "to@example.org"), "<1@example.org>", b"")


class Relay:
    """Counts its connections; ``fault`` is raised where it says."""

    def __init__(self):
        self.made = self.opened = self.is_open = 0
        self.fault = ""

    def channel(self):
        self.made += 1
        return RelayChannel(self)


class RelayChannel:
    def __init__(self, relay):
        self.relay = relay

    async def open(self):
        if self.relay.fault == "open":
            raise TransportError("no answer")
        self.relay.opened += 1
        self.relay.is_open += 1

    async def close(self):
        self.relay.is_open -= 1
        if self.relay.fault == "close":
            raise OSError("cannot write")

    async def send(self, _message, _may_hand_over):
        if self.relay.fault == "send":
            raise TransportError("gone")
        return ACCEPTED


async def send_once(pool):
    channel = pool.channel()
    await channel.open()
    try:
        return await channel.send(MESSAGE, at_once)
    finally:
        await channel.close()


def test_who_comes_after_another_has_the_same_connection():
    async def do():
        pool = ChannelPool((relay := Relay()).channel, 3)
        assert [await send_once(pool) for _ in range(5)] == [ACCEPTED] * 5
        assert (relay.opened, relay.is_open) == (1, 1)
        await pool.close()
        await pool.close()
        assert relay.is_open == 0
        await send_once(pool)
        assert (relay.made, relay.opened) == (3, 2)

    asyncio.run(do())


def test_no_more_are_open_than_there_are_and_the_others_wait():
    async def do():
        pool = ChannelPool((relay := Relay()).channel, 2)
        first, second, third = (pool.channel() for _ in range(3))
        await first.open()
        await second.open()
        waiting = asyncio.create_task(third.open())
        await asyncio.sleep(0)
        assert not waiting.done()
        await pool.close()
        assert relay.is_open == 2  # they are in use
        await first.close()
        await waiting
        assert relay.opened == 2

    asyncio.run(do())


@pytest.mark.parametrize("fault", ["open", "send"])
def test_one_that_fails_is_opened_anew_by_the_next(fault):
    async def do():
        pool = ChannelPool((relay := Relay()).channel, 1)
        relay.fault = fault
        for _ in range(2):
            with pytest.raises(TransportError):
                await send_once(pool)
        assert relay.is_open == 0
        relay.fault = ""
        assert await send_once(pool) == ACCEPTED
        assert relay.is_open == 1

    asyncio.run(do())


def test_one_that_cannot_be_closed_is_lent_again_all_the_same():
    async def do():
        pool = ChannelPool((relay := Relay()).channel, 1)
        await send_once(pool)
        relay.fault = "close"
        with pytest.raises(OSError, match="cannot write"):
            await pool.close()
        relay.fault = ""
        async with asyncio.timeout(5):
            assert await send_once(pool) == ACCEPTED

    asyncio.run(do())
