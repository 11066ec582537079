"""A month in plots: papers, what became of the deliveries, who left, and how long sending took."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from digest.ledger.daily_stats import DailyStats
from digest.model.wording import in_words
from digest.studio.plots import Plot, Series, count_lines, long_day, svg, time_lines
from digest.studio.render import thousands

# What became of deliveries, from the ground of a bar to its top.
_OUTCOMES = ("accepted", "skipped", "pending", "deferred", "uncertain", "suppressed", "refused")


@dataclass(frozen=True, slots=True)
class PlotView:
    """A plot as a page shows it: the picture, the legend, and the figures as a table."""

    name: str
    title: str
    says: str
    picture: Markup
    legend: tuple[tuple[str, str, str], ...]  # name, class, total
    rows: tuple[tuple[date, tuple[str, ...]], ...]


def month_plots(days: Sequence[DailyStats], left: Mapping[date, int]) -> list[PlotView]:
    """The plots of some days in a row; ``left`` is how many unsubscribed on each."""
    dates = [each.day for each in days]
    outcomes = [
        Series(name, name, [getattr(each.balance, name) for each in days]) for name in _OUTCOMES
    ]
    papers = [Series("papers", "papers", [each.papers for each in days])]
    leaving = [Series("unsubscribed", "left", [left[each] for each in dates])]
    took = [Series("sending", "sending", [each.sending.total_seconds() for each in days])]
    return [
        _counts("papers", "Papers in the edition", dates, papers),
        _counts(
            "deliveries",
            "Deliveries by outcome",
            dates,
            [each for each in outcomes if any(each.values)] or outcomes[:1],
        ),
        _counts("unsubscribes", "Unsubscribes", dates, leaving),
        _times("duration", "Time spent sending", dates, took),
    ]


def _counts(name: str, title: str, days: Sequence[date], series: Sequence[Series]) -> PlotView:
    def shown(value: float) -> str:
        return thousands(int(value))

    total = sum(sum(each.values) for each in series)
    totals = ", ".join(f"{shown(sum(each.values))} {each.name}" for each in series)
    most = max(range(len(days)), key=lambda n: sum(each.values[n] for each in series))
    says = "None in these days."
    if total:
        peak = shown(sum(each.values[most] for each in series))
        says = f"{totals} in all; the most on one day were {peak}, on {long_day(days[most])}."
    return _view(Plot(name, title, says, days, series, shown, count_lines))


def _times(name: str, title: str, days: Sequence[date], series: Sequence[Series]) -> PlotView:
    values = series[0].values
    most = max(range(len(days)), key=lambda n: values[n])
    says = "Nothing was sent in these days."
    if values[most]:
        says = (
            f"{in_words(sum(values))} in all; the longest on one day was "
            f"{in_words(values[most])}, on {long_day(days[most])}."
        )
    return _view(Plot(name, title, says, days, series, in_words, time_lines))


def _view(plot: Plot) -> PlotView:
    return PlotView(
        name=plot.name,
        title=plot.title,
        says=plot.says,
        # Its parts are escaped where the picture is made.
        picture=Markup(svg(plot)),  # noqa: S704
        legend=tuple((each.name, each.kind, plot.shown(sum(each.values))) for each in plot.series),
        rows=tuple(
            (day, tuple(plot.shown(each.values[n]) for each in plot.series))
            for n, day in enumerate(plot.days)
        ),
    )
