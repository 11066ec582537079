"""What bounces and complaints lead to: which addresses are blocked, when all mail stops. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from digest.model.deliveries import BounceKind
from subscribers.model import SuppressionReason

# An address is given up when so many editions came back, over so long: a mailbox that is full for a
# few days is still somebody's. What came back long before does not count.
MOST_SOFT = 5
SOFT_FOR = timedelta(days=7)
SOFT_WITHIN = timedelta(days=30)

# How far back the mails are counted that may stop all others.
WATCHED = timedelta(days=7)
# A share says nothing of a few mails: one slip of one reader is not to stop a small list.
FEWEST_HARD = 3
FEWEST_COMPLAINTS = 2


@dataclass(frozen=True, slots=True)
class Limits:
    """At what share of the mails, in per cent, all sending pauses."""

    hard_bounces: float
    complaints: float


def kind_of(status: str, *, is_dead: bool, is_ours: bool = False) -> BounceKind:
    """Tell what sort of failure it is: of an address that is dead, of us (5.7.z), or any other.

    ``is_ours`` is for whoever knows the latter without a status.
    """
    if is_dead:
        return BounceKind.HARD
    return BounceKind.BLOCKED if is_ours or status.startswith("5.7.") else BounceKind.SOFT


def suppression_for(
    kind: BounceKind, soft_bounced: Iterable[date] = ()
) -> SuppressionReason | None:
    """Return why an address is blocked after a bounce; None if it is not.

    ``soft_bounced`` are the days of all editions that came back softly, this one among them.
    """
    match kind:
        case BounceKind.HARD:
            return SuppressionReason.HARD_BOUNCE
        case BounceKind.COMPLAINT:
            return SuppressionReason.COMPLAINT
        case BounceKind.SOFT if _is_given_up(set(soft_bounced)):
            return SuppressionReason.SOFT_BOUNCES
    return None


def _is_given_up(days: set[date]) -> bool:
    recent = {day for day in days if max(days) - day <= SOFT_WITHIN}
    return len(recent) >= MOST_SOFT and max(recent) - min(recent) >= SOFT_FOR


def is_worth_counting(kind: BounceKind, count: int) -> bool:
    """Tell whether all mails should be counted, to see if so many bounces of them are too many.

    That takes a while for a long list, so after some hundreds only at each hundredth more.
    """
    fewest = {BounceKind.HARD: FEWEST_HARD, BounceKind.COMPLAINT: FEWEST_COMPLAINTS}
    return kind in fewest and count >= fewest[kind] and count % max(1, count // 100) == 0


def too_many(kind: BounceKind, count: int, accepted: int, limits: Limits) -> str:
    """Return why all mail must stop after so many bounces of accepted messages, else nothing."""
    if kind is BounceKind.COMPLAINT:
        what, limit = "were called spam", limits.complaints
        setting = "DIGEST_PAUSE_AT_COMPLAINTS"
    else:
        what, limit = "met dead addresses", limits.hard_bounces
        setting = "DIGEST_PAUSE_AT_HARD_BOUNCES"
    if 100 * count < limit * accepted:
        return ""
    return (
        f"{count} mails of the last {WATCHED.days} days {what}, and {accepted} were accepted: "
        f"{setting} is {limit:g} per cent"
    )
