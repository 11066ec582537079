"""When to try again. Pure."""

from datetime import datetime, timedelta

FIRST_WAIT = timedelta(minutes=10)
LONGEST_WAIT = timedelta(hours=6)


def next_attempt(attempts_before: int, delivery_id: int, now: datetime) -> datetime:
    """When a deferred delivery is tried again: 10 minutes, then twice as long each time.

    Between a half and the whole of that, by delivery, so that those deferred together do not come
    back together. The same values give the same time.
    """
    wait: timedelta = min(FIRST_WAIT * 2 ** min(attempts_before, 10), LONGEST_WAIT)
    share = 0.5 + (delivery_id * 2654435761 % 2**32) / 2**33  # Knuth's multiplicative hash
    return now + wait * share
