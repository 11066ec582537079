"""Decide which addresses bounces and complaints block, and what they pause. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from digest.model.deliveries import BounceKind
from digest.model.diagnosis import Diagnosis
from subscribers.model import SuppressionReason

# An address is given up when so many editions came back, over so long. A mailbox that is full for a
# few days is still somebody's. What came back long before does not count.
MOST_SOFT = 5
SOFT_FOR = timedelta(days=7)
SOFT_WITHIN = timedelta(days=30)

# So many people's mail must come back before a provider is taken to refuse us, within this time.
FEWEST_AT_PROVIDER = 3
AT_PROVIDER_WITHIN = timedelta(days=1)

# How far back the emails are counted that may stop all others.
WATCHED = timedelta(days=7)
# A share of a few emails says nothing: one slip of one reader must not stop a small list.
FEWEST_HARD = 3
FEWEST_COMPLAINTS = 2


@dataclass(frozen=True, slots=True)
class Limits:
    """At what share of the emails, in per cent, all sending pauses."""

    hard_bounces: float
    complaints: float


def kind_of(diagnosis: Diagnosis) -> BounceKind:
    """Return the kind of a failure; only that of an address counts against its reader."""
    if diagnosis.is_dead:
        return BounceKind.HARD
    return BounceKind.SOFT if diagnosis.counts_against_reader else BounceKind.BLOCKED


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
    """Return whether to count all emails, to see whether bounces to so many people are too many.

    That takes a while for a long list, so after some hundreds only at each hundredth more.
    """
    return is_many(kind, count) and count % max(1, count // 100) == 0


def is_many(kind: BounceKind, count: int) -> bool:
    """Return whether bounces to so many people could be too many, however few emails there are."""
    fewest = {BounceKind.HARD: FEWEST_HARD, BounceKind.COMPLAINT: FEWEST_COMPLAINTS}
    return kind in fewest and count >= fewest[kind]


def too_many(kind: BounceKind, people: int, accepted: int, limits: Limits) -> str:
    """Return why bounces to so many people, of so many accepted emails, are too many, else nothing.

    Proven ones stop all mail; those reported by mail are told to the operator.
    """
    if kind is BounceKind.COMPLAINT:
        what, limit = "readers called mail spam", limits.complaints
        setting = "DIGEST_PAUSE_AT_COMPLAINTS"
    else:
        what, limit = "addresses were dead", limits.hard_bounces
        setting = "DIGEST_PAUSE_AT_HARD_BOUNCES"
    if 100 * people < limit * accepted:
        return ""
    return (
        f"{people} {what} in the last {WATCHED.days} days, and {accepted} emails were accepted: "
        f"{setting} is {limit:g} per cent"
    )
