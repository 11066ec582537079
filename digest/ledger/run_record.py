"""Keep account of a run of the pipeline while it is under way."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta

from digest.ledger.history import RunMark
from digest.ledger.ledger import Ledger


class RunRecord:
    """Keep account of a run that is under way, in its row of the history."""

    def __init__(self, ledger: Ledger, now: datetime) -> None:
        self._history = ledger.history
        self._now = now
        self._mark: RunMark | None = None
        self.is_of_edition = False
        self.trouble: tuple[str, ...] = ()
        self.sending = timedelta()

    def begin(self, day: date) -> None:
        """Record, once, that a run for the edition of ``day`` is under way."""
        if self._mark is None:
            self._mark = self._history.begin_run(day, self._now)

    @contextmanager
    def sending_timed(self, clock: Callable[[], datetime]) -> Iterator[None]:
        """Add what something takes to the time that the run spends on sending."""
        began = clock()
        yield
        self.sending += clock() - began

    def end(self, took: timedelta) -> None:
        """Record the end of a run that has begun."""
        if self._mark:
            trouble = tuple(dict.fromkeys(self.trouble))
            self._history.end_run(self._mark, self._now + took, self.sending, trouble)
