"""One delivery, from claim to recorded outcome."""

from datetime import datetime

import structlog

from digest.deliver.retry import next_attempt
from digest.deliver.transport import Transport
from digest.errors import TransportError
from digest.ledger.deliveries import Deliveries
from digest.model import Delivery, Message, OutcomeKind, SkipReason
from subscribers.model import Standing, SuppressionReason
from subscribers.store.registry import Registry

_SKIPPED_FOR = {
    Standing.WITHDRAWN: SkipReason.WITHDRAWN,
    Standing.NOT_CONFIRMED: SkipReason.NOT_CONFIRMED,
    Standing.REMOVED: SkipReason.REMOVED,
}

log = structlog.get_logger()


class Worker:
    """Sends deliveries through one transport."""

    def __init__(self, deliveries: Deliveries, registry: Registry, transport: Transport) -> None:
        self._deliveries = deliveries
        self._registry = registry
        self._transport = transport

    def deliver(self, delivery: Delivery, message: Message, now: datetime) -> None:
        """Send one message, or find out that it must not be sent; record which.

        Raises TransportError when the transport cannot be used: the delivery is then as it was.
        """
        if not self._deliveries.claim(delivery, now):
            return  # somebody else has it
        # The claim is committed. Consent and suppression are read only now, in the last moment.
        standing = self._registry.standing(delivery.subscriber_id)
        if standing is Standing.SUPPRESSED:
            self._deliveries.suppress(delivery, now)
            return
        if standing is not Standing.MAY_RECEIVE:
            self._deliveries.skip(delivery, _SKIPPED_FOR[standing], now)
            return
        try:
            outcome = self._transport.send(message)
        except TransportError:
            self._deliveries.release(delivery, now)
            raise
        again = None
        if outcome.kind is OutcomeKind.DEFERRED:
            again = next_attempt(delivery.attempts, delivery.id, now)
        self._deliveries.record(delivery, outcome, again, now)
        if outcome.address_is_dead:
            self._registry.suppressions.add(
                message.envelope.rcpt_to, SuppressionReason.HARD_BOUNCE, now=now
            )
        if outcome.kind is not OutcomeKind.ACCEPTED:
            log.warning(
                "a delivery was not accepted",
                delivery=delivery.id,
                outcome=outcome.kind.value,
                code=outcome.code,
                text=outcome.text,
            )
