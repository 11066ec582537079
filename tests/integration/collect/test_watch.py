"""Sources that answer, but not as usual: what the status, the operator and the readers are told."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import insert

from digest.collect.arxiv_schedule import has_list
from digest.collect.watch import find_doubts
from digest.ledger.history import Collection
from digest.ledger.tables import listings, papers
from digest.model.papers import Harvest
from digest.monitoring.gathering import gather_status
from digest.monitoring.status import WarningKind
from tests.integration.pipelines import make_pipeline
from tests.support import NOW, TODAY, make_settings, make_sighting
from tests.unit.collect.test_volume import COUNTS

DAY = timedelta(days=1)
WEEK = timedelta(weeks=1)
USUAL = 12
SETTINGS = make_settings(
    sources="arxiv", arxiv_categories="cs.AI+q-bio", timezone="UTC", enough_papers="1"
)


class Listings:
    """A ledger in which a source has listed papers; each has one of two categories in turn."""

    def __init__(self, ledger, source="arxiv"):
        self.ledger = ledger
        self.source = source
        self._last = 0

    def add(self, day, count, categories=("cs.AI", "q-bio.NC")):
        facts = {column.name: "" for column in papers.c} | {"published_on": None}
        facts |= {"author_count": 0, "citations": 0, "authors": [], "keywords": []}
        facts |= {"first_seen": NOW}
        rows = []
        for _ in range(count):
            self._last += 1
            categories = (*categories[1:], categories[0])
            number = {"id": self._last, "key": f"test:{self._last}", "title": f"{self._last}"}
            rows.append({**facts, **number, "categories": list(categories[:1])})
        listed = [{"paper_id": row["id"], "source": self.source, "listed_on": day} for row in rows]
        with self.ledger.engine.begin() as connection:
            if rows:
                connection.execute(insert(papers), rows)
                connection.execute(insert(listings), listed)

    def add_weeks(self, day, count=USUAL):
        for number in range(1, 9):
            if has_list(day - number * WEEK):
                self.add(day - number * WEEK, count)

    def collected(self, at=NOW, sightings=USUAL, failure=""):
        self.ledger.history.record_collection(
            Collection(at.date(), at, self.source, sightings, failure=failure)
        )

    def warnings(self, registry, now=NOW, settings=SETTINGS):
        found = gather_status(self.ledger, registry, settings, now).warnings
        kinds = {WarningKind.SOURCE, WarningKind.FEW_PAPERS}
        return [(warning.kind, warning.text) for warning in found if warning.kind in kinds]


@pytest.fixture
def arxiv(ledger):
    return Listings(ledger)


def test_a_list_as_usual_is_no_warning(arxiv, registry):
    arxiv.add_weeks(TODAY)
    arxiv.add(TODAY, USUAL)
    arxiv.collected()
    assert arxiv.warnings(registry) == []


def test_a_feed_of_yesterday_is_told_even_in_the_first_week(arxiv, registry):
    arxiv.add(TODAY - DAY, USUAL)
    arxiv.collected()
    text = "arxiv: the list of 2026-02-20 is not there; it still gives that of 2026-02-19"
    assert arxiv.warnings(registry) == [(WarningKind.FEW_PAPERS, text)]


def test_a_feed_without_anything_is_told(arxiv, registry):
    arxiv.add_weeks(TODAY)
    arxiv.collected(sightings=0)
    text = "arxiv: no papers on Friday, 2026-02-20; usual are 12"
    assert arxiv.warnings(registry) == [(WarningKind.FEW_PAPERS, text)]


def test_half_a_feed_is_told(arxiv, registry):
    arxiv.add_weeks(TODAY)
    arxiv.add(TODAY, USUAL // 2 - 1)
    arxiv.collected()
    text = "arxiv: 5 papers on Friday, 2026-02-20; usual are 12"
    assert arxiv.warnings(registry) == [(WarningKind.FEW_PAPERS, text)]


def test_a_category_that_is_not_there_is_told(arxiv, registry):
    arxiv.add_weeks(TODAY)
    arxiv.add(TODAY, USUAL // 2 + 1, ["cs.AI"])
    arxiv.collected()
    text = "arxiv: no papers in q-bio on Friday, 2026-02-20; usual are 6"
    assert arxiv.warnings(registry) == [(WarningKind.FEW_PAPERS, text)]


def test_a_holiday_is_no_warning(arxiv, registry):
    after_thanksgiving = date(2026, 11, 27)
    arxiv.add_weeks(after_thanksgiving)
    arxiv.add_weeks(after_thanksgiving - DAY)
    arxiv.add(after_thanksgiving - DAY, USUAL)
    now = datetime(2026, 11, 27, 12, tzinfo=UTC)
    arxiv.collected(now, sightings=0)
    assert arxiv.warnings(registry, now) == []


def test_a_weekend_is_no_warning(arxiv, registry):
    arxiv.add_weeks(TODAY)
    arxiv.add(TODAY, USUAL)
    for now in (NOW + DAY, NOW + 2 * DAY):
        arxiv.collected(now, sightings=0)
        assert arxiv.warnings(registry, now) == []


def test_before_the_feed_is_made_nothing_is_missed(arxiv, registry):
    arxiv.add(TODAY - DAY, USUAL)
    night = NOW.replace(hour=4)
    arxiv.collected(night)
    assert arxiv.warnings(registry, night) == []


def test_a_source_that_is_down_for_two_days_is_told_with_since_when(arxiv, registry):
    arxiv.add_weeks(TODAY)
    arxiv.collected(NOW - 3 * DAY)
    for hours in range(48, -1, -12):
        arxiv.collected(NOW - timedelta(hours=hours), 0, "HTTP 503")
    text = "arxiv cannot be collected since 2026-02-18 08:00 UTC: HTTP 503"
    assert arxiv.warnings(registry) == [(WarningKind.SOURCE, text)]


def test_ordinary_recorded_days_are_no_warning(ledger):
    source = Listings(ledger, "huggingface")
    for day, count in COUNTS.items():
        source.add(day, count)
    judged = 0
    for day in list(COUNTS)[-45:]:
        source.collected(datetime(day.year, day.month, day.day, 8, tzinfo=UTC) + DAY)
        assert find_doubts(ledger, make_settings(sources="huggingface")) == []
        judged += 1
    assert judged >= 40


def test_a_day_of_another_source_is_judged_when_it_is_over(ledger):
    source = Listings(ledger, "huggingface")
    source.add_weeks(TODAY)
    source.collected(NOW)  # on Friday, when Thursday is judged
    settings = make_settings(sources="huggingface")
    assert find_doubts(ledger, settings) == []
    source.collected(NOW + DAY)
    [doubt] = find_doubts(ledger, settings)
    assert doubt.why.startswith("the list of 2026-02-20 is not there")


class Stale:
    """arXiv with the list of yesterday."""

    name = "arxiv"

    def collect(self, days, now):
        numbers = range(9_000, 9_010)
        yield Harvest(
            tuple(
                make_sighting(number, source="arxiv", listed_on=TODAY - DAY) for number in numbers
            )
        )


def test_the_operator_is_told_and_the_edition_lacks_the_source(ledger, registry):
    run = make_pipeline(SETTINGS, ledger, registry, lambda: [Stale()]).tick(NOW, everybody=True)
    assert run.trouble == (
        "arxiv: the list of 2026-02-20 is not there; it still gives that of 2026-02-19",
    )
    assert ledger.editions.on(TODAY).missing == ("arxiv",)
