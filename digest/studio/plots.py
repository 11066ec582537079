"""Figures by day as bars, in SVG. Pure: values in, text out.

Nothing is scripted, and no colour or size is set that a style sheet could not: bars carry the class
of what they stand for, letters and lines are in the page's own colour. Widths are in percent and
heights in pixels, so that a plot is as wide as its place and its letters stay as large as the rest.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from itertools import count

HEIGHT = 190  # of the whole picture, in pixels
_TOP = 10  # above the bars
_FOOT = 24  # below them: the days
_LEAST = 2.0  # pixels: one refusal among ten thousand is still to be seen
_GAP = 0.22  # between two bars, as part of the width that a day has
_LABEL_EVERY = 7  # days

_STEPS = (1, 2, 5)
_MOST_LINES = 4  # above the ground
_DAY = 24 * 3600
_UNITS = ((3600, "h"), (60, "min"), (1, "s"))
_STEPS_OF_TIME = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800)


# The height of a line across a plot, and what is written at it.
Line = tuple[float, str]


@dataclass(frozen=True, slots=True)
class Series:
    """One kind of thing, counted each day; its bars are of the class ``is-kind``."""

    name: str
    kind: str
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Plot:
    """Bars for each day, one series on the other.

    ``name`` tells the plots of a page apart, ``says`` is a sentence for whoever does not see it,
    ``shown`` writes a value, and ``lines`` finds where to draw lines, and what to write at them.
    """

    name: str
    title: str
    says: str
    days: Sequence[date]
    series: Sequence[Series]
    shown: Callable[[float], str]
    lines: Callable[[float], Sequence[Line]]

    @property
    def totals(self) -> list[float]:
        """What all series come to on each day."""
        return [sum(each.values[n] for each in self.series) for n in range(len(self.days))]


def svg(plot: Plot) -> str:
    """The picture of a plot. What is written at its lines is to end at its left edge."""
    lines = plot.lines(max(plot.totals, default=0))
    scale = (HEIGHT - _TOP - _FOOT) / lines[-1][0]
    title, says = f"{escape(plot.name)}-title", f"{escape(plot.name)}-says"
    names = f'aria-labelledby="{title}" aria-describedby="{says}"'
    parts = [
        f'<svg class="plot" role="img" {names} width="100%" height="{HEIGHT}">',
        f'<title id="{title}">{escape(plot.title)}</title>',
        f'<desc id="{says}">{escape(plot.says)}</desc>',
        *(_line(height * scale, said) for height, said in lines),
        *(_day(plot, number, scale) for number in range(len(plot.days))),
        *(_label(plot, number) for number in range(0, len(plot.days), _LABEL_EVERY)),
        "</svg>",
    ]
    return "\n".join(parts)


def count_lines(most: float) -> list[Line]:
    """Lines for counts: at 0 and a few round numbers, the last not below the most."""
    steps = (each * 10**power for power in count() for each in _STEPS)
    step = next(step for step in steps if step * _MOST_LINES >= most)
    return [(height, f"{height:,}") for height in _upward(step, most)]


def time_lines(most: float) -> list[Line]:
    """As ``count_lines``, for seconds: in whichever of seconds, minutes and hours is round."""
    step = next((step for step in _STEPS_OF_TIME if step * _MOST_LINES >= most), _DAY)
    size, unit = next((size, unit) for size, unit in _UNITS if step % size == 0)
    return [(height, f"{height // size} {unit}") for height in _upward(step, most)]


def long_day(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}"


def _upward(step: int, most: float) -> list[int]:
    return [step * n for n in range(max(2, math.ceil(most / step) + 1))]


def _line(height: float, said: str) -> str:
    y = HEIGHT - _FOOT - height
    if not height:
        return f'<line class="ground" x1="0" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>'
    return (
        f'<line class="line" x1="0" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="at-line" x="0" y="{y + 4:.1f}">{escape(said)}</text>'
    )


def _day(plot: Plot, number: int, scale: float) -> str:
    """The bars of one day in a group, whose title browsers show to a pointer."""
    width = 100 / len(plot.days)
    parts = [(each, each.values[number]) for each in plot.series if each.values[number]]
    told = "; ".join(f"{each.name}: {plot.shown(value)}" for each, value in parts)
    bars, y = [], float(HEIGHT - _FOOT)
    for each, value in parts:
        height = max(value * scale, _LEAST)
        y -= height
        bars.append(
            f'<rect class="bar is-{escape(each.kind)}" x="{width * (number + _GAP / 2):.2f}%" '
            f'y="{y:.1f}" width="{width * (1 - _GAP):.2f}%" height="{height:.1f}"/>'
        )
    return (
        f"<g><title>{long_day(plot.days[number])}: {escape(told) or 'nothing'}</title>"
        f'<rect class="day" x="{width * number:.2f}%" y="{_TOP}" width="{width:.2f}%" '
        f'height="{HEIGHT - _TOP - _FOOT}"/>{"".join(bars)}</g>'
    )


def _label(plot: Plot, number: int) -> str:
    day = plot.days[number]
    x = 100 / len(plot.days) * (number + (0.5 if number else _GAP / 2))
    kind = "in-the-middle" if number else "at-the-edge"
    return f'<text class="{kind}" x="{x:.2f}%" y="{HEIGHT - 6}">{day.day} {day:%b}</text>'
