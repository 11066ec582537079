"""Slow provider queues down when a reply asks for it; speed up again when mail is taken."""

from datetime import UTC, datetime, timedelta

import structlog

from digest.deliver.rate_limit import faster, slower
from digest.ledger.provider_queues import ALL, ProviderQueues
from digest.model.messages import Outcome, OutcomeKind

_LOOK_EVERY = timedelta(seconds=1)

log = structlog.get_logger()


class Traffic:
    """Adapt intervals to replies; ``interval`` and ``provider_interval`` are the set ones (s)."""

    def __init__(
        self, provider_queues: ProviderQueues, interval: float, provider_interval: float
    ) -> None:
        self._queues = provider_queues
        self._interval = interval
        self._provider_interval = provider_interval
        self._is_any_slow = True
        self._look_again_at = datetime.min.replace(tzinfo=UTC)

    def heed(self, provider: str, outcome: Outcome, now: datetime) -> None:
        """Change the interval of the provider queue that an outcome is about."""
        if outcome.kind is OutcomeKind.ACCEPTED:
            if self._is_any_slow or now >= self._look_again_at:
                self._speed_up((provider, ALL), now)
        elif asks_to_slow_down(outcome):
            self._slow_down(ALL if outcome.is_about_relay else provider, now)

    def _speed_up(self, taken: tuple[str, ...], now: datetime) -> None:
        intervals = self._queues.intervals()
        for queue in set(taken) & intervals.keys():
            self._queues.set_interval(queue, faster(intervals[queue], self._least(queue)))
        # While nobody has complained, others' complaints are noticed soon enough.
        self._is_any_slow = bool(intervals)
        self._look_again_at = now + _LOOK_EVERY

    def _slow_down(self, queue: str, now: datetime) -> None:
        before = self._queues.intervals().get(queue, 0)
        interval = slower(max(before, self._least(queue)))
        self._queues.set_interval(queue, interval, not_before=now + timedelta(seconds=interval))
        self._is_any_slow = True
        log.warning("asked to slow down", queue=queue, seconds_between_two=interval)

    def _least(self, queue: str) -> float:
        return self._interval if queue == ALL else self._provider_interval


def asks_to_slow_down(outcome: Outcome) -> bool:
    """Return whether the server has had too much of us (RFC 5321 and RFC 3463, section 3.8)."""
    if outcome.kind is not OutcomeKind.DEFERRED:
        return False
    # Whatever is the matter with the relay, it takes nothing at the moment.
    return outcome.is_about_relay or outcome.code == 421 or outcome.status.startswith("4.7.")
