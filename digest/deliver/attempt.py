"""One delivery over one connection: from the last look at consent to the recorded outcome."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from digest.deliver.rate_limit import next_attempt
from digest.deliver.transport.transport import Transport
from digest.errors import TransportError
from digest.inbound.diagnostics import Table, diagnose
from digest.inbound.feedback_handler import FeedbackHandler
from digest.ledger.claims import Claims
from digest.ledger.database import retry_on_disconnect
from digest.model.deliveries import Bounce, BounceKind, Delivery
from digest.model.diagnosis import Diagnosis, Phase, Scope
from digest.model.digests import SkipReason
from digest.model.messages import Envelope, Message, Outcome, OutcomeKind
from digest.model.verp import Verp
from subscribers.model import Standing
from subscribers.store.registry import Registry

_SKIPPED_FOR = {
    Standing.WITHDRAWN: SkipReason.WITHDRAWN,
    Standing.NOT_CONFIRMED: SkipReason.NOT_CONFIRMED,
    Standing.REMOVED: SkipReason.REMOVED,
}
# For how long a delivery lets others go before when the relay takes nothing.
_ASIDE = timedelta(minutes=1)

log = structlog.get_logger()


class DeliveryAttempt:
    """Sends what was claimed by one sender through one transport.

    Without ``verp``, failure reports will not name their delivery.
    """

    def __init__(
        self,
        claims: Claims,
        registry: Registry,
        feedback: FeedbackHandler,
        transport: Transport,
        verp: Verp | None,
        diagnostics: Table,
    ) -> None:
        self._claims = claims
        self._registry = registry
        self._feedback = feedback
        self._transport = transport
        self._verp = verp
        self._diagnostics = diagnostics

    def deliver(
        self, delivery: Delivery, message: Message, clock: Callable[[], datetime]
    ) -> Outcome | None:
        """Send the message of a claimed delivery, or find out that it must not be sent.

        Which it was is recorded. None where nothing was sent. Raises TransportError when the
        transport cannot be used: the delivery is then as it was before.
        """
        # The claim is committed. Consent and suppression are read only now, in the last moment.
        standing = retry_on_disconnect(lambda: self._registry.standing(delivery.subscriber_id))
        if standing is not Standing.MAY_RECEIVE:
            retry_on_disconnect(lambda: self._drop(delivery, standing, clock()))
            return None
        began = clock()
        try:
            outcome = self._transport.send(self._with_return_path(message, delivery))
        except TransportError:
            retry_on_disconnect(partial(self._claims.release, delivery, clock()))
            raise
        took = clock() - began
        if outcome.kind is OutcomeKind.REFUSED:
            outcome = replace(outcome, diagnosis=self._diagnose(outcome, delivery.provider))
        if outcome.is_no_verdict:
            # It is for the relay to recover. Should this message be to blame all the same, the
            # others are not to wait behind it.
            now = clock()
            _tell("the relay takes nothing at the moment", delivery, outcome)
            retry_on_disconnect(
                lambda: self._claims.release(delivery, now, not_before=now + _ASIDE)
            )
            return outcome
        self._record(delivery, outcome, clock(), took)
        if outcome.diagnosis and outcome.refused_for is None:
            to = message.envelope.rcpt_to
            kind = BounceKind.HARD if outcome.diagnosis.is_dead else BounceKind.SOFT
            bounce = Bounce(kind, outcome.status, outcome.text)
            retry_on_disconnect(lambda: self._feedback.refused(delivery, to, bounce, clock()))
        return outcome

    def _diagnose(self, outcome: Outcome, provider: str) -> Diagnosis:
        """Return what a refusal is about: us, if any message would be refused like this."""
        diagnosis = diagnose(
            outcome.text,
            code=outcome.code,
            status=outcome.status,
            phase=outcome.phase,
            provider=provider,
            table=self._diagnostics,
        )
        if outcome.is_about_relay and diagnosis.scope is not Scope.MESSAGE:
            return replace(diagnosis, scope=Scope.US)
        if outcome.phase is Phase.MAIL and diagnosis.scope is Scope.ADDRESS:
            return replace(diagnosis, scope=Scope.US)  # it does not know the address yet
        return diagnosis

    def _drop(self, delivery: Delivery, standing: Standing, now: datetime) -> None:
        log.info("a delivery is not to be sent", delivery=delivery.id, why=standing.value)
        if standing is Standing.SUPPRESSED:
            self._claims.suppress(delivery, now)
        else:
            self._claims.skip(delivery, _SKIPPED_FOR[standing], now)

    def _with_return_path(self, message: Message, delivery: Delivery) -> Message:
        """The message with an envelope sender of its own, so that a failure report names it."""
        if self._verp is None:
            return message
        to = message.envelope.rcpt_to
        return replace(message, envelope=Envelope(self._verp.sender_for(delivery.id, to), to))

    def _record(self, delivery: Delivery, outcome: Outcome, now: datetime, took: timedelta) -> None:
        again = None
        if outcome.kind is OutcomeKind.DEFERRED or outcome.refused_for:
            again = next_attempt(delivery.attempts, delivery.id, now)
        if outcome.kind is not OutcomeKind.ACCEPTED:
            _tell("a delivery was not accepted", delivery, outcome)
        # The message may be out: what became of it must be known.
        retry_on_disconnect(lambda: self._claims.record(delivery, outcome, again, now, took))


def _tell(what: str, delivery: Delivery, outcome: Outcome) -> None:
    kind, code, text = outcome.kind.value, outcome.code, outcome.text
    log.warning(what, delivery=delivery.id, outcome=kind, code=code, text=text)
