"""THE PATH: collect -> rank -> compose -> deliver, for one moment ``now``.

``Pipeline.run`` is where to begin.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import structlog

from digest.collect.source import Source
from digest.collecting import Collector, Progress, silent
from digest.compose.composer import Composer
from digest.compose.edition_composer import EditionComposer
from digest.config import Settings
from digest.deliver.transport import Transport
from digest.deliver.worker import Worker
from digest.errors import (
    MessageTooLarge,
    NothingToShow,
    TemplateError,
    TransportError,
)
from digest.ledger.database import exclusively
from digest.ledger.ledger import Ledger
from digest.model import (
    Balance,
    Collected,
    Delivery,
    Digest,
    Edition,
    Facts,
    Harvest,
    Message,
    SkipReason,
)
from digest.rank.background import Background, Embed
from digest.rank.ranker import Limits, Ranker, Reader
from digest.why import Why
from subscribers.model import Consent, Opinion, PersonFile, Subscriber, Verdict
from subscribers.preferences import Preferences, Strictness
from subscribers.store.registry import Registry
from subscribers.topics import TopicFilter

_NO_WISHES = Preferences()

log = structlog.get_logger()


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Run:
    """What one pass came to; ``trouble`` is what kept it from doing all it should."""

    balance: Balance
    trouble: tuple[str, ...] = ()


class Pipeline:
    """The way of the papers from the sources to the subscribers."""

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        registry: Registry,
        sources: Callable[[], Sequence[Source]],
        background: Callable[[], Background],
        embed: Embed | None = None,
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        """``clock`` only measures how long a run takes: what it does, it does as of its ``now``."""
        self._settings = settings
        self._ledger = ledger
        self._registry = registry
        self._collector = Collector(ledger, sources, self.edition_day)
        self._background = background
        self._embed = embed
        self._clock = clock

    def run(
        self, composer: Composer, transport: Transport, now: datetime, progress: Progress = silent
    ) -> Run:
        """One pass for everybody due, who each get the day's edition once, however often it runs.

        Raises LedgerError when another run is under way. A source or a relay that fails is told
        in the result: what it concerns stays to be done by a later run.
        """
        with exclusively(self._ledger.engine, "run"):
            began = self._clock()
            run = self._ledger.history.begin_run(self.edition_day(now), now)
            self._take_over(now)
            edition, trouble = self._collected_edition(now)
            self._rank(edition, now)
            sending_began = self._clock()
            try:
                self._compose_and_deliver(composer, transport, now, progress)
            except (TransportError, TemplateError) as error:
                # What was not sent is still pending: mend the relay or the template, run again.
                trouble = (*trouble, str(error))
            sending = self._since(sending_began)
            for touched in self._ledger.editions.changed_at(now):
                if touched.id != edition.id:
                    self._ledger.editions.close(touched)
            balance = self._ledger.editions.close(edition)
            self._ledger.history.end_run(run, now + self._since(began), sending, trouble)
            return Run(balance, trouble)

    # ---- collect -----------------------------------------------------------------------------

    def collect(self, days: Sequence[date], now: datetime) -> Collected:
        """Ask every source for some days, and keep what they say.

        A source that fails is among the rejected; what it gave before, and the others', is kept.
        """
        return self._collector.collect(days, now)

    def collect_files(
        self, paths: Sequence[Path], day: date | None, now: datetime, progress: Progress = silent
    ) -> Collected:
        """Read recorded answers and saved pages, or folders of them, and keep what they say."""
        return self._collector.collect_files(paths, day, now, progress)

    def keep(self, harvest: Harvest) -> Collected:
        """Merge sightings into the ledger."""
        return self._collector.keep(harvest)

    def days_for(self, day: date) -> list[date]:
        """The listing days that an edition of ``day`` is made of."""
        first = self._ledger.editions.first_day_for(day, self._settings.lookback_days)
        return [first + timedelta(days=n) for n in range((day - first).days + 1)]

    def edition_day(self, now: datetime) -> date:
        """The day it is for the operator."""
        return now.astimezone(self._settings.timezone).date()

    def _collected_edition(self, now: datetime) -> tuple[Edition, tuple[str, ...]]:
        """The day's edition. If nothing was collected for it yet, that is done first."""
        days = self.days_for(self.edition_day(now))
        edition = self._ledger.editions.freeze(days[-1], days[0], now)
        if edition.candidates:
            return edition, ()
        collected = self.collect(days, now)
        return self._ledger.editions.freeze(days[-1], days[0], now), collected.failures

    # ---- rank --------------------------------------------------------------------------------

    def draft(
        self, day: date, topics: tuple[TopicFilter, ...], wishes: Preferences = _NO_WISHES
    ) -> Digest | None:
        """The digest of a day for somebody with these wishes, for looking at; none if it is empty.

        From the day's edition if there is one, else from what it would hold. Nothing is stored.
        """
        edition = self._ledger.editions.on(day)
        if edition is None or not edition.candidates:
            edition = self._ledger.editions.draft(day, self.days_for(day)[0])
        return self._ranker(edition, {}).digest(_reader(topics, wishes))

    def explain(self, person: PersonFile, day: date) -> Why:
        """What decided about a subscriber and the edition of a day. Nothing is stored.

        The papers are those of their delivery if there is one, else what they would get now.
        """
        edition = self._ledger.editions.on(day)
        if edition is None:
            return Why(person, day)
        who = person.subscriber
        known = self._ledger.papers.facts_of(each.paper for each in person.opinions)
        ranker = self._ranker(edition, known)
        reader = _reader(who.topics, who.preferences, person.opinions)
        return Why(
            person=person,
            day=day,
            edition=edition,
            topics=tuple(ranker.fits(reader)),
            digest=self.digest_of(who, day) or ranker.digest(reader),
            delivery=self._ledger.deliveries.report(edition, who.id),
        )

    def _rank(self, edition: Edition, now: datetime) -> None:
        """Decide for everybody due what they get, or why nothing; a row each, before any mail."""
        planned = self._ledger.deliveries.planned(edition)
        due = []
        for subscriber in self._registry.everybody(Consent.CONFIRMED):
            wishes = subscriber.preferences
            if subscriber.id in planned or not wishes.wants_mail_on(edition.day):
                continue
            if wishes.is_paused_on(edition.day):
                self._skip(edition, subscriber, SkipReason.PAUSED, now)
            elif not edition.candidates:
                self._skip(edition, subscriber, SkipReason.NO_PAPERS, now)
            else:
                due.append(subscriber)
        if not due:
            return
        opinions = self._registry.opinions.of_everybody()
        known = self._ledger.papers.facts_of(
            each.paper for person in due for each in opinions.get(person.id, ())
        )
        ranker = self._ranker(edition, known)
        readers = [
            _reader(each.topics, each.preferences, opinions.get(each.id, ())) for each in due
        ]
        for subscriber, digest in zip(due, ranker.digests(readers), strict=True):
            if digest:
                self._ledger.deliveries.plan(edition, subscriber.id, digest.picks, now)
            else:
                self._skip(edition, subscriber, SkipReason.NOTHING_MATCHED, now)

    def _ranker(self, edition: Edition, known: Mapping[str, Facts]) -> Ranker:
        return Ranker(edition, self._background(), self._limits, known, self._embed)

    def _skip(
        self, edition: Edition, subscriber: Subscriber, reason: SkipReason, now: datetime
    ) -> None:
        self._ledger.deliveries.plan_skipped(edition, subscriber.id, reason, now)

    @property
    def _limits(self) -> Limits:
        return Limits(
            for_you=self._settings.max_for_you,
            trending=self._settings.max_trending,
            strictness=Strictness(self._settings.strictness),
        )

    # ---- compose, deliver --------------------------------------------------------------------

    def _compose_and_deliver(
        self, composer: Composer, transport: Transport, now: datetime, progress: Progress
    ) -> None:
        waiting = self._ledger.deliveries.to_send(now)
        if not waiting:
            return
        with transport:
            worker = Worker(self._ledger.deliveries, self._registry, transport)
            done = 0
            for edition_id, its in groupby(waiting, attrgetter("edition_id")):
                edition = self._ledger.editions.get(edition_id)
                edition_composer = EditionComposer(composer, edition, now)
                edition_composer.try_out(self._ledger.deliveries.papers_to_send(edition_id, now))
                for delivery in its:
                    message = self._compose(edition_composer, delivery, edition, now)
                    if message:
                        worker.deliver(delivery, message, now)
                    done += 1
                    progress(done, len(waiting))

    def _compose(
        self, composer: EditionComposer, delivery: Delivery, edition: Edition, now: datetime
    ) -> Message | None:
        """The message of a delivery; none if there cannot be one, which is then recorded.

        Raises TemplateError where the template is to blame: nobody is to miss a digest for that.
        """
        subscriber = self._registry.get(delivery.subscriber_id)
        if subscriber is None:
            self._ledger.deliveries.skip(delivery, SkipReason.REMOVED, now)
            return None
        digest = self._planned_digest(delivery, edition, subscriber)
        try:
            return composer.compose(digest, to=subscriber.address, public_id=subscriber.public_id)
        except (MessageTooLarge, NothingToShow) as error:
            too_large = isinstance(error, MessageTooLarge)
            reason = SkipReason.TOO_LARGE if too_large else SkipReason.NOT_RENDERED
            log.error("a digest cannot be made", delivery=delivery.id, why=str(error))
            self._ledger.deliveries.skip(delivery, reason, now)
            return None

    def digest_of(self, subscriber: Subscriber, day: date) -> Digest | None:
        """What a subscriber's digest of a day is made of, sent or not; none if there is none."""
        edition = self._ledger.editions.on(day)
        if edition is None:
            return None
        delivery = self._ledger.deliveries.of(edition, subscriber.id)
        if delivery is None:
            return None
        digest = self._planned_digest(delivery, edition, subscriber)
        return digest if digest.picks else None

    def _planned_digest(
        self, delivery: Delivery, edition: Edition, subscriber: Subscriber
    ) -> Digest:
        return Digest(
            day=edition.day,
            topics=subscriber.topics,
            picks=self._ledger.deliveries.picks(delivery, edition),
            pool_size=len(edition.candidates),
        )

    # ---- before and after --------------------------------------------------------------------

    def _take_over(self, now: datetime) -> None:
        """Settle what earlier runs left: unanswered ones become uncertain, stale ones skipped."""
        uncertain = self._ledger.deliveries.settle_leftovers(now)
        if uncertain:
            log.warning("a run died while sending; its message may have arrived", count=uncertain)
        stale_before = now - timedelta(hours=self._settings.stale_after_hours)
        self._ledger.deliveries.expire(stale_before, now)

    def _since(self, began: datetime) -> timedelta:
        return self._clock() - began


def _reader(
    topics: tuple[TopicFilter, ...], wishes: Preferences, opinions: Sequence[Opinion] = ()
) -> Reader:
    """A subscriber as the ranking sees them."""
    said = {
        verdict: tuple(each.paper for each in opinions if each.verdict is verdict)
        for verdict in Verdict
    }
    return Reader(
        topics=topics,
        exclusions=wishes.exclusions,
        least=wishes.min_papers,
        most=wishes.max_papers,
        strictness=wishes.strictness,
        trending=wishes.trending,
        likes=said[Verdict.LIKE],
        mutes=said[Verdict.MUTE],
    )
