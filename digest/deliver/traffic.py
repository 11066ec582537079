"""Lanes are slowed down when a reply asks for it, and let go faster again when mail is taken."""

from datetime import UTC, datetime, timedelta

import structlog

from digest.deliver.rate_limit import faster, slower
from digest.ledger.provider_queues import ALL, Lanes
from digest.model.messages import Concern, Outcome, OutcomeKind

_LOOK_EVERY = timedelta(seconds=1)

log = structlog.get_logger()


class Traffic:
    """Heeds replies. ``gap`` and ``provider_gap`` are the seconds that are set for the lanes."""

    def __init__(self, lanes: Lanes, gap: float, provider_gap: float) -> None:
        self._lanes = lanes
        self._gap = gap
        self._provider_gap = provider_gap
        self._is_any_slow = True
        self._look_again_at = datetime.min.replace(tzinfo=UTC)

    def heed(self, provider: str, outcome: Outcome, now: datetime) -> None:
        """Change the pace of what an outcome is about."""
        if outcome.kind is OutcomeKind.ACCEPTED:
            if self._is_any_slow or now >= self._look_again_at:
                self._speed_up((provider, ALL), now)
        elif asks_to_slow_down(outcome):
            self._slow_down(ALL if outcome.concern is Concern.RELAY else provider, now)

    def _speed_up(self, taken: tuple[str, ...], now: datetime) -> None:
        gaps = self._lanes.gaps()
        for lane in set(taken) & gaps.keys():
            self._lanes.set_gap(lane, faster(gaps[lane], self._least(lane)))
        # While nobody has complained, others' complaints are noticed soon enough.
        self._is_any_slow = bool(gaps)
        self._look_again_at = now + _LOOK_EVERY

    def _slow_down(self, lane: str, now: datetime) -> None:
        before = self._lanes.gaps().get(lane, 0)
        gap = slower(max(before, self._least(lane)))
        self._lanes.set_gap(lane, gap, not_before=now + timedelta(seconds=gap))
        self._is_any_slow = True
        log.warning("asked to slow down", lane=lane, seconds_between_two=gap)

    def _least(self, lane: str) -> float:
        return self._gap if lane == ALL else self._provider_gap


def asks_to_slow_down(outcome: Outcome) -> bool:
    """Whether the server has had too much of us (RFC 5321 section 3.8, RFC 3463 section 3.8)."""
    if outcome.kind is not OutcomeKind.DEFERRED:
        return False
    is_relays = outcome.concern is Concern.RELAY  # whatever it is, it takes nothing right now
    return is_relays or outcome.code == 421 or outcome.status.startswith("4.7.")
