"""Remove rows and files that are older than DIGEST_KEEP_… says."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.collect.snapshots import Snapshots
from digest.ledger.ledger import Ledger
from digest.model.progress import Progress, silent
from digest.plan.mail_domains import GOOD_FOR
from digest.settings.settings import Settings
from subscribers.store.registry import Registry

_LOCKS_KEPT = timedelta(days=1)  # of dead workers


@dataclass(frozen=True, slots=True)
class Tidied:
    """The numbers of removed things. ``evidence`` is of people who have left."""

    answers: int = 0
    deliveries: int = 0
    known_counts: int = 0
    collections: int = 0
    runs: int = 0
    evidence: int = 0
    unconfirmed: int = 0
    address_changes: int = 0
    sign_up_limiter: int = 0
    mail_domains: int = 0
    pictures: int = 0
    locks: int = 0


def tidy(
    settings: Settings,
    ledger: Ledger,
    registry: Registry,
    snapshots: Snapshots,
    now: datetime,
    progress: Progress = silent,
) -> Tidied:
    """Remove what is older than it is to be kept; return how much there was.

    Others may work at the same time. It may be broken off and repeated at any time. ``progress``
    is that of the deliveries, which take longest.
    """
    kept_since = now - timedelta(days=settings.keep_deliveries_days)
    first_day = kept_since.astimezone(settings.timezone).date()
    old, people = ledger.old_rows, registry.old_rows
    return Tidied(
        answers=snapshots.remove(now - timedelta(days=settings.keep_snapshots_days)),
        deliveries=old.remove_deliveries(first_day, progress),
        known_counts=old.remove_known_counts(first_day),
        collections=old.remove_collections(first_day),
        runs=old.remove_runs(first_day),
        evidence=people.forget_evidence(now - timedelta(days=settings.keep_evidence_days)),
        unconfirmed=people.forget_unconfirmed(now - timedelta(days=settings.keep_unconfirmed_days)),
        address_changes=people.forget_address_changes(now),
        sign_up_limiter=people.forget_sign_up_limits(now),
        mail_domains=old.remove_mail_domains(now - GOOD_FOR),
        pictures=old.remove_pictures(now - timedelta(days=settings.keep_pictures_days)),
        locks=ledger.live_workers.clear_away(now - _LOCKS_KEPT),
    )
