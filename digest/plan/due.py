"""Decide who is due: readers' own times, and the editions that they are for. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from digest.model.timetable import DueInterval, due_interval_of
from subscribers.due_times import last_due, local_day, next_due
from subscribers.model import MailSchedule
from subscribers.preferences import Preferences


@dataclass(frozen=True, slots=True)
class DueTime:
    """A moment at which people with the same preferences were due, and its due interval.

    ``day`` is their local day. ``people`` are the ids of those who have no other due time.
    """

    preferences: Preferences
    moment: datetime
    interval: DueInterval
    people: frozenset[int]

    @property
    def day(self) -> date:
        return local_day(self.preferences, self.moment)


def latest_due(
    schedules: Iterable[MailSchedule], intervals: Sequence[DueInterval], now: datetime
) -> Iterator[DueTime]:
    """Yield each schedule's latest due time, if its edition is made. People may have come later."""
    for schedule in schedules:
        moment = last_due(schedule.preferences, now)
        interval = due_interval_of(intervals, moment)
        if interval and not _can_wait(schedule.preferences, moment, interval):
            yield DueTime(schedule.preferences, moment, interval, frozenset(schedule.people))


def due_since(
    schedules: Sequence[MailSchedule],
    intervals: Sequence[DueInterval],
    since: datetime,
    now: datetime,
) -> Iterator[DueTime]:
    """Yield each schedule's last due time in each interval after a moment, for those there then."""
    for interval in intervals:
        begin = max(interval.begins, since + timedelta.resolution)
        end = min(interval.ends - timedelta.resolution, now)
        if begin > end:
            continue
        for schedule in schedules:
            moment = last_due(schedule.preferences, end)
            if moment >= begin and not _can_wait(schedule.preferences, moment, interval):
                there = frozenset(
                    number for number, came in schedule.people.items() if came < moment
                )
                yield DueTime(schedule.preferences, moment, interval, there)


# ---- the count that planning is held against ----------------------------------------------------


def who_is_due(
    schedules: Iterable[MailSchedule], interval: DueInterval, oldest: datetime, now: datetime
) -> set[int]:
    """Return the ids of those whose latest due time is in an interval, and after ``oldest``.

    This computes the same as ``latest_due``, in another way on purpose: it walks forward through
    the due times of one interval, where that looks back from ``now`` over all of them. What counts
    the people must not share its mistakes with what plans for them.
    """
    due: set[int] = set()
    for schedule in schedules:
        moment = next_due(schedule.preferences, interval.begins - timedelta.resolution)
        later = next_due(schedule.preferences, moment)
        while later < interval.ends and later <= now:
            moment, later = later, next_due(schedule.preferences, later)
        is_in_time = oldest < moment <= now and moment < interval.ends
        is_superseded = later <= now or (moment < interval.own and later < interval.ends)
        if is_in_time and not is_superseded:
            due.update(schedule.people)
    return due


def with_mail_on(schedules: Iterable[MailSchedule], day: date) -> set[int]:
    """Return the ids of all who get mail on a day of the week."""
    return {
        person
        for schedule in schedules
        if schedule.preferences.wants_mail_on(day)
        for person in schedule.people
    }


def _can_wait(preferences: Preferences, moment: datetime, interval: DueInterval) -> bool:
    """Return whether a due time on a day without an edition comes again in time for the next."""
    return moment < interval.own and next_due(preferences, moment) < interval.ends
