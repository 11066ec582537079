"""Sending, put together for tests."""

import asyncio
from datetime import datetime, timedelta

from digest.compose.composer import Composer
from digest.deliver.delivery_worker import DeliveryWorker, Parts
from digest.deliver.transport.channel import ThreadChannel
from digest.deliver.transport.transport import Transport, make_channel
from digest.inbound.bounce_policy import Limits
from digest.inbound.diagnostics import shipped_table
from digest.inbound.feedback_handler import FeedbackHandler
from digest.ledger.ledger import Ledger
from digest.model.verp import Verp
from digest.settings.settings import Settings
from subscribers.store.registry import Registry
from tests.support import NOW


class Waiting:
    """A clock that only waiting moves, and a sleep that moves it."""

    def __init__(self) -> None:
        self.waited = timedelta()

    def __call__(self) -> datetime:
        return NOW + self.waited

    async def sleep(self, seconds: float) -> None:
        self.waited += timedelta(seconds=seconds)
        await asyncio.sleep(0)


def make_delivery_worker(
    settings: Settings,
    ledger: Ledger,
    registry: Registry,
    composer: Composer,
    transport: Transport | None = None,
    clock: Waiting | None = None,
) -> DeliveryWorker:
    """As the application has it, but over one transport where one is given, and without waiting."""
    assert settings.secret
    assert settings.from_
    limits = Limits(settings.pause_at_hard_bounces, settings.pause_at_complaints)
    parts = Parts(
        settings=settings,
        ledger=ledger,
        registry=registry,
        composer=composer,
        channel=lambda: ThreadChannel(transport) if transport else make_channel(settings),
        feedback=FeedbackHandler(ledger, registry, limits),
        verp=Verp(settings.secret, settings.bounce_address or settings.from_),
        diagnostics=shipped_table(),
    )
    clock = clock or Waiting()
    return DeliveryWorker(parts, clock, clock.sleep)
