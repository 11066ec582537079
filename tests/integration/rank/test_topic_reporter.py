"""Reports on topics among the papers of the last 30 days of a ledger."""

from datetime import timedelta

import pytest

from digest.collect.merge import keys_of, merge
from digest.rank.topic_reporter import TopicReporter
from subscribers.preferences import Strictness
from subscribers.topics import parse_topics
from tests.support import TODAY, make_corpus, make_sighting

pytestmark = pytest.mark.both_databases
DUCKS = parse_topics(["ducks"])


def collect(ledger, *numbers, **facts):
    facts = {"title": "Ducks of a River", "abstract": "Ducks dive. We count ducks."} | facts
    sightings = [
        make_sighting(number, **(facts | {"title": f"{facts['title']} {number}"}))
        for number in numbers
    ]
    ledger.papers.absorb(keys_of(sightings), lambda known: merge(known, sightings))


@pytest.fixture
def reporter(ledger):
    return TopicReporter(ledger, make_corpus, None, Strictness.BROAD)


def test_without_papers_or_topics_there_is_nothing(ledger, reporter):
    assert reporter.report(DUCKS) == []
    collect(ledger, 1)
    assert reporter.report(()) == []


def test_the_papers_of_thirty_days_count_and_others_as_soon_as_they_are_collected(ledger, reporter):
    collect(ledger, 1, 2)
    collect(ledger, 3, listed_on=TODAY - timedelta(days=29))
    collect(ledger, 4, listed_on=TODAY - timedelta(days=30))
    (report,) = reporter.report(DUCKS)
    assert (report.papers, report.of, report.until) == (3, 3, TODAY)
    collect(ledger, 5)
    (report,) = reporter.report(DUCKS)
    assert (report.papers, report.of) == (4, 4)


def test_the_strictness_is_the_readers_or_else_the_operators(ledger, reporter):
    collect(ledger, 1)
    (broad,), (strict,) = reporter.report(DUCKS), reporter.report(DUCKS, Strictness.STRICT)
    assert (broad.strictness, strict.strictness) == (Strictness.BROAD, Strictness.STRICT)
