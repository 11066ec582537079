"""When to leave a relay alone: one that takes nothing is not to burn through a list. Pure."""

from digest.model.messages import Outcome, OutcomeKind

# So many refusals in a row, of whomever, are not about the recipients any more.
MOST_REFUSED = 20
# So many in a row who are told that the relay takes nothing are enough to believe it.
MOST_PUT_OFF = 5


class Breaker:
    """Counts what comes in a row; what is taken begins the count anew."""

    def __init__(self) -> None:
        self._refused = 0
        self._put_off = 0
        self._last: Outcome | None = None

    def heed(self, outcome: Outcome) -> None:
        """Have the outcome of one message counted."""
        self._last = outcome
        if outcome.kind is OutcomeKind.ACCEPTED:
            self._refused = self._put_off = 0
        elif outcome.is_no_verdict:
            self._put_off += 1
        elif outcome.kind is OutcomeKind.REFUSED:
            self._refused += 1

    @property
    def tripped(self) -> str:
        """Why to stop, in words; empty while there is hope."""
        if self._refused >= MOST_REFUSED:
            return f"the last {MOST_REFUSED} messages were refused: {self._said}"
        if self._put_off >= MOST_PUT_OFF:
            return f"the relay takes nothing: {self._said}"
        return ""

    @property
    def not_worth_waiting(self) -> str:
        """Why not to wait for another try, in words; empty if that may help.

        It does not where the last answer was that the relay will take nothing from us (5yz).
        """
        is_for_good = self._last is not None and self._last.kind is OutcomeKind.REFUSED
        return f"the relay takes nothing: {self._said}" if is_for_good and self._put_off else ""

    @property
    def _said(self) -> str:
        return f"{self._last.code} {self._last.text}" if self._last else ""
