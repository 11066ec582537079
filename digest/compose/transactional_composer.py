"""The messages about a subscription, and those to the operator: made one at a time, sent at once.

Their failures are told in the log: nobody waits for them, and nothing else may fail by them.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from digest.compose.content import fill
from digest.compose.environment import Templates
from digest.compose.from_identity import FromIdentity
from digest.compose.language import Language
from digest.compose.message import build_message
from digest.compose.phrases import alert_words, how_often
from digest.compose.view import MessageView
from digest.errors import DigestError
from digest.model.deliveries import Balance
from digest.model.messages import Message, Outcome, OutcomeKind
from subscribers.model import AddressChange, Subscriber
from subscribers.tokens import Purpose

CONFIRM_WITHIN = timedelta(hours=72)

log = structlog.get_logger()


def plain_view(identity: FromIdentity, language: Language) -> MessageView:
    """Return what the templates of all these messages see, whatever they are about."""
    return MessageView(
        brand=identity.name,
        postal_address=identity.postal_address,
        contact=identity.reply_to,
        language=language.code,
        direction=language.direction,
        header=identity.header,
    )


class TransactionalComposer:
    """Makes these messages in one sender's name. Each method raises TemplateError."""

    def __init__(self, templates: Templates, identity: FromIdentity) -> None:
        self._templates = templates
        self._identity = identity
        self._plain_view = plain_view(identity, templates.language)

    def confirmation(self, person: Subscriber, now: datetime) -> Message:
        """Make the message that asks somebody to confirm."""
        mail = self._view_until(now + CONFIRM_WITHIN, Purpose.CONFIRM, person.public_id, now)
        mail = self._with_preferences(mail, person)
        return self._message("confirm", mail, person.address, person.public_id, now)

    def welcome(self, person: Subscriber, now: datetime) -> Message:
        """Tell somebody who has just confirmed what will come, and how to change it."""
        mail = replace(
            self._with_preferences(self._plain_view, person),
            link=self._identity.link(Purpose.PREFERENCES, person.public_id),
            unsubscribe=self._identity.link(Purpose.UNSUBSCRIBE, person.public_id),
        )
        return self._message("welcome", mail, person.address, person.public_id, now)

    def goodbye(self, person: Subscriber, undo_until: datetime, now: datetime) -> Message:
        """Make the last message to somebody who has just left, with a way back until a moment."""
        mail = self._view_until(undo_until, Purpose.UNDO, person.public_id, now)
        return self._message("goodbye", mail, person.address, person.public_id, now)

    def address_confirmation(self, move: AddressChange, now: datetime) -> Message:
        """Ask at a new address whether it is the person's."""
        mail = replace(
            self._view_until(now + CONFIRM_WITHIN, Purpose.ADDRESS, move.public_id, now),
            address=move.address,
            before=move.person.address,
        )
        return self._message("confirm-address", mail, move.address, move.public_id, now)

    def address_notice(self, move: AddressChange, now: datetime) -> Message:
        """Tell an old address of the new one."""
        before = move.person.address
        mail = replace(self._plain_view, address=move.address, before=before)
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
            self._plain_view,
            what=alert_words(language, troubles, broken_off=broken_off, balance=balance),
            where=where,
            since=language.moment(now),
            troubles=tuple(troubles),
        )
        return self._message("operator-alert", mail, to, "operator", now)

    def _with_preferences(self, mail: MessageView, person: Subscriber) -> MessageView:
        """Return the view with what its reader will get."""
        language = self._templates.language
        return replace(
            mail,
            topics=language.listed([topic.text for topic in person.topics]),
            how_often=how_often(person.preferences, language),
        )

    def _view_until(
        self, end: datetime, purpose: Purpose, public_id: str, now: datetime
    ) -> MessageView:
        """Return the view with a link that is good until a moment."""
        token = self._identity.tokens.make_until(purpose, public_id, end)
        return replace(
            self._plain_view,
            link=f"{self._identity.base_url}/{purpose}/{token}",
            hours=(end - now) // timedelta(hours=1),
        )

    def _message(
        self, name: str, mail: MessageView, to: str, public_id: str, now: datetime
    ) -> Message:
        """Return a message that is one of its own each time it is asked for."""
        content = fill(self._templates, name, mail)
        what = f"{name}-{now:%Y%m%d%H%M%S%f}"
        return build_message(
            content, self._identity, to=to, public_id=public_id, what=what, now=now, campaign=name
        )


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
        self._send("confirmation", person, self._composer.confirmation, person)

    def welcome(self, person: Subscriber) -> None:
        """Tell a new subscriber what will come."""
        self._send("welcome", person, self._composer.welcome, person)

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
        if why := _not_sent(lambda: self._post(make(*of, now=self._clock()))):
            log.error("a message was not sent", message=what, subscriber=person.id, why=why)


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
