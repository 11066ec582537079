"""A reader's private feed: the choice of their emails, for whoever has its address, until it ends."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import lxml.html
import pytest
from structlog.testing import capture_logs

from digest.collect.merge import keys_of, merge
from digest.model.digests import Section
from digest.monitoring.masking import Mask
from subscribers.tokens import Purpose
from subscribers.topics import parse_topics
from subscribers.web.damaged_links import repaired
from tests.integration.browser import Browser, path_of
from tests.integration.people import look
from tests.integration.pipelines import make_pipeline
from tests.integration.site import SENDER, make_web
from tests.integration.web.test_feeds import checked_atom, checked_json
from tests.support import NOW, TODAY, make_settings, make_sighting

HOST = "https://digest.example.org"
LATER = NOW + timedelta(days=1)


class Office:
    """Two days' digests were planned for ada, who wants robots; bob wants anything."""

    def __init__(self, ledger, registry, engine):
        self.ledger, self.registry, self.engine = ledger, registry, engine
        self.ada = registry.add("ada@example.org", parse_topics(["robots"]), source="t", now=NOW)
        self.bob = registry.add("bob@example.org", (), source="t", now=NOW)
        self.browser = Browser(make_web(ledger, registry))
        pipeline = make_pipeline(make_settings(), ledger, registry)
        for number, now in enumerate((NOW, LATER)):
            sightings = [
                make_sighting(
                    10 * number + 1, title=f"Robots {number}", upvotes=1, listed_on=now.date()
                ),
                make_sighting(
                    10 * number + 2, title=f"Ducks {number}", upvotes=9, listed_on=now.date()
                ),
            ]
            ledger.papers.absorb(keys_of(sightings), lambda known, s=sightings: merge(known, s))
            pipeline.plan(now, ledger.editions.freeze(now.date(), TODAY, now))

    def press(self, person, body=b""):
        return self.browser.post(f"{path_of(Purpose.PREFERENCES, person.public_id)}/feed", body)

    def made(self, person, body=b""):
        """Press the button; return the paths of the feed in both formats, from the page."""
        answer = self.press(person, body)
        assert answer.status_code == 200
        page = lxml.html.fromstring(answer.text)
        urls = page.xpath("//*[@id='private-feed']//input[@readonly]/@value")
        assert all(url.startswith(f"{HOST}/feed/") for url in urls)
        return [urlsplit(url).path for url in urls]


@pytest.fixture
def office(ledger, registry, engine):
    return Office(ledger, registry, engine)


def test_it_holds_the_choice_of_the_emails_newest_first(office):
    in_atom, in_json = office.made(office.ada)
    read = checked_atom(office.browser.get(in_atom))
    feed = checked_json(office.browser.get(in_json))
    titles = [entry.title for entry in read.entries]
    assert titles[0] == "Robots 1"
    assert set(titles) == {"Robots 0", "Robots 1", "Ducks 0", "Ducks 1"}
    assert [item["title"] for item in feed["items"]] == titles
    assert "<em>robots" in feed["items"][0]["content_html"]
    assert feed["items"][0]["date_modified"] == LATER.isoformat()
    chosen = office.ledger.chosen.of(office.ada.id, 100)
    assert [paper.key for paper in chosen if paper.section is Section.FOR_YOU] == [
        "arxiv:2602.00011", "arxiv:2602.00001",
    ]  # fmt: skip
    public = {item["id"] for item in office.browser.get("/feed.json").json()["items"]}
    assert {item["id"] for item in feed["items"]} <= public


def test_it_is_for_nobody_else(office):
    path, _ = office.made(office.ada)
    answer = office.browser.get(path)
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["x-robots-tag"] == "noindex"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "ada" not in answer.text
    assert office.ada.public_id not in answer.text
    token = path.split("/")[2]
    assert Mask().text(f"GET {path} failed") == "GET /feed/…/atom failed"
    assert token not in office.browser.get("/feeds").text
    again = office.browser.ask("GET", path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == "private, no-cache"


def test_to_read_it_changes_nothing(office):
    path, _ = office.made(office.ada)
    before = look(office.engine)
    for method in ("GET", "HEAD", "POST"):
        office.browser.ask(method, path)
    office.browser.get(path_of(Purpose.PREFERENCES, office.ada.public_id))
    assert look(office.engine) == before


def test_a_new_link_ends_the_old_one(office):
    first, _ = office.made(office.ada)
    second, _ = office.made(office.ada)
    assert first != second
    assert office.browser.get(first).status_code == 410
    assert office.browser.get(second).status_code == 200
    shown = office.browser.get(path_of(Purpose.PREFERENCES, office.ada.public_id)).text
    assert second in shown


def test_the_feed_can_be_removed(office):
    path, _ = office.made(office.ada)
    assert office.made(office.ada, b"remove=yes") == []
    assert office.browser.get(path).status_code == 410
    assert office.made(office.ada, b"remove=yes") == []


@pytest.mark.parametrize("how", ["leaving", "deleting"])
def test_it_ends_with_the_subscription(office, how):
    path, _ = office.made(office.ada)
    if how == "leaving":
        office.registry.withdraw(office.ada.public_id, source="t", now=NOW)
    else:
        office.registry.remove(office.ada.address)
    assert office.browser.get(path).status_code == 410
    if how == "leaving":  # and it stays ended for whoever comes back
        office.registry.undo(office.ada.public_id, source="t", now=NOW)
        assert office.browser.get(path).status_code == 410
        assert office.press(office.ada).status_code == 200


def test_whoever_has_left_makes_no_feed(office):
    office.registry.withdraw(office.ada.public_id, source="t", now=NOW)
    before = look(office.engine)
    office.press(office.ada)
    office.registry.feed_links.renew(office.ada.public_id, NOW)
    assert look(office.engine) == before


def test_no_other_token_opens_it_and_it_opens_nothing_else(office):
    path, _ = office.made(office.ada)
    token = path.split("/")[2]
    key = office.registry.feed_links.key_of(office.ada.id)
    forged = [
        *(SENDER.tokens.make(purpose, office.ada.public_id) for purpose in Purpose),
        *(SENDER.tokens.make(purpose, f"{office.ada.public_id}.{key}")
          for purpose in set(Purpose) - {Purpose.FEED}),
        SENDER.tokens.make(Purpose.FEED, f"{office.bob.public_id}.{key}"),
        SENDER.tokens.make(Purpose.FEED, f"{office.ada.public_id}."),
        SENDER.tokens.make(Purpose.FEED, f"{office.ada.public_id}.{key[:-1]}"),
        SENDER.tokens.make(Purpose.FEED, f"{office.ada.public_id}.ü"),
        token[:-1], "x", "%00",
    ]  # fmt: skip
    for other in forged:
        for kind in ("atom", "json"):
            assert office.browser.get(f"/feed/{other}/{kind}").status_code in (404, 410), other
    assert office.browser.get(f"/feed/{token}/rss").status_code == 404
    for purpose in set(Purpose) - {Purpose.FEED}:
        answer = office.browser.get(f"/{purpose}/{token}")
        assert answer.status_code >= 400, purpose
    assert office.browser.get(path).status_code == 200


def test_a_damaged_address_is_repaired(office):
    path, _ = office.made(office.ada)
    for damaged in (f"{path}/", f"{path}>", path.replace("/atom", "/ATOM.")):
        assert repaired(damaged) == path
    assert repaired(f"/digest{path}", "/digest") == path


def test_nobody_reads_of_it_in_the_log(office):
    with capture_logs() as logged:
        path, _ = office.made(office.ada)
        office.browser.get(path)
    assert not re.search(r"/feed/", str(logged))


def test_a_reader_without_digests_has_an_empty_feed(office, registry):
    eve = registry.add("eve@example.org", (), source="t", now=NOW)
    path, in_json = office.made(eve)
    assert checked_atom(office.browser.get(path)).entries == []
    assert checked_json(office.browser.get(in_json))["items"] == []
