"""The mails about a subscription, and those to the operator: made, and sent at once.

Their failures are told in the log: nobody waits for them, and nothing else may fail by them.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from digest.compose.transactional_composer import TransactionalComposer
from digest.errors import DigestError
from digest.model.messages import Message, Outcome, OutcomeKind
from subscribers.model import AddressChange, Subscriber

log = structlog.get_logger()


class TransactionalMail:
    """``post`` sends one message over a connection of its own, and may raise DigestError.

    In the log a subscriber goes by number.
    """

    def __init__(
        self,
        composer: TransactionalComposer,
        post: Callable[[Message], Outcome],
        clock: Callable[[], datetime],
    ) -> None:
        self._composer = composer
        self._post = post
        self._clock = clock

    def confirm(self, person: Subscriber) -> None:
        """Ask a pending subscriber to confirm."""
        self._send("confirmation", person, lambda of: of.confirmation(person, self._clock()))

    def welcome(self, person: Subscriber) -> None:
        """Tell somebody who has just confirmed what will come."""
        self._send("welcome", person, lambda of: of.welcome(person, self._clock()))

    def goodbye(self, person: Subscriber, undo_until: datetime) -> None:
        """Tell somebody who has just left that they have, and how to undo it until a moment."""
        self._send("goodbye", person, lambda of: of.goodbye(person, undo_until, self._clock()))

    def confirm_address(self, move: AddressChange) -> None:
        """Ask at a new address whether it is the person's."""
        self._send(
            "confirmation of an address",
            move.person,
            lambda of: of.address_confirmation(move, self._clock()),
        )

    def address_changed(self, move: AddressChange) -> None:
        """Tell the old address that the person has moved."""
        self._send(
            "notice to an old address",
            move.person,
            lambda of: of.address_notice(move, self._clock()),
        )

    def _send(
        self, what: str, person: Subscriber, make: Callable[[TransactionalComposer], Message]
    ) -> None:
        if why := _not_sent(lambda: self._post(make(self._composer))):
            log.error("a letter was not sent", letter=what, subscriber=person.id, why=why)


class Alerts:
    """The mails to the operator about daily runs. ``where`` names the machine and the folder.

    ``composer`` is made only when there is something to tell.
    """

    def __init__(
        self,
        operator: str,
        where: str,
        composer: Callable[[], TransactionalComposer],
        post: Callable[[Message], Outcome],
    ) -> None:
        self._operator = operator
        self._where = where
        self._composer = composer
        self._post = post

    def tell(self, troubles: Sequence[str], since: datetime, *, broken_off: bool) -> None:
        """Tell of a run that had trouble, and began at ``since``."""

        def send() -> Outcome:
            message = self._composer().alert(
                self._operator, troubles, broken_off=broken_off, where=self._where, now=since
            )
            return self._post(message)

        if why := _not_sent(send):
            log.error("the operator was not told", why=why)


def _not_sent(send: Callable[[], Outcome]) -> str:
    """Why something was not sent; empty if it was."""
    try:
        outcome = send()
    except DigestError as error:
        return str(error)
    return "" if outcome.kind is OutcomeKind.ACCEPTED else outcome.text
