"""Joining: the form, the mail, the button; and what the form does not tell."""

import asyncio
import re
from datetime import timedelta
from urllib.parse import urlencode

import httpx
import pytest

from digest.compose.composer import CONFIRM_WITHIN, Composer
from digest.compose.environment import Templates
from digest.compose.sender import sender_of
from digest.web.pages import web_app
from subscribers.model import Consent, Standing, SuppressionReason
from subscribers.signup import MOST_PER_ADDRESS, MOST_PER_CLIENT
from subscribers.tokens import Purpose
from subscribers.topics import parse_topics
from tests.raw_message import read
from tests.support import NOW, make_settings

SENDER = sender_of(make_settings())
COMPOSER = Composer(Templates(), SENDER)
HOST = "https://digest.example.org"


class House:
    """The pages over a registry, and the confirmations that they have sent."""

    def __init__(self, ledger, registry, draft=lambda day, topics: None):
        self.registry = registry
        self.now = NOW
        self.mails = []
        self._app = web_app(
            SENDER, Templates(), ledger.editions, registry, lambda: self.now, self._send, draft
        )

    def _send(self, person):
        topics = [topic.text for topic in person.topics]
        self.mails.append(
            COMPOSER.confirmation(
                to=person.address, public_id=person.public_id, topics=topics, now=self.now
            )
        )

    def ask(self, method, path, fields=None, client="203.0.113.7"):
        async def once():
            transport = httpx.ASGITransport(app=self._app, client=(client, 1234))
            async with httpx.AsyncClient(transport=transport, base_url=HOST) as http:
                return await http.request(
                    method,
                    path,
                    content=urlencode(fields or {}),
                    headers={"Content-Type": "application/x-www-form-urlencoded"},
                )

        return asyncio.run(once())

    def subscribe(self, address, topics="", **more):
        return self.ask("POST", "/subscribe", {"address": address, "topics": topics}, **more)

    def link(self):
        """The path of the link in the last confirmation."""
        text = read(self.mails[-1].content).parts[0].text
        return re.search(rf"{HOST}(/confirm/\S+)", text)[1]


@pytest.fixture
def house(ledger, registry):
    return House(ledger, registry)


def test_somebody_joins(house):
    answer = house.subscribe("Ada@example.org", "robots\n\n agents ")
    assert (answer.status_code, len(house.mails)) == (200, 1)
    [ada] = house.registry.everybody()
    assert (ada.consent, ada.topics) == (Consent.PENDING, parse_topics(["robots", "agents"]))
    assert house.registry.standing(ada.id) is Standing.NOT_CONFIRMED
    assert house.mails[0].envelope.rcpt_to == "Ada@example.org"
    page = house.ask("GET", house.link())
    assert '<form method="post">' in page.text
    assert house.registry.standing(ada.id) is Standing.NOT_CONFIRMED, "looking is not confirming"
    welcome = house.ask("POST", house.link())
    assert "Welcome" in welcome.text
    assert house.registry.standing(ada.id) is Standing.MAY_RECEIVE
    preferences = re.search(r'href="(/preferences/[^"]+)"', welcome.text)[1]
    assert "robots" in house.ask("GET", preferences).text
    evidence = house.registry.file_of("ada@example.org").evidence
    assert [(each.event, each.source) for each in evidence] == [
        ("asked", "sign-up form, text 1"),
        ("confirmed", "link in the confirmation mail"),
    ]


def test_confirming_twice_is_confirming_once(house):
    house.subscribe("ada@example.org")
    first, second = house.ask("POST", house.link()), house.ask("POST", house.link())
    assert first.text == second.text
    assert len(house.registry.file_of("ada@example.org").evidence) == 2


def test_the_answer_is_the_same_whoever_asks(house):
    house.registry.add("confirmed@example.org", (), source="test", now=NOW)
    house.registry.suppress("blocked@example.org", SuppressionReason.COMPLAINT, now=NOW)
    left = house.registry.add("left@example.org", (), source="test", now=NOW)
    house.registry.withdraw(left.public_id, source="test", now=NOW)
    answers = {
        house.subscribe(f"{who}@example.org").text.replace(f"{who}@example.org", "WHO")
        for who in ("new", "new", "confirmed", "blocked", "left")
    }
    assert len(answers) == 1
    mailed = [mail.envelope.rcpt_to for mail in house.mails]
    assert mailed == ["new@example.org", "new@example.org", "left@example.org"]


def test_a_stranger_changes_nothing_of_whoever_has_confirmed(house):
    ada = house.registry.add("ada@example.org", parse_topics(["ants"]), source="test", now=NOW)
    house.subscribe("ada@example.org", "spam")
    assert house.registry.get(ada.id) == ada


def test_whoever_left_comes_back_only_by_confirming(house):
    ada = house.registry.add("ada@example.org", (), source="test", now=NOW)
    house.registry.withdraw(ada.public_id, source="test", now=NOW)
    house.subscribe("ada@example.org")
    assert house.registry.standing(ada.id) is Standing.NOT_CONFIRMED
    house.ask("POST", house.link())
    assert house.registry.standing(ada.id) is Standing.MAY_RECEIVE


def test_a_link_is_void_once_the_person_has_left(house):
    house.subscribe("ada@example.org")
    link = house.link()
    [ada] = house.registry.everybody()
    house.registry.withdraw(ada.public_id, source="test", now=NOW)
    assert "unsubscribed" in house.ask("POST", link).text
    assert house.registry.standing(ada.id) is Standing.WITHDRAWN


@pytest.mark.parametrize(("late", "status"), [(-1, 200), (0, 404), (1, 404)])
def test_a_link_is_good_for_its_time(house, late, status):
    house.subscribe("ada@example.org")
    house.now = NOW + CONFIRM_WITHIN + timedelta(seconds=late)
    assert house.ask("GET", house.link()).status_code == status
    assert house.ask("POST", house.link()).status_code == status
    [ada] = house.registry.everybody()
    assert (house.registry.standing(ada.id) is Standing.MAY_RECEIVE) == (status == 200)


def test_other_tokens_do_not_confirm(house):
    house.subscribe("ada@example.org")
    [ada] = house.registry.everybody()
    for purpose in Purpose:
        token = SENDER.tokens.make(purpose, ada.public_id)
        assert house.ask("POST", f"/confirm/{token}").status_code == 404
    late = SENDER.tokens.make_until(Purpose.UNSUBSCRIBE, ada.public_id, NOW + CONFIRM_WITHIN)
    assert house.ask("POST", f"/confirm/{late}").status_code == 404
    assert house.registry.standing(ada.id) is Standing.NOT_CONFIRMED


def test_an_address_is_mailed_a_few_times_an_hour_at_most(house):
    for number in range(MOST_PER_ADDRESS + 2):
        answer = house.subscribe("ADA@example.org", client=f"203.0.113.{number}")
        assert answer.status_code == 200
    assert len(house.mails) == MOST_PER_ADDRESS
    house.now = NOW + timedelta(hours=1)
    house.subscribe("ada@example.org")
    assert len(house.mails) == MOST_PER_ADDRESS + 1


def test_a_client_is_served_a_few_times_an_hour_at_most(house):
    for number in range(MOST_PER_CLIENT + 2):
        assert house.subscribe(f"reader{number}@example.org").status_code == 200
    assert len(house.mails) == MOST_PER_CLIENT
    house.subscribe("another@example.org", client="203.0.113.99")
    assert len(house.mails) == MOST_PER_CLIENT + 1


@pytest.mark.parametrize(
    ("address", "topics", "named"),
    [
        ("", "", "not a mail address"),
        ("nobody", "", "nobody"),
        ("ada@example.org", "!!", "!!"),
        ("ada@example.org", "x" * 9000, "too long"),
        ("<script>alert(1)</script>", "", "&lt;script&gt;"),
    ],
)
def test_what_cannot_be_used_is_said_and_kept_in_the_form(house, address, topics, named):
    answer = house.subscribe(address, topics)
    assert answer.status_code == 422
    assert named in answer.text
    assert "<script" not in answer.text
    assert (house.registry.everybody(), house.mails) == ([], [])


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_only_a_post_subscribes(house, method):
    house.ask(method, "/subscribe?address=ada@example.org")
    assert (house.registry.everybody(), house.mails) == ([], [])


def test_the_confirmation_is_no_list_mail(house):
    house.subscribe("ada@example.org", "robots")
    message = read(house.mails[0].content)
    assert [name for name, _ in message.headers if name.startswith("List-")] == []
    assert message.one("Auto-Submitted") == "auto-generated"
    text, html = (part.text for part in message.parts)
    assert "robots" in text
    assert house.link() in html
    assert "Example Street" in text
    assert "Example Street" in html


def test_tokens_name_nobody(house):
    house.subscribe("ada@example.org")
    assert "ada" not in house.link().lower()
