"""Make the messages about a subscription, and those to the operator: one at a time."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from digest.compose.content import fill
from digest.compose.environment import Templates
from digest.compose.from_identity import FromIdentity
from digest.compose.language import Language
from digest.compose.message import build_message
from digest.compose.transactional_phrases import alert_words, how_often
from digest.compose.view import MessageView
from digest.model.deliveries import Balance
from digest.model.messages import Message
from subscribers.model import AddressChange, Subscriber
from subscribers.tokens import Purpose

CONFIRM_WITHIN = timedelta(hours=72)


def plain_view(identity: FromIdentity, language: Language) -> MessageView:
    """Return the view with what the templates of all these messages see."""
    return MessageView(
        brand=identity.name,
        postal_address=identity.postal_address,
        contact=identity.reply_to,
        language=language.code,
        direction=language.direction,
        header=identity.header,
    )


class TransactionalComposer:
    """Makes these messages in one sender's name, each in its reader's language.

    Each method raises TemplateError.
    """

    def __init__(self, templates: Templates, identity: FromIdentity) -> None:
        self._templates = templates
        self._identity = identity

    def confirmation(self, person: Subscriber, now: datetime) -> Message:
        """Make the message that asks somebody to confirm."""
        mail = self._view_until(now + CONFIRM_WITHIN, Purpose.CONFIRM, person, now)
        mail = replace(self._with_preferences(mail, person), at_once=self._identity.first_digest)
        return self._message("confirm", mail, person.address, person.public_id, now)

    def welcome(self, person: Subscriber, now: datetime) -> Message:
        """Tell somebody who has just confirmed what will come, and how to change it."""
        mail = self._view_of_subscribed(person)
        return self._message("welcome", mail, person.address, person.public_id, now)

    def settings_link(self, person: Subscriber, now: datetime) -> Message:
        """Give a subscriber who asked for it the link to their settings."""
        mail = replace(self._view_of_subscribed(person), asked_for_link=True)
        return self._message("welcome", mail, person.address, person.public_id, now)

    def goodbye(self, person: Subscriber, undo_until: datetime, now: datetime) -> Message:
        """Make the last message to somebody who has just left, with a way back until a moment."""
        mail = self._view_until(undo_until, Purpose.UNDO, person, now)
        return self._message("goodbye", mail, person.address, person.public_id, now)

    def address_confirmation(self, move: AddressChange, now: datetime) -> Message:
        """Ask at a new address whether it is the person's."""
        mail = replace(
            self._view_until(
                now + CONFIRM_WITHIN, Purpose.ADDRESS, move.person, now, move.public_id
            ),
            address=move.address,
            before=move.person.address,
        )
        return self._message("confirm-address", mail, move.address, move.public_id, now)

    def address_notice(self, move: AddressChange, now: datetime) -> Message:
        """Tell an old address about the new one."""
        before = move.person.address
        mail = replace(self._plain_view(move.person), address=move.address, before=before)
        return self._message("address-changed", mail, before, move.public_id, now)

    def alert(
        self,
        to: str,
        troubles: Sequence[str],
        *,
        where: str,
        now: datetime,
        broken_off: bool = False,
        balance: Balance | None = None,
    ) -> Message:
        """Tell the operator of a daily run that had trouble, and began at ``now``."""
        language = self._templates.language
        mail = replace(
            plain_view(self._identity, language),
            what=alert_words(language, troubles, broken_off=broken_off, balance=balance),
            where=where,
            since=language.moment(now),
            troubles=tuple(troubles),
        )
        return self._message("operator-alert", mail, to, "operator", now)

    def _language_of(self, person: Subscriber) -> Language:
        return self._templates.languages.of_reader(person.preferences.locale)

    def _plain_view(self, person: Subscriber) -> MessageView:
        return plain_view(self._identity, self._language_of(person))

    def _view_of_subscribed(self, person: Subscriber) -> MessageView:
        """Return the view of what a subscriber gets, with links to change it and to leave."""
        return replace(
            self._with_preferences(self._plain_view(person), person),
            link=self._identity.link(Purpose.PREFERENCES, person.public_id),
            unsubscribe=self._identity.link(Purpose.UNSUBSCRIBE, person.public_id),
        )

    def _with_preferences(self, mail: MessageView, person: Subscriber) -> MessageView:
        """Return the view with what its reader will get."""
        language = self._language_of(person)
        return replace(
            mail,
            topics=language.listed([topic.text for topic in person.topics]),
            how_often=how_often(person.preferences, language),
        )

    def _view_until(
        self,
        end: datetime,
        purpose: Purpose,
        person: Subscriber,
        now: datetime,
        public_id: str = "",
    ) -> MessageView:
        """Return the view with a link that is good until a moment, by default the person's."""
        token = self._identity.tokens.make_until(purpose, public_id or person.public_id, end)
        return replace(
            self._plain_view(person),
            link=f"{self._identity.base_url}/{purpose}/{token}",
            hours=(end - now) // timedelta(hours=1),
        )

    def _message(
        self, name: str, mail: MessageView, to: str, public_id: str, now: datetime
    ) -> Message:
        """Return a message, with a new Message-ID each time."""
        content = fill(self._templates.for_reader(mail.language), name, mail)
        what = f"{name}-{now:%Y%m%d%H%M%S%f}"
        return build_message(
            content, self._identity, to=to, public_id=public_id, what=what, now=now, campaign=name
        )
