"""Read the mail that comes back, and act on it."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from email.message import Message
from enum import StrEnum

import structlog
from sqlalchemy.exc import SQLAlchemyError

from digest.inbound.answers import tokens_of_reply, unsubscribe_tokens
from digest.inbound.attribution import Attribution
from digest.inbound.bounce_policy import kind_of
from digest.inbound.clues import clues_in
from digest.inbound.diagnostics import Table
from digest.inbound.feedback_handler import FeedbackHandler
from digest.inbound.mime_parts import open_mail
from digest.inbound.report import Flag, InboundMessage, Kind, Recipient, Report
from digest.inbound.report_reader import read_report
from digest.model.deliveries import Bounce, BounceKind
from digest.model.diagnosis import UNKNOWN
from subscribers.store.registry import Registry

SOURCE = "unsubscribe mail"

log = structlog.get_logger()


class InboundVerdict(StrEnum):
    """The result of handling a message; its kind, if there is nothing to do."""

    UNSUBSCRIBED = "unsubscribed"
    HARD = "hard"
    SOFT = "soft"
    COMPLAINT = "complaint"
    DELAYED = "delayed"  # a server is still trying: nothing to do
    AUTO_REPLY = "auto-reply"  # nothing to do
    AUTHENTICATION = "authentication"  # a report of DMARC or TLS: nothing to do
    OBSOLETE = "obsolete"  # about somebody who was removed, or a delivery that there never was
    UNVERIFIED = "unproven"  # it may be forged: left for a person
    UNKNOWN = "unknown"  # left for a person

    @property
    def needs_review(self) -> bool:
        return self in {InboundVerdict.UNVERIFIED, InboundVerdict.UNKNOWN}


class Inbox:
    """Reads the mail to us, and does what it asks for."""

    def __init__(
        self,
        registry: Registry,
        attribution: Attribution,
        feedback: FeedbackHandler,
        diagnostics: Table | None = None,
    ) -> None:
        self._registry = registry
        self._attribution = attribution
        self._feedback = feedback
        self._diagnostics = diagnostics

    def read(self, messages: Iterable[InboundMessage], now: datetime) -> Counter[InboundVerdict]:
        """Act on each message that we understand, flag it, and count the verdicts.

        A message is flagged only after it was acted on, and every action is idempotent, so this can
        be repeated after any failure. A message that we do not understand is flagged for review.
        Raises the errors of the mailbox and of the database.
        """
        verdicts: Counter[InboundVerdict] = Counter()
        for message in messages:
            verdict = self._deal_with(message.content, now)
            message.flag = Flag.REVIEW if verdict.needs_review else Flag.SEEN
            verdicts[verdict] += 1
        return verdicts

    def _deal_with(self, content: bytes, now: datetime) -> InboundVerdict:
        try:
            return self._act(open_mail(content), read_report(content, self._diagnostics), now)
        except SQLAlchemyError:
            raise
        except Exception as error:  # noqa: BLE001  anybody can write anything: the others count
            log.error("a message cannot be handled", error=type(error).__name__)
            return InboundVerdict.UNKNOWN

    def _act(self, mail: Message, report: Report, now: datetime) -> InboundVerdict:
        match report.kind:
            case Kind.UNSUBSCRIBE:
                return self._unsubscribe(mail, now)
            case Kind.HARD | Kind.SOFT:
                return self._failure(mail, report, now)
            case Kind.COMPLAINT:
                return self._complaint(mail, report, now)
        return InboundVerdict(report.kind.value)

    def _unsubscribe(self, mail: Message, now: datetime) -> InboundVerdict:
        """Unsubscribe the person who asks for it; one who has left stays so."""
        public_id = self._attribution.public_id(unsubscribe_tokens(mail))
        if public_id is None:
            public_id = self._attribution.of_reply(clues_in(mail), tokens_of_reply(mail))
        if public_id is None:
            return InboundVerdict.UNVERIFIED
        self._registry.withdraw(public_id, source=SOURCE, now=now)
        return InboundVerdict.UNSUBSCRIBED

    def _failure(self, mail: Message, report: Report, now: datetime) -> InboundVerdict:
        attributed = self._attribution.of_failure(clues_in(mail))
        if attributed is None:
            return InboundVerdict.UNVERIFIED
        if attributed.person is None or attributed.delivery is None:
            return InboundVerdict.OBSOLETE
        bounce = _bounce_of(report)
        self._feedback.returned(attributed.delivery, attributed.person.address, bounce, now)
        return InboundVerdict(report.kind.value)

    def _complaint(self, mail: Message, report: Report, now: datetime) -> InboundVerdict:
        attributed = self._attribution.of_complaint(clues_in(mail))
        if attributed is None:
            return InboundVerdict.UNVERIFIED
        if attributed.person is None:
            return InboundVerdict.OBSOLETE
        if attributed.delivery is None:
            self._feedback.complained(attributed.person.address, now)
        else:
            why = next((recipient.diagnostic for recipient in report.recipients), "")
            bounce = Bounce(BounceKind.COMPLAINT, text=why)
            self._feedback.returned(attributed.delivery, attributed.person.address, bounce, now)
        return InboundVerdict.COMPLAINT


def _bounce_of(report: Report) -> Bounce:
    """Return the failure of the one address that the message was sent to.

    If it was forwarded to several addresses from there, the worst failure counts.
    """
    worst = max(report.recipients, key=lambda recipient: recipient.is_hard, default=Recipient(""))
    kind = kind_of(worst.diagnosis or UNKNOWN)
    return Bounce(kind, worst.status, worst.diagnostic)
