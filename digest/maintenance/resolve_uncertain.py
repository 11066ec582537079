"""Settling what is uncertain: only the operator does, and the balances follow."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from digest.errors import LedgerError
from digest.ledger.ledger import Ledger
from digest.ledger.locks import advisory_lock
from digest.ledger.uncertain import Unanswered
from digest.model.deliveries import Balance
from digest.model.digests import Edition
from subscribers.store.registry import Registry


@dataclass(frozen=True, slots=True)
class Doubt:
    """An uncertain delivery, for a person to judge: ``address`` is empty for who was removed."""

    edition: date
    address: str
    since: datetime
    last_words: str


@dataclass(frozen=True, slots=True)
class Resent:
    """How many are to be sent again. ``too_old`` of them the next run will give up as stale."""

    resent: int
    too_old: int


class UncertainResolver:
    """Each method takes the day of an edition, or None. Raises LedgerError if there is none then.

    Those that change something raise it too while a run is under way.
    """

    def __init__(self, ledger: Ledger, registry: Registry, stale_after: timedelta) -> None:
        self._ledger = ledger
        self._registry = registry
        self._stale_after = stale_after

    def uncertain(self, day: date | None = None) -> list[Doubt]:
        """Return the deliveries, of the day's edition or of all, whose outcome nobody knows."""
        found = self._ledger.uncertain.all(self._edition(day))
        ids = {unanswered.delivery.subscriber_id for unanswered in found}
        addresses = self._registry.overview.addresses_of(ids)
        return [
            Doubt(
                edition=unanswered.edition,
                address=addresses.get(unanswered.delivery.subscriber_id, ""),
                since=unanswered.since,
                last_words=unanswered.last_words or "the run died while sending it",
            )
            for unanswered in found
        ]

    def resend(self, day: date | None, now: datetime) -> Resent:
        """Have them sent by the next run, with the Message-ID that they had.

        Where the first has arrived after all, the reader has it twice, unless their mail program
        goes by that id.
        """
        resent, found = self._settle(self._ledger.uncertain.resend, day, now)
        oldest = now - self._stale_after
        return Resent(resent, sum(unanswered.planned_at < oldest for unanswered in found))

    def drop(self, day: date | None, now: datetime) -> int:
        """Give them up; return how many there were."""
        return self._settle(self._ledger.uncertain.drop, day, now)[0]

    def _settle(
        self, change: Callable[[Edition | None, datetime], int], day: date | None, now: datetime
    ) -> tuple[int, list[Unanswered]]:
        edition = self._edition(day)
        with advisory_lock(self._ledger.engine, "run"):
            found = self._ledger.uncertain.all(edition)
            changed = change(edition, now)
            for edition_id in sorted({unanswered.delivery.edition_id for unanswered in found}):
                self._ledger.editions.close(self._ledger.editions.get(edition_id))
        return changed, found

    def drop_waiting(self, now: datetime) -> int:
        """Give up all that waits, where the ledger is an older copy: it may have been sent.

        Return how many there were.
        """
        with advisory_lock(self._ledger.engine, "run"):
            unfinished = self._ledger.editions.unfinished()
            dropped = self._ledger.deliveries.drop_waiting(now)
            for edition in unfinished:
                self._ledger.editions.close(edition)
        return dropped

    def balance(self, day: date | None = None) -> Balance:
        """The balance of the day's edition or of the latest, as it is now."""
        edition = self._edition(day) or self._ledger.editions.latest()
        if edition is None:
            raise LedgerError("there is no edition yet: run digest run --once")
        return self._ledger.editions.balance(edition)

    def gone(self, day: date | None = None) -> int:
        """How many of those in that balance are too long ago for it to be kept who they were."""
        edition = self._edition(day) or self._ledger.editions.latest()
        return self._ledger.editions.gone(edition) if edition else 0

    def _edition(self, day: date | None) -> Edition | None:
        if day is None:
            return None
        edition = self._ledger.editions.on(day)
        if edition is None:
            raise LedgerError(f"there is no edition of {day}")
        return edition
