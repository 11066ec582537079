"""Pages in the language of whoever reads them."""

from urllib.parse import quote

import pytest

from subscribers.tokens import Purpose
from subscribers.topics import parse_topics
from tests.integration.browser import page_of, path_of
from tests.integration.house import House
from tests.integration.web.test_pages import edition  # noqa: F401  a fixture
from tests.raw_message import read
from tests.support import NOW, TODAY

pytestmark = pytest.mark.usefixtures("edition")
DE = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}
SEARCH = "Suche"


@pytest.fixture
def house(ledger, registry):
    return House(ledger, registry)


def get(house, path, headers=DE):
    return house.browser.ask("GET", path, headers=headers)


def test_a_page_is_in_the_language_of_the_browser(house):
    answer = get(house, f"/{TODAY}")
    assert SEARCH in page_of(answer, "de").xpath("//header//nav")[0].text_content()
    assert "Accept-Language" in answer.headers["vary"]
    page_of(house.get(f"/{TODAY}"))  # which is English without a word from it


@pytest.mark.parametrize("path", [f"/de/{TODAY}", f"/{TODAY}?lang=de", f"/{TODAY}?lang=de-CH"])
def test_an_address_can_name_it_and_every_link_keeps_it(house, path):
    answer = get(house, path, headers={"Accept-Language": "fr"})
    page = page_of(answer, "de")
    assert "vary" not in answer.headers, "it is the same for every browser"
    inside = page.xpath("//main//a/@href | //header//a/@href | //form/@action")
    ours = [link for link in inside if link.startswith("/")]
    assert ours
    assert [link for link in ours if not link.startswith("/de/")] == []
    assert page.xpath("//link[@rel='canonical']/@href") == [
        f"https://digest.example.org/de/{TODAY}"
    ]
    lead_on = house.get("/de/today")
    assert lead_on.headers["location"] == f"/de/{TODAY}"


def test_the_page_leads_to_itself_in_each_language(house):
    page = page_of(get(house, f"/{TODAY}?sort=votes&lang=de"), "de")
    named = {link.get("hreflang"): link.get("href") for link in page.xpath("//link[@hreflang]")}
    base = "https://digest.example.org"
    assert named["de"] == f"{base}/de/{TODAY}?sort=votes"
    assert named["en"] == named["x-default"] == f"{base}/{TODAY}?sort=votes"
    chooser = page.xpath("//footer//nav//a")
    assert {link.get("lang") for link in chooser} == named.keys() - {"x-default"}
    [english] = [link for link in chooser if link.get("lang") == "en"]
    page_of(get(house, english.get("href")))  # whatever the browser accepts


def test_a_copy_is_not_taken_for_one_in_another_language(house):
    tags = {
        get(house, path, {"Accept-Language": language}).headers["etag"]
        for path in ("/archive", "/de/archive")
        for language in ("de", "en")
    }
    assert len(tags) == 3, "English, German, and German with links that keep it"
    known = {**DE, "If-None-Match": get(house, "/archive").headers["etag"]}
    assert get(house, "/archive", known).status_code == 304
    assert get(house, "/archive", {**known, "Accept-Language": "en"}).status_code == 200


def test_what_has_no_words_is_the_same_in_all_languages(house):
    assert get(house, "/style.css").headers["etag"] == house.get("/style.css").headers["etag"]
    assert "vary" not in get(house, "/style.css").headers


@pytest.mark.parametrize("path", ["/nothing/at/all", "/confirm/no-token", "/feed.atom?sort=x"])
def test_a_page_that_is_not_there_says_so_in_it(house, path):
    answer = get(house, path)
    assert answer.status_code in {404, 422}
    page_of(answer, "de")


def test_it_is_a_preference_from_the_first_moment(house):
    fields = {"address": "ada@example.org", "topics": "robots"}
    page_of(house.post("/subscribe", fields, headers=DE), "de")
    [ada] = house.registry.everybody()
    assert ada.preferences.locale == "de"
    assert "Möchten Sie" in read(house.mails[0].content).parts[0].text


def test_it_can_be_chosen_on_the_form(house):
    fields = {"address": "ada@example.org", "topics": "robots", "locale": "de"}
    page_of(house.post("/subscribe", fields), "de")
    assert house.registry.everybody()[0].preferences.locale == "de"


def test_a_readers_pages_are_in_theirs_whatever_the_browser_accepts(house):
    ada = house.registry.add("ada@example.org", parse_topics(["robots"]), source="x", now=NOW)
    settings = path_of(Purpose.PREFERENCES, ada.public_id)
    page_of(house.get(settings))
    saved = house.post(settings, {"topics": "robots", "locale": "de"})
    page = page_of(saved, "de")
    assert page.xpath("//header//nav//a/@href")[0] == "/de/today", "and where they lead, too"
    leaving = path_of(Purpose.UNSUBSCRIBE, ada.public_id)
    for answer in (
        house.get(settings),
        house.get(leaving),
        house.post(leaving),
        house.get(leaving),
    ):
        page_of(answer, "de")


def test_what_is_wrong_with_a_form_is_told_in_it(house):
    fields = {"address": "ada@example.org", "topics": 'robots "world'}
    page = page_of(house.post("/subscribe", fields, headers=DE), "de")
    [told] = page.xpath("//p[@role='alert']")
    assert told.text_content() == (
        'Spalte 8: hier fehlt ein schließendes Anführungszeichen, in: robots "world'
    )


def test_a_feed_is_in_it(house):
    assert 'xml:lang="de"' in house.get("/de/feed.atom?sort=trending").text
    assert f"https://digest.example.org/de/{TODAY}" not in house.get("/feed.json").text
    assert "https://digest.example.org/de/paper/" in house.get("/de/feed.json").text


@pytest.mark.parametrize("tag", ["", "xx", "de\0", "zh-Hant", "a-" * 30_000, "%s"])
def test_a_language_that_there_is_not_is_as_if_it_was_not_named(house, tag):
    page_of(get(house, f"/archive?lang={quote(tag)}"), "de")
