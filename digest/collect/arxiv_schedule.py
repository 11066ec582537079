"""arXiv's schedule: which days have a list, and when its papers were submitted. Pure.

A list closes at 14:00 on a working day, US Eastern time. It is announced at 20:00 of that day, on
Friday's Sunday, and is the feed of the day after, from midnight on. So Monday to Friday have a
list, unless the one before them did not close: the holidays are in arxiv_holidays.toml.
https://info.arxiv.org/help/availability.html
"""

import tomllib
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files
from zoneinfo import ZoneInfo

NAME = "arxiv"  # of the source; here, because what watches it need not load its reader
EASTERN = ZoneInfo("America/New_York")
CLOSES_AT = time(14, 0, tzinfo=EASTERN)
SLACK = timedelta(hours=2)  # after midnight, until the feed must be there

_DAY = timedelta(days=1)
_FRIDAY = 4
_YEARS: dict[str, list[date]] = tomllib.loads(
    files("digest.collect").joinpath("arxiv_holidays.toml").read_text("utf-8")
)
_HOLIDAYS = frozenset(day for days in _YEARS.values() for day in days)


def has_list(day: date) -> bool:
    """Return whether arXiv lists papers on a day."""
    return day.weekday() <= _FRIDAY and _closes_on(_closing_day(day))


def latest_list(now: datetime) -> date:
    """Return the latest day whose list must be in the feed."""
    day = (now.astimezone(EASTERN) - SLACK).date()
    while not has_list(day):
        day -= _DAY
    return day


def submitted(day: date) -> tuple[datetime, datetime]:
    """Return between which moments (UTC) the papers were submitted that are listed on a day."""
    closes = _closing_day(day)
    opened = closes - _DAY
    while not _closes_on(opened):
        opened -= _DAY
    first, last = (datetime.combine(on, CLOSES_AT).astimezone(UTC) for on in (opened, closes))
    return first, last


def missed(days: Iterable[date], now: datetime) -> list[date]:
    """Return those of some days that had a list which is no longer in the feed, latest first."""
    today = now.astimezone(EASTERN).date()
    return sorted((day for day in days if day < today and has_list(day)), reverse=True)


def _closing_day(day: date) -> date:
    """Return when the list of a day from Monday to Friday closes, if it does."""
    return day - (3 * _DAY if day.weekday() == 0 else _DAY)


def _closes_on(day: date) -> bool:
    return day.weekday() <= _FRIDAY and day not in _HOLIDAYS
