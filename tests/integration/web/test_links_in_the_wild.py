"""Links as mail programs, chats and proxies hand them on; and what a link that is really bad leads to."""

from datetime import timedelta
from urllib.parse import quote

import pytest

from subscribers.model import Consent, SuppressionReason
from subscribers.tokens import Purpose
from subscribers.topics import parse_topics
from subscribers.web.damaged_links import repaired
from subscribers.web.page_context import MOST_PER_ADDRESS
from tests.integration.browser import HOST, page_of, path_of
from tests.integration.house import House
from tests.support import NOW


@pytest.fixture
def house(ledger, registry):
    return House(ledger, registry)


@pytest.fixture
def ada(registry):
    return registry.add("ada@example.org", parse_topics(["robots"]), source="test", now=NOW)


# ---- damage ----------------------------------------------------------------------------------


def damaged(path):
    """Every kind of damage to a path of two parts."""
    _, place, token = path.split("/")
    middle = len(token) // 2
    first, second = token[:middle], token[middle:]
    return {
        **{f"followed by {end}": f"{path}{quote(end)}" for end in [*".),>/*;:!?\"'", ").", "/."]},
        "glued": f"{path}&utm_source=x&utm_medium=y",
        "glued, quoted-printable": f"{path}&utm_source=3Dx",
        "3D before": f"/{place}/{quote('=3D')}{token}",
        "a soft line break": f"/{place}/{first}{quote('=' + chr(10))}{second}",
        "a soft line break of two": f"/{place}/{first}{quote('=' + chr(13) + chr(10))}{second}",
        "half a soft line break": f"/{place}/{first}={second}",
        "a line break": f"/{place}/{first}{quote(chr(13) + chr(10) + ' ')}{second}",
        "a point as =2E": path.replace(".", quote("=2E")),
        "encoded twice": path.replace(".", "%252E"),
        "another case": f"/{place.upper()}/{token}",
        "two slashes": f"{HOST}//{place}//{token}//",
        "in brackets": f"/{place}/{quote('<')}{token}{quote('>')}",
    }


KINDS = sorted(damaged("/unsubscribe/a.b"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_link_unsubscribes(house, ada, kind):
    path = damaged(path_of(Purpose.UNSUBSCRIBE, ada.public_id))[kind]
    assert "ada@example.org" in house.get(path).text
    answer = house.post(path, content=b"List-Unsubscribe=One-Click")
    assert (answer.status_code, answer.history) == (200, [])
    assert house.registry.get(ada.id).consent is Consent.WITHDRAWN


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_link_leads_to_the_preferences(house, ada, kind):
    path = damaged(path_of(Purpose.PREFERENCES, ada.public_id))[kind]
    assert "robots" in house.get(path).text


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_link_confirms(house, kind):
    house.subscribe("ada@example.org")
    house.post(damaged(house.link())[kind])
    assert [person.consent for person in house.registry.everybody()] == [Consent.CONFIRMED]


def test_what_stands_behind_a_token_stays(house, ada):
    preferences = path_of(Purpose.PREFERENCES, ada.public_id)
    for end in ("export", "Export", "export/", "export."):
        assert house.get(f"{preferences}/{end}").json()["email"] == "ada@example.org"
    assert "Delete everything" in house.get(f"{HOST}/{preferences}//delete").text


def test_paths_without_a_token_stay_as_they_are():
    for path in ("/", "//", "/2026-02-20", "/preferences/a/b", "/Archive", "/unsubscribe/"):
        assert repaired(path) == path
    token = "a" * 20 + "." + "b" * 43
    assert repaired(f"/opinion/{token}/arxiv:math/0309136") == (
        f"/opinion/{token}/arxiv:math/0309136"
    )


def test_another_letter_in_a_token_is_no_damage(house, ada):
    path = path_of(Purpose.UNSUBSCRIBE, ada.public_id)
    other = "A" if path[-2] != "A" else "B"
    assert house.post(f"{path[:-2]}{other}{path[-1]}").status_code == 404
    assert house.registry.get(ada.id).consent is Consent.CONFIRMED


# ---- a link that is really bad ---------------------------------------------------------------


def ask_for_a_link(house, address, **values):
    return house.post("/link", {"address": address}, **values)


def test_a_bad_link_leads_to_a_new_one_by_email(house, ada):
    page = page_of(house.get("/preferences/cut-off"))
    [form] = page.xpath("//form")
    assert (form.get("method"), form.get("action")) == ("post", "/link")
    assert ask_for_a_link(house, " ADA@example.org ").status_code == 200
    assert house.mailed == ["ada@example.org"]
    assert b"Subject: Your settings at Paper Digest" in house.mails[0].content
    assert "robots" in house.get(house.link()).text


def test_whoever_has_not_confirmed_gets_the_link_to_confirm(house):
    house.registry.ask("ada@example.org", (), source="test", now=NOW)
    ask_for_a_link(house, "ada@example.org")
    house.post(house.link())
    assert house.registry.everybody()[0].consent is Consent.CONFIRMED


def test_the_answer_tells_nobody_who_subscribes(house, ada):
    left = house.registry.add("left@example.org", (), source="test", now=NOW)
    house.registry.withdraw(left.public_id, source="test", now=NOW)
    house.registry.add("blocked@example.org", (), source="test", now=NOW)
    house.registry.suppressions.add("blocked@example.org", SuppressionReason.COMPLAINT, now=NOW)
    answers = {
        ask_for_a_link(house, f"{who}@example.org").text.replace(f"{who}@", "WHO@")
        for who in ("ada", "left", "blocked", "nobody")
    }
    assert len(answers) == 1
    assert house.mailed == ["ada@example.org"]


def test_a_new_link_has_the_limits_of_every_form(house, ada):
    statuses = [
        ask_for_a_link(house, ada.address, client=f"203.0.113.{number}").status_code
        for number in range(MOST_PER_ADDRESS + 1)
    ]
    assert statuses == [200] * MOST_PER_ADDRESS + [429]
    assert len(house.mails) == MOST_PER_ADDRESS


def test_what_is_no_address_is_told(house):
    answer = ask_for_a_link(house, "nobody")
    assert answer.status_code == 422
    assert "not an email address" in page_of(answer).xpath("//*[@role='alert']")[0].text_content()


# ---- after leaving ---------------------------------------------------------------------------


@pytest.mark.parametrize("purpose", [Purpose.UNSUBSCRIBE, Purpose.PREFERENCES])
def test_undo_is_offered_on_later_visits(house, ada, purpose):
    house.post(path_of(Purpose.UNSUBSCRIBE, ada.public_id))
    house.now = NOW + timedelta(days=40)
    [form] = page_of(house.get(path_of(purpose, ada.public_id))).xpath("//form")
    assert house.registry.get(ada.id).consent is Consent.WITHDRAWN
    assert "You’re subscribed" in house.post(form.get("action")).text
    assert house.registry.get(ada.id).consent is Consent.CONFIRMED


# ---- a pause ---------------------------------------------------------------------------------


def pause(house, person, **fields):
    return house.post(f"{path_of(Purpose.PREFERENCES, person.public_id)}/pause", fields)


def test_a_pause_says_its_end_and_can_be_ended(house, ada):
    assert "Paused" not in house.get(path_of(Purpose.PREFERENCES, ada.public_id)).text
    saved = pause(house, ada, until="2026-03-01")
    later = house.get(path_of(Purpose.PREFERENCES, ada.public_id))
    for answer in (saved, later):
        assert "Paused until Sunday, 1 March 2026" in page_of(answer).text_content()
    [resume] = page_of(later).xpath("//form[button='Resume now']/@action")
    assert "Paused" not in house.post(resume).text
    assert house.registry.get(ada.id).preferences.paused_until is None


def test_a_pause_that_is_over_is_no_pause(house, ada):
    pause(house, ada, until="2026-03-01")
    house.now = NOW + timedelta(days=30)
    page = page_of(house.get(path_of(Purpose.PREFERENCES, ada.public_id)))
    assert "Paused" not in page.text_content()
    path = path_of(Purpose.PREFERENCES, ada.public_id)
    assert "Saved" in house.post(path, {"topics": "robots"}).text


@pytest.mark.parametrize(
    ("until", "status"), [("2026-02-19", 422), ("2026-02-20", 422), ("2026-02-21", 200)]
)
def test_a_pause_that_ends_in_the_past_is_refused(house, ada, until, status):
    answer = pause(house, ada, until=until)
    assert answer.status_code == status
    assert ("in the future" in answer.text) == (status == 422)


def test_the_page_says_when_the_next_digest_comes(house, ada):
    path = path_of(Purpose.PREFERENCES, ada.public_id)
    for cadence, at, said in (
        ("daily", "07:00", "tomorrow at 07:00"),
        ("daily", "23:30", "today at 23:30"),
        ("weekly", "07:00", "on Monday, 23 February 2026 at 07:00"),
    ):
        fields = {"topics": "", "cadence": cadence, "at": at, "timezone": "Europe/Oslo"}
        [note] = page_of(house.post(path, fields)).xpath("//*[@role='status']")
        assert " ".join(note.text_content().split()) == (f"Saved. Your next digest arrives {said}.")
