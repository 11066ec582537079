"""The course of votes: what is drawn, and that it stays within the picture."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from digest.compose.language import ENGLISH
from digest.model.papers import Observation, Signals
from digest.web.vote_plot import HEIGHT, LEAST_POINTS, MOST_POINTS, WIDTH, vote_plot
from tests.support import NOW

OBSERVED = st.lists(
    st.builds(
        Observation,
        source=st.sampled_from(["huggingface", "other"]),
        seen_at=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
        signals=st.builds(Signals, st.none() | st.integers(-5, 10**9)),
    ),
    max_size=60,
)


def seen(*votes, step=timedelta(hours=8), source="huggingface"):
    return [
        Observation(source, NOW + number * step, Signals(count))
        for number, count in enumerate(votes)
    ]


def points(text):
    return [tuple(map(float, point.split(","))) for point in text.split()]


def test_three_observations_make_a_course():
    assert vote_plot(seen(1, 2), ENGLISH) is None
    plot = vote_plot(seen(2, 4, 4, 8), ENGLISH)
    assert points(plot.line) == [(14, 48.5), (82, 37), (150, 37), (218, 14)]
    assert plot.end == (218, 14)
    assert points(plot.area)[0] == (14, 60)
    assert plot.about == "Votes: 2 on 20 Feb 2026, 8 on 21 Feb 2026"
    assert plot.votes[0] == ("20 Feb 2026, 08:00", "2")
    assert len(plot.votes) == 4


def test_only_one_source_is_drawn_and_what_it_does_not_say_is_no_zero():
    between = timedelta(hours=5)
    others = [*seen(900, 901, source="other", step=between), *seen(None, None, None)]
    assert vote_plot([*others, *seen(5, 6)], ENGLISH) is None
    plot = vote_plot([*others, *seen(5, 6, 7)], ENGLISH)
    assert [count for _, count in plot.votes] == ["5", "6", "7"]


def test_no_votes_at_all_are_a_line_at_the_bottom():
    plot = vote_plot(seen(0, 0, 0), ENGLISH)
    assert {y for _, y in points(plot.line)} == {60}


@given(OBSERVED)
def test_every_course_stays_in_the_picture(observed):
    plot = vote_plot(observed, ENGLISH)
    if plot is None:
        return
    line = points(plot.line)
    assert LEAST_POINTS <= len(line) == len(plot.votes) <= MOST_POINTS
    assert line == sorted(line, key=lambda point: point[0])
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points(plot.area))
