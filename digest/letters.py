"""The mails about a subscription: made, sent at once, and their failures told in the log."""

import re
from collections.abc import Callable
from datetime import datetime

import structlog

from digest.compose.letters import LetterComposer
from digest.errors import DigestError
from digest.model import Message, Outcome, OutcomeKind
from subscribers.model import Move, Subscriber

_ADDRESS = re.compile(r"[^\s<>]+@[^\s<>]+")

log = structlog.get_logger()


class Letters:
    """``post`` sends one message over a connection of its own, and may raise DigestError.

    No address is logged: a subscriber goes by number, and what a server says without them.
    """

    def __init__(
        self,
        composer: LetterComposer,
        post: Callable[[Message], Outcome],
        clock: Callable[[], datetime],
    ) -> None:
        self._composer = composer
        self._post = post
        self._clock = clock

    def confirm(self, person: Subscriber) -> None:
        """Ask a pending subscriber to confirm."""
        self._send("confirmation", person, lambda of: of.confirmation(person, self._clock()))

    def confirm_address(self, move: Move) -> None:
        """Ask at a new address whether it is the person's."""
        self._send(
            "confirmation of an address",
            move.person,
            lambda of: of.address_confirmation(move, self._clock()),
        )

    def address_changed(self, move: Move) -> None:
        """Tell the old address that the person has moved."""
        self._send(
            "notice to an old address",
            move.person,
            lambda of: of.address_notice(move, self._clock()),
        )

    def _send(
        self, what: str, person: Subscriber, make: Callable[[LetterComposer], Message]
    ) -> None:
        try:
            outcome = self._post(make(self._composer))
            why = "" if outcome.kind is OutcomeKind.ACCEPTED else outcome.text
        except DigestError as error:
            why = str(error)
        if why:
            why = _ADDRESS.sub("(an address)", why)
            log.error("a letter was not sent", letter=what, subscriber=person.id, why=why)
