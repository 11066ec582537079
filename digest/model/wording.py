"""Wording of states, reasons and lengths of time; text cut to a length. Pure."""

from datetime import timedelta

from digest.model.deliveries import Balance, DeliveryReport, DeliveryState
from digest.model.digests import SkipReason

# In the order in which they are listed.
STATES = {
    DeliveryState.ACCEPTED: "accepted by the mail server",
    DeliveryState.PENDING: "waiting to be sent",
    DeliveryState.SENDING: "being sent, or broken off while sending",
    DeliveryState.DEFERRED: "deferred by the mail server; will be tried again",
    DeliveryState.REFUSED: "refused by the mail server",
    DeliveryState.SUPPRESSED: "not sent: there is a block on the address",
    DeliveryState.SKIPPED: "not sent",
    DeliveryState.UNCERTAIN: "sent, but the answer never came; not sent again by itself",
}
REASONS = {
    SkipReason.NO_PAPERS: "there were no papers",
    SkipReason.NOTHING_MATCHED: "nothing matched their topics",
    SkipReason.PAUSED: "they have paused",
    SkipReason.WITHDRAWN: "they unsubscribed before it was sent",
    SkipReason.NOT_CONFIRMED: "they have not confirmed",
    SkipReason.REMOVED: "they were removed",
    SkipReason.NOT_RENDERED: "none of its papers could be rendered",
    SkipReason.TOO_LARGE: "it was too large",
    SkipReason.STALE: "it was too old when it could be sent",
    SkipReason.MISSED: "their time was too long ago when it could be planned",
    SkipReason.DROPPED: "it may have arrived before, and was given up",
    SkipReason.STOPPED: "the announcement was stopped",
}


def in_words(seconds: float) -> str:
    """Return a length of time in its two largest units: 0.4 s, 12 s, 3 min 20 s, 2 h 5 min."""
    if 0 < seconds < 10 and seconds != int(seconds):
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    named = ((hours, "h"), (minutes, "min"), (rest, "s"))
    largest = [f"{number} {unit}" for number, unit in named if number][:2]
    return " ".join(largest) or "0 s"


def length(time: timedelta | None) -> str:
    """Return a length of time in words; empty for None."""
    return "" if time is None else in_words(time.total_seconds())


def reason(stored: str) -> str:
    """Return why a delivery was skipped, in words; a reason of another version as it is stored."""
    known = SkipReason(stored) if stored in set(SkipReason) else None
    return REASONS[known] if known else stored.replace("-", " ")


def because(report: DeliveryReport) -> str:
    """Return why a delivery was skipped, or the reason in its note; empty for a digest."""
    said = reason(report.reason)
    return f"a note that {said}" if report.delivery.note else said


def parts(balance: Balance) -> list[tuple[DeliveryState, int]]:
    """Return the states in a balance that are not zero, with their numbers."""
    return [
        (state, count)
        for state in STATES
        if state is not DeliveryState.SENDING and (count := getattr(balance, state.value))
    ]


def truncate(text: str, longest: int) -> str:
    """Return the text; if it is longer, its beginning up to the end of a word and an ellipsis."""
    if len(text) <= longest:
        return text
    head = text[: longest - 1]
    cuts_a_word = text[longest - 1] != " " and " " in head[longest // 2 :]
    at_word = head.rsplit(" ", 1)[0] if cuts_a_word else head
    return at_word.rstrip(" ,;:-–—(") + "…"
