"""Decide how fast mail may go, and when it is tried again. Pure.

A provider queue (all mail, or that to one provider) has an interval: the seconds from one message
to the next. The settings give the shortest one. Replies that ask to slow down make it longer, and
each message that is accepted afterwards makes it a little shorter again.
"""

from datetime import date, datetime, time, timedelta

FIRST_INTERVAL = 1.0  # seconds, where nothing was set before
WIDEST_INTERVAL = 600.0
_EASING = 0.95  # fifty accepted messages in a row bring an interval down to a thirteenth
_NARROW = 0.02  # seconds; a shorter interval counts as none
_GROWTH = 1.5  # of a warm-up, from day to day
FIRST_WAIT = timedelta(minutes=10)
LONGEST_WAIT = timedelta(hours=6)


def interval_of(per_minute: float | None) -> float:
    """Return the seconds between two messages at a rate; 0 if none is set."""
    return 60 / per_minute if per_minute else 0.0


def slower(interval: float) -> float:
    """Return the interval after a reply that asks to slow down."""
    return min(max(interval * 2, FIRST_INTERVAL), WIDEST_INTERVAL)


def faster(interval: float, least: float) -> float:
    """Return the interval after an accepted message; 0 once it is not longer than ``least``."""
    narrowed = interval * _EASING
    return narrowed if narrowed > max(least, _NARROW) else 0.0


def is_within(hours: tuple[time, time] | None, moment: datetime) -> bool:
    """Return whether a local time lies in the sending hours, which may reach over midnight."""
    if hours is None:
        return True
    start, end = hours
    now = moment.time()
    return start <= now < end if start < end else now >= start or now < end


def most_on(day: date, since: date | None, first: int) -> int | None:
    """Return the most messages on a day of a warm-up; None before it begins, and without one.

    Days grow by half, so that 200 become 1,000 in four days, and 100,000 in sixteen.
    """
    if since is None or day < since:
        return None
    days = min((day - since).days, 40)  # far beyond anybody's list, and no huge numbers
    return int(first * _GROWTH**days)


def next_attempt(attempts_before: int, delivery_id: int, now: datetime) -> datetime:
    """Return when a deferred delivery is tried again: 10 minutes, then twice as long each time.

    The wait is between a half and the whole of that, by the delivery's number, so that deliveries
    that were deferred together are not tried again together.
    """
    wait: timedelta = min(FIRST_WAIT * 2 ** min(attempts_before, 10), LONGEST_WAIT)
    share = 0.5 + (delivery_id * 2654435761 % 2**32) / 2**33  # Knuth's multiplicative hash
    return now + wait * share
