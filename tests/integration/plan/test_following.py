"""Whom a reader follows, from the plan to what they read, on both databases."""

from dataclasses import replace

import pytest

from digest.model.digests import Reason
from digest.model.papers import Harvest
from subscribers.follows import Follow
from subscribers.model import Verdict
from subscribers.preferences import Preferences
from tests.integration.at_once import at_once
from tests.integration.birds import DUCKS, SATURDAY, DailySource, House, first_number
from tests.integration.site import COMPOSER
from tests.support import NOW, TODAY

pytestmark = pytest.mark.both_databases


BY = {1: ("Müller, J.",), 3: ("Ada Byron", "Jörg Müller")}


class SignedSource(DailySource):
    """A source whose second and fourth paper have authors."""

    def collect(self, days, now):
        for harvest in super().collect(days, now):
            yield Harvest(
                tuple(
                    replace(seen, facts=replace(seen.facts, authors=BY.get(number, ())))
                    for number, seen in enumerate(harvest.sightings)
                )
            )


@pytest.fixture
def house(ledger, registry, tmp_path):
    house = House(ledger, registry, tmp_path)
    house.source = SignedSource()
    return house


def numbers(house, name="ada", day=TODAY):
    return [number - first_number(TODAY) for number in house.papers(name, day)]


def reasons(house, name="ada"):
    return [pick.match.reason for pick in house.picks(name, TODAY) if pick.match]


def test_what_is_followed_comes_first_is_stored_so_and_said_in_the_email(house):
    house.composer = COMPOSER
    house.add("ada", "ducks", follows=["author:Joerg Mueller"], max_papers=3)
    house.add("bob", "ducks", max_papers=3)
    house.run()
    assert set(numbers(house)[:2]) == {1, 3}
    assert reasons(house)[:2] == [Reason("", followed="Joerg Mueller")] * 2
    assert reasons(house)[2].topic == "ducks"
    assert all(not reason.followed for reason in reasons(house, "bob"))
    assert "You follow Joerg Mueller" in house.text("ada")
    assert "You follow" not in house.text("bob")


def test_somebody_with_a_topic_that_nothing_fits_gets_whom_they_follow(house):
    house.add("ada", "medieval poetry", follows=["author:J Müller"], trending=False)
    house.add("bob", "medieval poetry", trending=False)
    house.run()
    assert sorted(numbers(house)) == [1, 3]
    assert house.became(TODAY)["bob"] == "skipped nothing-matched"


def test_an_exclusion_and_a_mute_win_over_following(house):
    house.add("ada", follows=["author:Jörg Müller"], exclusions=["author:Byron"], max_papers=6)
    house.think("ada", DUCKS[1], Verdict.MUTE)
    house.run()
    assert len(numbers(house)) == 4
    assert not {1, 3} & set(numbers(house))


def test_nothing_is_shown_a_second_time_for_being_followed_later(house):
    house.add("ada", max_papers=6)
    house.run()
    assert {1, 3} <= set(numbers(house))
    ada = house.registry.file_of("ada@example.org").subscriber
    follows = Preferences.from_json({"follows": ["author:Jörg Müller"]})
    house.registry.set_preferences(ada.public_id, (), follows)
    house.run(SATURDAY)
    assert not {1, 3} & set(numbers(house, day=SATURDAY.date()))


def test_why_tells_whom_they_follow(house):
    house.add("ada", follows=["author:Jörg Müller"])
    why = house.explain(house.registry.file_of("ada@example.org"), TODAY, NOW)
    assert [follow.name for follow in why.preferences.follows] == ["Jörg Müller"]
    house.run()
    why = house.explain(house.registry.file_of("ada@example.org"), TODAY, NOW)
    assert why.digest.picks[0].match.reason.followed == "Jörg Müller"


def test_of_two_that_are_followed_at_the_same_moment_none_is_lost(house, engine):
    house.add("ada")
    ada = house.registry.file_of("ada@example.org").subscriber

    def follow(name):
        wanted = Follow.parse(f"author:{name}")
        return lambda: house.registry.set_follow(ada.public_id, wanted, wanted=True)

    at_once(engine, follow("Jane Doe"), follow("Ada Byron"))
    followed = house.registry.get(ada.id).preferences.follows
    assert {follow.name for follow in followed} == {"Jane Doe", "Ada Byron"}
