"""What a subscriber chooses, undoes, takes along and deletes, by the links in a mail."""

import json
import re
from datetime import UTC, datetime, time, timedelta
from urllib.parse import urlencode

import pytest

from digest.collect.merge import keys_of, merge
from subscribers.model import Consent, Standing, Verdict
from subscribers.preferences import EVERY_DAY, Preferences, Strictness
from subscribers.tokens import Purpose
from subscribers.topics import parse_topics
from subscribers.web import choosing, following, own_papers
from subscribers.web.damaged_links import repaired
from subscribers.web.page_context import UNDO_WITHIN
from tests.integration.browser import Browser, page_of, path_of
from tests.integration.site import make_web
from tests.support import NOW, make_sighting


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
        ("note_when_nothing", ""), ("note_when_nothing", "yes"), ("pictures", ""),
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
        pictures=False,
        exclusions=parse_topics(["surveys", "medical"]),
    )
    shown = page_of(browser.get(path_of(Purpose.PREFERENCES, ada.public_id)))
    assert shown.xpath("//input[@checked]/@value") == [
        "robots", "surveys", "medical", "chosen", "mon", "thu", "yes",
    ]  # fmt: skip
    assert shown.xpath("//option[@selected]/@value") == ["Europe/Oslo", "en", "3", "strict", "2"]
    assert shown.get_element_by_id("at").value == "17:30"


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
        ("exclusions", "!!", "at least one word"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_saved(browser, registry, ada, field, value, why):
    answer = save(browser, ada, (field, value))
    assert answer.status_code == 422
    assert why in answer.text
    assert registry.get(ada.id) == ada


# ---- a pause, and ratings ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "until"),
    [("days=7", NOW + timedelta(days=7)), ("days=30", NOW + timedelta(days=30)),
     ("until=2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
     ("days=7&until=2026-03-01", NOW + timedelta(days=7))],
)  # fmt: skip
def test_a_pause_begins_by_one_press_and_says_its_end(browser, registry, ada, sent, until):
    answer = browser.post(f"{path_of(Purpose.PREFERENCES, ada.public_id)}/pause", sent.encode())
    assert registry.get(ada.id).preferences.paused_until == until.date()
    [note] = page_of(answer).xpath("//*[@role='status']")
    assert f"Saved. Paused until {until:%A}, {until.day} {until:%B %Y}" in note.text_content()
    assert registry.get(ada.id).topics == ada.topics


@pytest.mark.parametrize(
    "sent", ["", "days=", "days=1000000", "until=soon", "until=2026-02-20", "until=2020-01-01"]
)
def test_a_pause_without_an_end_that_can_be_is_refused(browser, registry, ada, sent):
    answer = browser.post(f"{path_of(Purpose.PREFERENCES, ada.public_id)}/pause", sent.encode())
    assert answer.status_code == 422
    assert "Not saved" in answer.text
    assert registry.get(ada.id) == ada


PAPER = "arxiv:2602.00001"


@pytest.fixture
def liked(ledger, registry, ada):
    """A paper with markup in its title, which Ada liked."""
    sightings = [make_sighting(1, title="Robots & <b>ducks</b>")]
    ledger.papers.absorb(keys_of(sightings), lambda known: merge(known, sightings))
    registry.ratings.rate(ada.id, PAPER, Verdict.LIKE, NOW)


@pytest.mark.usefixtures("liked")
def test_a_rating_is_listed_and_can_be_undone_and_brought_back(browser, registry, ada):
    path = path_of(Purpose.PREFERENCES, ada.public_id)
    [item] = page_of(browser.get(path)).xpath("//*[@id='ratings']//li")
    assert "More like this" in item.text_content()
    assert item.xpath(".//a/@href") == [f"/paper/{PAPER}"]
    fields = urlencode([*item.xpath(".//form")[0].form_values(), ("verdict", "")])
    removed = page_of(browser.post(f"{path}/rating", fields.encode()))
    assert registry.ratings.of(ada.id) == []
    [note] = removed.xpath("//*[@role='status']")
    assert "Removed: Robots & <b>ducks</b>" in note.text_content()
    [button] = note.xpath(".//button")
    fields = urlencode([*note.xpath(".//form")[0].form_values(), ("verdict", button.get("value"))])
    browser.post(f"{path}/rating", fields.encode())
    assert [(r.paper, r.verdict) for r in registry.ratings.of(ada.id)] == [(PAPER, Verdict.LIKE)]


@pytest.mark.usefixtures("liked")
@pytest.mark.parametrize("paper", ["", "\0", "arxiv:9999.00001", "x" * 5000])
def test_an_unknown_paper_changes_no_rating(browser, registry, ada, paper):
    before = registry.ratings.of(ada.id)
    path = path_of(Purpose.PREFERENCES, ada.public_id)
    sent = urlencode({"paper": paper, "verdict": "like"}).encode()
    assert browser.post(f"{path}/rating", sent).status_code == 200
    assert registry.ratings.of(ada.id) == before


def test_a_damaged_link_still_leads_to_each_form(browser, ada):
    """Or a form would be sent to the address that saves, or to none."""
    path = path_of(Purpose.PREFERENCES, ada.public_id)
    for route in choosing.routes.routes + own_papers.routes.routes + following.routes.routes:
        if route.path.startswith("/preferences/{token}/"):
            whole = route.path.replace("{token}", path.split("/")[2])
            assert repaired(f"{whole}/)") == whole


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
        assert "You’re subscribed" in browser.post(undo_path(left)).text
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
