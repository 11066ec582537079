"""What a subscriber chooses, undoes, takes along and deletes, by the links in a mail."""

import json
import re
from datetime import date, time, timedelta
from urllib.parse import urlencode

import pytest

from subscribers.model import Consent, Standing
from subscribers.preferences import EVERY_DAY, Preferences, Strictness
from subscribers.tokens import Purpose
from subscribers.topics import parse_topics
from subscribers.web.page_context import UNDO_WITHIN
from tests.integration.browser import Browser, page_of, path_of
from tests.integration.site import make_web
from tests.support import NOW


class MailSchedule:
    now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return MailSchedule()


@pytest.fixture
def browser(ledger, registry, clock):
    app = make_web(ledger, registry, clock=clock)
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
        ("exclusions", "surveys\r\nmedical"),
        ("cadence", "chosen"), ("days", ""), ("days", "mon"), ("days", "thu"),
        ("at", "17:30"), ("timezone", "Europe/Oslo"),
        ("max_papers", "3"), ("min_papers", "2"), ("strictness", "strict"), ("trending", ""),
        ("note_when_nothing", ""), ("note_when_nothing", "yes"),
        ("paused_until", "2026-03-01"),
    )  # fmt: skip
    assert "Saved" in answer.text
    assert registry.get(ada.id).preferences == Preferences(
        days=frozenset({"mon", "thu"}),
        at=time(17, 30),
        timezone="Europe/Oslo",
        max_papers=3,
        min_papers=2,
        strictness=Strictness.STRICT,
        trending=False,
        note_when_nothing=True,
        exclusions=parse_topics(["surveys", "medical"]),
        paused_until=date(2026, 3, 1),
    )
    shown = page_of(browser.get(path_of(Purpose.PREFERENCES, ada.public_id)))
    assert shown.xpath("//input[@checked]/@value") == ["chosen", "mon", "thu", "yes"]
    assert shown.xpath("//option[@selected]/@value") == ["Europe/Oslo", "3", "2", "strict"]
    assert [shown.get_element_by_id(name).value for name in ("at", "paused_until")] == [
        "17:30",
        "2026-03-01",
    ]
    texts = [shown.get_element_by_id(name).text for name in ("topics", "exclusions")]
    assert texts == ["robots", "surveys\nmedical"]


@pytest.mark.parametrize(
    ("cadence", "days"),
    [
        ("daily", EVERY_DAY),
        ("weekdays", frozenset({"mon", "tue", "wed", "thu", "fri"})),
        ("weekly", frozenset({"mon"})),
        ("chosen", frozenset({"sun"})),
    ],
)
def test_the_ticked_days_count_only_where_they_are_chosen(browser, registry, ada, cadence, days):
    save(browser, ada, ("cadence", cadence), ("days", ""), ("days", "sun"))
    assert registry.get(ada.id).preferences.days == days


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
        ("cadence", "hourly", "not one of the choices"),
        ("at", "25:00", "not a time of day"),
        ("timezone", "Europe/Atlantis", "not a time zone"),
        ("timezone", "../../etc/passwd", "not a time zone"),
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
    assert browser.get(undo_path(left)).status_code == 200
    assert registry.standing(ada.id) is Standing.WITHDRAWN
    for _ in range(2):
        assert "Welcome" in browser.post(undo_path(left)).text
        assert registry.standing(ada.id) is Standing.MAY_RECEIVE
    said = [item.event for item in registry.file_of("ada@example.org").evidence]
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
    ("instead", "preferences"),
    [
        ("weekly", Preferences(days=frozenset({"mon"}))),
        ("pause", Preferences(paused_until=(NOW + timedelta(days=30)).date())),
    ],
)
def test_fewer_mails_instead_of_leaving(browser, registry, ada, instead, preferences):
    path = path_of(Purpose.UNSUBSCRIBE, ada.public_id) + "/instead"
    assert browser.get(path).status_code == 405
    assert "Saved" in browser.post(path, f"instead={instead}".encode()).text
    assert registry.get(ada.id).preferences == preferences
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
