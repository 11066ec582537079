"""Sending: what waits in the ledger goes out, over the connections of one process.

A thread is a connection. Each claims a delivery, composes and sends it, records the outcome and
takes the next, until nothing waits that may go out now. Many processes may do so at once.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event, Lock

import structlog

from digest.compose.composer import Composer
from digest.deliver.attempt import DeliveryAttempt
from digest.deliver.breaker import Breaker, Refusals
from digest.deliver.edition_messages import EditionMessages
from digest.deliver.rate_limit import WIDEST_INTERVAL, interval_of, is_within, most_on
from digest.deliver.traffic import Traffic
from digest.deliver.transport.transport import Transport
from digest.deliver.trouble import standing_trouble
from digest.errors import MessageTooLarge, NothingToShow, TemplateError, TransportError
from digest.inbound.diagnostics import Table
from digest.inbound.feedback_handler import FeedbackHandler
from digest.ledger.claims import Claims, Limits, NotBefore
from digest.ledger.database import retry_on_disconnect
from digest.ledger.ledger import Ledger
from digest.ledger.provider_queues import ALL, FIRST_PROBE
from digest.model.deliveries import Delivery
from digest.model.digests import SkipReason
from digest.model.messages import Message, Outcome, OutcomeKind
from digest.model.progress import Progress, silent
from digest.model.verp import Verp
from digest.settings.settings import Settings
from subscribers.store.registry import Registry

# A pass that keeps a slow pace ends after a while, and another goes on: a run is to end before the
# next one begins, and what gets too old meanwhile is to be noticed.
LONGEST = timedelta(hours=6)
_LOOK_UP_EVERY = 1.0  # seconds, while waiting

log = structlog.get_logger()


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Parts:
    """What sending is made of. ``transport`` makes a new one, for each connection."""

    settings: Settings
    ledger: Ledger
    registry: Registry
    composer: Composer
    transport: Callable[[], Transport]
    feedback: FeedbackHandler
    verp: Verp | None
    diagnostics: Table


class DeliveryWorker:
    """Sends for one process, over DIGEST_SEND_CONNECTIONS unless told otherwise.

    ``clock`` only measures how long it takes; ``sleep`` waits for some seconds, or until
    ``stopping`` is set.
    """

    def __init__(
        self,
        parts: Parts,
        clock: Callable[[], datetime] = _utc_now,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self._parts = parts
        self._clock = clock
        self.stopping = Event()
        self._sleep = sleep or self.stopping.wait
        self._refusals = Refusals()

    def send(
        self, now: datetime, progress: Progress = silent, connections: int | None = None
    ) -> tuple[str, ...]:
        """One pass from the moment ``now`` on; what kept it from sending all, in lines.

        Ends when nothing is left that may go out without waiting for another hour or day: what was
        put off by its server, or is paused, stays for a later pass. ``stopping``, once set, ends it
        after the messages in flight.
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
            a_pass = _Pass(self._parts, claims, self._refusals, moment, self.stopping, self._sleep)
            a_pass.run(connections, lambda done: progress(done, waiting))
            retry_on_disconnect(lambda: claims.release_forgotten(moment()))
        return (*a_pass.troubles, *standing_trouble(self._parts.ledger, moment()))


class _Pass:
    """One pass, and what its connections share."""

    def __init__(
        self,
        parts: Parts,
        claims: Claims,
        refusals: Refusals,
        clock: Callable[[], datetime],
        stopping: Event,
        sleep: Callable[[float], object],
    ) -> None:
        settings = parts.settings
        self._parts = parts
        self._claims = claims
        self._clock = clock
        self._end = clock() + LONGEST
        self._stopping = stopping
        self._sleep = sleep
        self._composing = EditionMessages(parts.ledger, parts.composer)
        self._interval = interval_of(settings.rate)
        self._provider_interval = interval_of(settings.rate_per_domain)
        self._traffic = Traffic(
            parts.ledger.provider_queues, self._interval, self._provider_interval
        )
        self._connection_interval = timedelta(seconds=interval_of(settings.rate_per_connection))
        self._breaker = Breaker()
        self._refusals = refusals
        self._lock = Lock()
        self._done = 0
        self._is_over = False
        self._failures: list[str] = []
        self.troubles: list[str] = []

    def run(self, connections: int, progress: Callable[[int], None]) -> None:
        self._progress = progress
        with ThreadPoolExecutor(connections, "connection") as pool:
            running = [pool.submit(self._over_one_connection) for _ in range(connections)]
            try:
                for connection in running:
                    connection.result()
            except BaseException:
                self._is_over = True  # the others finish what they have in hand
                raise
        # A connection that could not be made is no matter while others sent all there was.
        if len(self._failures) == connections:
            self.troubles += dict.fromkeys(self._failures)

    def _over_one_connection(self) -> None:
        parts = self._parts
        try:
            with parts.transport() as transport:
                worker = DeliveryAttempt(
                    self._claims,
                    parts.registry,
                    parts.feedback,
                    transport,
                    parts.verp,
                    parts.diagnostics,
                )
                while delivery := self._next():
                    began = self._clock()
                    self._send(worker, delivery)
                    self._wait(began + self._connection_interval)
        except TransportError as error:
            log.warning("a connection is given up", why=str(error))
            self._failures.append(str(error))

    # ---- one after the other ----

    def _next(self) -> Delivery | None:
        """The next delivery, claimed; none where the pass is over."""
        while self._goes_on:
            now = self._clock()
            local = now.astimezone(self._parts.settings.timezone)
            if now >= self._end or not is_within(self._parts.settings.send_window, local):
                return None
            limits = self._limits(local)
            found = retry_on_disconnect(partial(self._claims.next, limits, now))
            if not isinstance(found, NotBefore):
                return found
            self._wait(found.moment)
        return None

    def _limits(self, local: datetime) -> Limits:
        settings = self._parts.settings
        most = most_on(local.date(), settings.warm_up_since, settings.warm_up_first)
        today = None if most is None else (local.date(), most)
        return Limits(self._interval, self._provider_interval, today)

    def _wait(self, until: datetime) -> None:
        """Wait for a moment, or for the end of the pass; not longer if the clock is put back."""
        seconds = min((until - self._clock()).total_seconds(), WIDEST_INTERVAL)
        while self._goes_on and seconds > 0:
            self._sleep(min(seconds, _LOOK_UP_EVERY))
            seconds -= _LOOK_UP_EVERY

    @property
    def _goes_on(self) -> bool:
        return not self._is_over and not self._stopping.is_set()

    def _send(self, worker: DeliveryAttempt, delivery: Delivery) -> None:
        with structlog.contextvars.bound_contextvars(delivery=delivery.id):  # in all logs of it
            message = self._message(delivery)
            outcome = worker.deliver(delivery, message, self._clock) if message else None
            if outcome:
                self._traffic.heed(delivery.provider, outcome, self._clock())
            if delivery.is_probe:
                self._end_probe(delivery, outcome)
        self._count(delivery, outcome)

    def _end_probe(self, delivery: Delivery, outcome: Outcome | None) -> None:
        """End the pauses if the provider accepts mail; try another message if none was sent."""
        queues, now = self._parts.ledger.provider_queues, self._clock()
        if outcome is None:
            retry_on_disconnect(partial(queues.probe_now, now, delivery.provider))
        elif outcome.kind is OutcomeKind.ACCEPTED:
            ended = retry_on_disconnect(partial(queues.end_by_probe, delivery.provider, now))
            log.info("a message was accepted, so a pause ends", queues=ended)

    def _message(self, delivery: Delivery) -> Message | None:
        """The message of a delivery; none if there cannot be one, which is then recorded."""
        person = retry_on_disconnect(partial(self._parts.registry.get, delivery.subscriber_id))
        now = self._clock()
        if person is None:
            retry_on_disconnect(partial(self._claims.skip, delivery, SkipReason.REMOVED, now))
            return None
        try:
            return retry_on_disconnect(partial(self._composing.message, delivery, person, now))
        except (MessageTooLarge, NothingToShow) as error:
            too_large = isinstance(error, MessageTooLarge)
            reason = SkipReason.TOO_LARGE if too_large else SkipReason.NOT_RENDERED
            log.error("a digest cannot be made", delivery=delivery.id, why=str(error))
            retry_on_disconnect(partial(self._claims.skip, delivery, reason, now))
            return None
        except TemplateError as error:
            retry_on_disconnect(partial(self._claims.release, delivery, now))
            self._give_up(str(error))
            return None

    # ---- when it is over ----

    def _count(self, delivery: Delivery, outcome: Outcome | None) -> None:
        with self._lock:
            if outcome:
                self._breaker.heed(outcome)
                self._pause_if_needed(delivery, outcome)
            self._give_up(self._breaker.tripped)
            self._done += 1
            self._progress(self._done)

    def _pause_if_needed(self, delivery: Delivery, outcome: Outcome) -> None:
        now = self._clock()
        if order := self._refusals.heed(delivery, outcome, now):
            queue = order.provider or ALL
            pause = partial(
                self._parts.ledger.provider_queues.pause, queue, order.why, now, now + FIRST_PROBE
            )
            if retry_on_disconnect(pause):
                log.error("paused, until a single message is accepted", queue=queue, why=order.why)

    def _give_up(self, why: str) -> None:
        """End the pass, if there is a reason; the first is told."""
        if why and not self._is_over:
            self._is_over = True
            self.troubles.append(why)
