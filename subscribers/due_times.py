"""The moments at which a digest is due in a subscriber's own time zone. Pure.

A local time, a zone and weekdays are stored, and moments are computed each time, so that new rules
of a zone take effect. Each local day has one such moment: if a clock change skips it, it is an hour
later; if the hour comes twice, it is in the first.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from subscribers.errors import PreferenceError
from subscribers.preferences import LONGEST_WAIT, Preferences

_DAYS = LONGEST_WAIT + 3  # to search: with the difference between zones


def last_due(preferences: Preferences, now: datetime) -> datetime:
    """Return the latest moment up to ``now`` at which a digest was due, whatever is paused; UTC."""
    return next(moment for moment in _moments(preferences, now, -1) if moment <= now)


def next_due(preferences: Preferences, now: datetime) -> datetime:
    """Return the first moment after ``now`` at which a digest is due, whatever is paused; UTC."""
    return next(moment for moment in _moments(preferences, now, 1) if moment > now)


def next_mail(preferences: Preferences, now: datetime) -> datetime:
    """Return the first moment after ``now`` at which a digest is due, once a pause is over."""
    if preferences.paused_until is None:
        return next_due(preferences, now)
    begin = datetime.combine(preferences.paused_until, time(), _zone(preferences.timezone))
    return next_due(preferences, max(now, begin.astimezone(UTC) - timedelta.resolution))


def local_date(preferences: Preferences, moment: datetime) -> date:
    """Return the date at a moment in the subscriber's time zone."""
    return moment.astimezone(_zone(preferences.timezone)).date()


def check_pause(preferences: Preferences, now: datetime) -> None:
    """Raise PreferenceError for a pause that is over before it begins."""
    until = preferences.paused_until
    if until and until <= local_date(preferences, now):
        raise PreferenceError("a pause must end in the future, but %(day)s is not", day=until)


def local_day(preferences: Preferences, moment: datetime) -> date:
    """Return the subscriber's day whose digest is due at a moment, else their current day.

    They differ if a clock change skips the due time, and the next day has begun by then.
    """
    today = local_date(preferences, moment)
    yesterday = today - timedelta(days=1)
    is_yesterdays = preferences.wants_mail_on(yesterday) and _on(yesterday, preferences) == moment
    is_todays = preferences.wants_mail_on(today) and _on(today, preferences) == moment
    return yesterday if is_yesterdays and not is_todays else today


def _moments(preferences: Preferences, around: datetime, step: int) -> Iterator[datetime]:
    """Yield the due times around a moment, onwards (1) or backwards (-1), in that order."""
    today = local_date(preferences, around)
    for days in range(-1, _DAYS + 1):
        day = today + timedelta(days=days * step)
        if preferences.wants_mail_on(day):
            yield _on(day, preferences)


def _on(day: date, preferences: Preferences) -> datetime:
    # Converting to UTC turns a skipped local time into one that exists.
    return datetime.combine(day, preferences.at, _zone(preferences.timezone)).astimezone(UTC)


@cache
def _zone(name: str) -> ZoneInfo:
    """Return a zone. ZoneInfo itself caches only a few and reads the others' files each time."""
    return ZoneInfo(name)
