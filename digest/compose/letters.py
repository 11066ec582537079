"""The mails about a subscription, which are made one at a time."""

from dataclasses import replace
from datetime import datetime, timedelta

from digest.compose.content import fill
from digest.compose.environment import Templates
from digest.compose.message import build_message
from digest.compose.sender import Sender
from digest.compose.view import LetterView
from digest.model import Message
from subscribers.model import Move, Subscriber
from subscribers.tokens import Purpose

CONFIRM_WITHIN = timedelta(hours=72)


class LetterComposer:
    """Makes the mails about a subscription, in one sender's name. Each may raise TemplateError."""

    def __init__(self, templates: Templates, sender: Sender) -> None:
        self._templates = templates
        self._sender = sender

    def confirmation(self, person: Subscriber, now: datetime) -> Message:
        """The mail that asks somebody to confirm."""
        mail = replace(
            self._letter_to(Purpose.CONFIRM, person.public_id, now),
            topics=tuple(topic.text for topic in person.topics),
            how_often=person.preferences.how_often,
        )
        return self._letter("confirm", mail, person.address, person.public_id, now)

    def address_confirmation(self, move: Move, now: datetime) -> Message:
        """The mail to a new address that asks whether it is the person's."""
        mail = replace(
            self._letter_to(Purpose.ADDRESS, move.public_id, now),
            address=move.address,
            before=move.person.address,
        )
        return self._letter("confirm-address", mail, move.address, move.public_id, now)

    def address_notice(self, move: Move, now: datetime) -> Message:
        """The mail to an old address that tells of the new one."""
        before = move.person.address
        mail = replace(self._plain_letter, address=move.address, before=before)
        return self._letter("address-changed", mail, before, move.public_id, now)

    @property
    def _plain_letter(self) -> LetterView:
        sender = self._sender
        return LetterView(sender.name, sender.postal_address, sender.reply_to)

    def _letter_to(self, purpose: Purpose, public_id: str, now: datetime) -> LetterView:
        """A letter with a link that is good for CONFIRM_WITHIN."""
        token = self._sender.tokens.make_until(purpose, public_id, now + CONFIRM_WITHIN)
        return replace(
            self._plain_letter,
            link=f"{self._sender.base_url}/{purpose}/{token}",
            hours=CONFIRM_WITHIN // timedelta(hours=1),
        )

    def _letter(
        self, name: str, mail: LetterView, to: str, public_id: str, now: datetime
    ) -> Message:
        """A mail about a subscription: each time it is asked for, one of its own."""
        content = fill(self._templates, name, mail)
        what = f"{name}-{now:%Y%m%d%H%M%S%f}"
        return build_message(
            content, self._sender, to=to, public_id=public_id, what=what, now=now, campaign=name
        )
