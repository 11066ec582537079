"""Act on the events that a mail service reports by a signed webhook, as on reports by mail."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum

import structlog

from digest.inbound.attribution import Attribution
from digest.inbound.bounce_policy import kind_of
from digest.inbound.diagnostics import Table
from digest.inbound.feedback_handler import FeedbackHandler
from digest.inbound.report import Kind
from digest.inbound.webhook_events import READERS, Event, diagnosed_event, events_in
from digest.inbound.webhook_signatures import (
    Fetch,
    Headers,
    has_password,
    is_signed_by_mailgun,
    is_signed_by_sendgrid,
    is_signed_by_sns,
    is_signed_generic,
    is_sns_url,
)
from digest.model.deliveries import Bounce, BounceKind, BounceSource
from digest.model.diagnosis import UNKNOWN

log = structlog.get_logger()


class WebhookAnswer(Enum):
    """The result of a request."""

    DONE = "done"
    UNKNOWN = "unknown"  # no such service, or no secret is set for it
    UNSIGNED = "unsigned"
    MALFORMED = "malformed"


class Webhooks:
    """Takes the requests of mail services; ``secrets`` has those of each that may be signed with.

    ``fetch`` gets a URL of Amazon SNS. Raises what the database raises.
    """

    def __init__(
        self,
        secrets: Mapping[str, Sequence[str]],
        attribution: Attribution,
        feedback: FeedbackHandler,
        diagnostics: Table,
        fetch: Fetch,
    ) -> None:
        self._secrets = secrets
        self._attribution = attribution
        self._feedback = feedback
        self._diagnostics = diagnostics
        self._fetch = fetch

    def take(self, service: str, headers: Headers, body: bytes, now: datetime) -> WebhookAnswer:
        """Verify a request and act on the events in it. Idempotent: a service may send it again."""
        secrets = self._secrets.get(service)
        if service not in READERS or not secrets:
            return WebhookAnswer.UNKNOWN
        if not any(self._is_signed(service, headers, body, secret, now) for secret in secrets):
            log.warning("a webhook request is not signed as it must be", service=service)
            return WebhookAnswer.UNSIGNED
        try:
            value = self._value_of(service, json.loads(body))
        except (ValueError, RecursionError):
            return WebhookAnswer.MALFORMED
        for event in events_in(service, value):
            self._act(diagnosed_event(event, service, self._diagnostics), now)
        return WebhookAnswer.DONE

    def _is_signed(
        self, service: str, headers: Headers, body: bytes, secret: str, now: datetime
    ) -> bool:
        match service:
            case "ses":
                return is_signed_by_sns(body, secret, self._fetch)
            case "sendgrid":
                return is_signed_by_sendgrid(headers, body, secret)
            case "mailgun":
                return is_signed_by_mailgun(body, secret, now)
            case "generic":
                return is_signed_generic(headers, body, secret)
        return has_password(headers, secret)

    def _value_of(self, service: str, value: object) -> object:
        """Return what a body reports; SNS has it as a text inside, or asks for a confirmation."""
        if service != "ses" or not isinstance(value, dict):
            return value
        if value.get("Type") == "SubscriptionConfirmation":
            if is_sns_url(url := str(value.get("SubscribeURL"))):
                self._fetch(url)
                log.info("the subscription to an SNS topic is confirmed")
            return {}
        return json.loads(str(value.get("Message")))

    def _act(self, event: Event, now: datetime) -> None:
        address = event.recipient.address
        attributed = self._attribution.of_event(event.sender, address)
        if attributed is None or attributed.person is None:
            return
        if attributed.delivery is None:
            if event.kind is Kind.COMPLAINT:
                self._feedback.complained(attributed.person.address, now)
            return
        kind = BounceKind.COMPLAINT
        if event.kind is not Kind.COMPLAINT:
            kind = kind_of(event.recipient.diagnosis or UNKNOWN)
        said = event.recipient.diagnostic
        bounce = Bounce(kind, event.recipient.status, said, BounceSource.WEBHOOK)
        self._feedback.returned(attributed.delivery, attributed.person.address, bounce, now)
