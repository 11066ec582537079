"""Send a leased delivery over one channel, and have what became of it recorded."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from digest.deliver.feed import Feed, Parcel
from digest.deliver.group_commit import GroupCommit
from digest.deliver.rate_limit import next_attempt
from digest.deliver.transport.channel import Channel
from digest.errors import TransportError
from digest.inbound.diagnostics import Table, diagnose
from digest.inbound.feedback_handler import FeedbackHandler
from digest.ledger.claims import Mark, Record, Release
from digest.model.deliveries import Bounce, BounceKind, Delivery
from digest.model.diagnosis import Diagnosis, Phase, Scope
from digest.model.messages import Envelope, Message, Outcome, OutcomeKind
from digest.model.verp import Verp

# While the relay takes nothing, a delivery lets others go first for this long.
_RELEASED_FOR = timedelta(minutes=1)

log = structlog.get_logger()


class Attempts:
    """Sends parcels, of any of a process's connections.

    Without ``verp``, failure reports will not name their delivery.
    """

    def __init__(
        self,
        commit: GroupCommit,
        feed: Feed,
        feedback: FeedbackHandler,
        verp: Verp | None,
        diagnostics: Table,
        clock: Callable[[], datetime],
    ) -> None:
        self._commit = commit
        self._feed = feed
        self._feedback = feedback
        self._verp = verp
        self._diagnostics = diagnostics
        self._clock = clock

    async def send(self, channel: Channel, parcel: Parcel, message: Message) -> Outcome | None:
        """Send the message of a parcel, unless its subscriber may no longer get it.

        Return the outcome, or None if nothing was sent; either is recorded, but for an acceptance,
        which is with the next transaction. Raises TransportError if the channel cannot be used; the
        delivery is given back before.
        """
        delivery, to = parcel.delivery, message.envelope.rcpt_to
        began = self._clock()
        is_marked = False

        async def mark() -> bool:
            """Read consent and suppression, with the mark, at the last moment."""
            nonlocal is_marked
            is_marked = await self._commit.mark(Mark(delivery, parcel.person.address))
            return is_marked

        try:
            outcome = await channel.send(self._with_return_path(message, delivery), mark)
        except TransportError:
            await self._commit.release(Release(delivery, undoes_mark=is_marked))
            self._feed.look_again()
            raise
        if outcome is None:
            log.info("a delivery is not to be sent", delivery=delivery.id)
            self._feed.look_again()  # it may have been given back
            return None
        took = self._clock() - began
        if outcome.kind is OutcomeKind.ACCEPTED:
            self._commit.record(Record(delivery, outcome, took=took))
            return outcome
        if outcome.kind is OutcomeKind.REFUSED:
            outcome = replace(outcome, diagnosis=self._diagnose(outcome, delivery.provider))
        if outcome.is_no_verdict:
            # The relay must recover first. The message may be the cause all the same, so the
            # others do not wait behind it.
            _log("the relay takes nothing at the moment", delivery, outcome)
            later = self._clock() + _RELEASED_FOR
            await self._commit.release(Release(delivery, later, undoes_mark=is_marked))
            self._feed.look_again()
            return outcome
        await self._record(delivery, to, outcome, took, is_marked=is_marked)
        return outcome

    def _diagnose(self, outcome: Outcome, provider: str) -> Diagnosis:
        """Return what a refusal is about: about us, if any message would be refused like this."""
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
            return replace(diagnosis, scope=Scope.US)  # the server does not know the address yet
        return diagnosis

    def _with_return_path(self, message: Message, delivery: Delivery) -> Message:
        """Give a message an envelope sender of its own, so that failure reports name its delivery.

        Without ``verp`` it stays as it is.
        """
        if self._verp is None:
            return message
        to = message.envelope.rcpt_to
        return replace(message, envelope=Envelope(self._verp.sender_for(delivery.id, to), to))

    async def _record(
        self, delivery: Delivery, to: str, outcome: Outcome, took: timedelta, *, is_marked: bool
    ) -> None:
        """Record an outcome that is no acceptance, and act on the refusal of an address."""
        _log("a delivery was not accepted", delivery, outcome)
        now, retry_at, refused = self._clock(), None, None
        if outcome.kind is OutcomeKind.DEFERRED or outcome.refused_for:
            retry_at = next_attempt(delivery.attempts, delivery.id, now)
        if outcome.diagnosis and outcome.refused_for is None:
            kind = BounceKind.HARD if outcome.diagnosis.is_dead else BounceKind.SOFT
            bounce = Bounce(kind, outcome.status, outcome.text)
            refused = partial(self._feedback.refused, delivery, to, bounce, now)
        record = Record(delivery, outcome, retry_at, took, is_marked)
        await self._commit.record(record, then=refused)


def _log(what: str, delivery: Delivery, outcome: Outcome) -> None:
    kind, code, text = outcome.kind.value, outcome.code, outcome.text
    log.warning(what, delivery=delivery.id, outcome=kind, code=code, text=text)
