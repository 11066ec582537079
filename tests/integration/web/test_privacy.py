"""The page on privacy: each of its statements is true of the settings, and the words go with them."""

from dataclasses import replace

import lxml.html
import pytest

from digest.compose.composer import Composer
from digest.compose.from_identity import from_identity
from digest.deliver.edition_messages import digest_of
from digest.web.privacy import privacy_of
from tests.integration.browser import Browser, page_of
from tests.integration.pipelines import make_pipeline
from tests.integration.site import TEMPLATES, make_web
from tests.integration.web.test_pictures import papers  # noqa: F401  a fixture
from tests.support import NOW, TODAY, make_settings


@pytest.fixture
def said(ledger, registry):
    """Returns what the page says with some settings."""

    def ask(**settings) -> str:
        site = make_web(ledger, registry, privacy=privacy_of(make_settings(**settings)))
        page = page_of(Browser(site).get("/privacy"))
        return " ".join(page.xpath("//main")[0].text_content().split())

    return ask


@pytest.mark.parametrize(
    ("name", "yes", "no"),
    [
        (
            "keep_client_addresses",
            "The network address (IP) that it came from is stored with it.",
            "The network address (IP) that it came from is not stored with it.",
        ),
        (
            "log_addresses",
            "The log of the program has email addresses in it",
            "The log of the program has neither whole email addresses",
        ),
        (
            "pictures",
            "Pictures of papers come from this server",
            "Emails show no pictures of papers.",
        ),
        ("mx_lookups", "is looked up in the DNS", ""),
    ],
)
def test_a_setting_changes_what_is_said(said, name, yes, no):
    on, off = said(**{name: "yes"}), said(**{name: "no"})
    assert yes in on
    assert yes not in off
    assert no in off
    assert not no or no not in on


@pytest.mark.parametrize(
    ("name", "about"),
    [
        ("keep_unconfirmed_days", "If you do not confirm: {} days."),
        ("keep_deliveries_days", "What was sent to you: {} days."),
        ("keep_evidence_days", "that you had asked and that you left: {} days."),
    ],
)
def test_it_says_for_how_long_things_are_kept(said, name, about):
    assert about.format(77) in said(**{name: "77"})


def test_a_picture_from_another_server_is_told(said):
    size = {"header_image_size": "600x120"}
    assert "comes from pictures.example" in said(
        header_image="https://pictures.example/a.png", **size
    )
    own = make_settings().base_url
    assert "can see when it is loaded" not in said(header_image=f"{own}/a.png", **size)
    assert "can see when it is loaded" not in said()


def test_every_fact_is_on_the_page(said, ledger, registry):
    """A fact that changes nothing is one that somebody forgot to say."""
    facts = privacy_of(make_settings())
    before = Browser(make_web(ledger, registry, privacy=facts)).get("/privacy").text
    for name in facts.__slots__:
        value = getattr(facts, name)
        other = {bool: not value, int: 77, str: "a.example"}[type(value)]
        changed = make_web(ledger, registry, privacy=replace(facts, **{name: other}))
        assert Browser(changed).get("/privacy").text != before, name


def test_nothing_in_an_email_is_there_to_count_its_readers(ledger, registry, papers):  # noqa: F811
    """All readers are given the same addresses, but for those of their own pages; no other host."""
    readers = [
        registry.add(f"{name}@example.org", (), source="t", now=NOW) for name in ("ada", "bob")
    ]
    make_pipeline(make_settings(), ledger, registry).tick(NOW, everybody=True)
    identity = from_identity(make_settings())
    loaded, followed = [], []
    for person in readers:
        html = (
            Composer(TEMPLATES, identity)
            .render(digest_of(ledger, person, TODAY), person.public_id)
            .html
        )
        page = lxml.html.fromstring(html)
        loaded.append(sorted(page.xpath("//img/@src | //@background")))
        followed.append(
            {url for url in page.xpath("//a/@href") if not url.startswith(identity.base_url)}
        )
    assert loaded[0] == loaded[1]
    assert loaded[0]
    assert all(url.startswith(f"{identity.base_url}/picture/") for url in loaded[0])
    assert followed[0] == followed[1]
    assert followed[0]


def test_the_page_sets_no_cookie_and_everybody_may_keep_it(ledger, registry):
    answer = Browser(make_web(ledger, registry)).get("/privacy")
    assert "set-cookie" not in answer.headers
    assert answer.headers["cache-control"].startswith("public")
