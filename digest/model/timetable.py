"""When editions are made by themselves, and whose times they are for. Pure.

Nothing here is remembered: the ledger tells which editions there are, and each question is answered
afresh. So a clock that stood still, jumped, or struck twice changes no answer.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

# An edition is also for those whose own time is so shortly before it is made.
AHEAD = timedelta(hours=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Frozen:
    """An edition in the calendar: its number, its day, and when it was made."""

    id: int
    day: date
    at: datetime


@dataclass(frozen=True, slots=True)
class DueInterval:
    """The moments of readers that an edition is for: from ``begins`` on, and before ``ends``.

    Those before ``own`` are of days that had no edition.
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
        """The operator's day."""
        return moment.astimezone(self.zone).date()

    def edition_at(self, day: date) -> datetime:
        """When that day's edition is to be made, in UTC.

        In the hour that a clock change skips, it is an hour later; in one that comes twice, it is
        the first.
        """
        # By way of UTC, which makes a local time that does not exist one that does.
        return datetime.combine(day, self.at, self.zone).astimezone(UTC)

    def end_of(self, day: date) -> datetime:
        """When the operator's day is over, in UTC."""
        return datetime.combine(day + _DAY, time(), self.zone).astimezone(UTC)

    def next_edition(self, now: datetime) -> datetime:
        """The first moment after ``now`` at which an edition is to be made."""
        day = self.day_of(now)
        return next(
            moment
            for moment in (self.edition_at(day + days * _DAY) for days in (0, 1, 2))
            if moment > now
        )

    def intervals(self, editions: Sequence[Frozen]) -> list[DueInterval]:
        """Whose times each of these editions is for, which are all of some days, oldest first.

        From an hour before it was to be made, until an hour before the next day's. An edition that
        is made late is for the same moments; if a day has none, its moments are the next one's.
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
        """An edition may also be made earlier, by hand; late, it is for whom it was meant for."""
        planned = self.edition_at(day)
        return min(planned, made_at or planned) - AHEAD


def due_interval_of(intervals: Sequence[DueInterval], moment: datetime) -> DueInterval | None:
    """The one that a moment is in; none if that edition is not made yet, or too long ago."""
    found = bisect_right(intervals, moment, key=lambda interval: interval.begins) - 1
    if found < 0 or moment >= intervals[found].ends:
        return None
    return intervals[found]
