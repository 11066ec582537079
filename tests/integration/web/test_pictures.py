"""The pictures of papers as they are served."""

import lxml.html
import pytest

from digest.collect.collector import Collector
from digest.collect.picture_encoding import encode
from digest.compose.composer import Composer
from digest.deliver.edition_messages import digest_of
from digest.model.papers import Harvest
from digest.model.pictures import SMALL, WantedPicture
from digest.web.limiter import Limiter
from digest.web.pages import web_app
from subscribers.preferences import Preferences
from tests.integration.browser import Browser
from tests.integration.pipelines import make_pipeline
from tests.integration.site import SENDER, TEMPLATES, make_site, make_web
from tests.painting import drawn, file_of, opened
from tests.support import NOW, TODAY, make_settings, make_sighting

PICTURE = encode(file_of(drawn()))
LARGE, SMALLER = PICTURE.told.large, PICTURE.told.small


@pytest.fixture
def papers(ledger):
    """Two papers of today, of which the first has a picture."""
    sightings = [
        make_sighting(n, listed_on=TODAY, picture_url="https://huggingface.co/a.png", upvotes=n)
        for n in (1, 2)
    ]
    Collector(ledger, list, lambda moment: moment.date()).keep(Harvest(tuple(sightings)))
    ledger.pictures.keep(WantedPicture(1, "https://huggingface.co/a.png"), PICTURE, NOW)


@pytest.fixture
def browser(ledger, registry, papers):
    return Browser(make_web(ledger, registry))


def test_a_picture_is_served_and_may_be_kept_for_ever(browser):
    for path, octets in ((LARGE, PICTURE.large), (SMALLER, PICTURE.small)):
        answer = browser.get(path)
        assert answer.content == octets
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in answer.headers
    assert opened(browser.get(SMALLER).content).size == SMALL


def test_it_is_not_sent_twice(browser):
    tag = browser.get(LARGE).headers["etag"]
    for known in (tag, f'"other", {tag}', f"W/{tag}"):
        again = browser.ask("GET", LARGE, headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
    other = browser.ask("GET", SMALLER, headers={"If-None-Match": tag})
    assert other.status_code == 200


def test_head_is_answered_without_the_picture(browser):
    answer = browser.ask("HEAD", LARGE)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(PICTURE.large))


@pytest.mark.parametrize(
    "path",
    [
        f"/picture/{'0' * 32}.jpg",
        f"/picture/{PICTURE.told.name}",
        f"/picture/{PICTURE.told.name}.png",
        f"/picture/{PICTURE.told.name.upper()}.jpg",
        f"/picture/{PICTURE.told.name}-large.jpg",
        f"/picture/{PICTURE.told.name}.jpg/",
        f"/picture/{PICTURE.told.name}.jpg%0A",
        "/picture/..%2F..%2Fetc%2Fpasswd",
        "/picture/%00.jpg",
        "/picture/",
    ],
)
def test_what_is_not_there_is_not_found(browser, path):
    answer = browser.get(path)
    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "no-store"


def test_where_very_many_ask_at_once_pages_do_not_wait(ledger, registry, papers):
    full = Limiter(at_once=0, waiting=0)
    browser = Browser(web_app(make_site(ledger, registry, picturing=full)))
    assert browser.get(LARGE).status_code == 503
    assert browser.get("/").status_code == 200


# ---- in an email --------------------------------------------------------------------------------


def pictures_in(ledger, registry, person, identity=SENDER) -> list[str]:
    digest = digest_of(ledger, person, TODAY)
    html = Composer(TEMPLATES, identity).render(digest, person.public_id).html
    return [url for url in lxml.html.fromstring(html).xpath("//img/@src") if "/picture/" in url]


def test_an_email_has_it_from_our_own_address_unless_the_reader_wants_none(
    ledger, registry, papers
):
    ada = registry.add("ada@example.org", (), source="t", now=NOW)
    bob = registry.add("bob@example.org", (), source="t", now=NOW)
    bob = registry.set_preferences(bob.public_id, (), Preferences(pictures=False))
    make_pipeline(make_settings(), ledger, registry).tick(NOW, everybody=True)
    shown = pictures_in(ledger, registry, ada)
    assert shown
    assert {url.rpartition("/picture/")[0] for url in shown} == {SENDER.base_url}
    assert pictures_in(ledger, registry, bob) == []
