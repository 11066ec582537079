"""Describe for the operator what keeps mail from going out for longer than one pass."""

from datetime import datetime

from digest.ledger.ledger import Ledger
from digest.ledger.provider_queues import ALL, Pause


def standing_trouble(ledger: Ledger, now: datetime) -> tuple[str, ...]:
    """Return a line for each pause that mail waits for, and for each edition that is refused.

    A line stays the same while its cause lasts, so that it is reported once.
    """
    refused = (
        f"the edition of {edition.day} is refused, and not for its readers' addresses: "
        f"{edition.said}; its messages stay to be sent: after a fix, `digest deliveries retry`"
        for edition in ledger.outcomes.refused_editions()
    )
    paused = ledger.provider_queues.paused()
    if not paused:
        return tuple(refused)
    waiting = ledger.deliveries.waiting_by_provider(now)
    waiting[ALL] = sum(waiting.values())
    pauses = (
        _of_pause(pause, waiting[pause.provider]) for pause in paused if waiting.get(pause.provider)
    )
    return (*refused, *pauses)


def _of_pause(pause: Pause, waiting: int) -> str:
    what = "sending" if pause.provider == ALL else pause.provider
    if pause.probe_at is None:
        end = "waiting for `digest deliveries resume`"
    else:
        end = "waiting; single messages are tried until one is accepted"
    return f"{what} is paused: {pause.why}; {waiting} {end}"
