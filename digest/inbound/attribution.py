"""Find whom a report is about, as far as it can be verified."""

from collections.abc import Iterable
from dataclasses import dataclass

from digest.inbound.clues import Clues
from digest.ledger.ledger import Ledger
from digest.model.deliveries import Delivery
from digest.model.verp import Verp
from subscribers.errors import SubscriberError, TokenError
from subscribers.model import Subscriber
from subscribers.store.registry import Registry
from subscribers.tokens import Purpose, Tokens


@dataclass(frozen=True, slots=True)
class Attributed:
    """The person and delivery that a report is about, verified; None for those that are gone.

    A complaint need not tell its delivery; then it is the person's last, if they had any.
    """

    person: Subscriber | None = None
    delivery: Delivery | None = None


class Attribution:
    """Tells reports about our messages from others and from forged ones, which are about None."""

    def __init__(self, ledger: Ledger, registry: Registry, verp: Verp, tokens: Tokens) -> None:
        self._ledger = ledger
        self._registry = registry
        self._verp = verp
        self._tokens = tokens

    def of_failure(self, clues: Clues) -> Attributed | None:
        """Attribute a failure by the address it was sent to: the message's envelope sender."""
        return self._by_senders(clues.sent_to)

    def of_complaint(self, clues: Clues) -> Attributed | None:
        """Attribute a complaint by the same, or by the message that it shows."""
        return self._by_senders([*clues.sent_to, *clues.senders]) or self._by_token(clues)

    def of_event(self, sender: str, address: str) -> Attributed | None:
        """Attribute an event that a mail service has signed, by envelope sender or by address."""
        if attributed := self._by_senders([sender]):
            return attributed
        try:
            file = self._registry.file_of(address)
        except SubscriberError:
            return None
        if file is None:
            return None
        last = self._ledger.bounces.last_sent_to(file.subscriber.id)
        return Attributed(file.subscriber, last)

    def of_reply(self, clues: Clues, tokens: Iterable[str]) -> str | None:
        """Return the writer's public id, by a token or the envelope sender that they wrote to."""
        attributed = self._by_senders(clues.sent_to)
        person = attributed and attributed.person
        return person.public_id if person else self.public_id(tokens)

    def public_id(self, tokens: Iterable[str]) -> str | None:
        """Return the public id that the first genuine of some tokens is for."""
        for token in tokens:
            try:
                return self._tokens.read(Purpose.UNSUBSCRIBE, token)
            except TokenError:
                continue
        return None

    def _by_senders(self, senders: Iterable[str]) -> Attributed | None:
        """Return the first verified person; about nobody if they were removed, None without any."""
        about_nobody = None
        for tag in filter(None, map(self._verp.tag_in, senders)):
            delivery = self._ledger.bounces.delivery(tag.delivery_id)
            person = self._registry.get(delivery.subscriber_id) if delivery else None
            if person is None:
                about_nobody = Attributed()
            elif self._verp.is_genuine(tag, person.address):
                return Attributed(person, delivery)
        return about_nobody

    def _by_token(self, clues: Clues) -> Attributed | None:
        public_id = self.public_id(clues.tokens)
        if public_id is None:
            return None
        person = self._registry.by_public_id(public_id)
        if person is None:
            return Attributed()
        return Attributed(person, self._ledger.bounces.last_sent_to(person.id))
