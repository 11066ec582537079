"""How fast mail may go. Pure.

A lane, all mail or that to one provider, has a gap: the seconds from one message to the next. What
is set is the least; replies that ask to slow down widen it, and each message that is taken
afterwards narrows it again by a little.
"""

from datetime import date, datetime, time

FIRST_INTERVAL = 1.0  # seconds, where nothing was set before
WIDEST_INTERVAL = 600.0
_EASING = 0.95  # fifty messages that are taken in a row bring a gap down to a thirteenth
_NARROW = 0.02  # seconds, below which a gap is none
_GROWTH = 1.5  # of a warm-up, from day to day


def interval_of(per_minute: float | None) -> float:
    """The seconds between two messages at a rate; 0 where none is set."""
    return 60 / per_minute if per_minute else 0.0


def slower(interval: float) -> float:
    """The gap after a reply that asks to slow down."""
    return min(max(interval * 2, FIRST_INTERVAL), WIDEST_INTERVAL)


def faster(interval: float, least: float) -> float:
    """The gap after a message that was taken; 0 once it is not wider than what is set."""
    narrowed = interval * _EASING
    return narrowed if narrowed > max(least, _NARROW) else 0.0


def is_within(window: tuple[time, time] | None, moment: datetime) -> bool:
    """Whether a local time lies in the hours of a window, which may reach over midnight."""
    if window is None:
        return True
    start, end = window
    now = moment.time()
    return start <= now < end if start < end else now >= start or now < end


def most_on(day: date, since: date | None, first: int) -> int | None:
    """The most mails on a day of a warm-up that began on another; none before and without one.

    Days grow by half, so that 200 become 1,000 in four days, and 100,000 in sixteen.
    """
    if since is None or day < since:
        return None
    days = min((day - since).days, 40)  # far beyond anybody's list, and no huge numbers
    return int(first * _GROWTH**days)
