"""The votes of a paper over time, as a small plot. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from digest.compose.language import Language
from digest.model.papers import Observation

LEAST_POINTS = 3  # fewer tell no course
MOST_POINTS = 40
WIDTH, HEIGHT = 260, 84  # pixels
_LEFT, _RIGHT, _TOP, _BOTTOM = 14, 218, 14, 60  # where the course is drawn


@dataclass(frozen=True, slots=True)
class VotePlot:
    """The plot: ``line`` and ``area`` are points as SVG writes them, ``end`` is the last of them.

    ``votes`` has the same in a table: moments and counts in words. ``about`` says it in a sentence.
    """

    line: str
    area: str
    end: tuple[float, float]
    first: str
    last: str
    count: str
    about: str
    votes: list[tuple[str, str]]
    width: int = WIDTH
    height: int = HEIGHT
    base: int = _BOTTOM
    left: int = _LEFT
    right: int = _RIGHT


def vote_plot(observed: Sequence[Observation], language: Language) -> VotePlot | None:
    """Draw what was observed, in the order of time; None if it is too little."""
    course = _thinned(_course(observed))
    if len(course) < LEAST_POINTS or course[0][0] == course[-1][0]:
        return None
    points = _points(course)
    line = " ".join(f"{x:g},{y:g}" for x, y in points)
    (since, before), (until, count) = course[0], course[-1]
    return VotePlot(
        line=line,
        area=f"{_LEFT},{_BOTTOM} {line} {points[-1][0]:g},{_BOTTOM}",
        end=points[-1],
        first=language.medium_date(since.date()),
        last=language.medium_date(until.date()),
        count=language.short_number(count),
        about=language.gettext(
            "Votes: %(before)s on %(since)s, %(count)s on %(until)s",
            before=language.number(before),
            since=language.medium_date(since.date()),
            count=language.number(count),
            until=language.medium_date(until.date()),
        ),
        votes=[
            (f"{language.medium_date(moment.date())}, {moment:%H:%M}", language.number(upvotes))
            for moment, upvotes in course
        ],
    )


def _course(observed: Sequence[Observation]) -> list[tuple[datetime, int]]:
    """Return the votes by the source that states them most often: others may count differently."""
    voted = [each for each in observed if each.signals.upvotes is not None]
    if not voted:
        return []
    [(source, _)] = Counter(each.source for each in voted).most_common(1)
    by_moment = {each.seen_at: each.signals.upvotes or 0 for each in voted if each.source == source}
    return sorted(by_moment.items())


def _thinned(course: list[tuple[datetime, int]]) -> list[tuple[datetime, int]]:
    """Leave out points between the first and the last, evenly, until they are few enough."""
    if len(course) <= MOST_POINTS:
        return course
    step = (len(course) - 1) / (MOST_POINTS - 1)
    return [course[round(number * step)] for number in range(MOST_POINTS)]


def _points(course: Sequence[tuple[datetime, int]]) -> list[tuple[float, float]]:
    start, highest = course[0][0], max(1, *(count for _, count in course))
    length = (course[-1][0] - start).total_seconds()
    return [
        (
            round(_LEFT + (moment - start).total_seconds() / length * (_RIGHT - _LEFT), 1),
            round(_BOTTOM - max(0, count) / highest * (_BOTTOM - _TOP), 1),
        )
        for moment, count in course
    ]
