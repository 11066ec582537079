"""Keep account of what the machine-made summaries of a day may still cost."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock

from digest.model.summaries import Tokens
from digest.settings.settings import Settings


@dataclass(slots=True)
class Budget:
    """Keep account of what may still be spent on a day; threads share it."""

    tokens: int
    cost: float
    prices: tuple[float, float] = (0.0, 0.0)
    _lock: Lock = field(default_factory=Lock)

    def take(self, most: Tokens) -> bool:
        """Set aside what a request may take; return whether there is so much."""
        with self._lock:
            if most.total > self.tokens or most.cost(self.prices) > self.cost:
                return False
            self._add(most, -1)
            return True

    def settle(self, most: Tokens, took: Tokens) -> None:
        """Give back what was set aside, but for what it took."""
        with self._lock:
            self._add(most, 1)
            self._add(took, -1)

    def _add(self, tokens: Tokens, sign: int) -> None:
        self.tokens += sign * tokens.total
        self.cost += sign * tokens.cost(self.prices)


def budget_of(settings: Settings, spent: Tokens) -> Budget:
    """Return what is left of the bounds of a day on which so much is spent."""
    prices = settings.summaries_prices or (0.0, 0.0)
    most = settings.summaries_cost_per_day
    cost = float("inf") if most is None else most - spent.cost(prices)
    return Budget(settings.summaries_tokens_per_day - spent.total, cost, prices)


def day_begins(now: datetime) -> datetime:
    """Return when the day began, in UTC, of which the bounds are kept."""
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
