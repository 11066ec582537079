"""Follow an author or an organisation: from a link in an email, and on one's preferences page."""

from urllib.parse import quote

import pytest

from subscribers.follows import MOST_FOLLOWS, parse_follows
from subscribers.preferences import Preferences
from subscribers.tokens import Purpose
from subscribers.topics import parse_topics
from tests.integration.browser import page_of, path_of
from tests.integration.house import House
from tests.integration.people import look
from tests.support import NOW

NAMES = [
    "Yann LeCun",
    "José Álvarez-Núñez",
    "李飞飞",
    "A/B Lab",
    "<b>Doe</b>",
    "100% Jane?",
    "O'Neil",
]


@pytest.fixture
def house(ledger, registry):
    return House(ledger, registry)


@pytest.fixture
def ada(registry):
    return registry.add("ada@example.org", parse_topics(["robots"]), source="test", now=NOW)


def link(person, name="Yann LeCun", kind="author"):
    return f"{path_of(Purpose.FOLLOW, person.public_id)}/{kind}/{quote(name, safe='')}"


def followed(registry, person):
    return [follow.text for follow in registry.get(person.id).preferences.follows]


def buttons(page):
    return [
        (button.text_content(), button.get("value"))
        for button in page.xpath("//form[@class='choices']//button")
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_link_leads_to_a_page_with_one_button_that_follows_and_undoes(house, registry, ada, name):
    page = page_of(house.get(link(ada, name)))
    assert page.findtext(".//h1") == name
    assert buttons(page) == [("Follow", "yes")]
    assert followed(registry, ada) == []

    page = page_of(house.post(link(ada, name), {"follow": "yes"}))
    assert page.xpath("//*[@role='status']")[0].text_content() == f"Saved: you follow {name}."
    assert "come first in your digest" in page.text_content()
    assert buttons(page) == [("Stop following", "")]
    assert followed(registry, ada) == [f"author:{name}"]
    assert buttons(page_of(house.get(link(ada, name.upper())))) == [("Stop following", "")]

    page = page_of(house.post(link(ada, name), {"follow": ""}))
    assert f"you no longer follow {name}" in page.text_content()
    assert buttons(page) == [("Follow again", "yes")]
    assert followed(registry, ada) == []


def test_a_post_without_the_button_undoes_nothing(house, registry, ada):
    house.post(link(ada), {"follow": "yes"})
    house.post(link(ada), {"List-Unsubscribe": "One-Click"})
    assert followed(registry, ada) == ["author:Yann LeCun"]


def test_topics_and_preferences_stay_as_they_are(house, registry, ada):
    before = Preferences(max_papers=3, exclusions=parse_topics(["wasps"]))
    registry.set_preferences(ada.public_id, ada.topics, before)
    house.post(link(ada), {"follow": "yes"})
    person = registry.get(ada.id)
    assert person.topics == ada.topics
    assert person.preferences == before.following(
        parse_follows(["author:Yann LeCun"])[0], wanted=True
    )
    house.post(path_of(Purpose.PREFERENCES, ada.public_id), {"topics": "ants"})
    assert followed(registry, ada) == ["author:Yann LeCun"], "the form knows nothing of them"


@pytest.mark.parametrize("path", ["/topic/robots", "/author/", "/author/%20", "/author/12",
                                  "/author/a%00b", "/organisation/" + "x" * 101, ""])  # fmt: skip
def test_what_is_no_name_is_no_page(house, engine, ada, path):
    before, address = look(engine), path_of(Purpose.FOLLOW, ada.public_id) + path
    for answer in (house.get(address), house.post(address, {"follow": "yes"})):
        assert answer.status_code == 404
    assert look(engine) == before


def test_a_link_of_another_kind_follows_nobody(house, registry, ada):
    for purpose in set(Purpose) - {Purpose.FOLLOW}:
        token = path_of(purpose, ada.public_id).rpartition("/")[2]
        answer = house.post(f"/follow/{token}/author/Jane", {"follow": "yes"})
        assert answer.status_code == 404
    assert followed(registry, ada) == []


def test_there_are_only_so_many_and_the_page_says_so(house, registry, ada):
    many = parse_follows(f"author:Name {number}" for number in range(MOST_FOLLOWS))
    registry.set_preferences(ada.public_id, (), Preferences(follows=many))
    answer = house.post(link(ada), {"follow": "yes"})
    assert answer.status_code == 422
    assert "at most 200 can be followed" in page_of(answer).xpath("//*[@role='alert']")[0].text
    assert len(followed(registry, ada)) == MOST_FOLLOWS


def test_the_preferences_page_lists_them_and_each_can_be_undone_by_itself(house, registry, ada):
    path = f"{path_of(Purpose.PREFERENCES, ada.public_id)}"
    for kind, name in (("author", "Doe, Jane"), ("organisation", "Some <Lab>"), ("author", "Li")):
        assert house.post(f"{path}/follows", {"kind": kind, "name": name}).status_code == 200
    page = page_of(house.get(path))
    listed = page.xpath("//*[@id='follows']//li")
    assert [" ".join(item.xpath("span")[0].text_content().split()) for item in listed] == [
        "Doe, Jane", "Some <Lab> organisation", "Li",
    ]  # fmt: skip
    [form] = listed[1].xpath("form")
    [button] = form.xpath("button")
    house.post(form.get("action"), {button.get("name"): button.get("value")})
    assert followed(registry, ada) == ["author:Doe, Jane", "author:Li"]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"kind": "author", "name": " "}, "is not a name"),
        ({"kind": "topic", "name": "x"}, "neither author nor organisation"),
        ({"remove": "Jane"}, "expected one like author:Jane Doe"),
        ({}, "neither author nor organisation"),
    ],
)
def test_what_cannot_be_followed_is_said_on_the_page(house, registry, ada, fields, why):
    answer = house.post(f"{path_of(Purpose.PREFERENCES, ada.public_id)}/follows", fields)
    assert answer.status_code == 422
    assert why in page_of(answer).xpath("//*[@role='alert']")[0].text_content()
    assert followed(registry, ada) == []


def test_one_who_has_left_follows_nobody(house, registry, engine, ada):
    registry.withdraw(ada.public_id, source="test", now=NOW)
    before = look(engine)
    assert "unsubscribed" in house.post(link(ada), {"follow": "yes"}).text
    assert look(engine) == before
