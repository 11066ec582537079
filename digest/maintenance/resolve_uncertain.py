"""Resolve uncertain deliveries, as only the operator may; the balances follow."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from digest.errors import LedgerError
from digest.ledger.ledger import Ledger
from digest.ledger.locks import advisory_lock
from digest.ledger.uncertain import UncertainDelivery
from digest.model.deliveries import Balance
from digest.model.digests import Edition


@dataclass(frozen=True, slots=True)
class Resent:
    """The number of deliveries to be sent again; the next run will skip ``too_old`` of them."""

    resent: int
    too_old: int


class UncertainResolver:
    """Methods take the day of an edition, or None for all; LedgerError if there is no such edition.

    Those that change something raise it too while a run is under way.
    """

    def __init__(self, ledger: Ledger, stale_after: timedelta) -> None:
        self._ledger = ledger
        self._stale_after = stale_after

    def uncertain(self, day: date | None = None) -> list[UncertainDelivery]:
        """Return the uncertain deliveries."""
        return self._ledger.uncertain.all(self._edition(day))

    def resend(self, day: date | None, now: datetime) -> Resent:
        """Let the next run send them, with the same Message-ID.

        If the first email did arrive, the reader has it twice, unless their mail program removes
        messages with the same id.
        """
        resent, found = self._resolve(self._ledger.uncertain.resend, day, now)
        oldest = now - self._stale_after
        return Resent(resent, sum(delivery.planned_at < oldest for delivery in found))

    def retry(self, day: date | None, now: datetime) -> Resent:
        """Have the next run send what waits for another attempt, and try what is paused."""
        planned = self._ledger.deliveries.retry(self._edition(day), now)
        self._ledger.provider_queues.probe_now(now)
        oldest = now - self._stale_after
        return Resent(len(planned), sum(moment < oldest for moment in planned))

    def drop(self, day: date | None, now: datetime) -> int:
        """Skip them. Return how many there were."""
        return self._resolve(self._ledger.uncertain.drop, day, now)[0]

    def _resolve(
        self, change: Callable[[Edition | None, datetime], int], day: date | None, now: datetime
    ) -> tuple[int, list[UncertainDelivery]]:
        edition = self._edition(day)
        with advisory_lock(self._ledger.engine, "run"):
            found = self._ledger.uncertain.all(edition)
            changed = change(edition, now)
            for found_day in {delivery.edition for delivery in found}:
                # How an announcement stands is counted whenever it is asked.
                if isinstance(found_day, date) and (
                    found_edition := self._ledger.editions.on(found_day)
                ):
                    self._ledger.editions.close(found_edition)
        return changed, found

    def drop_waiting(self, now: datetime) -> int:
        """Skip all deliveries that wait in an older copy: the original may have sent them.

        Return how many there were.
        """
        with advisory_lock(self._ledger.engine, "run"):
            unfinished = self._ledger.editions.unfinished()
            dropped = self._ledger.deliveries.drop_waiting(now)
            for edition in unfinished:
                self._ledger.editions.close(edition)
        return dropped

    def balance(self, day: date | None = None) -> Balance:
        """Return the balance of the day's edition, or of the latest, as it is now."""
        edition = self._edition(day) or self._ledger.editions.latest()
        if edition is None:
            raise LedgerError("there is no edition yet: digest run makes one")
        return self._ledger.editions.balance(edition)

    def gone(self, day: date | None = None) -> int:
        """Return how many deliveries in that balance are no longer kept."""
        edition = self._edition(day) or self._ledger.editions.latest()
        return self._ledger.editions.gone(edition) if edition else 0

    def _edition(self, day: date | None) -> Edition | None:
        edition = None if day is None else self._ledger.editions.on(day)
        if day is not None and edition is None:
            raise LedgerError(f"there is no edition of {day}")
        return edition
