"""What the doctor says about the answers of sources."""

import pytest

from digest.doctor.diagnosis import Level
from digest.doctor.source_answers import examine_sources, judge_answer
from digest.errors import SourceError
from digest.model.papers import Harvest, Rejection
from tests.support import NOW, TODAY, make_sighting

BAD = tuple(Rejection("here", f"entry {number}", "no title") for number in range(3))


class Source:
    name = "pond"

    def __init__(self, answer):
        self._answer = answer
        self.asked = []

    def collect(self, days, now):
        self.asked += days
        if isinstance(self._answer, Exception):
            raise self._answer
        yield self._answer


@pytest.mark.parametrize(
    ("harvest", "level", "said"),
    [
        (Harvest((make_sighting(1),)), Level.GOOD, "pond answers; papers of two days: 1."),
        (Harvest(), Level.GOOD, "pond answers; papers of two days: 0."),
        (Harvest((make_sighting(1),), BAD[:1]), Level.GOOD, "pond answers"),
        (
            Harvest((make_sighting(1),), BAD),
            Level.PROBLEM,
            "3 of 4 papers cannot be read (no title)",
        ),
        (
            Harvest(rejected=(Rejection.of_day("pond", TODAY, "HTTP 500"),)),
            Level.PROBLEM,
            "pond does not answer: HTTP 500.",
        ),
    ],
)
def test_an_answer_is_judged_by_its_form(harvest, level, said):
    diagnosis = judge_answer("pond", harvest)
    assert diagnosis.level is level
    assert said in diagnosis.what


def test_each_source_is_asked_for_two_days():
    source = Source(Harvest((make_sighting(1),)))
    [diagnosis] = examine_sources(lambda: [source], NOW)
    assert diagnosis.level is Level.GOOD
    assert [(TODAY - day).days for day in source.asked] == [1, 0]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (SourceError("HTTP 404"), "pond does not answer: HTTP 404."),
        (ZeroDivisionError("x"), "pond has a fault of its own: ZeroDivisionError('x')."),
    ],
)
def test_one_that_fails_costs_itself(error, said):
    bad, good = examine_sources(lambda: [Source(error), Source(Harvest())], NOW)
    assert (bad.level, bad.what) == (Level.PROBLEM, said)
    assert good.level is Level.GOOD


def test_one_that_is_not_installed_is_told():
    def none():
        raise SourceError("there is no source 'duck'; installed are: arxiv")

    [diagnosis] = examine_sources(none, NOW)
    assert diagnosis.what == "there is no source 'duck'; installed are: arxiv."
