"""The studio's pages about announcements: look first, then send, once."""

import re
from urllib.parse import urlsplit

import lxml.html
import pytest

from digest.errors import Busy
from digest.ledger.locks import advisory_lock
from digest.model.announcements import LONGEST_SUBJECT, Draft
from digest.studio import announcements
from digest.studio.access import HEADERS
from subscribers.topics import TopicFilter
from tests.integration.studio.test_studio import opening_studios
from tests.integration.studio_client import HERE
from tests.support import NOW

HOSTILE = "<script>alert('x')</script>\"&{{7*7}}"
TEXT = f"Hello {HOSTILE}\n\n- https://new.example/"


@pytest.fixture
def open_studio(tmp_path, new_sqlite):
    with opening_studios(tmp_path, new_sqlite) as start:
        yield lambda **settings: start(templates="", **settings)


@pytest.fixture
def client(open_studio):
    client = open_studio()
    for name, topics in (("ada", ["robots"]), ("bob", ["video"])):
        filters = tuple(map(TopicFilter, topics))
        client.app.registry.add(f"{name}@example.org", filters, source="test", now=NOW)
    return client


def write(client, subject="We move", text=TEXT, **more):
    """The path of the draft that is kept."""
    answer = client.post("/announcements/new", data={"subject": subject, "text": text, **more})
    assert answer.status_code == 303, answer.text
    return urlsplit(answer.headers["location"]).path


def page(answer, status=200):
    assert answer.status_code == status, answer.text
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert "style=" not in answer.text
    found = lxml.html.document_fromstring(answer.text)
    assert not found.xpath("//script")
    assert len(found.xpath("//@id")) == len(set(found.xpath("//@id")))
    return found


def said(found):
    return " ".join(found.body.text_content().split())


def rows(client):
    """Every announcement, with how many have a delivery."""
    ledger = client.app.ledger
    return {
        found.draft.subject: len(ledger.deliveries.reports(found))
        for found in ledger.announcements.latest(9)
    }


# ---- writing, and looking ------------------------------------------------------------------------


def test_it_is_shown_as_mail_before_anything_is_sent(client):
    draft = write(client, subject=HOSTILE)
    found = page(client.get(draft))
    assert found.xpath("//input[@name='subject']/@value") == [HOSTILE]
    assert found.xpath("//textarea[@name='text']")[0].text.strip() == TEXT
    assert "Send it to 2 readers" in said(found)
    assert f"Hello {HOSTILE}" in found.xpath("//pre")[0].text_content()
    frames = found.xpath("//iframe")
    assert {frame.get("width") for frame in frames} == {"360"}
    for frame in frames:
        shown = client.get(frame.get("src"))
        assert shown.status_code == 200
        assert "sandbox" in shown.headers["content-security-policy"]
        assert "<script>" not in shown.text
    assert rows(client) == {}


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"subject": "", "text": "x"}, "the subject is empty"),
        ({"subject": "x", "text": " "}, "the text is empty"),
        ({}, "the subject is empty"),
        ({"subject": "x" * (LONGEST_SUBJECT + 1), "text": "x"}, "may have 200 at most"),
        ({"subject": "x", "text": "a\0b"}, "control character"),
        ({"subject": "x", "text": "x", "addresses": "Ada"}, "'Ada' is not an address"),
    ],
)
def test_what_cannot_be_sent_is_told_and_what_was_typed_stays(client, typed, why):
    answer = client.post("/announcements/new", data=typed)
    found = page(answer, 422)
    assert why in said(found)
    assert found.xpath("//input[@name='subject']/@value") == [typed.get("subject", "")]


def test_a_text_that_is_too_large_as_mail_cannot_be_sent(client):
    answer = client.get(write(client, text="&" * 20_000))
    assert "bytes of HTML" in said(page(answer, 422))
    assert not page(answer, 422).xpath("//form[contains(@action, '/send')]")


def test_only_some_drafts_are_kept(client, monkeypatch):
    monkeypatch.setattr(announcements, "MOST_DRAFTS", 2)
    first, second = write(client, subject="1"), write(client, subject="2")
    assert client.get(first).status_code == 200
    write(client, subject="3")
    assert client.get(first).status_code == 200
    assert client.get(second).status_code == 404


@pytest.mark.parametrize(
    "path", ["/announcements/drafts/x", f"/announcements/drafts/{'0' * 32}", "/announcements/7",
             "/announcements/0", f"/announcements/{10**30}", "/announcements/x"]
)  # fmt: skip
def test_what_is_not_there_is_not_found(client, path):
    assert client.get(path).status_code == 404
    for action in ("send", "test", "stop"):
        answer = client.post(f"{path}/{action}", data={"count": "1", "address": "a@example.org"})
        assert answer.status_code in {404, 405}


def test_a_test_goes_to_one_address_and_is_no_delivery(open_studio, smtp_server):
    client = open_studio(transport=smtp_server.url())
    draft = write(client)
    found = page(client.post(f"{draft}/test", data={"address": "me@example.org"}))
    assert "To me@example.org: accepted" in said(found)
    [mail] = smtp_server.received
    assert [*mail.rcpt_to] == ["me@example.org"]
    assert b"Subject: [test] We move" in mail.content
    found = page(client.post(f"{draft}/test", data={"address": "nobody"}))
    assert "To nobody:" in said(found)
    assert rows(client) == {}


# ---- sending -------------------------------------------------------------------------------------


def test_it_goes_to_who_was_chosen_once_however_often_one_presses(client):
    draft = write(client, topic="robot")
    assert "Send it to 1 reader" in said(page(client.get(draft)))
    answers = [client.post(f"{draft}/send", data={"count": "1"}) for _ in range(3)]
    assert {answer.headers["location"] for answer in answers} == {"/announcements/1"}
    assert rows(client) == {"We move": 1}
    found = page(client.get("/announcements/1"))
    assert "1 chosen; the sum adds up" in said(found)
    assert "1 pending" in said(found)
    assert TEXT in found.xpath("//pre")[0].text_content()
    listed = page(client.get("/announcements"))
    assert listed.xpath("//th/a/@href") == ["/announcements/1"]


def test_nobody_gets_it_who_was_not_counted(client):
    draft = write(client)
    client.get(draft)
    client.app.registry.add("late@example.org", (), source="test", now=NOW)
    found = page(client.post(f"{draft}/send", data={"count": "2"}))
    assert "It is 3 readers by now" in said(found)
    assert rows(client) == {}


@pytest.mark.parametrize("count", ["", "0", "-1", "x", "9" * 99])
def test_a_count_that_nobody_was_told_sends_nothing(client, count):
    answer = client.post(f"{write(client)}/send", data={"count": count})
    assert answer.status_code in {200, 404, 422}
    assert rows(client) == {}


def test_while_others_plan_it_is_kept_for_them(client):
    draft = write(client)
    with advisory_lock(client.app.engine, "planning"):
        client.post(f"{draft}/send", data={"count": "2"})
    assert rows(client) == {"We move": 0}
    assert "is being planned" in said(page(client.get("/announcements/1")))
    client.app.pipeline.plan(NOW)
    assert rows(client) == {"We move": 2}
    with advisory_lock(client.app.engine, "announcing"), pytest.raises(Busy):
        client.app.ledger.announcements.create(Draft("a", "b"), NOW)


def test_stopped_what_waits_is_dropped(client):
    client.post(f"{write(client)}/send", data={"count": "2"})
    assert client.post("/announcements/1/stop").headers["location"] == "/announcements/1"
    text = said(page(client.get("/announcements/1")))
    assert "2 of these: the announcement was stopped" in text
    assert not page(client.get("/announcements/1")).xpath("//form[contains(@action, 'stop')]")


# ---- who may -------------------------------------------------------------------------------------


def test_looking_changes_nothing(client):
    draft = write(client)
    for path in ("/announcements", "/announcements/new", draft, f"{draft}/picture", f"{draft}/send",
                 f"{draft}/test", "/announcements/1/stop"):  # fmt: skip
        client.get(path)
    assert rows(client) == {}
    client.post(f"{draft}/send", data={"count": "2"})
    client.get("/announcements/1/stop")
    assert client.app.ledger.announcements.numbered(1).stopped_at is None


@pytest.mark.parametrize("action", ["send", "test"])
def test_no_other_site_can_send(client, action):
    draft = write(client)
    data = {"count": "2", "address": "me@example.org"}
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert client.post(f"{draft}/{action}", data=data, headers=headers).status_code == 403
        assert client.post("/announcements/new", data=data, headers=headers).status_code == 403
    assert rows(client) == {}
    assert client.post(f"{draft}/{action}", data=data, headers={"Origin": HERE}).status_code < 400


def test_with_a_password_nobody_gets_in_without_a_login(open_studio):
    client = open_studio(studio_password="open sesame and more")
    assert client.post("/announcements/new", data={"subject": "a", "text": "b"}).status_code == 401
    answer = client.get("/announcements")
    assert answer.status_code == 303
    assert re.search(r"/login\?to=", answer.headers["location"])
