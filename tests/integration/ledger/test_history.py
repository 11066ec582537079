"""What is written down of collections and runs, on both databases, and what the figures say."""

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, update

from digest.errors import SourceError
from digest.ledger.history import MOST_REJECTIONS, Collection
from digest.ledger.outcomes import Sought
from digest.ledger.tables import editions
from digest.model.deliveries import DeliveryState
from digest.model.digests import SkipReason
from digest.model.messages import Outcome, OutcomeKind
from digest.model.papers import Harvest, Rejection
from subscribers.store.overview import Overview
from tests.integration.ledger.test_papers import absorb
from tests.integration.pipelines import deliver_nothing, make_collector, make_pipeline
from tests.integration.plans import claim, lease_only, plan, record, skip
from tests.integration.senders import make_delivery_worker
from tests.integration.site import COMPOSER
from tests.support import NOW, TODAY, make_settings, make_sighting

YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
DAY = timedelta(days=1)


class Source:
    """Gives what it was told to, and then perhaps fails."""

    def __init__(self, name, *parts, fault=""):
        self.name = name
        self._parts = parts
        self._fault = fault

    def collect(self, days, now):
        yield from self._parts
        if self._fault:
            raise SourceError(self._fault)


class Post:
    """A transport that says what it was told to, and takes its time: the clock's."""

    takes_smtputf8 = False

    def __init__(self, clock=None, outcome=None):
        self._clock = clock
        self._outcome = outcome or Outcome(OutcomeKind.ACCEPTED, "ok", 250)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def send(self, message):
        if self._clock:
            self._clock.now += timedelta(seconds=90)
        return self._outcome


class MailSchedule:
    def __init__(self):
        self.now = datetime(2020, 1, 1, tzinfo=UTC)  # only what passes on it counts

    def __call__(self):
        return self.now


@pytest.fixture
def history(ledger):
    return ledger.history


@pytest.fixture
def clock():
    return MailSchedule()


@pytest.fixture
def composer():
    return COMPOSER


def pipeline(ledger, registry, *sources, deliver=deliver_nothing, clock=None, **settings):
    given = {"clock": clock} if clock else {}
    return make_pipeline(
        make_settings(**settings), ledger, registry, lambda: sources, deliver, **given
    )


def collection(**changes):
    return replace(Collection(TODAY, NOW, "huggingface"), **changes)


def entry(number, why="no title"):
    return Rejection("https://papers.example.org/today", f"entry {number}", why)


# ---- collections -----------------------------------------------------------------------------


def test_each_source_of_a_collection_is_a_row(ledger, registry):
    absorb(ledger, make_sighting(3, upvotes=1))
    seen = [make_sighting(n, upvotes=5) for n in (1, 2, 3)]
    looked_up = make_sighting(1, source="arxiv", listed_on=None, upvotes=None, abstract="More.")
    done = pipeline(
        ledger,
        registry,
        Source("huggingface", Harvest(tuple(seen), (entry(7),))),
        Source("arxiv", Harvest((looked_up,))),
    ).collect([TODAY], NOW)
    assert (done.new, done.updated) == (2, 1)
    assert ledger.history.collected_for(TODAY) == [
        collection(sightings=3, new=2, updated=1, rejected=1, rejections=(entry(7),)),
        collection(source="arxiv", sightings=1, new=1),
    ]


def test_a_source_that_fails_is_a_row_with_its_failure_and_what_came_before_it(ledger, registry):
    given = Harvest((make_sighting(1),))
    broken = Source("huggingface", given, fault="503 Service Unavailable")
    pipeline(ledger, registry, broken, Source("arxiv")).collect([TODAY], NOW)
    assert ledger.history.collected_for(TODAY) == [
        collection(sightings=1, new=1, failure="503 Service Unavailable"),
        collection(source="arxiv"),
    ]


def test_a_reading_of_files_is_one_row(ledger, registry, tmp_path):
    folder = tmp_path / "recorded"
    folder.mkdir()
    (folder / "a.json").write_text("no json", encoding="utf-8")
    (folder / "b.json").write_text("[]", encoding="utf-8")
    make_collector(make_settings(), ledger).collect_files([folder], None, NOW)
    [row] = ledger.history.collected_for(TODAY)
    assert (row.source, row.sightings, row.rejected) == ("files", 0, 1)
    assert row.rejections[0].file == str(folder / "a.json")


def test_the_day_of_a_collection_is_the_operators(ledger, registry):
    late = NOW.replace(hour=23)
    pipeline(ledger, registry, Source("arxiv"), timezone="Asia/Tokyo").collect([TODAY], late)
    assert ledger.history.collected_for(TODAY) == []
    [row] = ledger.history.collected_for(TOMORROW)
    assert row.at == late


def test_of_many_that_cannot_be_read_the_first_are_kept_and_all_are_counted(history):
    many = tuple(entry(n) for n in range(MOST_REJECTIONS + 50))
    history.record_collection(collection(rejected=len(many), rejections=many))
    [kept] = history.collected_for(TODAY)
    assert kept.rejected == MOST_REJECTIONS + 50
    assert kept.rejections == many[:MOST_REJECTIONS]


def test_what_no_database_takes_stops_nothing(history):
    hostile = "a\x00b\ud800c" + "d" * 100_000
    history.record_collection(
        collection(source=hostile, rejected=1, rejections=(entry(1, hostile),), failure=hostile)
    )
    history.end_run(history.begin_run(TODAY, NOW), NOW, timedelta(), (hostile,))
    [kept] = history.collected_for(TODAY)
    [run] = history.runs(1)
    for text in (kept.source, kept.failure, kept.rejections[0].why, *run.trouble):
        assert text.startswith("a b c")
        assert len(text) <= 10_000


def test_collections_come_oldest_first_and_the_latest_of_many(history):
    for n in range(5):
        history.record_collection(collection(at=NOW + n * timedelta(hours=1), sightings=n))
    found = history.collected_for(TOMORROW, most=3)
    assert [each.sightings for each in found] == [2, 3, 4]
    assert history.collected_for(YESTERDAY) == []


def test_what_was_collected_for_an_edition_came_after_the_one_before(ledger, history):
    """What came on the day before, but after its edition was frozen, is for this one."""
    for hours in (-25, -24, -23, 0):
        at = NOW + timedelta(hours=hours)
        history.record_collection(collection(day=at.date(), at=at, sightings=hours + 100))
    absorb(ledger, make_sighting(1, listed_on=YESTERDAY))
    ledger.editions.freeze(YESTERDAY, YESTERDAY, NOW - DAY)
    ledger.editions.freeze(TODAY, TODAY, NOW)
    assert [each.sightings for each in history.collected_for(YESTERDAY)] == [75, 76, 77]
    assert [each.sightings for each in history.collected_for(TODAY)] == [77, 100]


def test_an_edition_without_papers_parts_no_collections(ledger, history):
    history.record_collection(collection(day=YESTERDAY, at=NOW - DAY))
    ledger.editions.freeze(YESTERDAY, YESTERDAY, NOW - DAY)
    assert len(history.collected_for(TODAY)) == 1


def sending(ledger, registry, composer, post):
    return make_delivery_worker(make_settings(), ledger, registry, composer, post)


# ---- runs ------------------------------------------------------------------------------------


def test_a_run_is_written_down_with_how_long_it_took(ledger, registry, composer, clock):
    for name in ("ada", "grace"):
        registry.add(f"{name}@example.org", (), source="test", now=NOW)
    source = Source("huggingface", Harvest((make_sighting(1),)))
    for now in (NOW, NOW + DAY / 24):
        deliver = sending(ledger, registry, composer, Post(clock)).send
        line = pipeline(ledger, registry, source, deliver=deliver, clock=clock)
        line.tick(now, everybody=True)
    again, first = ledger.history.runs(9)
    assert (first.day, first.started_at, first.tried, first.trouble) == (TODAY, NOW, 2, ())
    assert first.duration == first.sending == timedelta(minutes=3)
    assert first.ended_at == NOW + timedelta(minutes=3)
    assert (again.tried, again.sending) == (0, timedelta())


def test_a_run_tells_its_trouble(ledger, registry, composer):
    broken = Source("huggingface", fault="503 Service Unavailable")
    deliver = sending(ledger, registry, composer, Post()).send
    done = pipeline(ledger, registry, broken, deliver=deliver).tick(NOW, everybody=True)
    [run] = ledger.history.runs(9)
    assert run.trouble == done.trouble
    assert run.trouble[0] == "huggingface: 503 Service Unavailable"


def test_a_run_that_is_broken_off_has_an_end(ledger, registry, composer):
    registry.add("ada@example.org", (), source="test", now=NOW)
    source = Source("huggingface", Harvest((make_sighting(1),)))

    class Killed(Post):
        def send(self, message):
            raise KeyboardInterrupt

    deliver = sending(ledger, registry, composer, Killed()).send
    line = pipeline(ledger, registry, source, deliver=deliver)
    with pytest.raises(KeyboardInterrupt):
        line.tick(NOW, everybody=True)
    [run] = ledger.history.runs(9)
    assert run.ended_at
    [figures] = ledger.history.days(TODAY, TODAY)
    assert (figures.balance.due, figures.balance.pending) == (1, 1)
    assert figures.balance.is_balanced


def test_runs_come_newest_first_page_by_page_or_by_day(history):
    for day in (YESTERDAY, TODAY, TODAY, TOMORROW):
        history.begin_run(day, NOW)
    assert [run.day for run in history.runs(2)] == [TOMORROW, TODAY]
    assert [run.day for run in history.runs(2, skip=2)] == [TODAY, YESTERDAY]
    assert len(history.runs_of(TODAY)) == 2


# ---- figures ---------------------------------------------------------------------------------


def plan_for(ledger, edition, *people):
    return {number: plan(ledger, edition, number) for number in people}


def finish(ledger, delivery, kind=OutcomeKind.ACCEPTED, text="ok"):
    with ledger.live_workers.enter() as claims:
        claim(ledger, claims, delivery)
        record(claims, delivery, Outcome(kind, text, 250), None, NOW)


@pytest.fixture
def edition(ledger):
    absorb(ledger, make_sighting(1), make_sighting(2))
    return ledger.editions.freeze(TODAY, TODAY, NOW)


def test_every_day_has_its_figures(ledger, history, edition):
    planned = plan_for(ledger, edition, 1, 2, 3)
    finish(ledger, planned[1])
    finish(ledger, planned[2], OutcomeKind.REFUSED)
    with ledger.live_workers.enter() as claims:
        lease_only(ledger, claims, planned[3])
        skip(claims, planned[3], SkipReason.PAUSED)
    for seconds in (60, 5):
        mark = history.begin_run(TODAY, NOW)
        history.end_run(mark, NOW + timedelta(minutes=2), timedelta(seconds=seconds), ())
    before, today, after = history.days(YESTERDAY, TOMORROW)
    assert (today.day, today.has_edition, today.papers) == (TODAY, True, 2)
    assert today.sending == timedelta(seconds=65)
    balance = today.balance
    assert (balance.due, balance.accepted, balance.refused, balance.skipped) == (3, 1, 1, 1)
    assert balance.skipped_for == {"paused": 1}
    assert balance == ledger.editions.balance(edition)
    for each in (before, after):
        assert (each.has_edition, each.papers, each.balance.due) == (False, 0, 0)
        assert each.sending == timedelta()
    assert (before.day, after.day) == (YESTERDAY, TOMORROW)


def test_what_is_settled_is_read_and_what_waits_is_counted(ledger, history, edition):
    planned = plan_for(ledger, edition, 1, 2)
    finish(ledger, planned[1])
    ledger.editions.close(edition)
    finish(ledger, planned[2])
    [today] = history.days(TODAY, TODAY)
    assert (today.balance.accepted, today.balance.pending) == (2, 0)
    settled = replace(today.balance, due=7, accepted=7)
    with ledger.engine.begin() as connection:
        stored = {**asdict(settled), "edition": TODAY.isoformat()}
        connection.execute(update(editions).values(balance=stored))
    [today] = history.days(TODAY, TODAY)
    assert today.balance == settled
    history.begin_run(TODAY, NOW)  # and is under way
    [today] = history.days(TODAY, TODAY)
    assert today.balance.accepted == 2


def test_editions_come_newest_first_page_by_page(ledger, history):
    for n in range(5):
        ledger.editions.freeze(TODAY + n * DAY, TODAY, NOW)
    assert [each.day - TODAY for each in history.editions(2)] == [4 * DAY, 3 * DAY]
    assert [each.day - TODAY for each in history.editions(2, skip=3)] == [DAY, 0 * DAY]
    assert history.editions(2, skip=5) == []
    assert list(history.editions_on([TODAY, YESTERDAY])) == [TODAY]
    assert history.editions_on([]) == {}


def test_a_year_takes_no_more_queries_than_a_day(ledger, history):
    for n in range(20):
        ledger.editions.freeze(TODAY + n * DAY, TODAY, NOW)
    asked = []
    event.listen(ledger.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    history.days(TODAY, TODAY)
    for_a_day = len(asked)
    history.days(TODAY, TODAY + 365 * DAY)
    assert len(asked) == 2 * for_a_day


# ---- who got what ----------------------------------------------------------------------------


def test_deliveries_are_found_by_address_and_state_page_by_page(ledger, registry, edition):
    names = ("ada", "grace", "Adam", "emmy_noether", "emmyxnoether")
    ids = {n: registry.add(f"{n}@example.org", (), source="test", now=NOW).id for n in names}
    planned = plan_for(ledger, edition, *ids.values(), 99)
    finish(ledger, planned[ids["ada"]], OutcomeKind.DEFERRED, "later")
    names_of = {number: name for name, number in ids.items()}

    def found(most=100, skip=0, **sought):
        reports = ledger.outcomes.page(edition, Sought(**sought), most, skip)
        return [names_of.get(report.delivery.subscriber_id) for report in reports]

    assert found() == [*names, None]
    assert found(address="ADA") == ["ada", "Adam"]
    assert found(address="emmy_") == ["emmy_noether"]  # and no placeholder
    assert found(address="%") == []
    assert found(address="@example.org", most=2, skip=1) == ["grace", "Adam"]
    assert found(state=DeliveryState.DEFERRED) == ["ada"]
    assert found(state=DeliveryState.DEFERRED, address="grace") == []
    assert ledger.outcomes.count(edition, Sought()) == 6
    assert ledger.outcomes.count(edition, Sought(address="ada")) == 2


def test_the_last_words_and_all_of_them(ledger, edition):
    [delivery] = plan_for(ledger, edition, 1).values()
    finish(ledger, delivery, OutcomeKind.DEFERRED, "first")
    finish(ledger, replace(delivery, attempts=1), OutcomeKind.DEFERRED, "second")
    [report] = ledger.outcomes.page(edition, Sought(), 10)
    assert (report.last_words, report.state) == ("second", DeliveryState.DEFERRED)
    assert report == ledger.deliveries.report(edition, 1)
    attempts = ledger.outcomes.attempts(delivery)
    assert [(attempt.text, attempt.code, attempt.at) for attempt in attempts] == [
        ("first", 250, NOW),
        ("second", 250, NOW),
    ]


# ---- people ----------------------------------------------------------------------------------


def test_withdrawals_are_counted_by_the_operators_day(registry):
    moments = {"ada": 8, "grace": 22, "emmy": 23, "alan": 24 + 22, "mary": 24 + 23}
    for name, hour in moments.items():
        who = registry.add(f"{name}@example.org", (), source="test", now=NOW)
        at = datetime(2026, 2, 20, tzinfo=UTC) + timedelta(hours=hour)
        registry.withdraw(who.public_id, source="test", now=at)
        registry.withdraw(who.public_id, source="test", now=at)  # leaving twice is leaving once
    overview = registry.overview
    assert overview.withdrawals_by_day(YESTERDAY, TODAY) == {YESTERDAY: 0, TODAY: 3}
    oslo = overview.withdrawals_by_day(TODAY, TOMORROW, ZoneInfo("Europe/Oslo"))
    assert oslo == {TODAY: 2, TOMORROW: 2}


def test_addresses_by_number(registry):
    ada = registry.add("ada@example.org", (), source="test", now=NOW)
    assert registry.overview.addresses_of([ada.id, 99]) == {ada.id: "ada@example.org"}
    assert registry.overview.addresses_of([]) == {}
    assert isinstance(registry.overview, Overview)
