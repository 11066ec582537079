"""Drafts of past days: their papers are read once, until others come."""

from collections import Counter
from datetime import timedelta

import pytest

from digest.collect.merge import keys_of, merge
from digest.ledger.history import Collection
from digest.plan.drafts import Drafts
from subscribers.preferences import Preferences
from subscribers.topics import parse_topics
from tests.integration.pipelines import make_planning
from tests.support import NOW, TODAY, make_settings, make_sighting

DUCKS = parse_topics(["ducks"])
TOMORROW = TODAY + timedelta(days=1)


def collect(ledger, *numbers):
    sightings = [
        make_sighting(number, title=f"Ducks, part {number}", abstract="Ducks on ponds.")
        for number in numbers
    ]
    ledger.papers.absorb(keys_of(sightings), lambda known: merge(known, sightings))


@pytest.fixture
def planning(ledger, registry):
    return make_planning(make_settings(), ledger, registry)


@pytest.fixture
def reads():
    """The days whose papers were read."""
    return Counter()


@pytest.fixture
def drafts(ledger, planning, reads):
    def ranker_on(day):
        reads[day] += 1
        return planning.ranker_on(day)

    return Drafts(ledger, ranker_on)


def test_a_day_is_read_once_until_papers_come_or_an_edition_is_made(ledger, drafts, reads):
    collect(ledger, 1)
    for topics in (DUCKS, parse_topics(["robots"]), DUCKS):
        drafts.draft(TODAY, topics)
    assert reads == {TODAY: 1}
    collect(ledger, 2)
    assert len(drafts.draft(TODAY, DUCKS).picks) == 2
    ledger.editions.freeze(TODAY, TODAY, NOW)
    drafts.draft(TODAY, DUCKS)
    ledger.history.record_collection(Collection(TODAY, NOW, "huggingface"))
    drafts.draft(TODAY, DUCKS)
    assert reads == {TODAY: 4}
    drafts.draft(TOMORROW, DUCKS)
    drafts.draft(TODAY, DUCKS)
    assert reads == {TODAY: 4, TOMORROW: 1}


def test_a_draft_is_the_same_whoever_asked_before(ledger, drafts, planning):
    collect(ledger, 1, 2, 3)
    ledger.editions.freeze(TODAY, TODAY, NOW)
    preferences = Preferences(exclusions=parse_topics(["title:3"]))
    for asked in (Preferences(), preferences, Preferences(), preferences):
        assert drafts.draft(TODAY, DUCKS, asked) == planning.draft(TODAY, DUCKS, asked)
