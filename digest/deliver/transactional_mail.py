"""Send the messages about a subscription, and those to the operator, at once.

Their failures are written to the log: nobody waits for these messages, and nothing else may fail
because of them.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog

from digest.compose.transactional_composer import TransactionalComposer
from digest.errors import DigestError
from digest.model.messages import Message, Outcome, OutcomeKind
from subscribers.model import AddressChange, Subscriber

log = structlog.get_logger()


class TransactionalMail:
    """``post`` sends one message over a connection of its own, and may raise DigestError.

    ``run`` runs the sending of one message: at once, or in a thread that may wait for the relay. In
    the log a subscriber goes by number.
    """

    def __init__(
        self,
        composer: TransactionalComposer,
        post: Callable[[Message], Outcome],
        clock: Callable[[], datetime],
        run: Callable[[Callable[[], None]], object] = lambda send: send(),
    ) -> None:
        self._composer = composer
        self._post = post
        self._clock = clock
        self._run = run

    def confirm(self, person: Subscriber) -> None:
        """Ask a pending subscriber to confirm."""
        self._send("confirmation", person, self._composer.confirmation, person)

    def welcome(self, person: Subscriber) -> None:
        """Tell a new subscriber what will come."""
        self._send("welcome", person, self._composer.welcome, person)

    def settings_link(self, person: Subscriber) -> None:
        """Give a subscriber the link to their settings."""
        self._send("settings link", person, self._composer.settings_link, person)

    def goodbye(self, person: Subscriber, undo_until: datetime) -> None:
        """Tell somebody that they are unsubscribed, and how to undo it until a moment."""
        self._send("goodbye", person, self._composer.goodbye, person, undo_until)

    def confirm_address(self, move: AddressChange) -> None:
        """Ask at a new address whether it is the person's."""
        make = self._composer.address_confirmation
        self._send("confirmation of an address", move.person, make, move)

    def address_changed(self, move: AddressChange) -> None:
        """Tell an old address that it was changed."""
        self._send("notice to an old address", move.person, self._composer.address_notice, move)

    def _send(self, what: str, person: Subscriber, make: Callable[..., Message], *of: Any) -> None:
        def send() -> None:
            if why := _not_sent(lambda: self._post(make(*of, now=self._clock()))):
                log.error("a message was not sent", message=what, subscriber=person.id, why=why)

        self._run(send)


def alert_operator(make: Callable[[], Message], post: Callable[[Message], Outcome]) -> None:
    """Send the operator what ``make`` makes of a run that had trouble; log it if that fails."""
    if why := _not_sent(lambda: post(make())):
        log.error("the operator was not told", why=why)


def _not_sent(send: Callable[[], Outcome]) -> str:
    """Return why something was not sent; empty if it was."""
    try:
        outcome = send()
    except DigestError as error:
        return str(error)
    return "" if outcome.kind is OutcomeKind.ACCEPTED else outcome.text
