"""What a subscriber chooses, undoes, takes along and deletes, by the links in a mail."""

import json
import re
from datetime import date, timedelta
from urllib.parse import urlencode

import pytest

from digest.compose.environment import Templates
from digest.web.pages import web_app
from subscribers.model import Consent, Standing
from subscribers.pages import UNDO_WITHIN
from subscribers.preferences import Preferences
from subscribers.tokens import Purpose
from subscribers.topics import parse_topics
from tests.integration.test_pages import SENDER, Browser, path_of
from tests.support import NOW


class Clock:
    now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def browser(ledger, registry, clock):
    app = web_app(
        SENDER,
        Templates(),
        ledger.editions,
        registry,
        clock,
        lambda _: None,
        lambda day, topics: None,
    )
    return Browser(app)


@pytest.fixture
def ada(registry):
    return registry.add("ada@example.org", parse_topics(["robots"]), source="test", now=NOW)


def save(browser, person, *fields):
    path = path_of(Purpose.PREFERENCES, person.public_id)
    return browser.post(path, urlencode([("topics", "robots"), *fields]).encode())


def test_everything_on_the_form_is_saved_and_shown_again(browser, registry, ada):
    answer = save(
        browser, ada,
        ("exclusions", "surveys\r\nmedical"), ("days", ""), ("days", "mon"), ("days", "thu"),
        ("max_papers", "3"), ("trending", ""), ("paused_until", "2026-03-01"),
    )  # fmt: skip
    assert "Saved" in answer.text
    assert registry.get(ada.id).preferences == Preferences(
        days=frozenset({"mon", "thu"}),
        max_papers=3,
        trending=False,
        exclusions=parse_topics(["surveys", "medical"]),
        paused_until=date(2026, 3, 1),
    )
    shown = browser.get(path_of(Purpose.PREFERENCES, ada.public_id)).text
    assert re.findall(r'value="(\w+)" checked', shown) == ["mon", "thu"]
    assert "<option selected>3</option>" in shown
    assert 'value="2026-03-01"' in shown
    assert "surveys\nmedical</textarea>" in shown


def test_what_is_not_on_a_form_stays(browser, registry, ada):
    save(browser, ada, ("max_papers", "3"), ("trending", ""))
    save(browser, ada)
    assert registry.get(ada.id).preferences == Preferences(max_papers=3, trending=False)
    save(browser, ada, ("max_papers", ""), ("trending", ""), ("trending", "yes"))
    assert registry.get(ada.id).preferences == Preferences()


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("days", "", "at least one day"),
        ("days", "someday", "at least one day"),
        ("max_papers", "0", "from 1 to 15"),
        ("max_papers", "99999999999999999999", "from 1 to 15"),
        ("paused_until", "soon", "not a date"),
        ("exclusions", "!!", "at least one word"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_saved(browser, registry, ada, field, value, why):
    answer = save(browser, ada, (field, value))
    assert answer.status_code == 422
    assert why in answer.text
    assert registry.get(ada.id) == ada


def leave(browser, person):
    return browser.post(path_of(Purpose.UNSUBSCRIBE, person.public_id), b"")


def undo_path(page):
    return re.search(r'action="(/undo/[^"]+)"', page.text)[1]


def test_leaving_can_be_undone_on_the_page_afterwards(browser, registry, ada):
    left = leave(browser, ada)
    assert registry.standing(ada.id) is Standing.WITHDRAWN
    assert browser.get(undo_path(left)).status_code == 405
    assert registry.standing(ada.id) is Standing.WITHDRAWN
    for _ in range(2):
        assert "Welcome" in browser.post(undo_path(left)).text
        assert registry.standing(ada.id) is Standing.MAY_RECEIVE
    said = [each.event for each in registry.file_of("ada@example.org").evidence]
    assert said == ["vouched", "withdrawn", "undone"]


def test_undoing_has_its_time(browser, registry, ada, clock):
    left = leave(browser, ada)
    clock.now = NOW + UNDO_WITHIN
    assert browser.post(undo_path(left)).status_code == 404
    assert registry.standing(ada.id) is Standing.WITHDRAWN


def test_to_undo_is_no_way_around_confirming(browser, registry):
    asked = registry.ask("ada@example.org", (), source="test", now=NOW)
    assert "/undo/" not in leave(browser, asked).text
    assert registry.get(asked.id).consent is Consent.WITHDRAWN


@pytest.mark.parametrize(
    ("instead", "wishes"),
    [
        ("weekly", Preferences(days=frozenset({"mon"}))),
        ("pause", Preferences(paused_until=(NOW + timedelta(days=30)).date())),
    ],
)
def test_fewer_mails_instead_of_leaving(browser, registry, ada, instead, wishes):
    path = path_of(Purpose.UNSUBSCRIBE, ada.public_id) + "/instead"
    assert browser.get(path).status_code == 405
    assert "Saved" in browser.post(path, f"instead={instead}".encode()).text
    assert registry.get(ada.id).preferences == wishes
    assert registry.get(ada.id).topics == ada.topics
    assert registry.standing(ada.id) is Standing.MAY_RECEIVE


def test_everything_stored_can_be_taken_along(browser, ada):
    answer = browser.get(path_of(Purpose.PREFERENCES, ada.public_id) + "/export")
    record = json.loads(answer.text)
    assert (record["email"], record["topics"]) == ("ada@example.org", ["robots"])
    assert record["evidence"][0]["event"] == "vouched"
    assert "attachment" in answer.headers["Content-Disposition"]


def test_everything_stored_can_be_deleted_after_a_second_look(browser, registry, ada):
    path = path_of(Purpose.PREFERENCES, ada.public_id) + "/delete"
    assert "ada@example.org" in browser.get(path).text
    assert registry.get(ada.id) == ada
    for _ in range(2):
        assert "deleted" in browser.post(path).text
        assert registry.everybody() == []
    export = browser.get(path_of(Purpose.PREFERENCES, ada.public_id) + "/export")
    assert export.json() == {}


@pytest.mark.parametrize("path", ["/preferences/x/export", "/preferences/x/delete", "/undo/x"])
def test_bad_links_are_all_answered_alike(browser, path):
    method = "POST" if path.startswith("/undo") else "GET"
    answer = browser.ask(method, path)
    assert answer.status_code == 404
    assert answer.text == browser.get("/unsubscribe/x").text
