"""What a subscriber wants besides topics, heeded on the whole path, on both databases."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from digest.collect.source import Source
from digest.compose.composer import Composer
from digest.compose.environment import Templates
from digest.compose.sender import sender_of
from digest.deliver.folder import FolderTransport
from digest.ledger.ledger import Ledger
from digest.model import Balance, Harvest, Section
from digest.pipeline import Pipeline
from digest.rank.ranker import THRESHOLDS
from subscribers.model import Verdict
from subscribers.preferences import Preferences, Strictness
from subscribers.store.registry import Registry
from subscribers.topics import parse_topics
from tests.support import NOW, TODAY, make_background, make_settings, make_sighting

FRIDAY = NOW
SATURDAY, SUNDAY, MONDAY = (NOW + timedelta(days=n) for n in (1, 2, 3))
TEMPLATES = Templates()  # read-only: one for all

DUCKS = ("Ducks at Rest", "Ducks in Flight", "Ducks under Water")
OTHERS = ("Geese of the North", "Swans", "Herons by Night")


class DailySource:
    """A source that lists the same six birds every day, each with an id of its own."""

    name = "huggingface"

    def collect(self, days: Sequence[date], now: datetime) -> Iterator[Harvest]:
        for day in days:
            yield Harvest(
                tuple(
                    make_sighting(
                        _first_number(day) + n,
                        title=title,
                        abstract="On birds.",
                        upvotes=n + 1,
                        listed_on=day,
                        seen_at=now,
                    )
                    for n, title in enumerate((*DUCKS, *OTHERS))
                )
            )


def _first_number(day: date) -> int:
    return 10 * day.toordinal() % 90_000


class House:
    """A pipeline of real parts, with a folder as everybody's mailbox."""

    def __init__(self, ledger: Ledger, registry: Registry, folder: Path) -> None:
        self.ledger = ledger
        self.registry = registry
        self.outbox = folder / "outbox"
        self.settings = make_settings(home=str(folder), lookback_days="0", max_trending="5")
        self.composer = Composer(TEMPLATES, sender_of(self.settings))

    def add(self, name: str, *topics: str, **wishes: Any) -> None:
        person = self.registry.add(
            f"{name}@example.org", parse_topics(topics), source="test", now=NOW
        )
        self.registry.set_wishes(person.public_id, person.topics, Preferences.from_json(wishes))

    def run(self, now: datetime = FRIDAY) -> Balance:
        sources: list[Source] = [DailySource()]
        pipeline = Pipeline(
            self.settings, self.ledger, self.registry, lambda: sources, make_background
        )
        done = pipeline.run(self.composer, FolderTransport(self.outbox), now)
        assert done.trouble == ()
        return done.balance

    def mailed(self) -> list[str]:
        """To whom a message went since this was asked last."""
        mails = sorted(self.outbox.glob("*.eml"))
        for each in mails:
            each.unlink()
        return [each.name.partition("@")[0] for each in mails]

    def became(self, day: date) -> dict[str, str]:
        """What became of everybody with a row in the books: state, and the reason if any."""
        edition = self.ledger.editions.on(day)
        names = {each.id: each.address.partition("@")[0] for each in self.registry.everybody()}
        return {
            names[each.delivery.subscriber_id]: f"{each.state} {each.reason}".strip()
            for each in self.ledger.deliveries.reports(edition)
        }

    def sections(self, name: str, day: date = TODAY) -> dict[str, list[str]]:
        """The titles that the books have for somebody, by section, in order."""
        edition = self.ledger.editions.on(day)
        person = self.registry.file_of(f"{name}@example.org").subscriber
        [delivery] = [
            each.delivery
            for each in self.ledger.deliveries.reports(edition)
            if each.delivery.subscriber_id == person.id
        ]
        found: dict[str, list[str]] = {section: [] for section in Section}
        for pick in self.ledger.deliveries.picks(delivery, edition):
            found[pick.section].append(pick.candidate.facts.title)
        return found

    def think(self, name: str, title: str, verdict: Verdict) -> None:
        """Somebody's opinion of a paper of this day."""
        paper = f"arxiv:2602.{_first_number(TODAY) + (*DUCKS, *OTHERS).index(title):05d}"
        person = self.registry.file_of(f"{name}@example.org").subscriber
        self.registry.opinions.hold(person.id, paper, verdict, NOW)

    def text(self, name: str) -> str:
        """The plain text of somebody's only mail, its lines joined."""
        [mail] = self.outbox.glob(f"{name}@*.eml")
        part = message_from_bytes(mail.read_bytes()).get_payload(0)
        return " ".join(part.get_payload(decode=True).decode().split())


@pytest.fixture
def house(ledger: Ledger, registry: Registry, tmp_path: Path) -> House:
    return House(ledger, registry, tmp_path)


def counts(balance: Balance) -> dict[str, int]:
    return {
        name: count for name, count in asdict(balance).items() if count and isinstance(count, int)
    }


# ---- when ------------------------------------------------------------------------------------


def test_on_a_saturday_who_wants_weekdays_gets_nothing_and_is_not_in_the_books(house):
    house.add("ada", cadence="weekdays")
    house.add("bob")
    house.add("eve", cadence="sat+sun")
    assert counts(house.run(FRIDAY)) == {"due": 2, "accepted": 2}
    assert house.mailed() == ["ada", "bob"]
    assert counts(house.run(SATURDAY)) == {"due": 2, "accepted": 2}
    assert house.mailed() == ["bob", "eve"]
    assert house.became(SATURDAY.date()) == {"bob": "accepted", "eve": "accepted"}
    assert counts(house.run(MONDAY)) == {"due": 2, "accepted": 2}
    assert house.mailed() == ["ada", "bob"]


def test_weekly_is_on_mondays(house):
    house.add("ada", cadence="weekly")
    for day in (FRIDAY, SATURDAY, SUNDAY):
        assert counts(house.run(day)) == {}
    assert counts(house.run(MONDAY)) == {"due": 1, "accepted": 1}
    assert house.mailed() == ["ada"]


def test_who_is_paused_is_skipped_until_the_day_they_named(house):
    house.add("ada", paused_until="2026-02-22")
    house.add("bob")
    for day in (FRIDAY, SATURDAY):
        balance = house.run(day)
        assert counts(balance) == {"due": 2, "accepted": 1, "skipped": 1}
        assert balance.skipped_for == {"paused": 1}
        assert house.became(day.date()) == {"ada": "skipped paused", "bob": "accepted"}
        assert house.mailed() == ["bob"]
    assert counts(house.run(SUNDAY)) == {"due": 2, "accepted": 2}
    assert house.mailed() == ["ada", "bob"]


def test_who_is_paused_on_a_day_without_mail_is_not_in_the_books(house):
    house.add("ada", cadence="weekdays", paused_until="2026-03-01")
    assert counts(house.run(SATURDAY)) == {}
    assert house.became(SATURDAY.date()) == {}


def test_a_wish_made_after_the_edition_was_sent_changes_nothing_of_it(house):
    house.add("ada")
    before = house.run()
    house.add("ada", cadence="weekly", paused_until="2026-03-01")
    assert house.run(NOW + timedelta(hours=1)) == before
    assert house.mailed() == ["ada"]


# ---- how much --------------------------------------------------------------------------------


def test_no_more_papers_on_ones_topics_than_wanted(house):
    house.add("ada", "ducks", max_papers=2)
    house.add("bob", "ducks")
    house.run()
    best_first = [*reversed(DUCKS)]
    assert house.sections("ada")["for-you"] == best_first[:2]
    assert house.sections("bob")["for-you"] == best_first
    # What found no room above may still trend.
    assert house.sections("ada")["trending"] == [*reversed(OTHERS), best_first[2]]


def test_the_operators_limit_is_not_exceeded(house):
    house.settings = make_settings(home=str(house.settings.home), max_for_you="1")
    house.add("ada", "ducks", max_papers=15)
    house.run()
    assert house.sections("ada")["for-you"] == [DUCKS[-1]]


def test_without_topics_the_wanted_number_is_that_of_all(house):
    house.add("ada", max_papers=2)
    house.run()
    assert house.sections("ada") == {"for-you": [], "trending": [*reversed(OTHERS)][:2]}


def test_who_wants_no_trending_papers_gets_their_own_only(house):
    house.add("ada", "ducks", trending=False)
    house.add("bob", "ducks")
    house.run()
    assert house.sections("ada") == {"for-you": [*reversed(DUCKS)], "trending": []}
    assert house.sections("bob")["trending"] == [*reversed(OTHERS)]
    assert [title in house.text("ada") for title in OTHERS] == [False] * 3
    assert [title in house.text("bob") for title in OTHERS] == [True] * 3


def test_fewer_papers_on_ones_topics_than_wanted_are_no_mail(house):
    house.add("ada", "ducks", min_papers=3)
    house.add("bob", "ducks", min_papers=4)
    house.add("eve", min_papers=15)
    assert house.run().skipped_for == {"nothing-matched": 1}
    assert house.became(TODAY)["bob"] == "skipped nothing-matched"
    assert house.mailed() == ["ada", "eve"]


def test_how_well_papers_must_fit_is_the_readers_word_and_else_the_operators(house, monkeypatch):
    monkeypatch.setitem(THRESHOLDS, Strictness.STRICT, 0.999)
    house.settings = make_settings(
        home=str(house.settings.home), lookback_days="0", strictness="strict"
    )
    house.add("ada", "ducks", strictness="normal")
    house.add("bob", "ducks")
    house.run()
    assert house.became(TODAY) == {"ada": "accepted", "bob": "skipped nothing-matched"}
    assert {*house.sections("ada")["for-you"]} == {*DUCKS}


# ---- what was liked and muted ------------------------------------------------------------------


def test_what_is_like_liked_papers_comes_in_the_next_day_and_says_so(house):
    house.add("ada", "swans")
    house.add("bob", "swans")
    house.run(FRIDAY)
    assert house.mailed() == ["ada", "bob"]
    for title in DUCKS:
        house.think("ada", title, Verdict.LIKE)
    house.run(SATURDAY)
    assert set(house.sections("ada", SATURDAY.date())["for-you"]) == {"Swans", *DUCKS}
    assert house.sections("bob", SATURDAY.date())["for-you"] == ["Swans"]
    assert "Like what you liked" in house.text("ada")
    assert "Like what you liked" not in house.text("bob")


def test_what_is_like_muted_papers_moves_down_the_next_day(house):
    house.add("ada", "ducks", "swans")
    house.run(FRIDAY)
    for title in DUCKS:
        house.think("ada", title, Verdict.MUTE)
    house.run(SATURDAY)
    first, *rest = house.sections("ada", SATURDAY.date())["for-you"]
    assert first == "Swans"
    assert set(rest) == {*DUCKS}


def test_a_paper_that_was_muted_before_it_came_is_in_neither_section(house):
    house.add("ada", "ducks")
    for title in (DUCKS[0], OTHERS[0]):
        house.think("ada", title, Verdict.MUTE)
    house.run()
    sections = house.sections("ada")
    assert {*sections["for-you"]} == {*DUCKS[1:]}
    assert sections["trending"] == [*reversed(OTHERS[1:])]


# ---- what not --------------------------------------------------------------------------------


def test_what_is_excluded_is_in_neither_section(house):
    house.add("ada", "ducks", exclusions=["water", "night herons"])
    house.add("bob", "ducks")
    house.run()
    sections = house.sections("ada")
    assert sorted(sections["for-you"]) == ["Ducks at Rest", "Ducks in Flight"]
    assert sections["trending"] == ["Swans", "Geese of the North"]
    for title in ("Ducks under Water", "Herons by Night"):
        assert title in house.text("bob")
        assert title not in house.text("ada")


def test_what_is_excluded_is_missing_without_topics_as_well(house):
    house.add("ada", exclusions=["ducks", "swan"])
    house.run()
    assert house.sections("ada")["trending"] == ["Herons by Night", "Geese of the North"]


def test_where_all_that_matched_is_excluded_nothing_matched(house):
    house.add("ada", "ducks", exclusions=["birds"])
    house.add("bob", exclusions=["birds"])
    house.add("eve", "ducks", exclusions=["ducks"])
    assert house.run().skipped_for == {"nothing-matched": 3}
    assert house.mailed() == []
