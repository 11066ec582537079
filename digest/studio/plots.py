"""Plot figures by day as bars, with lines behind them, and describe them in words. Pure.

``pages/history-plot.svg.j2`` draws the plots. Widths are in percent and heights in pixels, so that
a plot is as wide as the page allows and its letters are as large as other text.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import count

from digest.ledger.daily_stats import DailyStats
from digest.model.summaries import FAILURES, Verdict
from digest.model.wording import in_words
from digest.studio.render import thousands

_TOP, _GROUND = 10, 166  # pixels from above: of the highest bar, and of the feet of all
SIZES = {"top": _TOP, "ground": _GROUND, "height": 190}  # for the template
_LEAST = 2.0  # pixels: one refusal among ten thousand must be visible

_STEPS = (1, 2, 5)
_MOST_LINES = 4  # above the ground
_UNITS = ((3600, "h"), (60, "min"), (1, "s"))
# The outcomes of deliveries, from the ground of a bar to its top.
_OUTCOMES = ("accepted", "skipped", "pending", "deferred", "uncertain", "suppressed", "refused")

Line = tuple[float, str]
"""The height of a line across a plot, and the text at it."""


@dataclass(frozen=True, slots=True)
class Series:
    """One thing, counted each day; its bars have the CSS class ``is-kind``."""

    name: str
    kind: str
    values: Sequence[float]

    @property
    def total(self) -> float:
        return sum(self.values)


@dataclass(frozen=True, slots=True)
class Plot:
    """Bars for each day, the series stacked.

    ``name`` is unique on the page, ``says`` describes the plot for those who cannot see it,
    ``shown`` writes a value, and ``lines`` returns the lines for the highest total.
    """

    name: str
    title: str
    says: str
    days: Sequence[date]
    series: Sequence[Series]
    shown: Callable[[float], str]
    lines: Callable[[float], Sequence[Line]]

    @property
    def grid(self) -> list[Line]:
        """Return the lines in pixels from above, the ground first."""
        return [(_GROUND - height * self._scale, text) for height, text in self._lines]

    @property
    def columns(self) -> Iterator[tuple[date, str, list[tuple[str, float, float]]]]:
        """Yield each day, its values in words, and its bars (kind, pixels from above, height)."""
        for number, day in enumerate(self.days):
            bars, y, told = [], float(_GROUND), []
            for series in self.series:
                if value := series.values[number]:
                    height = max(value * self._scale, _LEAST)
                    y -= height
                    bars.append((series.kind, y, height))
                    told.append(f"{series.name}: {self.shown(value)}")
            yield day, f"{long_day(day)}: {'; '.join(told) or 'nothing'}", bars

    @property
    def rows(self) -> list[tuple[date, list[str]]]:
        """Return the rows of a table with the same values."""
        return [
            (day, [self.shown(series.values[number]) for series in self.series])
            for number, day in enumerate(self.days)
        ]

    @property
    def _lines(self) -> Sequence[Line]:
        return self.lines(max(_totals(self.series), default=0))

    @property
    def _scale(self) -> float:
        return (_GROUND - _TOP) / self._lines[-1][0]


def month_plots(
    days: Sequence[DailyStats],
    left: Mapping[date, int],
    summaries: Mapping[date, Mapping[Verdict, int]] | None = None,
) -> list[Plot]:
    """Return the plots of consecutive days; ``left`` counts who unsubscribed on each.

    ``summaries`` counts the requests to the language model, if there is one.
    """
    outcomes = [
        Series(name, name, [getattr(stats.balance, name) for stats in days]) for name in _OUTCOMES
    ]
    sending = Series("sending", "sending", [stats.sending.total_seconds() for stats in days])
    plots: list[tuple[str, str, list[Series]]] = [
        (
            "papers",
            "Papers in the edition",
            [Series("papers", "papers", [stats.papers for stats in days])],
        ),
        (
            "deliveries",
            "Deliveries by outcome",
            [series for series in outcomes if series.total] or outcomes[:1],
        ),
        (
            "unsubscribes",
            "Unsubscribes",
            [Series("unsubscribed", "left", [left[stats.day] for stats in days])],
        ),
    ]
    dates = [stats.day for stats in days]
    if summaries is not None:
        plots.append(("summaries", "Sentences by the language model", _sentences(dates, summaries)))
    counts = [_count_plot(name, title, dates, series) for name, title, series in plots]
    says, title = _timed(dates, sending), "Time spent sending"
    return [*counts, Plot("duration", title, says, dates, [sending], in_words, time_lines)]


def _sentences(
    days: Sequence[date], summaries: Mapping[date, Mapping[Verdict, int]]
) -> list[Series]:
    kinds = {"made": ("accepted", {Verdict.USED}), "failed": ("refused", FAILURES)}
    kinds["dropped"] = ("skipped", set(Verdict) - FAILURES - {Verdict.USED})
    return [
        Series(name, kind, [sum(summaries[day].get(one, 0) for one in verdicts) for day in days])
        for name, (kind, verdicts) in kinds.items()
    ]


def growth_plots(
    days: Sequence[date],
    themselves: Mapping[date, int],
    added: Mapping[date, int],
    left: Mapping[date, int],
    blocked: Mapping[date, int],
) -> list[Plot]:
    """Return the plots of who came and who went; each count is of people or addresses by day."""
    plots = (
        ("came", "New subscribers", ("confirmed", "accepted", themselves), ("added", "one", added)),
        ("went", "Lost", ("unsubscribed", "left", left), ("blocked", "suppressed", blocked)),
    )
    return [
        _count_plot(
            name,
            title,
            days,
            [Series(what, kind, [counts[day] for day in days]) for what, kind, counts in series],
        )
        for name, title, *series in plots
    ]


def count_lines(most: float) -> list[Line]:
    """Return lines at 0 and at a few round counts, the last not below ``most``."""
    steps = (step * 10**power for power in count() for step in _STEPS)
    step = next(step for step in steps if step * _MOST_LINES >= most)
    heights = [step * n for n in range(max(2, math.ceil(most / step) + 1))]
    return [(height, thousands(height)) for height in heights]


def time_lines(most: float) -> list[Line]:
    """Return lines at 0 and at a few round times; ``most`` and the heights are in seconds."""
    size, unit = next(((size, unit) for size, unit in _UNITS if most >= 2 * size), _UNITS[-1])
    return [(height * size, f"{text} {unit}") for height, text in count_lines(most / size)]


def long_day(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}"


def _totals(series: Sequence[Series]) -> list[float]:
    """Return the sum of all series for each day."""
    return [sum(values) for values in zip(*(one.values for one in series), strict=True)]


def _count_plot(name: str, title: str, days: Sequence[date], series: Sequence[Series]) -> Plot:
    return Plot(name, title, _counted(days, series), days, series, _count, count_lines)


def _count(value: float) -> str:
    return thousands(int(value))


def _counted(days: Sequence[date], series: Sequence[Series]) -> str:
    totals = _totals(series)
    if not any(totals):
        return "None in these days."
    told = ", ".join(f"{_count(one.total)} {one.name}" for one in series)
    most = max(totals)
    on = long_day(days[totals.index(most)])
    return f"{told} in all; the most on one day were {_count(most)}, on {on}."


def _timed(days: Sequence[date], series: Series) -> str:
    longest = max(series.values)
    if not longest:
        return "Nothing was sent in these days."
    on = long_day(days[series.values.index(longest)])
    return (
        f"{in_words(series.total)} in all; the longest on one day was {in_words(longest)}, on {on}."
    )
