"""Bounces and complaints that mail services post: what happens, and to whom nothing does."""

import json
from functools import partial

import pytest

from digest.app.web import _take
from digest.inbound.attribution import Attribution
from digest.inbound.bounce_policy import Limits
from digest.inbound.diagnostics import shipped_table
from digest.inbound.feedback_handler import FeedbackHandler
from digest.inbound.webhooks import Webhooks
from digest.model.deliveries import DeliveryState
from digest.model.verp import Verp
from subscribers.model import Standing
from tests.integration.browser import Browser
from tests.integration.ledger.test_papers import absorb
from tests.integration.plans import bring, plan
from tests.integration.site import SENDER, make_web
from tests.support import NOW, TODAY, make_sighting
from tests.unit.inbound.test_webhook_signatures import CERTIFICATE, TOPIC, from_sns

SECRET = "correct horse"
SHOWN = {"authorization": f"Bearer {SECRET}"}
VERP = Verp([SENDER.secret], "bounces@example.org")


@pytest.fixture
def fetched():
    return []


@pytest.fixture
def browser(ledger, registry, fetched):
    def fetch(url):
        fetched.append(url)
        return CERTIFICATE

    webhooks = Webhooks(
        {"generic": (SECRET,), "ses": (TOPIC,)},
        Attribution(ledger, registry, VERP, SENDER.tokens),
        FeedbackHandler(ledger, registry, Limits(hard_bounces=5, complaints=0.1)),
        shipped_table(),
        fetch,
    )
    return Browser(make_web(ledger, registry, webhook=partial(_take, webhooks, lambda: NOW)))


@pytest.fixture
def people(ledger, registry):
    """Six readers who got their digest."""
    people = [registry.add(f"{i}@example.org", (), source="test", now=NOW) for i in range(6)]
    absorb(ledger, make_sighting(1))
    edition = ledger.editions.freeze(TODAY, TODAY, NOW)
    with ledger.live_workers.enter() as claims:
        for person in people:
            delivery = plan(ledger, edition, person.id, "gmail.com")
            bring(ledger, claims, delivery, DeliveryState.ACCEPTED)
    return people


def post(browser, value, service="generic", headers=SHOWN):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return browser.ask("POST", f"/webhooks/bounces/{service}", content=body, headers=headers)


def bounce(person, **changes):
    report = {"event": "bounce", "address": person.address, "permanent": True}
    return {**report, "text": "550 5.1.1 no such user", **changes}


def test_a_dead_address_gets_nothing_more(browser, registry, people):
    for _ in range(2):
        assert post(browser, bounce(people[0])).status_code == 200
    assert registry.standing(people[0].id) is Standing.SUPPRESSED
    assert registry.standing(people[1].id) is Standing.MAY_RECEIVE


def test_a_complaint_ends_it_too(browser, registry, people):
    complaint = {"event": "complaint", "address": people[0].address}
    assert post(browser, [complaint]).status_code == 200
    assert registry.standing(people[0].id) is Standing.SUPPRESSED


def test_a_provider_that_refuses_our_mail_to_several_is_paused(browser, ledger, people):
    for person in people[:3]:
        assert ledger.provider_queues.paused() == []
        post(browser, bounce(person, text="550 5.7.1 your IP is blacklisted"))
    assert [pause.provider for pause in ledger.provider_queues.paused()] == ["gmail.com"]


def test_a_notification_of_amazon_is_taken_and_its_topic_confirmed(
    browser, ledger, registry, people, fetched
):
    sent = ledger.bounces.last_sent_to(people[0].id)
    sender = VERP.sender_for(sent.id, people[0].address)
    bounced = {"emailAddress": "x@y.example", "diagnosticCode": "smtp; 550 5.1.1 no such user"}
    notification = {
        "notificationType": "Bounce",
        "bounce": {"bounceType": "Permanent", "bouncedRecipients": [bounced]},
        "mail": {"source": sender},
    }
    assert post(browser, from_sns(json.dumps(notification)), "ses", {}).status_code == 200
    assert registry.standing(people[0].id) is Standing.SUPPRESSED
    assert len(fetched) == 1


@pytest.mark.parametrize(
    ("service", "headers", "status"),
    [
        ("generic", {}, 403),
        ("generic", {"authorization": "Bearer wrong"}, 403),
        ("ses", SHOWN, 403),
        ("mailgun", SHOWN, 404),
        ("nobody", SHOWN, 404),
    ],
)
def test_what_is_unknown_or_badly_signed_does_nothing(
    browser, registry, people, service, headers, status
):
    assert post(browser, bounce(people[0]), service, headers).status_code == status
    assert registry.standing(people[0].id) is Standing.MAY_RECEIVE


def test_what_is_no_json_is_told(browser):
    assert post(browser, b"{").status_code == 400
    assert browser.ask("GET", "/webhooks/bounces/generic").status_code in {404, 405}
