"""When to stop sending: what refuses everything is not to get a whole list. Pure."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.model.deliveries import Delivery
from digest.model.diagnosis import Scope
from digest.model.messages import Outcome, OutcomeKind

# So many refusals in a row, of whomever, are not about the recipients any more.
MOST_REFUSED = 20
# So many in a row who are told that the relay takes nothing are enough to believe it.
MOST_PUT_OFF = 5
# A provider refuses us, and not one message, when it refused so many recipients within this time.
FEWEST_RECIPIENTS = 3
REFUSED_WITHIN = timedelta(days=1)


class Breaker:
    """Ends a pass after too many failures in a row; an accepted message begins the count anew."""

    def __init__(self) -> None:
        self._refused = 0
        self._put_off = 0
        self._said = ""

    def heed(self, outcome: Outcome) -> None:
        """Count the outcome of one message."""
        if outcome.kind is OutcomeKind.ACCEPTED:
            self._refused = self._put_off = 0
        elif outcome.is_no_verdict:
            self._put_off += 1
        elif outcome.kind is OutcomeKind.REFUSED and outcome.refused_for is None:
            self._refused += 1
        self._said = f"{outcome.code} {outcome.text}"

    @property
    def tripped(self) -> str:
        """Why to stop, in words; empty while there is hope."""
        if self._refused >= MOST_REFUSED:
            return f"the last {MOST_REFUSED} messages were refused: {self._said}"
        if self._put_off >= MOST_PUT_OFF:
            return f"the relay takes nothing: {self._said}"
        return ""


@dataclass(frozen=True, slots=True)
class PauseOrder:
    """Why mail to a provider is to be paused, or all mail (None)."""

    provider: str | None
    why: str


class Refusals:
    """The refusals of a process that are about us, our messages or a provider, not an address."""

    def __init__(self) -> None:
        # The recipients refused since the last acceptance, each with their provider: by provider;
        # None: of all mail.
        self._in_a_row: dict[str | None, dict[int, str]] = defaultdict(dict)
        self._by_provider: dict[str, dict[int, datetime]] = defaultdict(dict)

    def heed(self, delivery: Delivery, outcome: Outcome, now: datetime) -> PauseOrder | None:
        """Count the outcome of one delivery. Return what is to be paused because of it."""
        provider, recipient = delivery.provider, delivery.subscriber_id
        if outcome.kind is OutcomeKind.ACCEPTED:
            self._in_a_row.pop(provider, None)
            self._in_a_row.pop(None, None)
        if outcome.refused_for is None:
            return None
        said = f"refused: {outcome.code} {outcome.text}"
        # Where several providers seem to refuse us, it is the relay that does.
        self._in_a_row[None][recipient] = provider
        if outcome.refused_for is Scope.PROVIDER:
            when = self._by_provider[provider]
            when[recipient] = now
            recent = [moment for moment in when.values() if now - moment <= REFUSED_WITHIN]
            if len(recent) >= FEWEST_RECIPIENTS:
                when.clear()
                why = f"the mail of {len(recent)} recipients was {said}"
                return PauseOrder(provider, why)
        else:
            self._in_a_row[provider][recipient] = provider
        for queue in (None, provider):
            if len(row := self._in_a_row[queue]) >= MOST_REFUSED:
                # Readers of one provider that come one after the other say nothing of the others.
                is_of_one = set(row.values()) == {provider}
                row.clear()
                why = f"the last {MOST_REFUSED} messages were {said}"
                return PauseOrder(provider if is_of_one else None, why)
        return None
