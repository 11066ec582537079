"""Composing and sending emails, and reading what comes back."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import structlog

from digest.app.base import AppBase
from digest.errors import TransportError
from digest.model.messages import Message, Outcome
from subscribers.addresses import AddressPolicy, normalise_address

if TYPE_CHECKING:
    from digest.compose.composer import Composer
    from digest.compose.environment import Templates
    from digest.compose.from_identity import FromIdentity
    from digest.compose.transactional_composer import TransactionalComposer
    from digest.deliver.transactional_mail import TransactionalMail
    from digest.deliver.transport.channel import Channel
    from digest.deliver.transport.transport import Transport
    from digest.inbound.diagnostics import Table
    from digest.inbound.feedback_handler import FeedbackHandler
    from digest.inbound.inbox import Inbox
    from digest.model.announcements import Draft
    from digest.model.verp import Verp

A_MOMENT = 2.0  # seconds
MAILS_AT_ONCE = 4  # about subscriptions; others wait
_LOOK_EVERY = 1.0  # seconds, at whether templates have changed
log = structlog.get_logger()


class MailParts(AppBase):
    """The objects of emails: templates to messages, the transport, the inbox."""

    @cached_property
    def identity(self) -> FromIdentity:
        """From, links and footer of every message. Raises SettingError naming what is missing."""
        from digest.compose.from_identity import from_identity

        return from_identity(self.settings)

    @cached_property
    def templates(self) -> Templates:
        from digest.compose.environment import Templates
        from digest.compose.language import language

        settings = self.settings
        cache = settings.home / "cache" / "templates"
        return Templates(
            settings.templates,
            language(settings.language, settings.templates),
            cache,
            for_chat=settings.is_chat,
            look_every=_LOOK_EVERY,
        )

    @cached_property
    def composer(self) -> Composer:
        from digest.compose.composer import Composer

        return Composer(self.templates, self.identity)

    @cached_property
    def transactional_composer(self) -> TransactionalComposer:
        from digest.compose.transactional_composer import TransactionalComposer

        return TransactionalComposer(self.templates, self.identity)

    @cached_property
    def preview_composer(self) -> Composer:
        """A composer for previews: what is not set yet has a stand-in.

        It also speaks the two languages that nobody does.
        """
        from digest.compose.composer import Composer
        from digest.compose.environment import Templates
        from digest.compose.from_identity import preview_identity
        from digest.compose.pseudo import pseudo_languages

        usual, own = self.templates.language, self.settings.templates
        templates = Templates(own, usual, self.templates.cache, others=pseudo_languages())
        return Composer(templates, preview_identity(self.settings))

    def announcement_test(self, draft: Draft, to: str) -> Message:
        """Return a draft as a message to one address, marked as a test. Raises AddressError."""
        from digest.model.announcements import previewed

        return self.composer.compose(
            previewed(draft),
            to=normalise_address(to),
            public_id="test",
            now=self.clock(),
            subject_mark="[test]",
        )

    def language_of(self, locale: str | None) -> str:
        """Return the code of the language that a reader with this locale gets."""
        return self.templates.languages.of_reader(locale).code

    def transport(self) -> Transport:
        """Return a new transport, not yet connected. Raises SettingError."""
        from digest.deliver.transport.transport import make_transport

        return make_transport(self.settings)

    def channel(self) -> Channel:
        """Return a new channel of the transport, not yet open. Raises SettingError."""
        from digest.deliver.transport.transport import make_channel

        return make_channel(self.settings)

    def post(self, message: Message) -> Outcome:
        """Send one message that is no delivery, over its own connection. Raises TransportError."""
        with self.transport() as transport:
            return transport.send(message)

    @property
    def _is_relayed(self) -> bool:
        """Return whether emails go to providers, who see how fast they come."""
        return self.settings.transport_url.startswith(("smtp", "sendmail"))

    @cached_property
    def transactional_mail(self) -> TransactionalMail:
        """Return the sender of emails about subscriptions; it has threads, as a relay may hang."""
        from digest.app.background import in_background
        from digest.deliver.transactional_mail import TransactionalMail

        run = in_background(MAILS_AT_ONCE, "a message was not sent")
        return TransactionalMail(self.transactional_composer, self.post, self.clock, run)

    @cached_property
    def address_policy(self) -> AddressPolicy:
        """The rules of which addresses may subscribe."""
        refused = self.settings.refused_domains or frozenset()
        if not self.settings.mx_lookups:
            return AddressPolicy(self._takes_smtputf8, refused)
        from digest.deliver.transport.mx import takes_mail

        return AddressPolicy(self._takes_smtputf8, refused, takes_mail)

    def _takes_smtputf8(self) -> bool:
        """Return whether the relay takes addresses beyond ASCII; no, if it does not answer.

        One thread asks, and others wait for a moment only: a relay that hangs holds up no pages.
        """
        if self._relay_takes_smtputf8 is None and self._asking_relay.acquire(timeout=A_MOMENT):
            try:
                with self.transport() as transport:
                    self._relay_takes_smtputf8 = transport.takes_smtputf8
            except TransportError as error:
                log.warning("the relay cannot be asked for SMTPUTF8", why=str(error))
            finally:
                self._asking_relay.release()
        return bool(self._relay_takes_smtputf8)

    @cached_property
    def diagnostics(self) -> Table:
        """The meanings of refusals, the operator's rules first. Raises SettingError."""
        from digest.inbound.diagnostics import table_with

        return table_with(self.settings.diagnostics)

    @cached_property
    def verp(self) -> Verp:
        """Envelope senders that name their delivery. Reports are read with them in any case."""
        from digest.model.verp import Verp

        identity = self.identity  # says what is missing
        assert self.settings.secret
        return Verp(self.settings.secret, identity.bounce_address)

    @cached_property
    def feedback(self) -> FeedbackHandler:
        from digest.inbound.bounce_policy import Limits
        from digest.inbound.feedback_handler import FeedbackHandler

        settings = self.settings
        limits = Limits(settings.pause_at_hard_bounces, settings.pause_at_complaints)
        return FeedbackHandler(self.ledger, self.registry, limits)

    @cached_property
    def inbox(self) -> Inbox:
        from digest.inbound.attribution import Attribution
        from digest.inbound.inbox import Inbox

        attribution = Attribution(self.ledger, self.registry, self.verp, self.identity.tokens)
        return Inbox(self.registry, attribution, self.feedback, self.diagnostics)
