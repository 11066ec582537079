"""What comes back by mail, dealt with."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.message import Message

from digest.inbox.mailboxes import Letter
from digest.inbox.reading import unsubscribe_tokens
from subscribers.errors import TokenError
from subscribers.store.registry import Registry
from subscribers.tokens import Purpose, Tokens

SOURCE = "unsubscribe mail"


@dataclass(frozen=True, slots=True)
class Read:
    """How many mails asked to unsubscribe, and how many are left for a person to read."""

    unsubscribed: int = 0
    left: int = 0


class Inbox:
    """Reads mail to us, and does what it asks for."""

    def __init__(self, registry: Registry, tokens: Tokens) -> None:
        self._registry = registry
        self._tokens = tokens

    def read(self, letters: Iterable[Letter], now: datetime) -> Read:
        """Deal with each mail that we understand, and mark it as done."""
        unsubscribed = left = 0
        for letter in letters:
            if self._unsubscribe(letter.mail, now):
                letter.done()
                unsubscribed += 1
            else:
                left += 1
        return Read(unsubscribed, left)

    def _unsubscribe(self, mail: Message, now: datetime) -> bool:
        """Whether a mail was one to unsubscribe with. Whoever is gone already stays so."""
        for text in unsubscribe_tokens(mail):
            try:
                public_id = self._tokens.read(Purpose.UNSUBSCRIBE, text)
            except TokenError:
                continue
            self._registry.withdraw(public_id, source=SOURCE, now=now)
            return True
        return False
