"""Send the deliveries that wait in the ledger, over the connections of one process.

Each connection takes a delivery, composes its message and sends it, until none is left that may go
out now. They share one event loop, and one thread that writes what they ask the ledger for. Many
processes may do so at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event

import structlog

from digest.compose.composer import Composer
from digest.deliver.attempt import Attempts
from digest.deliver.breaker import Breaker, PauseOrder, Refusals
from digest.deliver.edition_messages import EditionMessages
from digest.deliver.feed import Feed, Parcel
from digest.deliver.group_commit import GroupCommit
from digest.deliver.rate_limit import WIDEST_INTERVAL, interval_of, is_within, most_on
from digest.deliver.sentences import Sentences
from digest.deliver.traffic import Traffic
from digest.deliver.transport.channel import Channel
from digest.deliver.trouble import standing_trouble
from digest.errors import MessageTooLarge, NothingToShow, TemplateError, TransportError
from digest.inbound.diagnostics import Table
from digest.inbound.feedback_handler import FeedbackHandler
from digest.ledger.claims import Claims, Release, Skip
from digest.ledger.database import retry_on_disconnect
from digest.ledger.ledger import Ledger
from digest.ledger.provider_queues import ALL, FIRST_PROBE, Limits
from digest.model.deliveries import Delivery
from digest.model.digests import SkipReason
from digest.model.messages import Message, Outcome, OutcomeKind
from digest.model.progress import Progress, silent
from digest.model.verp import Verp
from digest.settings.settings import Settings
from subscribers.store.registry import Registry

# A slow pass ends after this time, and the next one continues it: a run should end before the next
# one begins, and deliveries that become too old meanwhile must be noticed.
LONGEST = timedelta(hours=6)
_LOOK_UP_EVERY = 1.0  # seconds, while waiting

log = structlog.get_logger()


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Parts:
    """The objects that sending needs. ``channel`` makes a new one for each connection."""

    settings: Settings
    ledger: Ledger
    registry: Registry
    composer: Composer
    channel: Callable[[], Channel]
    feedback: FeedbackHandler
    verp: Verp | None
    diagnostics: Table
    sentences: Sentences | None = None


class DeliveryWorker:
    """Sends for one process.

    ``clock`` only measures how long things take. ``sleep`` waits for some seconds.
    """

    def __init__(
        self,
        parts: Parts,
        clock: Callable[[], datetime] = _utc_now,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._parts = parts
        self._clock = clock
        self.stopping = Event()
        self._sleep = sleep
        self._refusals = Refusals(parts.settings.send_connections)

    def send(
        self, now: datetime, progress: Progress = silent, connections: int | None = None
    ) -> tuple[str, ...]:
        """Send in one pass that begins at ``now``; return what kept it from sending all, in lines.

        The pass ends when nothing is left that may go out before another hour or day: a delivery
        that its server put off, or that is paused, stays for a later pass. Once ``stopping`` is
        set, it ends after the messages in flight. The default of ``connections`` is
        DIGEST_SEND_CONNECTIONS.
        """
        began = self._clock()

        def moment() -> datetime:
            return now + (self._clock() - began)

        waiting = self._parts.ledger.deliveries.waiting(now)
        connections = min(connections or self._parts.settings.send_connections, waiting)
        local = now.astimezone(self._parts.settings.timezone)
        if not connections or not is_within(self._parts.settings.send_window, local):
            return standing_trouble(self._parts.ledger, now)
        with self._parts.ledger.live_workers.enter() as claims:
            a_pass = Pass(self._parts, self._refusals, moment, self.stopping, self._sleep)
            shown = partial(_tell, progress, waiting)
            asyncio.run(a_pass.run(claims, connections, shown))
            retry_on_disconnect(lambda: claims.release_forgotten(moment()))
        return (*a_pass.troubles, *standing_trouble(self._parts.ledger, moment()))


def _tell(progress: Progress, waiting: int, done: int) -> None:
    progress(done, waiting)


def limits_of(settings: Settings, now: datetime) -> Limits:
    """Return the rate limits that the settings give at a moment."""
    day = now.astimezone(settings.timezone).date()
    most = most_on(day, settings.warm_up_since, settings.warm_up_first)
    today = None if most is None else (day, most)
    return Limits(interval_of(settings.rate), interval_of(settings.rate_per_domain), today)


class Pass:
    """One pass, over all that waits or over a shard; its connections share this object.

    ``accepted`` counts its messages that were. ``troubles`` say what kept it from sending all.
    """

    def __init__(
        self,
        parts: Parts,
        refusals: Refusals,
        clock: Callable[[], datetime],
        stopping: Event,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        messages: EditionMessages | None = None,
        longest: timedelta = LONGEST,
    ) -> None:
        settings = parts.settings
        self._parts = parts
        self._clock = clock
        self._end = clock() + longest
        self._stopping = stopping
        self._sleep = sleep
        self._messages = messages or EditionMessages(parts.ledger, parts.composer, parts.sentences)
        self._limits = partial(limits_of, settings)
        self._traffic = Traffic(interval_of(settings.rate), interval_of(settings.rate_per_domain))
        self._connection_interval = timedelta(seconds=interval_of(settings.rate_per_connection))
        self._breaker = Breaker()
        self._refusals = refusals
        self._done = 0
        self._is_over = False
        self._failures: list[str] = []
        self.accepted = 0
        self.troubles: list[str] = []

    async def run(self, claims: Claims, connections: int, progress: Callable[[int], None]) -> None:
        """Send over so many connections until nothing is left to be sent now."""
        # For what waits in threads: names, logins, and transports that are no SMTP.
        threads = ThreadPoolExecutor(connections + 1, "waiting")
        asyncio.get_running_loop().set_default_executor(threads)
        commit = GroupCommit(claims, self._limits, self._clock, connections)
        async with commit.running():
            await self.send_over(commit, connections, progress)

    async def send_over(
        self,
        commit: GroupCommit,
        connections: int,
        progress: Callable[[int], None],
        only: Collection[int] | None = None,
        patience: timedelta | None = None,
    ) -> datetime | None:
        """Send over so many connections, with a group commit that others may share.

        With the ids of a shard, ``only`` those are sent. Turns are waited for as long as the
        ``patience`` allows; then the moment of the next one is returned.
        """
        self._progress = progress
        self._commit = commit
        self._feed = Feed(
            commit,
            self._read,
            self._limits,
            self._clock,
            self._may_begin,
            self._wait,
            connections,
            only,
            patience,
        )
        self._attempts = Attempts(
            commit,
            self._feed,
            self._parts.feedback,
            self._parts.verp,
            self._parts.diagnostics,
            self._clock,
        )
        commit.hearers.append(self._feed.hear)
        self._feed.begin()
        channels = [asyncio.create_task(self._over_one_channel()) for _ in range(connections)]
        try:
            await asyncio.gather(*channels)
        finally:
            self._is_over = True  # the others finish their current message
            await asyncio.wait(channels)
            commit.hearers.remove(self._feed.hear)
            await self._feed.end()
        # A connection that could not be made does not matter if others have sent everything.
        if len(self._failures) == connections:
            self.troubles += dict.fromkeys(self._failures)
        return self._feed.later

    async def _over_one_channel(self) -> None:
        channel = self._parts.channel()
        try:
            await channel.open()
            try:
                while parcel := await self._feed.next():
                    began = self._clock()
                    await self._send(channel, parcel)
                    await self._wait(began + self._connection_interval)
            finally:
                await channel.close()
        except TransportError as error:
            log.warning("a connection is given up", why=str(error))
            self._failures.append(str(error))

    # ---- what may go, and when ----

    def _may_begin(self, now: datetime) -> bool:
        local = now.astimezone(self._parts.settings.timezone)
        is_time = now < self._end and is_within(self._parts.settings.send_window, local)
        return self._goes_on and is_time

    async def _wait(self, until: datetime) -> None:
        """Wait until a moment or the end of the pass, and no longer if the clock is put back."""
        seconds = min((until - self._clock()).total_seconds(), WIDEST_INTERVAL)
        while self._goes_on and seconds > 0:
            await self._sleep(min(seconds, _LOOK_UP_EVERY))
            seconds -= _LOOK_UP_EVERY

    @property
    def _goes_on(self) -> bool:
        return not self._is_over and not self._stopping.is_set()

    # ---- a block ----

    async def _read(self, block: Sequence[Delivery]) -> list[Parcel]:
        """Read what a block needs; give it back if a template is to blame."""
        try:
            parcels = await asyncio.to_thread(retry_on_disconnect, partial(self._parcels, block))
        except TemplateError as error:
            for delivery in block:
                self._commit.release(Release(delivery))
            self._give_up(str(error))
            return []
        there = {parcel.delivery.id for parcel in parcels}
        for delivery in block:
            if delivery.id not in there:
                self._commit.skip(Skip(delivery, SkipReason.REMOVED))
        return parcels

    def _parcels(self, block: Sequence[Delivery]) -> list[Parcel]:
        """Return the parcels of the deliveries whose subscribers are there."""
        ids = {delivery.subscriber_id for delivery in block}
        people = {person.id: person for person in self._parts.registry.some(ids)}
        there = [delivery for delivery in block if delivery.subscriber_id in people]
        digests = self._messages.digests(there, people)
        return [
            Parcel(delivery, people[delivery.subscriber_id], digests[delivery.id])
            for delivery in there
        ]

    # ---- one delivery after the other ----

    async def _send(self, channel: Channel, parcel: Parcel) -> None:
        delivery = parcel.delivery
        message = self._message(parcel)
        outcome = await self._attempts.send(channel, parcel, message) if message else None
        if outcome:
            await self._learn_from(delivery, outcome)
        if delivery.is_probe:
            await self._end_probe(delivery, outcome)
        self._done += 1
        self._progress(self._done)

    def _message(self, parcel: Parcel) -> Message | None:
        """Compose a message; None if that is impossible, which is then recorded."""
        person, delivery = parcel.person, parcel.delivery
        with structlog.contextvars.bound_contextvars(delivery=delivery.id):  # in all logs of it
            try:
                return self._parts.composer.compose(
                    parcel.digest, to=person.address, public_id=person.public_id, now=self._clock()
                )
            except (MessageTooLarge, NothingToShow) as error:
                too_large = isinstance(error, MessageTooLarge)
                reason = SkipReason.TOO_LARGE if too_large else SkipReason.NOT_RENDERED
                log.error("a digest cannot be made", why=str(error))
                self._commit.skip(Skip(delivery, reason))
            except TemplateError as error:
                self._commit.release(Release(delivery))
                self._give_up(str(error))
        return None

    # ---- what an outcome means for what follows ----

    async def _learn_from(self, delivery: Delivery, outcome: Outcome) -> None:
        """Change rates, pause a provider or end the pass, if the outcome asks for that."""
        self._breaker.count(outcome)
        self._give_up(self._breaker.why_to_stop)
        if outcome.kind is OutcomeKind.ACCEPTED:
            self.accepted += 1
            for queue in {delivery.provider, ALL}:
                if self._feed.is_slow(queue):
                    self._commit.change_interval(self._traffic.speed_up(queue))
        elif change := self._traffic.slow_down(delivery.provider, outcome):
            self._feed.slow_down(change.queue)
            log.warning("asked to slow down", queue=change.queue)
            await self._commit.change_interval(change)
        if order := self._refusals.count(delivery, outcome, self._clock()):
            self._feed.drop(order.provider or ALL)
            await self._commit.afterwards(partial(self._pause, order))

    def _pause(self, order: PauseOrder) -> None:
        now, queue = self._clock(), order.provider or ALL
        if self._parts.ledger.provider_queues.pause(queue, order.why, now, now + FIRST_PROBE):
            log.error("paused, until a single message is accepted", queue=queue, why=order.why)

    async def _end_probe(self, delivery: Delivery, outcome: Outcome | None) -> None:
        """End the pauses if the provider accepts mail; try another message if none was sent."""
        queues, now = self._parts.ledger.provider_queues, self._clock()
        if outcome is None:
            await self._commit.afterwards(partial(queues.probe_now, now, delivery.provider))
        elif outcome.kind is OutcomeKind.ACCEPTED:
            await self._commit.afterwards(partial(self._resume, delivery.provider))
        self._feed.look_again()

    def _resume(self, provider: str) -> None:
        ended = self._parts.ledger.provider_queues.end_by_probe(provider, self._clock())
        log.info("a message was accepted, so a pause ends", queues=ended)

    def _give_up(self, why: str) -> None:
        """End the pass, if there is a reason; the first reason is reported."""
        if why and not self._is_over:
            self._is_over = True
            self.troubles.append(why)
