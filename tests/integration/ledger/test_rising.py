"""What rises, as the stored observations tell it."""

from datetime import timedelta

import pytest

from digest.collect.merge import keys_of, merge
from digest.compose.card import card
from digest.model.digests import Pick, Section
from digest.model.papers import Signals
from tests.support import NOW, TODAY, make_sighting


def seen(ledger, hours_ago, upvotes, source="huggingface"):
    sighting = make_sighting(
        1, seen_at=NOW - timedelta(hours=hours_ago), signals=Signals(upvotes=upvotes), source=source
    )
    ledger.papers.absorb(keys_of([sighting]), lambda known: merge(known, [sighting]))


@pytest.mark.parametrize(
    ("observations", "risen"),
    [
        ([(0, 50)], 0),
        ([(20, 10), (0, 50)], 40),
        ([(60, 5), (30, 10), (20, 30), (0, 50)], 40),
        ([(20, 50), (0, 45)], 0),
        ([(30, 50)], 0),
    ],
)
def test_an_edition_keeps_what_its_papers_gained_in_a_day(ledger, observations, risen):
    for hours_ago, upvotes in observations:
        seen(ledger, hours_ago, upvotes)
    [candidate] = ledger.editions.freeze(TODAY, TODAY, NOW).candidates
    assert candidate.risen == risen
    assert ledger.editions.on(TODAY).candidates == (candidate,)


def test_two_sources_are_not_added_up(ledger):
    for hours_ago, upvotes, source in [(20, 10, "a"), (20, 100, "b"), (0, 18, "a"), (0, 130, "b")]:
        seen(ledger, hours_ago, upvotes, source)
    [candidate] = ledger.editions.freeze(TODAY, TODAY, NOW).candidates
    assert candidate.risen == 30


def test_the_reader_is_told_of_a_fast_rise_only(ledger):
    seen(ledger, 20, 10)
    seen(ledger, 0, 50)
    [candidate] = ledger.editions.freeze(TODAY, TODAY, NOW).candidates
    assert card(Pick(Section.TRENDING, candidate)).votes_in_words == "50 upvotes, +40 in a day"


def test_a_slow_rise_is_not_told(ledger):
    seen(ledger, 20, 47)
    seen(ledger, 0, 50)
    [candidate] = ledger.editions.freeze(TODAY, TODAY, NOW).candidates
    assert card(Pick(Section.TRENDING, candidate)).votes_in_words == "50 upvotes"
