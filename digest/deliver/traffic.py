"""Decide how a reply changes the interval of a provider queue. Pure."""

from digest.deliver.rate_limit import faster, slower
from digest.ledger.provider_queues import ALL, IntervalChange
from digest.model.messages import Outcome, OutcomeKind


class Traffic:
    """Slows provider queues down when a reply asks for it, and speeds them up again.

    ``interval`` (all mail) and ``provider_interval`` (each provider) are those that the settings
    ask for, in seconds.
    """

    def __init__(self, interval: float, provider_interval: float) -> None:
        self._interval = interval
        self._provider_interval = provider_interval

    def slow_down(self, provider: str, outcome: Outcome) -> IntervalChange | None:
        """Return the change that a reply asks for, if it does."""
        if not asks_to_slow_down(outcome):
            return None
        queue = ALL if outcome.is_about_relay else provider
        least = self._least(queue)
        return IntervalChange(queue, lambda gap: slower(max(gap, least)), is_held=True)

    def speed_up(self, queue: str) -> IntervalChange:
        """Return the change after a message of a slow queue was accepted."""
        least = self._least(queue)
        return IntervalChange(queue, lambda gap: faster(gap, least))

    def _least(self, queue: str) -> float:
        return self._interval if queue == ALL else self._provider_interval


def asks_to_slow_down(outcome: Outcome) -> bool:
    """Return whether the server wants less mail from us (RFC 5321 and RFC 3463, section 3.8)."""
    if outcome.kind is not OutcomeKind.DEFERRED:
        return False
    # Whatever is wrong with the relay, it takes nothing at the moment.
    return outcome.is_about_relay or outcome.code == 421 or outcome.status.startswith("4.7.")
