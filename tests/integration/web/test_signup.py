"""Joining: the form, the mail, the button; and what the form does not tell."""

import re
from dataclasses import replace
from datetime import time, timedelta

import pytest

from digest.compose.transactional_composer import CONFIRM_WITHIN
from subscribers.addresses import AddressPolicy
from subscribers.model import Consent, Standing, SuppressionReason
from subscribers.preferences import WEEKDAYS, Preferences
from subscribers.tokens import Purpose
from subscribers.topics import parse_topics
from subscribers.web.page_context import MOST_PER_ADDRESS, MOST_PER_CLIENT
from tests.integration.at_once import at_once
from tests.integration.browser import CLIENT, page_of
from tests.integration.house import House
from tests.integration.site import SENDER
from tests.raw_message import read
from tests.support import NOW


@pytest.fixture
def house(ledger, registry):
    return House(ledger, registry)


def test_somebody_joins(house):
    answer = house.subscribe("Ada@example.org", "robots\n\n agents ")
    assert (answer.status_code, len(house.mails)) == (200, 1)
    [ada] = house.registry.everybody()
    assert (ada.consent, ada.topics) == (Consent.PENDING, parse_topics(["robots", "agents"]))
    assert house.registry.standing(ada.id) is Standing.NOT_CONFIRMED
    assert house.mailed == ["Ada@example.org"]
    page = house.get(house.link())
    assert '<form method="post">' in page.text
    assert house.registry.standing(ada.id) is Standing.NOT_CONFIRMED, "looking is not confirming"
    welcome = house.post(house.link())
    assert "You’re subscribed" in welcome.text
    assert house.registry.standing(ada.id) is Standing.MAY_RECEIVE
    preferences = re.search(r'href="(/preferences/[^"]+)"', welcome.text)[1]
    assert "robots" in house.get(preferences).text
    evidence = house.registry.file_of("ada@example.org").evidence
    assert [(item.event, item.source) for item in evidence] == [
        ("asked", "sign-up form, text 5"),
        ("confirmed", "link in the confirmation mail"),
    ]


def test_confirming_twice_is_confirming_once(house):
    house.subscribe("ada@example.org")
    first, second = house.post(house.link()), house.post(house.link())
    assert first.text == second.text
    assert len(house.registry.file_of("ada@example.org").evidence) == 2


def test_the_answer_is_the_same_whoever_asks(house):
    house.registry.add("confirmed@example.org", (), source="test", now=NOW)
    house.registry.suppressions.add("blocked@example.org", SuppressionReason.COMPLAINT, now=NOW)
    left = house.registry.add("left@example.org", (), source="test", now=NOW)
    house.registry.withdraw(left.public_id, source="test", now=NOW)
    answers = {
        house.subscribe(f"{who}@example.org").text.replace(f"{who}@example.org", "WHO")
        for who in ("new", "new", "confirmed", "blocked", "left")
    }
    assert len(answers) == 1
    assert house.mailed == ["new@example.org", "new@example.org", "left@example.org"]


# ---- an address that is blocked --------------------------------------------------------------

BOUNCES = [SuppressionReason.HARD_BOUNCE, SuppressionReason.SOFT_BOUNCES]
OTHERS = [SuppressionReason.COMPLAINT, SuppressionReason.OPERATOR]


@pytest.mark.parametrize("reason", BOUNCES)
@pytest.mark.parametrize("before", ["unknown", "pending", "confirmed", "left"])
def test_a_click_in_a_mail_that_arrived_lifts_a_block_for_bounces(house, reason, before):
    if before != "unknown":
        ada = house.registry.ask("ada@example.org", (), source="test", now=NOW)
        if before != "pending":
            house.registry.confirm(ada.public_id, source="test", now=NOW)
        if before == "left":
            house.registry.withdraw(ada.public_id, source="test", now=NOW)
    house.registry.suppressions.add("ada@example.org", reason, now=NOW)
    house.now = NOW + timedelta(minutes=1)
    answer = house.subscribe("ada@example.org", "robots")
    assert house.mailed == ["ada@example.org"]
    assert "bounced" in answer.text
    assert answer.text.replace("ada@", "WHO@") == house.subscribe("new@example.org").text.replace(
        "new@", "WHO@"
    )
    house.get(house.link(0))
    assert house.registry.suppressions.covers("ada@example.org"), "looking is not confirming"
    for _ in range(2):
        assert "You’re subscribed" in house.post(house.link(0)).text
        [ada] = house.registry.everybody(Consent.CONFIRMED)
        assert house.registry.standing(ada.id) is Standing.MAY_RECEIVE
    evidence = house.registry.file_of("ada@example.org").evidence
    assert [item.event for item in evidence][-2:] == ["asked", "confirmed"]


@pytest.mark.parametrize("reason", OTHERS)
def test_nothing_but_the_operator_lifts_another_block(house, reason):
    house.subscribe("ada@example.org")
    house.registry.suppressions.add("ada@example.org", reason, now=NOW)
    house.subscribe("ada@example.org")
    assert len(house.mails) == 1
    house.post(house.link())
    assert house.registry.suppressions.covers("ada@example.org")


def test_a_link_that_was_mailed_before_the_bounce_lifts_nothing(house):
    house.subscribe("ada@example.org")
    house.post(house.link())
    house.now = NOW + timedelta(hours=1)
    house.registry.suppressions.add("ada@example.org", SuppressionReason.HARD_BOUNCE, now=house.now)
    house.post(house.link())
    assert house.registry.suppressions.covers("ada@example.org")


def test_a_complaint_after_a_bounce_stays(house):
    house.registry.suppressions.add("ada@example.org", SuppressionReason.HARD_BOUNCE, now=NOW)
    house.subscribe("ada@example.org")
    house.registry.suppressions.add("ada@example.org", SuppressionReason.COMPLAINT, now=NOW)
    house.post(house.link())
    assert house.registry.suppressions.covers("ada@example.org")


def test_a_stranger_changes_nothing_of_whoever_has_confirmed_and_bounces(house):
    ada = house.registry.add("ada@example.org", parse_topics(["ants"]), source="test", now=NOW)
    house.registry.suppressions.add(ada.address, SuppressionReason.HARD_BOUNCE, now=NOW)
    house.subscribe(ada.address, "spam")
    house.post(house.link())
    assert house.registry.get(ada.id) == ada


# ---- who is confirmed, and who has left ------------------------------------------------------


def test_a_stranger_changes_nothing_of_whoever_has_confirmed(house):
    ada = house.registry.add("ada@example.org", parse_topics(["ants"]), source="test", now=NOW)
    house.subscribe("ada@example.org", "spam")
    assert house.registry.get(ada.id) == ada


def test_whoever_left_comes_back_only_by_confirming(house):
    ada = house.registry.add("ada@example.org", (), source="test", now=NOW)
    house.registry.withdraw(ada.public_id, source="test", now=NOW)
    house.subscribe("ada@example.org")
    assert house.registry.standing(ada.id) is Standing.NOT_CONFIRMED
    house.post(house.link())
    assert house.registry.standing(ada.id) is Standing.MAY_RECEIVE


def test_a_link_is_void_once_the_person_has_left(house):
    house.subscribe("ada@example.org")
    link = house.link()
    [ada] = house.registry.everybody()
    house.registry.withdraw(ada.public_id, source="test", now=NOW)
    assert "unsubscribed" in house.post(link).text
    assert house.registry.standing(ada.id) is Standing.WITHDRAWN


@pytest.mark.parametrize(("late", "status"), [(-1, 200), (0, 404), (1, 404)])
def test_a_link_is_good_for_its_time(house, late, status):
    house.subscribe("ada@example.org")
    house.now = NOW + CONFIRM_WITHIN + timedelta(seconds=late)
    assert house.get(house.link()).status_code == status
    assert house.post(house.link()).status_code == status
    [ada] = house.registry.everybody()
    assert (house.registry.standing(ada.id) is Standing.MAY_RECEIVE) == (status == 200)


def test_other_tokens_do_not_confirm(house):
    house.subscribe("ada@example.org")
    [ada] = house.registry.everybody()
    for purpose in Purpose:
        token = SENDER.tokens.make(purpose, ada.public_id)
        assert house.post(f"/confirm/{token}").status_code == 404
    late = SENDER.tokens.make_until(Purpose.UNSUBSCRIBE, ada.public_id, NOW + CONFIRM_WITHIN)
    assert house.post(f"/confirm/{late}").status_code == 404
    assert house.registry.standing(ada.id) is Standing.NOT_CONFIRMED


def test_an_address_is_mailed_a_few_times_an_hour_at_most(house):
    for number in range(MOST_PER_ADDRESS + 2):
        answer = house.subscribe("ADA@example.org", client=f"203.0.113.{number}")
        assert answer.status_code == (200 if number < MOST_PER_ADDRESS else 429)
    assert answer.headers["Retry-After"] == "3600"
    assert "try again" in page_of(answer).text_content()
    assert len(house.mails) == MOST_PER_ADDRESS
    house.now = NOW + timedelta(hours=1)
    house.subscribe("ada@example.org")
    assert len(house.mails) == MOST_PER_ADDRESS + 1


def test_a_client_is_served_a_few_times_an_hour_at_most(house):
    for number in range(MOST_PER_CLIENT + 2):
        answer = house.subscribe(f"reader{number}@example.org")
        assert answer.status_code == (200 if number < MOST_PER_CLIENT else 429)
    assert len(house.mails) == MOST_PER_CLIENT
    house.subscribe("another@example.org", client="203.0.113.99")
    assert len(house.mails) == MOST_PER_CLIENT + 1


@pytest.mark.parametrize(
    "spellings",
    [
        ["ada@example.org", "ada+papers@example.org", "ADA+x@example.org", "ada+y+z@example.org"],
        ["ada.l@gmail.com", "a.d.a.l@gmail.com", "adal@googlemail.com", "ada.l+x@gmail.com"],
    ],
)
def test_spellings_of_one_mailbox_count_together(house, spellings):
    for number, spelling in enumerate(spellings):
        house.subscribe(spelling, client=f"203.0.113.{number}")
    assert house.mailed == spellings[:MOST_PER_ADDRESS]


def test_dots_count_where_they_tell_mailboxes_apart(house):
    for number, address in enumerate(
        ["ada@example.org", "a.da@example.org", "ad.a@example.org"] * 2
    ):
        house.subscribe(address, client=f"203.0.113.{number}")
    assert len(house.mails) == 6


def test_an_ipv6_network_is_one_client(house):
    for number in range(MOST_PER_CLIENT + 5):
        house.subscribe(f"reader{number}@example.org", client=f"2001:db8:0:7::{number:x}")
    assert len(house.mails) == MOST_PER_CLIENT
    house.subscribe("another@example.org", client="2001:db8:0:8::1")
    assert len(house.mails) == MOST_PER_CLIENT + 1


def test_an_ipv4_address_in_ipv6_is_that_address(house):
    for number in range(MOST_PER_CLIENT):
        house.subscribe(f"reader{number}@example.org", client=f"::ffff:203.0.113.{number}")
    assert house.subscribe("another@example.org", client="::ffff:198.51.100.1").status_code == 200


def test_all_sign_ups_of_an_hour_have_a_ceiling_and_the_operator_is_told_once(ledger, registry):
    warnings = []
    house = House(ledger, registry, most_sign_ups=4, warn_operator=warnings.append)
    for number in range(7):
        answer = house.subscribe(f"reader{number}@example.org", client=f"203.0.113.{number}")
        assert answer.status_code == (200 if number < 4 else 429)
    assert len(house.mails) == 4
    [warning] = warnings
    assert "4 sign-ups" in warning
    assert "DIGEST_SIGN_UPS_PER_HOUR" in warning


def test_whoever_is_over_their_own_limit_uses_up_nobody_elses(ledger, registry):
    house = House(ledger, registry, most_sign_ups=MOST_PER_CLIENT + 1)
    for number in range(MOST_PER_CLIENT + 9):
        house.subscribe(f"reader{number}@example.org")
    assert house.subscribe("ada@example.org", client="203.0.113.99").status_code == 200


def test_what_fills_in_the_hidden_field_gets_no_mail_and_no_word_of_it(house):
    field = page_of(house.get("/subscribe")).xpath("//input[@name='website']")[0]
    assert (field.get("tabindex"), field.get("autocomplete")) == ("-1", "off")
    caught = house.subscribe("ada@example.org", website="https://spam.example")
    assert (house.mails, house.registry.everybody()) == ([], [])
    assert caught.text == house.subscribe("ada@example.org", website="").text


def test_a_limit_on_a_change_of_address_is_told(house):
    ada = house.registry.add("ada@example.org", (), source="test", now=NOW)
    path = f"/preferences/{SENDER.tokens.make(Purpose.PREFERENCES, ada.public_id)}/address"
    answers = [
        house.post(path, {"address": "new@example.org"}).status_code
        for _ in range(MOST_PER_ADDRESS + 1)
    ]
    assert answers == [200] * MOST_PER_ADDRESS + [429]


# ---- a proxy that is not trusted -------------------------------------------------------------


def test_a_forwarded_address_that_nobody_vouches_for_is_logged(house, monkeypatch):
    logged = []
    monkeypatch.setattr(
        "subscribers.web.page_context.log.warning", lambda event, **values: logged.append(values)
    )
    headers = {"X-Forwarded-For": "198.51.100.9"}
    for _ in range(2):
        house.ask("POST", "/subscribe", {"address": "ada@example.org"}, headers=headers)
    assert logged == [{"proxy": CLIENT, "setting": "DIGEST_TRUSTED_PROXIES"}] * 2


# ---- likely spellings ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("ann@gmail", "did you mean ann@gmail.com?"),
        ("ann@gmail.con", "did you mean ann@gmail.com?"),
        ("ann@hotmial.com", "did you mean ann@hotmail.com?"),
        ("ann@no-such-domain.example", "check the spelling"),
    ],
)
def test_a_domain_that_takes_no_mail_is_told_with_the_likely_spelling(
    ledger, registry, typed, told
):
    known = {"gmail.com", "mail.com", "example.org"}
    house = House(
        ledger, registry, address_policy=AddressPolicy(lambda: False, takes_mail=known.__contains__)
    )
    answer = house.subscribe(typed)
    assert answer.status_code == 422
    assert told in page_of(answer).xpath("//*[@role='alert']")[0].text_content()
    for fine in ("ann@gmail.com", "ann@mail.com", "ann@localhost"):
        assert house.subscribe(fine).status_code == 200


@pytest.mark.parametrize(
    "typed",
    ["Ann <ann@example.org>", "mailto:ann@example.org", "MAILTO:ann@example.org?subject=x",
     "ann@example.org.", " <ann@example.org> ", '"Ann, B." <ann@example.org>'],
)  # fmt: skip
def test_an_address_is_read_out_of_what_people_paste(house, typed):
    house.subscribe(typed)
    assert house.mailed == ["ann@example.org"]


@pytest.mark.parametrize(
    ("address", "topics", "named"),
    [
        ("", "", "not an email address"),
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
    assert "<script>" not in answer.text
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


# ---- what else is on the form ----------------------------------------------------------------

WISHES = {
    "topic": ["robots", "agents"],
    "cadence": "chosen",
    "days": ["", "mon", "thu"],
    "at": "17:30",
    "timezone": "Europe/Oslo",
    "max_papers": "3",
    "trending": "",
}


def test_what_is_wished_on_the_form_is_stored(house):
    house.subscribe("ada@example.org", "Robots\r\nants", **WISHES)
    [ada] = house.registry.everybody()
    assert [topic.text for topic in ada.topics] == ["Robots", "agents", "ants"]
    assert ada.preferences == Preferences(
        days=frozenset({"mon", "thu"}),
        at=time(17, 30),
        timezone="Europe/Oslo",
        max_papers=3,
        trending=False,
        locale="en",
    )
    assert "on Monday and Thursday" in " ".join(read(house.mails[0].content).parts[0].text.split())


def test_what_is_not_on_the_form_is_as_the_operator_has_it(ledger, registry):
    usual = Preferences(at=time(6, 15), timezone="Asia/Tokyo")
    House(ledger, registry, defaults=usual).subscribe("ada@example.org")
    assert registry.everybody()[0].preferences == replace(usual, locale="en")


def test_a_new_form_starts_with_the_operators_wishes_and_suggestions(ledger, registry):
    usual = Preferences(at=time(6, 15), timezone="Asia/Tokyo")
    house = House(ledger, registry, defaults=usual, suggestions=lambda: ["swarms", "<b>"])
    for path in ("/subscribe", "/"):
        page = page_of(house.get(path))
        assert page.xpath("//input[@name='topic']/@value") == ["swarms", "<b>"]
        assert page.xpath("//input[@checked]/@value") == ["daily", *WEEKDAYS, "yes", "yes"]
        assert page.get_element_by_id("at").value == "06:15"
        assert page.xpath("//option[@selected]/@value") == ["Asia/Tokyo", "en", "", "1"]


def test_a_refused_form_comes_back_as_it_was_sent(house):
    page = page_of(house.subscribe("nobody", "ants", **WISHES))
    assert page.get_element_by_id("address").value == "nobody"
    assert page.get_element_by_id("topics").value == "ants"
    assert page.xpath("//input[@checked]/@value") == [
        "robots",
        "agents",
        "chosen",
        "mon",
        "thu",
        "yes",
    ]
    assert page.xpath("//option[@selected]/@value") == ["Europe/Oslo", "en", "3", "", "1"]
    assert page.get_element_by_id("at").value == "17:30"


# ---- who may ask, and what is kept of it -----------------------------------------------------


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("ada@Mailbox-for-a-day.example", "not accepted here"),
        ("ada@sub.mailbox-for-a-day.example", "not accepted here"),
        ("josé@example.org", "cannot be reached from here"),
    ],
)
def test_addresses_that_may_not_come_in_are_told_so(ledger, registry, address, why):
    policy = AddressPolicy(lambda: False, frozenset({"mailbox-for-a-day.example"}))
    house = House(ledger, registry, address_policy=policy)
    answer = house.subscribe(address)
    assert answer.status_code == 422
    assert why in page_of(answer).xpath("//*[@role='alert']")[0].text_content()
    assert (registry.everybody(), house.mails) == ([], [])


def test_an_address_beyond_ascii_joins_where_the_relay_takes_it(ledger, registry):
    house = House(ledger, registry, address_policy=AddressPolicy(lambda: True))
    assert house.subscribe("josé@bücher.example").status_code == 200
    assert house.mailed == ["josé@xn--bcher-kva.example"]


@pytest.mark.parametrize(
    ("kept", "client", "written"),
    [
        (True, "203.0.113.9", "203.0.113.9"),
        (True, "2001:db8::1", "2001:db8::1"),
        (True, "what a proxy made up, " * 5, "what a proxy made up, what a proxy made up, w"),
        (False, "203.0.113.9", ""),
    ],
)
def test_where_a_consent_came_from_is_kept_where_that_is_wanted(
    ledger, registry, kept, client, written
):
    house = House(ledger, registry, keeps_clients=kept)
    house.subscribe("ada@example.org", client=client)
    house.post(house.link(), client=client)
    evidence = registry.file_of("ada@example.org").evidence
    assert [item.client for item in evidence] == [written, written]


def test_an_address_cannot_be_flooded_by_asking_at_once(house, engine):
    house.subscribe("ada@example.org")
    ask = lambda: house.subscribe("ada@example.org").status_code  # noqa: E731
    answers = at_once(engine, *[ask] * MOST_PER_ADDRESS, before=("SELECT signups",))
    assert set(answers) <= {200, 429}
    assert len(house.mails) <= MOST_PER_ADDRESS


def test_who_asks_twice_at_once_is_one_person(house, engine):
    ask = lambda: house.subscribe("ada@example.org").status_code  # noqa: E731
    assert at_once(engine, ask, ask, before=("INSERT INTO subscribers",)) == [200, 200]
    [ada] = house.registry.everybody()
    house.post(house.link())
    assert house.registry.standing(ada.id) is Standing.MAY_RECEIVE
