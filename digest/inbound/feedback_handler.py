"""Act on mail that did not arrive, or was not welcome.

It is the same whether a server says so at once or a report comes days later; ``bounce_policy``
decides. What arrives by mail touches only the address whose delivery it names: anybody who got our
mail can write a report about it.
"""

from dataclasses import replace
from datetime import date, datetime

import structlog

from digest.inbound.bounce_policy import (
    AT_PROVIDER_WITHIN,
    FEWEST_AT_PROVIDER,
    WATCHED,
    Limits,
    is_worth_counting,
    suppression_for,
    too_many,
)
from digest.ledger.bounces import Span
from digest.ledger.ledger import Ledger
from digest.ledger.provider_queues import ALL, FIRST_PROBE
from digest.model.deliveries import Bounce, BounceKind, BounceSource, Delivery
from subscribers.lifecycle import ConsentEvent
from subscribers.model import SuppressionReason
from subscribers.store.registry import Registry

log = structlog.get_logger()


class FeedbackHandler:
    """Blocks addresses, and pauses sending, for what comes back about deliveries.

    Idempotent, also if the first time was broken off.
    """

    def __init__(self, ledger: Ledger, registry: Registry, limits: Limits) -> None:
        self._ledger = ledger
        self._registry = registry
        self._limits = limits

    def refused(self, delivery: Delivery, address: str, bounce: Bounce, now: datetime) -> None:
        """Act on a server's final refusal of an address while a message was sent to it."""
        self._learn(delivery, address, replace(bounce, source=BounceSource.SMTP), now)

    def returned(self, delivery: Delivery, address: str, bounce: Bounce, now: datetime) -> None:
        """Act on a report about a message to an address: so the message had been accepted."""
        kind, status, text = bounce.kind.value, bounce.status, bounce.text
        log.info("a delivery came back", delivery=delivery.id, kind=kind, status=status, text=text)
        if self._ledger.uncertain.arrived(delivery, now):
            self._ledger.editions.close(self._ledger.editions.get(delivery.edition_id))
        self._learn(delivery, address, bounce, now)

    def complained(self, address: str, now: datetime) -> None:
        """Act on a complaint that cannot be matched to one message to an address."""
        self._registry.suppressions.add(address, SuppressionReason.COMPLAINT, now=now)

    def _learn(self, delivery: Delivery, address: str, bounce: Bounce, now: datetime) -> None:
        if self._ledger.bounces.knows(delivery, bounce):
            return
        if reason := suppression_for(bounce.kind, self._soft_bounced(delivery, bounce)):
            self._registry.suppressions.add(address, reason, now=now)
            log.warning("an address is blocked", delivery=delivery.id, why=reason.value)
        # Recorded last: if a crash breaks this off, the next report of it does it again.
        self._ledger.bounces.record(delivery, bounce, now)
        if bounce.source.is_proof:
            self._pause_provider_if_needed(delivery, bounce, now)
            self._pause_all_if_needed(bounce.kind, now)

    def _soft_bounced(self, delivery: Delivery, bounce: Bounce) -> list[date]:
        """Return the days of the editions that had a soft bounce from the same person as this one.

        A refusal that all get alike is our own fault, even if no rule knows the words.
        """
        if bounce.kind is not BounceKind.SOFT:
            return []
        if bounce.source is BounceSource.SMTP and not self._ledger.bounces.may_be_about_address(
            delivery
        ):
            return []
        since = self._moved_at(delivery.subscriber_id)
        before = self._ledger.bounces.soft_bounced(delivery.subscriber_id, since)
        return [*before, self._ledger.bounces.day_of(delivery)]

    def _moved_at(self, subscriber_id: int) -> datetime | None:
        """Return when a person last changed their address; earlier reports are not about it."""
        file = self._registry.file_by_id(subscriber_id)
        evidence = file.evidence if file else ()
        moved = (item.at for item in evidence if item.event == ConsentEvent.MOVED)
        return max(moved, default=None)

    def _pause_provider_if_needed(self, delivery: Delivery, bounce: Bounce, now: datetime) -> None:
        """Send nothing to a provider for a while if it refuses our mail to several people.

        Emails from before the operator resumed it may still be reported after that.
        """
        if bounce.kind is not BounceKind.BLOCKED or not delivery.provider:
            return
        queues = self._ledger.provider_queues
        resumed_at = queues.resumed_at(delivery.provider)
        since = max(now - AT_PROVIDER_WITHIN, resumed_at or now - AT_PROVIDER_WITHIN)
        people = self._ledger.bounces.recipients_at(delivery.provider, bounce.kind, since)
        if people < FEWEST_AT_PROVIDER:
            return
        why = f"it refused our mail to {people} people: {bounce.text or bounce.status}"
        if queues.pause(delivery.provider, why, now, now + FIRST_PROBE):
            log.error("a provider refuses our mail, and is paused", provider=delivery.provider)

    def _pause_all_if_needed(self, kind: BounceKind, now: datetime) -> None:
        week_ago = now - WATCHED
        resumed_at = self._ledger.provider_queues.resumed_at(ALL)
        emails = Span(week_ago, max(week_ago, resumed_at or week_ago))
        people = self._ledger.bounces.recipients(kind, emails, proven=True)
        if not is_worth_counting(kind, people):
            return
        why = too_many(kind, people, self._ledger.bounces.accepted(emails), self._limits)
        if why and self._ledger.provider_queues.pause(ALL, why, now):
            log.error("nothing is sent until digest deliveries resume", why=why)
