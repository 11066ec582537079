"""What the program learns from mail that did not arrive, or was not welcome.

The same whether a server says so at once or a report comes back days later. What it leads to,
``bounce_policy`` decides.
"""

from datetime import date, datetime

import structlog

from digest.inbound.bounce_policy import (
    WATCHED,
    Limits,
    is_worth_counting,
    kind_of,
    suppression_for,
    too_many,
)
from digest.ledger.bounces import Span
from digest.ledger.ledger import Ledger
from digest.ledger.provider_queues import ALL
from digest.model.deliveries import Bounce, BounceKind, Delivery
from digest.model.messages import Concern, Outcome
from subscribers.lifecycle import ConsentEvent
from subscribers.model import SuppressionReason
from subscribers.store.registry import Registry

log = structlog.get_logger()


class FeedbackHandler:
    """Blocks addresses, and pauses sending, for what comes back about deliveries.

    To be told the same twice changes nothing more, also where the first time was broken off.
    """

    def __init__(self, ledger: Ledger, registry: Registry, limits: Limits) -> None:
        self._ledger = ledger
        self._registry = registry
        self._limits = limits

    def refused(self, delivery: Delivery, address: str, outcome: Outcome, now: datetime) -> None:
        """Act on a server's final refusal while a mail to this address was being sent."""
        is_ours = outcome.concern is Concern.RELAY
        kind = kind_of(outcome.status, is_dead=outcome.address_is_dead, is_ours=is_ours)
        self._learn(delivery, address, Bounce(kind, outcome.status, outcome.text), now)

    def returned(self, delivery: Delivery, address: str, bounce: Bounce, now: datetime) -> None:
        """Act on a report about a mail to this address: so it had been accepted."""
        kind, status, text = bounce.kind.value, bounce.status, bounce.text
        log.info("a delivery came back", delivery=delivery.id, kind=kind, status=status, text=text)
        if self._ledger.uncertain.arrived(delivery, now):
            self._ledger.editions.close(self._ledger.editions.get(delivery.edition_id))
        self._learn(delivery, address, bounce, now)

    def complained(self, address: str, now: datetime) -> None:
        """Act on a complaint that cannot be matched to one mail to this address."""
        self._registry.suppressions.add(address, SuppressionReason.COMPLAINT, now=now)

    def _learn(self, delivery: Delivery, address: str, bounce: Bounce, now: datetime) -> None:
        # Recorded last: what a crash breaks off is done again when it is told again.
        if self._ledger.bounces.knows(delivery, bounce.kind):
            return
        if bounce.kind is BounceKind.BLOCKED:
            self._pause_provider(delivery, bounce, now)
        elif reason := suppression_for(bounce.kind, self._soft_bounced(delivery, bounce)):
            self._registry.suppressions.add(address, reason, now=now)
            log.warning("an address gets nothing any more", delivery=delivery.id, why=reason.value)
        self._ledger.bounces.record(delivery, bounce, now)
        self._pause_all_if_needed(bounce.kind, now)

    def _soft_bounced(self, delivery: Delivery, bounce: Bounce) -> list[date]:
        """Return the days of the editions that came back softly from where this one did."""
        if bounce.kind is not BounceKind.SOFT:
            return []
        since = self._moved_at(delivery.subscriber_id)
        before = self._ledger.bounces.soft_bounced(delivery.subscriber_id, since)
        return [*before, self._ledger.bounces.day_of(delivery)]

    def _moved_at(self, subscriber_id: int) -> datetime | None:
        """Return when this person last changed their address: earlier reports are not about it."""
        file = self._registry.file_by_id(subscriber_id)
        evidence = file.evidence if file else ()
        moved = (item.at for item in evidence if item.event == ConsentEvent.MOVED)
        return max(moved, default=None)

    def _pause_provider(self, delivery: Delivery, bounce: Bounce, now: datetime) -> None:
        """Send nothing more to who will not have our mail, until the operator has seen to it.

        What was sent before they did so may still be reported after it.
        """
        resumed_at = self._ledger.provider_queues.resumed_at(delivery.provider)
        if resumed_at and self._ledger.bounces.changed_at(delivery) <= resumed_at:
            return
        why = f"it refuses our mail: {bounce.text or bounce.status}"
        if delivery.provider and self._ledger.provider_queues.pause(delivery.provider, why, now):
            log.error(
                "a provider refuses our mail; nothing goes there until digest deliveries resume",
                provider=delivery.provider,
                delivery=delivery.id,
                status=bounce.status,
            )

    def _pause_all_if_needed(self, kind: BounceKind, now: datetime) -> None:
        week_ago = now - WATCHED
        resumed_at = self._ledger.provider_queues.resumed_at(ALL)
        mails = Span(week_ago, max(week_ago, resumed_at or week_ago))
        count = self._ledger.bounces.came_back(kind, mails)
        if not is_worth_counting(kind, count):
            return
        why = too_many(kind, count, self._ledger.bounces.accepted(mails), self._limits)
        if why and self._ledger.provider_queues.pause(ALL, why, now):
            log.error("nothing is sent until digest deliveries resume", why=why)
