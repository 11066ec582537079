"""Papers that get votes after their edition was made: who is shown them, where and how often."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from digest.ledger.ledger import Ledger
from digest.ledger.tables import deliveries
from digest.model.deliveries import DeliveryState
from digest.model.digests import Section
from digest.model.papers import Harvest
from subscribers.store.registry import Registry
from tests.integration.birds import FRIDAY, MONDAY, SATURDAY, SUNDAY, House
from tests.support import make_settings, make_sighting

DAY = timedelta(days=1)
PAPERS = 20  # a day


class Voted:
    """A source of as many papers each day; ``votes`` are those that some have by now."""

    name = "huggingface"

    def __init__(self) -> None:
        self.votes: dict[str, int] = {}
        self.rests = False
        self.asked: list[date] = []

    def collect(self, days: Sequence[date], now: datetime) -> Iterator[Harvest]:
        self.asked = [*days]
        for day in () if self.rests else days:
            titles = [title_of(day, number) for number in range(PAPERS)]
            yield Harvest(
                tuple(
                    make_sighting(
                        day.timetuple().tm_yday * 100 + number,
                        title=title,
                        upvotes=self.votes.get(title, PAPERS - number),
                        listed_on=day,
                        seen_at=now,
                    )
                    for number, title in enumerate(titles)
                )
            )


def title_of(day: date, number: int) -> str:
    """The paper of a day with the most votes has the number 0; number 15 is on ducks."""
    return f"{'Ducks' if number == 15 else 'Geese'} {number} of {day:%A} {day.day} {day:%B}"


class Voters(House):
    def __init__(self, ledger: Ledger, registry: Registry, folder: Path) -> None:
        super().__init__(ledger, registry, folder)
        self.settings = make_settings(home=str(folder), lookback_days="0", max_for_you="6")
        self.source = Voted()

    def vote(self, day: datetime, number: int, votes: int, now: datetime) -> str:
        """Votes for a paper of a day, which become known."""
        title = title_of(day.date(), number)
        self.source.votes[title] = votes
        self.pipeline.collect([day.date()], now)
        return title

    def mail_days(self, name: str) -> set[date]:
        """The days with whose edition somebody has a row."""
        days = [day for day, _ in self.ledger.editions.days(99)]
        return {day for day in days if name in self.became(day)}

    def shown(self, name: str, now: datetime) -> dict[str, list[str]]:
        """What somebody got with the edition of a day, by section."""
        return self.sections(name, now.date())


@pytest.fixture
def house(ledger: Ledger, registry: Registry, tmp_path: Path) -> Voters:
    return Voters(ledger, registry, tmp_path)


def test_a_paper_that_rises_the_next_day_is_shown_to_who_had_not_seen_it(house):
    house.add("ada")
    house.run(FRIDAY)
    late = house.vote(FRIDAY, 15, 500, SATURDAY - DAY / 24)
    assert late not in house.shown("ada", FRIDAY)["trending"]
    house.run(SATURDAY)
    assert house.shown("ada", SATURDAY)["rising"] == [late]
    [pick] = [pick for pick in house.picks("ada", SATURDAY.date()) if pick.section == "rising"]
    assert (pick.candidate.signals.upvotes, pick.candidate.risen) == (500, 495)
    assert pick.candidate.since == FRIDAY.date()


def test_a_weekly_mail_is_the_best_of_its_week_by_the_votes_of_its_day(house):
    house.add("ada", cadence="weekly", max_papers=5)
    for day in (FRIDAY, SATURDAY):
        house.run(day)
    late = house.vote(FRIDAY, 15, 500, SUNDAY - DAY / 24)
    for day in (SUNDAY, MONDAY):
        house.run(day)
    assert house.shown("ada", MONDAY)["trending"][0] == late
    best = house.picks("ada", MONDAY.date())[0].candidate
    assert (best.signals.upvotes, best.risen, best.since) == (500, 495, FRIDAY.date())


def test_a_monthly_mail_is_the_best_of_its_month_and_the_next_begins_after_it(house):
    house.add("ada", cadence="monthly", max_papers=5)
    first = FRIDAY + (date(2026, 3, 1) - FRIDAY.date())
    last = first + 31 * DAY
    late = ""
    shown: list[str] = []
    for n in range((last - FRIDAY).days + 1):
        now = FRIDAY + n * DAY
        house.run(now)
        if n == 1:
            late = house.vote(FRIDAY, 15, 500, now + DAY / 2)
        if now in (first, last):
            shown += house.shown("ada", now)["trending"]
            assert len(house.picks("ada", now.date())) == 5
    assert shown[0] == late
    assert len({*shown}) == len(shown)
    assert [day for day, _ in house.ledger.editions.days(99) if day in house.mail_days("ada")] == [
        last.date(),
        first.date(),
    ]


def test_what_rises_day_after_day_is_shown_once(house):
    house.add("ada")
    house.run(FRIDAY)
    late = [house.vote(FRIDAY, number, 100 + number, SATURDAY - DAY / 24) for number in (15, 16)]
    shown: Counter[str] = Counter()
    for day in (SATURDAY, SUNDAY, MONDAY):
        house.run(day)
        for title in (late[0], late[1]):
            number = int(title.split()[1])
            house.vote(FRIDAY, number, 1000 * day.day + number, day + DAY / 2)
        shown.update(pick.candidate.facts.title for pick in house.picks("ada", day.date()))
    assert [shown[title] for title in late] == [1, 1]
    assert set(shown.values()) == {1}


@pytest.mark.parametrize(
    ("state", "comes_again"),
    [
        (DeliveryState.ACCEPTED, False),
        (DeliveryState.UNCERTAIN, False),
        (DeliveryState.PENDING, False),
        (DeliveryState.SENDING, False),
        (DeliveryState.DEFERRED, False),
        (DeliveryState.SKIPPED, True),
        (DeliveryState.REFUSED, True),
    ],
)
def test_what_may_have_been_shown_does_not_come_again(house, state, comes_again):
    """What was not sent may come again: with papers that are new to its reader, or as a riser."""
    house.add("ada")
    house.run(FRIDAY)
    late = house.vote(FRIDAY, 15, 500, SATURDAY - DAY / 24)
    house.run(SATURDAY)
    its_row = deliveries.c.edition_id == house.ledger.editions.on(SATURDAY.date()).id
    with house.ledger.engine.begin() as connection:
        connection.execute(update(deliveries).where(its_row).values(state=state))
    house.pipeline.tick(SUNDAY, everybody=True)
    assert (late in house.shown("ada", SUNDAY)["rising"]) is comes_again


def test_who_joins_later_is_shown_what_rose_before(house):
    house.run(FRIDAY)
    late = house.vote(FRIDAY, 15, 500, SATURDAY - DAY / 24)
    house.run(SATURDAY)
    house.add("ada")
    house.run(SUNDAY)
    assert late in house.shown("ada", SUNDAY)["rising"]


def test_a_paper_rises_for_two_weeks(house):
    house.run(FRIDAY)
    for day in range(1, 16):
        house.vote(FRIDAY, 15, 500 + day, FRIDAY + day * DAY - DAY / 24)
        house.run(FRIDAY + day * DAY)
    rising = [
        len(house.ledger.editions.on((FRIDAY + day * DAY).date()).rising) for day in range(16)
    ]
    assert rising == [0, *[1] * 14, 0]


def test_without_rising_days_an_edition_is_what_it_lists(house):
    house.settings = make_settings(
        home=str(house.settings.home), lookback_days="0", rising_days="0", max_for_you="6"
    )
    house.add("ada")
    house.run(FRIDAY)
    house.vote(FRIDAY, 15, 500, SATURDAY - DAY / 24)
    house.run(SATURDAY)
    assert house.shown("ada", SATURDAY)["rising"] == []


def test_a_day_without_new_papers_has_no_mail_for_what_rises(house):
    house.add("ada")
    house.run(FRIDAY)
    house.vote(FRIDAY, 15, 500, SATURDAY - DAY / 24)
    house.source.rests = True
    house.run(SATURDAY)
    assert house.became(SATURDAY.date()) == {"ada": "skipped no-papers"}


def test_a_riser_on_ones_topics_is_for_you_and_what_is_muted_or_excluded_does_not_rise(house):
    house.add("ada", "ducks")
    house.add("bob", exclusions=["ducks"])
    house.run(FRIDAY)
    late = house.vote(FRIDAY, 15, 500, SATURDAY - DAY / 24)
    house.add("eve", "ducks")
    house.run(SATURDAY)
    assert late in house.shown("eve", SATURDAY)["for-you"]
    assert late not in house.shown("ada", SATURDAY)["for-you"], "shown on Friday"
    assert house.shown("bob", SATURDAY)["rising"] == []


def test_why_tells_what_rose_for_somebody(house):
    house.add("ada")
    house.run(FRIDAY)
    late = house.vote(FRIDAY, 15, 500, SATURDAY - DAY / 24)
    file = house.registry.file_of("ada@example.org")
    house.pipeline.collect([SATURDAY.date()], SATURDAY - DAY / 24)
    coming = house.explain(file, SATURDAY.date(), SATURDAY - DAY / 48)
    house.run(SATURDAY)
    made = house.explain(file, SATURDAY.date(), SATURDAY)
    for why in (coming, made):
        rising = [pick for pick in why.digest.picks if pick.section is Section.RISING]
        assert [pick.candidate.facts.title for pick in rising] == [late]


def test_an_edition_asks_for_the_votes_of_the_last_days_and_collections_between_more_rarely(house):
    days = [FRIDAY, SATURDAY, SUNDAY, MONDAY, MONDAY + DAY]
    for now in days:
        house.run(now)
    assert sorted(house.source.asked) == [now.date() for now in days]
    for hours in (3, 6):
        house.pipeline.collect_due(days[-1] + hours * DAY / 24)
        older = {now.date() for now in (FRIDAY, SATURDAY, SUNDAY)} & {*house.source.asked}
        assert len(older) == (0 if hours == 3 else 3)
        assert {*house.source.asked} >= {MONDAY.date(), days[-1].date()}
    assert house.pipeline.collect_for_edition(days[-1] + DAY / 2).rising == 0
    house.source.votes[title_of(FRIDAY.date(), 15)] = 500
    assert house.pipeline.collect([FRIDAY.date()], days[-1] + DAY / 2).rising == 1
