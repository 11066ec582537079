"""The mails about a subscription, and those to the operator, which are made one at a time."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from digest.compose.content import fill
from digest.compose.environment import Templates
from digest.compose.from_identity import FromIdentity
from digest.compose.message import build_message
from digest.compose.phrases import how_often, outcome_words
from digest.compose.view import LetterView
from digest.model.messages import Message
from subscribers.model import AddressChange, Subscriber
from subscribers.tokens import Purpose

CONFIRM_WITHIN = timedelta(hours=72)


class TransactionalComposer:
    """Makes the mails about a subscription, in one sender's name. Each may raise TemplateError."""

    def __init__(self, templates: Templates, identity: FromIdentity) -> None:
        self._templates = templates
        self._identity = identity

    def confirmation(self, person: Subscriber, now: datetime) -> Message:
        """The mail that asks somebody to confirm."""
        mail = self._letter_until(now + CONFIRM_WITHIN, Purpose.CONFIRM, person.public_id, now)
        mail = self._with_preferences(mail, person)
        return self._letter("confirm", mail, person.address, person.public_id, now)

    def welcome(self, person: Subscriber, now: datetime) -> Message:
        """The mail to somebody who has just confirmed: what will come, and how to change it."""
        mail = replace(
            self._with_preferences(self._plain_letter, person),
            link=self._identity.link(Purpose.PREFERENCES, person.public_id),
            unsubscribe=self._identity.link(Purpose.UNSUBSCRIBE, person.public_id),
        )
        return self._letter("welcome", mail, person.address, person.public_id, now)

    def goodbye(self, person: Subscriber, undo_until: datetime, now: datetime) -> Message:
        """The last mail to somebody who has just left, with a way back until a moment."""
        mail = self._letter_until(undo_until, Purpose.UNDO, person.public_id, now)
        return self._letter("goodbye", mail, person.address, person.public_id, now)

    def address_confirmation(self, move: AddressChange, now: datetime) -> Message:
        """The mail to a new address that asks whether it is the person's."""
        mail = replace(
            self._letter_until(now + CONFIRM_WITHIN, Purpose.ADDRESS, move.public_id, now),
            address=move.address,
            before=move.person.address,
        )
        return self._letter("confirm-address", mail, move.address, move.public_id, now)

    def address_notice(self, move: AddressChange, now: datetime) -> Message:
        """The mail to an old address that tells of the new one."""
        before = move.person.address
        mail = replace(self._plain_letter, address=move.address, before=before)
        return self._letter("address-changed", mail, before, move.public_id, now)

    def alert(
        self, to: str, troubles: Sequence[str], *, broken_off: bool, where: str, now: datetime
    ) -> Message:
        """The mail to the operator about a daily run that had trouble, which began at ``now``."""
        language = self._templates.language
        mail = replace(
            self._plain_letter,
            what=outcome_words(language, broken_off=broken_off),
            where=where,
            since=language.moment(now),
            troubles=tuple(troubles),
        )
        return self._letter("operator-alert", mail, to, "operator", now)

    @property
    def _plain_letter(self) -> LetterView:
        identity, language = self._identity, self._templates.language
        return LetterView(
            brand=identity.name,
            postal_address=identity.postal_address,
            contact=identity.reply_to,
            language=language.code,
            direction=language.direction,
            header=identity.header,
        )

    def _with_preferences(self, mail: LetterView, person: Subscriber) -> LetterView:
        """A letter that says what its reader will get."""
        language = self._templates.language
        return replace(
            mail,
            topics=language.listed([topic.text for topic in person.topics]),
            how_often=how_often(person.preferences, language),
        )

    def _letter_until(
        self, end: datetime, purpose: Purpose, public_id: str, now: datetime
    ) -> LetterView:
        """A letter with a link that is good until a moment."""
        token = self._identity.tokens.make_until(purpose, public_id, end)
        return replace(
            self._plain_letter,
            link=f"{self._identity.base_url}/{purpose}/{token}",
            hours=(end - now) // timedelta(hours=1),
        )

    def _letter(
        self, name: str, mail: LetterView, to: str, public_id: str, now: datetime
    ) -> Message:
        """A mail about a subscription: each time it is asked for, one of its own."""
        content = fill(self._templates, name, mail)
        what = f"{name}-{now:%Y%m%d%H%M%S%f}"
        return build_message(
            content, self._identity, to=to, public_id=public_id, what=what, now=now, campaign=name
        )
