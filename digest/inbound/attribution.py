"""Whom a report is about, as far as it is proven."""

from collections.abc import Iterable
from dataclasses import dataclass

from digest.inbound.verification import Origin
from digest.ledger.ledger import Ledger
from digest.model.deliveries import Delivery
from digest.model.verp import Verp
from subscribers.errors import TokenError
from subscribers.model import Subscriber
from subscribers.store.registry import Registry
from subscribers.tokens import Purpose, Tokens


@dataclass(frozen=True, slots=True)
class Concerned:
    """Whom it is about: nobody, where the person was removed or the delivery never was.

    A complaint need not tell its delivery; then it is the person's last, if they had any.
    """

    person: Subscriber | None = None
    delivery: Delivery | None = None


class Attribution:
    """Tells reports about our mails from others, and from forged ones: these are about None."""

    def __init__(self, ledger: Ledger, registry: Registry, verp: Verp, tokens: Tokens) -> None:
        self._ledger = ledger
        self._registry = registry
        self._verp = verp
        self._tokens = tokens

    def of_failure(self, origin: Origin) -> Concerned | None:
        """By the address that it was sent to, which was the envelope sender of the mail."""
        return self._by_senders(origin.sent_to)

    def of_complaint(self, origin: Origin) -> Concerned | None:
        """By the same, or by what it shows of the mail: complaints go to an address for all."""
        return self._by_senders([*origin.sent_to, *origin.senders]) or self._by_token(origin)

    def public_id(self, tokens: Iterable[str]) -> str | None:
        """Who leaves by one of these tokens."""
        for token in tokens:
            try:
                return self._tokens.read(Purpose.UNSUBSCRIBE, token)
            except TokenError:
                continue
        return None

    def _by_senders(self, senders: Iterable[str]) -> Concerned | None:
        """The first who is proven. Of a person who is gone nothing can be, or need be."""
        about_nobody = None
        for tag in filter(None, map(self._verp.tag_in, senders)):
            delivery = self._ledger.bounces.delivery(tag.delivery_id)
            person = self._registry.get(delivery.subscriber_id) if delivery else None
            if person is None:
                about_nobody = Concerned()
            elif self._verp.is_genuine(tag, person.address):
                return Concerned(person, delivery)
        return about_nobody

    def _by_token(self, origin: Origin) -> Concerned | None:
        public_id = self.public_id(origin.tokens)
        if public_id is None:
            return None
        person = self._registry.by_public_id(public_id)
        if person is None:
            return Concerned()
        return Concerned(person, self._ledger.bounces.last_sent_to(person.id))
