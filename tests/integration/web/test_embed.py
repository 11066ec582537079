"""The form to join on another site: who may send it, and what becomes of it."""

from dataclasses import replace

import lxml.html
import pytest

from digest.web.embed import snippet
from digest.web.pages import web_app
from digest.web.site import page_renderer
from subscribers.model import Consent
from subscribers.origins import Origins
from subscribers.topics import parse_topics
from subscribers.web.page_context import MOST_PER_ADDRESS, MOST_PER_CLIENT
from tests.integration.browser import HOST, Browser, page_of
from tests.integration.house import House
from tests.integration.site import SENDER, TEMPLATES, make_site
from tests.integration.web.test_proof_of_work import PROOF, solved

LAB = "https://lab.example.org"
ORIGINS = Origins(HOST, frozenset({LAB}))
FROM_LAB = {"Origin": LAB, "Sec-Fetch-Site": "cross-site"}
FROM_EVIL = {"Origin": "https://lab.example.org.evil.test", "Sec-Fetch-Site": "cross-site"}


@pytest.fixture
def house(ledger, registry):
    return House(ledger, registry, origins=ORIGINS)


def form_of(html):
    return lxml.html.fragment_fromstring(html.strip())


def sent_from(house, headers, address="ada@example.org", *, path="/subscribe", **fields):
    return house.post(path, {"address": address, **fields}, headers=headers)


def in_language(code="en", topics=(), templates=TEMPLATES, identity=SENDER):
    return snippet(page_renderer(templates, identity), templates.languages, identity, code, topics)


# ---- the snippet ----------------------------------------------------------------------------


@pytest.mark.parametrize("code", TEMPLATES.languages.codes)
def test_the_snippet_is_plain_html_in_a_language(code):
    html = in_language(code)
    form = form_of(html)
    assert (form.tag, form.get("method"), form.get("lang")) == ("form", "post", code)
    assert form.get("action") == f"{HOST}/{code}/subscribe"
    assert form.get("dir") == ("rtl" if code == "ar" else "ltr")
    assert not form.xpath("//script | //style | //link | //img | //@style | //iframe | //@onclick")
    assert not form.xpath("//@*[starts-with(name(), 'on')]")
    for field in form.xpath(".//input"):
        assert field.get("id") is None or form.xpath(f".//label[@for='{field.get('id')}']")
        assert field.get("id") or field.getparent().tag == "label", "a field without a label"
    assert form.xpath(".//input[@name='address']/@type") == ["email"]
    assert form.xpath(f".//a[@href='{HOST}/{code}/privacy']")
    words = form.text_content()
    assert ("Subscribe" in words) == (code == "en")


def test_the_hidden_field_needs_no_style_to_be_hidden():
    [trap] = form_of(in_language()).xpath(".//input[@name='website']")
    assert (trap.get("tabindex"), trap.get("autocomplete")) == ("-1", "off")
    assert trap.xpath("ancestor::*[@hidden]")


def test_topics_that_are_given_are_ticked():
    hostile = '"quoted <b>" & more'
    form = form_of(in_language(topics=parse_topics(["robots", hostile])))
    boxes = form.xpath(".//input[@type='checkbox']")
    assert [(box.get("name"), box.get("value"), box.get("checked")) for box in boxes] == [
        ("topic", "robots", "checked"),
        ("topic", hostile, "checked"),
    ]
    assert not form.xpath(".//b | .//input[@name='topics']")


def test_without_topics_there_is_a_field_for_them():
    assert form_of(in_language()).xpath(".//input[@name='topics']")


@pytest.mark.parametrize("strips", [True, False], ids=["stripping", "non-stripping"])
def test_it_leads_below_a_path_behind_either_proxy(ledger, registry, strips):
    identity = replace(SENDER, base_url="https://example.org/papers/daily")
    mails = []
    site = make_site(
        ledger, registry, mails=mails, render=page_renderer(TEMPLATES, identity),
        origins=Origins("https://example.org", frozenset({LAB})),
    )  # fmt: skip
    browser = Browser(web_app(replace(site, identity=identity)))
    action = form_of(in_language("de", identity=identity)).get("action")
    path = action.removeprefix("https://example.org")
    assert path == "/papers/daily/de/subscribe"
    for headers, status in ((FROM_LAB, 200), (FROM_EVIL, 422), ({"Origin": "null"}, 422)):
        answer = browser.ask(
            "POST", path.removeprefix("/papers/daily") if strips else path,
            data={"address": "ada@example.org"}, headers={**headers, "Host": "127.0.0.1:8000"},
        )  # fmt: skip
        assert answer.status_code == status
    assert 'action="/papers/daily/de/subscribe"' in answer.text, "the form goes on below the path"
    assert len(mails) == 1


# ---- who may send it ------------------------------------------------------------------------


def test_somebody_joins_from_an_allowed_site(house):
    form = form_of(in_language("de", parse_topics(["robots"])))
    fields = {box.get("name"): box.get("value") for box in form.xpath(".//input[@checked]")}
    path = form.get("action").removeprefix(HOST)
    answer = sent_from(house, FROM_LAB, path=path, **fields, website="")
    assert answer.status_code == 200
    assert page_of(answer, "de").xpath("//h1")
    [ada] = house.registry.everybody()
    assert (ada.consent, ada.topics) == (Consent.PENDING, parse_topics(["robots"]))
    assert ada.preferences.locale == "de"
    [asked] = house.registry.file_of("ada@example.org").evidence
    assert asked.source == f"form of {LAB}, text 1"
    house.post(house.link())
    assert [person.consent for person in house.registry.everybody()] == [Consent.CONFIRMED]


def test_the_evidence_of_a_long_origin_fits(ledger, registry):
    long = f"https://{'a' * 60}.{'b' * 60}.example"
    house = House(ledger, registry, origins=Origins(HOST, frozenset({long})))
    assert sent_from(house, {"Origin": long}).status_code == 200
    [asked] = registry.file_of("ada@example.org").evidence
    assert asked.source.startswith("form of https://aaa")
    assert asked.source.endswith("…, text 1")
    assert len(asked.source) <= 64


@pytest.mark.parametrize(
    "headers",
    [
        FROM_EVIL,
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Referer": "https://evil.test/?https://lab.example.org"},
        [("Origin", LAB), ("Origin", "https://evil.test")],
        # What a program may add changes nothing of it.
        {"Origin": "https://evil.test", "Host": "evil.test", "X-Forwarded-Host": "evil.test"},
    ],
)
def test_from_elsewhere_one_goes_on_at_our_own_form_with_what_was_typed(house, headers):
    answer = sent_from(house, headers, topics="robots", papers="2602.00001", topic="ants")
    assert answer.status_code == 422
    page = page_of(answer)
    assert "once more" in page.xpath("//*[@role='alert']")[0].text_content()
    assert page.xpath("//input[@name='address']/@value") == ["ada@example.org"]
    assert page.get_element_by_id("topics").value == "robots"
    assert page.xpath("//input[@name='topic'][@checked]/@value") == ["ants"]
    assert "2602.00001" in page.get_element_by_id("papers").value
    assert (house.mails, house.registry.everybody()) == ([], [])
    ours = {"Sec-Fetch-Site": "same-origin", "Origin": "null"}
    assert sent_from(house, ours).status_code == 200
    assert house.mailed == ["ada@example.org"]


@pytest.mark.parametrize("headers", [{}, {"Origin": HOST}, {"Sec-Fetch-Site": "same-origin"}])
def test_our_own_form_and_programs_are_let_in_without_any_setting(ledger, registry, headers):
    house = House(ledger, registry)
    assert sent_from(house, headers).status_code == 200
    assert sent_from(house, FROM_LAB).status_code == 422


def test_a_browser_tells_our_own_form_by_its_origin(house):
    """Without a referrer it would write null, and then nothing tells it from another site's."""
    for path in ("/", "/subscribe", "/de/subscribe"):
        assert house.get(path).headers["referrer-policy"] == "same-origin"
    assert house.post("/preview", {}).headers["referrer-policy"] == "same-origin"
    assert sent_from(house, FROM_EVIL).headers["referrer-policy"] == "same-origin"
    for path in ("/link", "/unsubscribe/x", "/confirm/x", "/subscribe/x", "/archive"):
        assert house.get(path).headers["referrer-policy"] == "no-referrer"


def test_a_copy_that_is_still_good_keeps_the_policy(house):
    etag = house.get("/subscribe").headers["etag"]
    again = house.browser.ask("GET", "/subscribe", headers={"If-None-Match": etag})
    assert (again.status_code, again.headers["referrer-policy"]) == (304, "same-origin")


# ---- the same as of our own form ------------------------------------------------------------


def test_the_limits_are_the_same(house):
    statuses = [
        sent_from(house, FROM_LAB, f"reader{number}@example.org").status_code
        for number in range(MOST_PER_CLIENT + 1)
    ]
    assert statuses == [200] * MOST_PER_CLIENT + [429]
    statuses = [
        house.post("/subscribe", {"address": "ada@example.org"}, client=f"203.0.113.{n}",
                   headers=FROM_LAB).status_code
        for n in range(20, 21 + MOST_PER_ADDRESS)
    ]  # fmt: skip
    assert statuses == [200] * MOST_PER_ADDRESS + [429]


def test_the_ceiling_is_the_same(ledger, registry):
    warnings = []
    house = House(ledger, registry, origins=ORIGINS, most_sign_ups=2, warn_operator=warnings.append)
    statuses = [
        house.post("/subscribe", {"address": f"reader{n}@example.org"}, client=f"203.0.113.{n}",
                   headers=FROM_LAB).status_code
        for n in range(4)
    ]  # fmt: skip
    assert statuses == [200, 200, 429, 429]
    assert len(warnings) == 1


def test_what_is_refused_uses_up_nobodys_limit(house):
    for _ in range(MOST_PER_CLIENT + 1):
        assert sent_from(house, FROM_EVIL).status_code == 422
    assert sent_from(house, FROM_LAB).status_code == 200


def test_what_fills_in_the_hidden_field_gets_no_mail_and_no_word_of_it(house):
    caught = sent_from(house, FROM_LAB, website="https://spam.example")
    assert (house.mails, house.registry.everybody()) == ([], [])
    assert caught.text == sent_from(house, FROM_LAB, website="").text


def test_a_bad_address_is_said_on_our_page(house):
    answer = sent_from(house, FROM_LAB, "ada@", topics="robots")
    page = page_of(answer)
    assert answer.status_code == 422
    assert "ada@" in page.xpath("//*[@role='alert']")[0].text_content()
    assert page.get_element_by_id("topics").value == "robots"


@pytest.mark.parametrize("sent", [{}, {"altcha": "-"}])
def test_with_a_proof_of_work_our_own_page_does_the_rest(ledger, registry, sent):
    render = page_renderer(TEMPLATES, SENDER, asks_proof=True)
    house = House(ledger, registry, render=render, proof_of_work=PROOF, origins=ORIGINS)
    answer = sent_from(house, FROM_LAB, topics="robots", **sent)
    assert answer.status_code == 422
    page = page_of(answer)
    assert "once more" in page.xpath("//*[@role='alert']")[0].text_content()
    assert page.xpath("//input[@name='address']/@value") == ["ada@example.org"]
    assert page.get_element_by_id("topics").value == "robots"
    assert page.xpath("//input[@name='altcha']/@data-challenge") == ["/challenge"]
    assert house.mailed == []
    ours = {"Sec-Fetch-Site": "same-origin"}
    assert sent_from(house, ours, altcha=solved(house)).status_code == 200
    assert house.mailed == ["ada@example.org"]


def test_another_site_may_not_bring_a_proof_of_its_own(ledger, registry):
    """One challenge, solved by a program, is otherwise what all its visitors send."""
    render = page_renderer(TEMPLATES, SENDER, asks_proof=True)
    house = House(ledger, registry, render=render, proof_of_work=PROOF, origins=ORIGINS)
    assert sent_from(house, FROM_EVIL, altcha=solved(house)).status_code == 422
    assert house.mailed == []
