"""The days whose votes are asked for again: the older a day, the more rarely. Pure."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

# Up to which age in days, and how often; most votes come in the first days.
_HOW_OFTEN = (
    (1, timedelta()),  # with each collection
    (4, timedelta(hours=6)),
    (30, timedelta(days=1)),
)


def vote_days(
    listed: Iterable[date], edition_at: datetime, now: datetime, last: datetime | None
) -> list[date]:
    """Return of these days those that a collection at ``now`` asks for, after one at ``last``.

    ``edition_at`` is when the edition of the current day is to be made: from then on all votes are
    asked for anew, so that it has them. Nothing is stored about a day: it is due if a multiple of
    its interval, counted from the edition, lies between the two collections.
    """

    def is_due(day: date) -> bool:
        age = (edition_at.date() - day).days
        interval = next((interval for most, interval in _HOW_OFTEN if age <= most), None)
        if interval is None:
            return False
        if last is None or not interval:
            return True
        return (now - edition_at) // interval != (last - edition_at) // interval

    return sorted(filter(is_due, listed))
