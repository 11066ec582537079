"""The timetable: when editions are made, and for which due times. Pure.

It has no memory: each answer is computed from the editions in the ledger. So a clock that stands
still, jumps, or repeats an hour changes no answer.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

# An edition is also for due times up to so long before it is made.
AHEAD = timedelta(hours=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Frozen:
    """An edition in the calendar: its number, its day, and when it was frozen."""

    id: int
    day: date
    at: datetime


@dataclass(frozen=True, slots=True)
class DueInterval:
    """The span of due times that an edition is for: from ``begins`` on, and before ``ends``.

    Due times before ``own`` are of days that had no edition.
    """

    edition: Frozen
    begins: datetime
    own: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Timetable:
    """An edition each day at a local time."""

    at: time
    zone: ZoneInfo

    def day_of(self, moment: datetime) -> date:
        """Return the operator's day at a moment."""
        return moment.astimezone(self.zone).date()

    def edition_at(self, day: date) -> datetime:
        """Return when that day's edition is to be made, in UTC.

        In the hour that a clock change skips, it is an hour later; in the hour that comes twice, it
        is the first.
        """
        # Converting to UTC makes a local time that does not exist one that does.
        return datetime.combine(day, self.at, self.zone).astimezone(UTC)

    def end_of(self, day: date) -> datetime:
        """Return when the operator's day is over, in UTC."""
        return datetime.combine(day + _DAY, time(), self.zone).astimezone(UTC)

    def next_edition(self, now: datetime) -> datetime:
        """Return the first moment after ``now`` at which an edition is to be made."""
        day = self.day_of(now)
        moments = (self.edition_at(day + days * _DAY) for days in (0, 1, 2))
        return next(moment for moment in moments if moment > now)

    def intervals(self, editions: Sequence[Frozen]) -> list[DueInterval]:
        """Return the due intervals of the editions, which are all of some days, oldest first.

        It is from an hour before the edition was to be made until an hour before the next day's. A
        late edition has the same interval; that of a day without edition is added to the next one.
        """
        starts = {edition.day: self._start(edition.day, edition.at) for edition in editions}
        intervals = []
        ends = min(starts.values(), default=None)
        for edition in editions:
            begins, ends = ends, starts.get(edition.day + _DAY) or self._start(edition.day + _DAY)
            assert begins
            intervals.append(DueInterval(edition, begins, starts[edition.day], ends))
        return intervals

    def _start(self, day: date, made_at: datetime | None = None) -> datetime:
        """Return when an edition's own interval begins: earlier if it was made earlier, by hand."""
        planned = self.edition_at(day)
        return min(planned, made_at or planned) - AHEAD


def due_interval_of(intervals: Sequence[DueInterval], moment: datetime) -> DueInterval | None:
    """Return the interval of a moment; None if its edition is not made yet, or too long ago."""
    found = bisect_right(intervals, moment, key=lambda interval: interval.begins) - 1
    if found < 0 or moment >= intervals[found].ends:
        return None
    return intervals[found]
