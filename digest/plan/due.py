"""Whose turn it is: readers' own times, and the editions that those are for. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from digest.model.timetable import Window, window_of
from subscribers.due_times import last_due, local_day, next_due
from subscribers.model import Clock
from subscribers.preferences import Preferences


@dataclass(frozen=True, slots=True)
class Turn:
    """A moment at which people with the same clock were due, and the window that it is in.

    ``day`` is theirs. It is for those of ``people`` (their numbers) who have no other.
    """

    wishes: Preferences
    moment: datetime
    window: Window
    people: frozenset[int]

    @property
    def day(self) -> date:
        return local_day(self.wishes, self.moment)


def latest_turns(
    clocks: Iterable[Clock], windows: Sequence[Window], now: datetime
) -> Iterator[Turn]:
    """The latest turn of each, if its edition is made. It may be before they came."""
    for each in clocks:
        moment = last_due(each.wishes, now)
        window = window_of(windows, moment)
        if window and not _can_wait(each.wishes, moment, window):
            yield Turn(each.wishes, moment, window, frozenset(each.people))


def turns_since(
    clocks: Sequence[Clock], windows: Sequence[Window], since: datetime, now: datetime
) -> Iterator[Turn]:
    """The last turn of each in each window after a moment, of those who had come by then."""
    for window in windows:
        begin = max(window.begins, since + timedelta.resolution)
        end = min(window.ends - timedelta.resolution, now)
        if begin > end:
            continue
        for each in clocks:
            moment = last_due(each.wishes, end)
            if moment >= begin and not _can_wait(each.wishes, moment, window):
                there = frozenset(number for number, came in each.people.items() if came < moment)
                yield Turn(each.wishes, moment, window, there)


def _can_wait(wishes: Preferences, moment: datetime, window: Window) -> bool:
    """Whether a turn on a day that had no edition comes again in time for the next one."""
    return moment < window.own and next_due(wishes, moment) < window.ends
