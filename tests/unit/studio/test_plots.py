"""Plots: bars as high as their values, everything said in words as well, and nothing to run."""

from datetime import date, timedelta

import lxml.etree
import pytest

from digest.studio.plots import SIZES, Plot, Series, count_lines, time_lines
from digest.studio.render import Pages

FIRST = date(2026, 2, 2)  # a Monday


def make_plot(*values, name="papers", title="Papers", says="Few.", kinds=("one",), shown=str):
    """A plot of a series, or of several where the values are lists."""
    series = [list(each) for each in zip(*values, strict=True)] if len(kinds) > 1 else [values]
    return Plot(
        name=name,
        title=title,
        says=says,
        days=[FIRST + timedelta(days=n) for n in range(len(values))],
        series=[Series(kind, kind, each) for kind, each in zip(kinds, series, strict=True)],
        shown=shown,
        lines=count_lines,
    )


def svg(plot):
    return Pages("Test").fill("history-plot.svg.j2", {"plot": plot, **SIZES}).strip()


def read(plot):
    picture = lxml.etree.fromstring(svg(plot))
    assert picture.tag == "svg"
    return picture


def bars(picture, kind="one"):
    return picture.xpath(f"//rect[@class='bar is-{kind}']")


def test_a_bar_for_each_day_with_something_as_high_as_its_value():
    heights = [float(bar.get("height")) for bar in bars(read(make_plot(2, 0, 4, 1)))]
    assert len(heights) == 3
    assert heights[1] == pytest.approx(2 * heights[0], abs=0.1)
    assert heights[0] == pytest.approx(2 * heights[2], abs=0.1)


def test_bars_stand_on_the_ground_side_by_side_and_within_the_picture():
    picture = read(make_plot(*range(31)))
    ground = float(picture.xpath("//line[@class='ground']/@y1")[0])
    ends = [0.0]
    for bar in bars(picture):
        assert float(bar.get("y")) + float(bar.get("height")) == pytest.approx(ground, abs=0.1)
        assert float(bar.get("y")) > 0
        left = float(bar.get("x").removesuffix("%"))
        assert left >= ends[-1]
        ends.append(left + float(bar.get("width").removesuffix("%")))
    assert ends[-1] <= 100


def test_series_stand_on_each_other():
    picture = read(make_plot((3, 1), (0, 2), kinds=("accepted", "refused")))
    [accepted] = bars(picture, "accepted")
    below, alone = bars(picture, "refused")
    top = float(below.get("y")) + float(below.get("height"))
    assert top == pytest.approx(float(accepted.get("y")), abs=0.1)
    assert alone.get("x") > below.get("x")


def test_one_among_ten_thousand_is_still_to_be_seen():
    picture = read(make_plot((10_000, 1), kinds=("accepted", "refused")))
    [refused] = bars(picture, "refused")
    assert float(refused.get("height")) >= 2


def test_it_is_one_image_with_a_name_and_a_description():
    picture = read(make_plot(1, 2, says="Two at the most."))
    assert picture.get("role") == "img"
    assert picture.xpath(f"string(//title[@id='{picture.get('aria-labelledby')}'])") == "Papers"
    described = picture.xpath(f"string(//desc[@id='{picture.get('aria-describedby')}'])")
    assert described == "Two at the most."


def test_a_pointer_is_told_what_a_day_came_to():
    picture = read(make_plot((3, 1), (0, 0), kinds=("accepted", "refused")))
    assert picture.xpath("//g/title/text()") == [
        "Mon 2 Feb 2026: accepted: 3; refused: 1",
        "Tue 3 Feb 2026: nothing",
    ]


def test_each_week_is_named():
    picture = read(make_plot(*range(31)))
    days = ["2 Feb", "9 Feb", "16 Feb", "23 Feb", "2 Mar"]
    assert [each for each in picture.xpath("//text/text()") if each[-1].isalpha()] == days


@pytest.mark.parametrize("values", [(), (0,), (0, 0, 0)])
def test_nothing_is_a_picture_too(values):
    assert bars(read(make_plot(*values))) == []


def test_nothing_in_it_can_run_or_needs_a_style_of_its_own():
    hostile = "\"'><script>alert(1)</script>&"
    plot = make_plot(
        1, 2, name=hostile, title=hostile, says=hostile, kinds=(hostile,), shown=lambda _: hostile
    )
    picture = lxml.etree.fromstring(svg(plot))
    assert {each.tag for each in picture.iter()} <= {
        "svg", "title", "desc", "line", "text", "g", "rect"
    }  # fmt: skip
    assert not picture.xpath("//@style")
    assert picture.xpath("string(title)") == hostile


@pytest.mark.parametrize(
    ("most", "said"),
    [
        (0, ["0", "1"]),
        (1, ["0", "1"]),
        (4, ["0", "1", "2", "3", "4"]),
        (5, ["0", "2", "4", "6"]),
        (60, ["0", "20", "40", "60"]),
        (61, ["0", "20", "40", "60", "80"]),
        (12_345, ["0", "5,000", "10,000", "15,000"]),
    ],
)
def test_lines_for_counts_are_few_and_round(most, said):
    assert [text for _, text in count_lines(most)] == said


@pytest.mark.parametrize(
    ("most", "said"),
    [
        (0, ["0 s", "1 s"]),
        (0.3, ["0 s", "1 s"]),
        (90, ["0 s", "50 s", "100 s"]),
        (250, ["0 min", "2 min", "4 min", "6 min"]),
        (4 * 3600, ["0 h", "1 h", "2 h", "3 h", "4 h"]),
        (200 * 3600, ["0 h", "50 h", "100 h", "150 h", "200 h"]),
    ],
)
def test_lines_for_times_are_in_a_unit_that_is_round(most, said):
    assert [text for _, text in time_lines(most)] == said


@pytest.mark.parametrize("most", [0, 0.5, 1, 3, 7, 99, 100, 101, 9999, 86400, 10**6])
@pytest.mark.parametrize("lines", [count_lines, time_lines])
def test_the_last_line_is_never_below_the_most(most, lines):
    heights = [height for height, _ in lines(most)]
    assert heights[0] == 0
    assert heights == sorted(heights)
    assert heights[-1] >= most
