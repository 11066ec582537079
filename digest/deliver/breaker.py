"""Decide when to stop: a server that refuses every message must not get the whole list. Pure."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.model.deliveries import Delivery
from digest.model.diagnosis import Scope
from digest.model.messages import Outcome, OutcomeKind

# So many refusals in a row, whoever the recipients are, cannot be about the recipients.
MOST_REFUSED = 20
# So many lost answers, beside one for each connection, which a relay that starts anew costs. A
# relay that answers no dot, or not each, must not make a whole list uncertain.
MOST_LOST = 20
_MAKES_UP = 0.05  # for a lost answer; of an accepted message
# After so many replies in a row that the relay takes nothing at the moment, we believe it.
MOST_PUT_OFF = 5
# A provider refuses us, not single messages, once it has refused so many recipients in this time.
FEWEST_RECIPIENTS = 3
REFUSED_WITHIN = timedelta(days=1)


class Breaker:
    """Ends a pass after too many failures in a row; an accepted message starts the count again."""

    def __init__(self) -> None:
        self._refused = 0
        self._put_off = 0
        self._reply = ""

    def count(self, outcome: Outcome) -> None:
        """Count the outcome of one message."""
        if outcome.kind is OutcomeKind.ACCEPTED:
            self._refused = self._put_off = 0
        elif outcome.is_no_verdict:
            self._put_off += 1
        elif outcome.kind is OutcomeKind.REFUSED and outcome.refused_for is None:
            self._refused += 1
        self._reply = f"{outcome.code} {outcome.text}"

    @property
    def why_to_stop(self) -> str:
        """Return the reason to stop; empty if sending may go on."""
        if self._refused >= MOST_REFUSED:
            return f"the last {MOST_REFUSED} messages were refused: {self._reply}"
        if self._put_off >= MOST_PUT_OFF:
            return f"the relay takes nothing: {self._reply}"
        return ""


@dataclass(frozen=True, slots=True)
class PauseOrder:
    """An order to pause the mail to a provider, or all mail (None), and the reason."""

    provider: str | None
    why: str


class Refusals:
    """Counts a process's refusals that are about us, our messages or a provider, not an address.

    Answers to the final dot that never came count as well, for all mail. ``connections`` is how
    many are open at the same time, at most.
    """

    def __init__(self, connections: int) -> None:
        self._connections = connections
        self._lost = 0.0
        # Of each provider (None: of all mail) the recipients that were refused since a message was
        # last accepted, with their providers.
        self._in_a_row: dict[str | None, dict[int, str]] = defaultdict(dict)
        self._by_provider: dict[str, dict[int, datetime]] = defaultdict(dict)

    def count(self, delivery: Delivery, outcome: Outcome, now: datetime) -> PauseOrder | None:
        """Count the outcome of one delivery. Return what must be paused because of it."""
        provider, recipient = delivery.provider, delivery.subscriber_id
        if outcome.kind is OutcomeKind.ACCEPTED:
            self._in_a_row.pop(provider, None)
            self._in_a_row.pop(None, None)
            self._lost = max(0.0, self._lost - _MAKES_UP)
        elif outcome.kind is OutcomeKind.UNCERTAIN:
            self._lost += 1
            if self._lost >= self._connections + MOST_LOST:
                self._lost = 0.0
                why = "the relay takes messages and does not say that it has them"
                return PauseOrder(None, f"{why}: {outcome.text}")
        if outcome.refused_for is None:
            return None
        refused = f"refused: {outcome.code} {outcome.text}"
        # If several providers seem to refuse us, it is the relay that refuses.
        self._in_a_row[None][recipient] = provider
        if outcome.refused_for is Scope.PROVIDER:
            when = self._by_provider[provider]
            when[recipient] = now
            recent = [moment for moment in when.values() if now - moment <= REFUSED_WITHIN]
            if len(recent) >= FEWEST_RECIPIENTS:
                when.clear()
                why = f"the mail of {len(recent)} recipients was {refused}"
                return PauseOrder(provider, why)
        else:
            self._in_a_row[provider][recipient] = provider
        for queue in (None, provider):
            if len(row := self._in_a_row[queue]) >= MOST_REFUSED:
                # A row of recipients of one provider says nothing about the other providers.
                is_of_one = set(row.values()) == {provider}
                row.clear()
                why = f"the last {MOST_REFUSED} messages were {refused}"
                return PauseOrder(provider if is_of_one else None, why)
        return None
