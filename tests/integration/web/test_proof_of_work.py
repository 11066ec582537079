"""The sign-up form with a proof of work: once each, and off unless it is asked for."""

import pytest

from digest.web.site import page_renderer
from subscribers.proof_of_work import GOOD_FOR
from tests.integration.browser import page_of
from tests.integration.house import House
from tests.integration.site import SENDER, TEMPLATES
from tests.unit.subscribers.test_proof_of_work import PROOF, packed, solve


@pytest.fixture
def house(ledger, registry):
    render = page_renderer(TEMPLATES, SENDER, asks_proof=True)
    return House(ledger, registry, render=render, proof_of_work=PROOF)


def solved(house):
    challenge = house.get("/challenge").json()
    return packed({**challenge, "number": solve(challenge)})


def test_whoever_has_computed_is_asked_to_confirm(house):
    assert house.subscribe("ada@example.org", altcha=solved(house)).status_code == 200
    assert house.mailed == ["ada@example.org"]


@pytest.mark.parametrize("sent", [{}, {"altcha": ""}, {"altcha": "-"}, {"altcha": "e30="}])
def test_without_it_nothing_is_sent_and_the_page_says_why(house, sent):
    answer = house.subscribe("ada@example.org", "robots", **sent)
    assert answer.status_code == 422
    page = page_of(answer)
    assert "JavaScript" in page.xpath("//*[@role='alert']")[0].text_content()
    assert page.xpath("//input[@name='address']/@value") == ["ada@example.org"]
    assert page.get_element_by_id("topics").value == "robots"
    assert house.mailed == []


def test_it_counts_once(house):
    sent = solved(house)
    assert house.subscribe("ada@example.org", altcha=sent).status_code == 200
    assert house.subscribe("bob@example.org", altcha=sent).status_code == 422
    assert house.mailed == ["ada@example.org"]


def test_a_typing_error_does_not_use_it_up(house):
    sent = solved(house)
    assert house.subscribe("ada", altcha=sent).status_code == 422
    assert house.subscribe("ada@example.org", altcha=sent).status_code == 200


def test_it_is_too_old_after_a_while(house):
    sent = solved(house)
    house.now += GOOD_FOR
    assert house.subscribe("ada@example.org", altcha=sent).status_code == 422


def test_the_form_says_that_it_needs_scripts(house):
    page = page_of(house.get("/subscribe"))
    assert page.xpath("//input[@name='altcha']/@data-challenge") == ["/challenge"]
    assert "JavaScript" in page.xpath("//noscript")[0].text_content()


def test_it_is_off_unless_it_is_asked_for(ledger, registry):
    house = House(ledger, registry)
    assert house.get("/challenge").status_code == 404
    assert not page_of(house.get("/subscribe")).xpath("//input[@name='altcha'] | //noscript")
    assert house.subscribe("ada@example.org").status_code == 200
