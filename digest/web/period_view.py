"""Days, weeks and months as pages show them: titles, neighbours, the strip, the calendar. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from digest.compose.language import Language
from digest.web.periods import Kind, Period, around

Counts = Mapping[date, int]  # papers by day; days without any are left out


@dataclass(frozen=True, slots=True)
class Link:
    """A link on a page; ``path`` is below the root, and empty where there is nothing to see.

    ``number`` stands beside the text: that of a day, or how many papers there are.
    """

    text: str
    path: str = ""
    about: str = ""
    number: str = ""
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class Week:
    """A week of the calendar: its own link, and one for each day; None is outside the month."""

    number: int
    link: Link
    days: list[Link | None]


@dataclass(frozen=True, slots=True)
class Month:
    link: Link
    weeks: list[Week]


def path_of(period: Period) -> str:
    """Return the path of the page of a period."""
    return f"/{period.name}"


def title(period: Period, language: Language) -> str:
    """Return the name of a period: Friday, 20 February 2026; Week 8, 2026; February 2026."""
    match period.kind:
        case Kind.DAY:
            return language.long_date(period.first)
        case Kind.WEEK:
            year, week, _ = period.first.isocalendar()
            return language.gettext("Week %(week)s, %(year)s", week=week, year=year)
        case Kind.MONTH:
            return language.month(period.first)


def short_title(period: Period, language: Language) -> str:
    """Return a name that fits on a button beside the title: Fri 20 Feb; Week 8; February 2026."""
    match period.kind:
        case Kind.DAY:
            return language.short_date(period.first)
        case Kind.WEEK:
            return language.gettext("Week %(week)s", week=period.first.isocalendar().week)
        case Kind.MONTH:
            return language.month(period.first)


def kinds(period: Period, newest: date, language: Language) -> list[Link]:
    """Return links to the day, the week and the month that a period is in, or ends with."""
    day = min(period.last, newest)
    names = {
        Kind.DAY: language.gettext("Day"),
        Kind.WEEK: language.gettext("Week"),
        Kind.MONTH: language.gettext("Month"),
    }
    return [
        Link(name, path_of(around(kind, day)), is_current=kind is period.kind)
        for kind, name in names.items()
    ]


def days_to_show(period: Period) -> tuple[date, date]:
    """Return the first and the last day that the strip of a period tells the papers of."""
    if period.kind is not Kind.MONTH:
        week = around(Kind.WEEK, period.first)
        return week.first, week.last
    return around(Kind.WEEK, period.first).first, around(Kind.WEEK, period.last).last


def strip(period: Period, counts: Counts, language: Language) -> list[Link]:
    """Return the days of the week that a day or a week is in, or the weeks that a month is in."""
    if period.kind is Kind.MONTH:
        return [_week(monday, counts, language) for monday in _mondays(period)]
    return [
        Link(
            language.weekday(day.weekday(), short=True),
            path_of(around(Kind.DAY, day)) if day in counts else "",
            _papers(counts.get(day, 0), language),
            str(day.day),
            is_current=period.kind is Kind.DAY and day == period.first,
        )
        for day in around(Kind.WEEK, period.first).days
    ]


def calendar(year: int, counts: Counts, language: Language) -> list[Month]:
    """Return the months of a year that have papers, newest first, week by week."""
    months = (around(Kind.MONTH, date(year, number, 1)) for number in range(12, 0, -1))
    return [
        _month(month, counts, language)
        for month in months
        if any(day in counts for day in month.days)
    ]


def _month(month: Period, counts: Counts, language: Language) -> Month:
    total = sum(counts.get(day, 0) for day in month.days)
    weeks = [
        Week(
            monday.isocalendar().week,
            _week(monday, counts, language),
            [_day(monday + timedelta(days=number), month, counts, language) for number in range(7)],
        )
        for monday in _mondays(month)
    ]
    name = Link(language.month(month.first), path_of(month), _papers(total, language))
    return Month(name, weeks)


def _day(day: date, month: Period, counts: Counts, language: Language) -> Link | None:
    if not month.first <= day <= month.last:
        return None
    count = counts.get(day, 0)
    said = f"{language.long_date(day)}: {_papers(count, language)}"
    path = path_of(around(Kind.DAY, day)) if count else ""
    return Link(str(day.day), path, said, language.number(count))


def _week(monday: date, counts: Counts, language: Language) -> Link:
    week = around(Kind.WEEK, monday)
    total = sum(counts.get(day, 0) for day in week.days)
    path = path_of(week) if total else ""
    return Link(short_title(week, language), path, _papers(total, language))


def _mondays(month: Period) -> Sequence[date]:
    first = around(Kind.WEEK, month.first).first
    weeks = (around(Kind.WEEK, month.last).first - first).days // 7 + 1
    return [first + timedelta(weeks=number) for number in range(weeks)]


def _papers(count: int, language: Language) -> str:
    if not count:
        return language.gettext("none")
    return language.ngettext("%(count)s paper", "%(count)s papers", count)
