"""Whoever confirms gets the latest edition at once: once, in the books, and not too much."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from digest.ledger.tables import deliveries
from digest.model.digests import SkipReason
from digest.monitoring.why_text import why_lines
from digest.plan import planning as planning_module
from digest.plan.edition_planner import EditionPlanner
from digest.plan.planning import Planning
from subscribers.model import CONFIRM_LINK, SuppressionReason
from subscribers.preferences import Preferences
from subscribers.topics import parse_topics
from tests.integration.birds import FRIDAY, MONDAY, SATURDAY, SUNDAY, House, pass_hours
from tests.support import TODAY, make_settings

pytestmark = pytest.mark.both_databases

HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
NOON = FRIDAY + 4 * HOUR


class Street(House):
    """A house with an edition on Friday at eight, whose newcomers join by the link."""

    def __init__(self, ledger, registry, folder, **settings) -> None:
        super().__init__(ledger, registry, folder)
        self.settings = make_settings(
            home=str(folder), lookback_days="0", max_trending="5", **settings
        )
        self.empty_handed: list[set[int]] = []

    def joins(self, name: str, *topics: str, now=NOON, **wishes) -> None:
        address = f"{name}@example.org"
        preferences = Preferences.from_json(wishes)
        asked = self.registry.ask(
            address, parse_topics(topics), preferences, source="form", now=now - MINUTE
        )
        assert self.registry.confirm(asked.public_id, source=CONFIRM_LINK, now=now)

    def leaves(self, name: str, now) -> None:
        person = self.registry.file_of(f"{name}@example.org").subscriber
        self.registry.withdraw(person.public_id, source="test", now=now)

    def look(self, now) -> list[str]:
        """Do what the schedule does every few seconds; return who was sent something."""
        pipeline = self.pipeline
        assert pipeline.plan_first(now) == ()
        pipeline.deliver(now)
        return self.mailed()

    @property
    def pipeline(self):
        pipeline = super().pipeline
        pipeline._welcome = lambda people: self.empty_handed.append(people) if people else None
        return pipeline

    def balance(self, day=TODAY):
        return self.ledger.editions.balance(self.ledger.editions.on(day))


@pytest.fixture
def street(ledger, registry, tmp_path) -> Street:
    street = Street(ledger, registry, tmp_path)
    street.pipeline.tick(FRIDAY)
    return street


# ---- who gets it --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wishes",
    [{}, {"at": "18:00"}, {"cadence": "weekly"}, {"cadence": "monthly"}, {"cadence": "sun"}],
    ids=repr,
)
def test_whoever_confirms_gets_the_latest_edition_whatever_their_days(street, wishes):
    street.joins("ada", **wishes)
    assert street.look(NOON) == ["ada"]
    assert street.became(TODAY) == {"ada": "accepted"}
    assert (street.balance().due, street.balance().is_balanced) == (1, True)


def test_it_comes_once_and_their_own_time_that_day_brings_no_second_one(street):
    street.joins("ada", at="18:00")
    assert pass_hours(street, NOON, 1) == {"ada": [NOON]}
    street.joins("bob", now=NOON + HOUR)
    assert pass_hours(street, NOON + HOUR, 11) == {"bob": [NOON + HOUR]}
    tomorrow = pass_hours(street, SATURDAY, 12)
    assert tomorrow == {"bob": [SATURDAY], "ada": [SATURDAY + 10 * HOUR]}
    assert not set(street.papers("ada", TODAY)) & set(street.papers("ada", SATURDAY.date()))


def test_the_next_digest_of_a_weekly_reader_has_only_what_came_after(street):
    street.joins("ada", cadence="weekly")
    came = pass_hours(street, NOON, 72)
    assert came == {"ada": [NOON, MONDAY]}
    shown = street.papers("ada", TODAY)
    assert shown
    assert not set(shown) & set(street.papers("ada", MONDAY.date()))


def test_without_an_edition_there_is_none_and_their_own_time_brings_the_first(
    ledger, registry, tmp_path
):
    street = Street(ledger, registry, tmp_path)
    street.joins("ada", now=FRIDAY - HOUR)
    assert street.look(FRIDAY - HOUR) == []
    assert pass_hours(street, FRIDAY, 2) == {"ada": [FRIDAY]}


def test_an_edition_without_papers_is_not_the_latest(street):
    street.source.rests = True
    for day in (SATURDAY, SUNDAY):
        pass_hours(street, day, 1)
    noon = SUNDAY + 4 * HOUR
    street.joins("ada", now=noon)
    street.joins("eve", now=noon, cadence="weekly")
    assert pass_hours(street, noon, 3) == {"ada": [noon], "eve": [noon]}
    assert street.became(TODAY) == {"ada": "accepted", "eve": "accepted"}


def test_an_edition_of_long_ago_is_none(street):
    later = FRIDAY + 8 * DAY
    street.joins("ada", now=later, cadence="weekly")
    assert street.look(later) == []


def test_whoever_was_added_by_the_operator_waits_for_their_own_time(street):
    street.registry.add("ada@example.org", (), source="test", now=NOON)
    assert street.look(NOON) == []


def test_whoever_confirms_again_does_not_get_it_again(street):
    street.joins("ada")
    assert street.look(NOON) == ["ada"]
    street.leaves("ada", NOON + HOUR)
    street.joins("ada", now=NOON + 2 * HOUR)
    assert street.look(NOON + 2 * HOUR) == []


def test_whoever_comes_back_later_gets_what_they_have_not_had(street):
    street.joins("ada")
    assert street.look(NOON) == ["ada"]
    street.leaves("ada", NOON + HOUR)
    pass_hours(street, SATURDAY, 1)
    street.joins("ada", now=SATURDAY + HOUR, cadence="weekly")
    assert street.look(SATURDAY + HOUR) == ["ada"]
    assert not set(street.papers("ada", TODAY)) & set(street.papers("ada", SATURDAY.date()))


def test_whoever_had_a_newer_edition_gets_no_older_one(street):
    street.joins("ada", cadence="sun")
    street.look(NOON)
    street.source.rests = True
    pass_hours(street, SATURDAY, 28)
    street.leaves("ada", SUNDAY + 5 * HOUR)
    street.joins("ada", now=SUNDAY + 6 * HOUR, cadence="sun")
    assert street.look(SUNDAY + 6 * HOUR) == []


def test_nobody_gets_one_after_leaving_nor_to_a_blocked_address(street):
    street.joins("ada")
    street.joins("bob")
    street.registry.suppressions.add("bob@example.org", SuppressionReason.OPERATOR, now=NOON)
    street.pipeline.plan_first(NOON)
    street.leaves("ada", NOON)
    street.pipeline.deliver(NOON)
    assert street.mailed() == []
    assert street.became(TODAY)["ada"] == "skipped withdrawn"
    assert street.balance().is_balanced


def test_where_the_operator_wants_none_there_is_none(ledger, registry, tmp_path):
    street = Street(ledger, registry, tmp_path, first_digest="no")
    street.pipeline.tick(FRIDAY)
    street.joins("ada")
    street.joins("eve", at="18:00")
    assert pass_hours(street, NOON, 12) == {"eve": [FRIDAY + 10 * HOUR]}
    assert "ada" in pass_hours(street, SATURDAY, 1)
    assert street.balance().is_balanced


# ---- what is in it ------------------------------------------------------------------------------


def test_if_nothing_matches_they_are_told_what_will_come(street):
    street.joins("ada", "ducks")
    street.joins("bob", "sourdough bread", trending=False)
    street.joins("cyn", "ducks", min_papers=9)
    street.joins("eve", "sourdough bread", trending=False, note_when_nothing=True)
    assert street.look(NOON) == ["ada", "eve"]
    nothing = {
        street.registry.file_of(f"{name}@example.org").subscriber.id for name in ("bob", "cyn")
    }
    assert street.empty_handed == [nothing]
    assert street.became(TODAY)["bob"] == f"skipped {SkipReason.NOTHING_MATCHED}"
    assert street.look(NOON + MINUTE) == []
    assert street.empty_handed == [nothing], "once"
    assert street.balance().is_balanced


def test_a_pause_is_respected(street):
    street.joins("ada", paused_until="2026-03-01")
    assert street.look(NOON) == []
    assert street.became(TODAY) == {"ada": "skipped paused"}


def test_while_sending_is_paused_it_waits_and_goes_out_afterwards(street):
    street.ledger.provider_queues.pause("*", "a test", NOON)
    street.joins("ada")
    assert street.look(NOON) == []
    assert street.became(TODAY) == {"ada": "pending"}
    street.ledger.provider_queues.resume(None, NOON + HOUR)
    assert street.look(NOON + HOUR) == ["ada"]


# ---- the books ----------------------------------------------------------------------------------


def test_a_thousand_at_once_are_planned_in_one_go(street):
    names = [f"n{number}" for number in range(60)]
    for name in names:
        street.joins(name)
    assert sorted(street.look(NOON)) == sorted(names)
    assert street.balance().accepted == 60


@pytest.mark.parametrize("lost", ["plans", "people", "all"])
def test_a_first_digest_that_is_lost_is_told(street, monkeypatch, lost):
    for name in ("ada", "bob", "cyn", "eve"):
        street.joins(name)
    if lost == "plans":
        whole = EditionPlanner.plans
        monkeypatch.setattr(EditionPlanner, "plans", lambda *given: list(whole(*given))[::2])
    elif lost == "people":
        some = street.registry.some
        monkeypatch.setattr(street.registry, "some", lambda ids: some(ids)[::2])
    else:
        monkeypatch.setattr(planning_module, "first_due", lambda *_: {})
        monkeypatch.setattr(Planning, "newcomers", lambda *_: {"some": {1}})
    there_are = 0 if lost == "all" else 2
    [said] = street.pipeline.plan_first(NOON)
    assert said == (
        f"the balance of {TODAY} does not add up: 4 are due, and {there_are} have a delivery"
    )


def test_a_process_that_dies_after_the_confirming_loses_nobody(street, monkeypatch):
    for name in ("ada", "bob"):
        street.joins(name)
    whole = EditionPlanner.plans

    def dies(*given):
        yield next(iter(whole(*given)))
        raise KeyboardInterrupt

    monkeypatch.setattr(EditionPlanner, "plans", dies)
    with pytest.raises(KeyboardInterrupt):
        street.pipeline.plan_first(NOON)
    monkeypatch.setattr(EditionPlanner, "plans", whole)
    assert street.look(NOON + MINUTE) == ["ada", "bob"]
    with street.ledger.engine.connect() as connection:
        assert len(connection.execute(select(deliveries.c.id)).all()) == 2


def test_nothing_is_asked_for_when_nobody_is_new(street, monkeypatch):
    street.joins("ada")
    street.look(NOON)
    monkeypatch.setattr(Planning, "first", None)
    assert street.look(NOON + MINUTE) == []


def test_it_is_explained(street):
    street.joins("ada", cadence="weekly")
    street.look(NOON)
    person = street.registry.file_of("ada@example.org")
    lines = list(why_lines(street.explain(person, TODAY, NOON + MINUTE), ZoneInfo("UTC")))
    assert "due for it: at once, because they confirmed at 2026-02-20 12:00" in lines
    pass_hours(street, SATURDAY, 49)
    person = street.registry.file_of("ada@example.org")
    later = street.explain(person, MONDAY.date(), MONDAY + MINUTE)
    assert later.first_since is None


def test_planning_for_all_tells_of_a_lost_first_digest_too(street, monkeypatch):
    for name in ("ada", "bob"):
        street.joins(name, cadence="weekly")
    whole = EditionPlanner.plans
    monkeypatch.setattr(EditionPlanner, "plans", lambda *given: list(whole(*given))[::2])
    [said] = street.pipeline.plan(NOON)
    assert "2 are due, and 1 have a delivery" in said


def test_a_row_that_says_that_there_were_no_papers_is_no_first_digest(street):
    """They confirmed while others were planned for, by their own time, for an empty edition."""
    street.source.rests = True
    for day in (SATURDAY, SUNDAY):
        pass_hours(street, day, 1)
    noon = SUNDAY + 4 * HOUR
    street.joins("ada", now=noon)
    street.planning.due(noon)
    assert street.became(SUNDAY.date()) == {"ada": "skipped no-papers"}
    assert street.look(noon) == ["ada"]
    assert street.became(TODAY) == {"ada": "accepted"}


def test_a_confirmation_that_was_imported_brings_none(street):
    asked = street.registry.ask("ada@example.org", (), source="form", now=NOON)
    street.registry.confirm(asked.public_id, source="import of people.csv", now=NOON)
    assert street.look(NOON) == []
