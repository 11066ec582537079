"""More like this, or not for me: from the links in a mail to what is kept of it."""

import re
from urllib.parse import quote

import lxml.html
import pytest

from digest.collect.merge import keys_of, merge
from digest.model.digests import Digest, Pick, Section
from digest.rank.readers import ENOUGH_RATINGS
from subscribers.model import Rating, Verdict
from subscribers.records import read_records
from subscribers.tokens import Purpose
from subscribers.topics import parse_topics
from subscribers.transfer import read_people
from tests.integration.at_once import just_before
from tests.integration.browser import HOST, page_of, path_of
from tests.integration.house import House
from tests.integration.people import look
from tests.integration.site import COMPOSER
from tests.raw_message import read
from tests.support import NOW, TODAY, make_sighting

NEW_STYLE, OLD_STYLE = "arxiv:2602.00001", "arxiv:math/0309136"
TITLE_ONLY = "A title & <no> more"


@pytest.fixture
def edition(ledger):
    """Three papers: with an id of today, with one of the old kind, and with none."""
    sightings = [
        make_sighting(1, title="Robots"),
        make_sighting(2, arxiv_id="math/0309136", title="Foliations"),
        make_sighting(3, arxiv_id="", title=TITLE_ONLY),
    ]
    ledger.papers.absorb(keys_of(sightings), lambda known: merge(known, sightings))
    return ledger.editions.freeze(TODAY, TODAY, NOW)


@pytest.fixture
def title_key(edition):
    [key] = [
        candidate.key for candidate in edition.candidates if candidate.facts.title == TITLE_ONLY
    ]
    assert key.startswith("title:")
    return key


@pytest.fixture
def house(ledger, registry, edition):
    return House(ledger, registry)


@pytest.fixture
def ada(registry):
    return registry.add("ada@example.org", parse_topics(["robots"]), source="test", now=NOW)


def opinion_path(person, paper=NEW_STYLE):
    return f"{path_of(Purpose.RATING, person.public_id)}/{quote(paper, safe=':/')}"


def held(registry, address="ada@example.org"):
    return {rating.paper: rating.verdict for rating in registry.file_of(address).ratings}


def buttons(page):
    return {button.get("value"): button for button in page.xpath("//form[@method='post']//button")}


# ---- the page --------------------------------------------------------------------------------


def test_the_page_asks_and_says_nothing_by_itself(house, registry, ada):
    page = page_of(house.get(opinion_path(ada)))
    assert page.findtext(".//h1") == "Robots"
    assert set(buttons(page)) == {"like", "mute"}
    assert held(registry) == {}


@pytest.mark.parametrize(
    ("query", "second"),
    [("?verdict=like", "mute"), ("?verdict=mute", "like"), ("", "mute"), ("?verdict=%00<b>", "mute")],
)  # fmt: skip
def test_the_button_of_the_link_that_was_followed_stands_out(house, ada, query, second):
    page = page_of(house.get(opinion_path(ada) + query))
    assert [value for value, button in buttons(page).items() if button.get("class")] == [second]


def test_what_is_said_is_kept_and_can_be_changed_and_taken_back(house, registry, ada):
    path = opinion_path(ada)
    for sent, noted, kept in (
        ("like", "Saved: more like this.", {NEW_STYLE: Verdict.LIKE}),
        (
            "mute",
            "Saved: not for me. You will not see this paper again.",
            {NEW_STYLE: Verdict.MUTE},
        ),
        ("", "Your rating was removed.", {}),
        ("", "Your rating was removed.", {}),
    ):
        page = page_of(house.post(path, {"verdict": sent}))
        assert noted in page.xpath("//*[@role='status']/p")[0].text_content()
        assert held(registry) == kept
        again = page_of(house.get(path))
        assert again.xpath("//button[@aria-pressed]/@value") == list(kept.values())
        assert ("" in buttons(again)) == bool(kept), "only what was said can be taken back"


def test_each_press_can_be_undone(house, registry, ada):
    """Undo brings back what was said before; once more of the same is no change to undo."""
    path = opinion_path(ada)
    for sent, before in (("like", ""), ("mute", "like"), ("mute", ""), ("", "mute")):
        page = page_of(house.post(path, {"verdict": sent}))
        [undo] = page.xpath("//button[text()='Undo']/@value")
        assert undo == before
    house.post(path, {"verdict": undo})
    assert held(registry) == {NEW_STYLE: Verdict.MUTE}


def test_the_page_says_what_the_next_digest_makes_of_it(house, registry, ada, title_key):
    told = []
    for paper in (NEW_STYLE, OLD_STYLE, title_key):
        page = page_of(house.post(opinion_path(ada, paper), {"verdict": "like"}))
        told.append(" ".join(page.xpath("//*[@role='status']/p")[0].text_content().split()))
    assert told == [
        "Saved: more like this. After 2 more that you like, your digest looks for papers like them.",
        "Saved: more like this. After 1 more that you like, your digest looks for papers like them.",
        "Saved: more like this. Your next digest looks for papers like those that you liked.",
    ]
    assert len(told) == ENOUGH_RATINGS
    assert "Your next digest arrives" in page.text_content()


def test_what_is_no_verdict_is_none(house, registry, ada):
    house.post(opinion_path(ada), {"verdict": "like"})
    house.post(opinion_path(ada), {"verdict": "LIKE"})
    assert held(registry) == {}


def test_a_post_without_a_verdict_takes_nothing_back(house, registry, ada):
    house.post(opinion_path(ada), {"verdict": "like"})
    answer = house.post(opinion_path(ada), {"List-Unsubscribe": "One-Click"})
    assert not page_of(answer).xpath("//*[@role='status']")
    assert held(registry) == {NEW_STYLE: Verdict.LIKE}


def test_each_paper_and_each_person_has_an_opinion_of_its_own(house, registry, ada, title_key):
    grace = registry.add("grace@example.org", (), source="test", now=NOW)
    for paper, verdict in ((NEW_STYLE, "like"), (OLD_STYLE, "mute"), (title_key, "like")):
        assert house.post(opinion_path(ada, paper), {"verdict": verdict}).status_code == 200
    house.post(opinion_path(grace, OLD_STYLE), {"verdict": "like"})
    assert held(registry) == {NEW_STYLE: "like", OLD_STYLE: "mute", title_key: "like"}
    assert held(registry, "grace@example.org") == {OLD_STYLE: "like"}
    assert page_of(house.get(opinion_path(ada, title_key))).findtext(".//h1") == TITLE_ONLY


def test_an_unknown_paper_is_no_page_and_gets_no_opinion(house, engine, ada):
    before = look(engine)
    for paper in (
        "arxiv:2602.09999",
        "2602.00001",
        "title:0",
        "",
        "<script>alert(1)</script>",
        "\0",
        "\u202e",
        "x" * 5000,
    ):
        path = opinion_path(ada, paper)
        for answer in (house.get(path), house.post(path, {"verdict": "like"})):
            assert answer.status_code == 404, paper
            assert "script" not in page_of(answer).text_content()
    assert look(engine) == before


@pytest.mark.parametrize("gone", ["never there", "removed", "left"])
def test_whoever_is_gone_is_told_the_same_of_every_paper(house, registry, engine, ada, gone):
    path = opinion_path(ada)
    if gone == "removed":
        registry.remove(ada.address)
    elif gone == "left":
        registry.withdraw(ada.public_id, source="test", now=NOW)
    else:
        path = f"{path_of(Purpose.RATING, 'f' * 32)}/{NEW_STYLE}"
    before = look(engine)
    for address in (path, path.replace("2602.00001", "unknown")):
        for answer in (house.get(address), house.post(address, {"verdict": "like"})):
            assert answer.status_code == 200
            assert "You’re unsubscribed" in page_of(answer).text_content()
    assert look(engine) == before


def test_an_opinion_of_somebody_removed_at_that_moment_is_dropped(house, registry, engine, ada):
    remove = lambda: registry.remove(ada.address)  # noqa: E731
    with just_before(engine, "DELETE FROM opinions", remove):
        assert house.post(opinion_path(ada), {"verdict": "like"}).status_code in {200, 404}
    assert look(engine) == {}


# ---- the links in a mail ---------------------------------------------------------------------


def links_of(html):
    return [link.get("href") for link in lxml.html.document_fromstring(html).xpath("//a[@href]")]


def test_the_links_in_a_mail_lead_to_pages_about_its_papers(house, ada, edition):
    picks = tuple(Pick(Section.TRENDING, candidate) for candidate in edition.candidates)
    digest = Digest(TODAY, (), picks, len(picks))
    message = COMPOSER.compose(digest, to=ada.address, public_id=ada.public_id, now=NOW)
    text, html = (part.text for part in read(message.content).parts)
    start = f"{HOST}/opinion/"
    in_text = re.findall(rf"{start}\S+", text)
    in_html = [link for link in links_of(html) if link.startswith(start)]
    titles = [candidate.facts.title for candidate in edition.candidates]
    assert len(titles) == 3

    def shown(links):
        return [page_of(house.get(link.removeprefix(HOST))).findtext(".//h1") for link in links]

    assert shown(in_text) == titles
    assert shown(in_html[::2]) == shown(in_html[1::2]) == titles
    assert [link.rpartition("?")[2] for link in in_html] == ["verdict=like", "verdict=mute"] * 3


def test_what_a_mails_link_leads_to_can_be_pressed(house, registry, ada, edition):
    content = COMPOSER.render(
        Digest(TODAY, (), (Pick(Section.TRENDING, edition.candidates[1]),), 1), ada.public_id
    )
    [like, _] = [link for link in links_of(content.html) if "/opinion/" in link]
    # The form names no address: it goes to where it was shown, query and all.
    house.post(like.removeprefix(HOST), {"verdict": "mute"})
    assert held(registry) == {OLD_STYLE: Verdict.MUTE}


# ---- what is told and kept -------------------------------------------------------------------


def test_opinions_are_in_the_export_and_can_be_brought_back(house, registry, ada, title_key):
    for paper in (NEW_STYLE, OLD_STYLE, title_key):
        house.post(opinion_path(ada, paper), {"verdict": "like"})
    house.post(opinion_path(ada, OLD_STYLE), {"verdict": "mute"})
    export = house.get(f"{path_of(Purpose.PREFERENCES, ada.public_id)}/export")
    said = {
        (rating["paper"], rating["verdict"], rating["at"]) for rating in export.json()["opinions"]
    }
    at = NOW.isoformat()
    assert said == {(NEW_STYLE, "like", at), (OLD_STYLE, "mute", at), (title_key, "like", at)}
    before = registry.file_of(ada.address).ratings
    registry.remove(ada.address)
    _, records = read_records(iter(export.text.splitlines()))
    registry.admit(list(read_people(records, source="test", now=NOW)), NOW)
    assert registry.file_of(ada.address).ratings == before


def test_opinions_go_with_the_person(house, engine, ada):
    house.post(opinion_path(ada), {"verdict": "like"})
    house.post(f"{path_of(Purpose.PREFERENCES, ada.public_id)}/delete")
    assert look(engine) == {}


def test_opinions_outlive_leaving_and_coming_back(house, registry, ada):
    house.post(opinion_path(ada), {"verdict": "like"})
    left = house.post(path_of(Purpose.UNSUBSCRIBE, ada.public_id))
    assert held(registry) == {NEW_STYLE: Verdict.LIKE}
    house.post(page_of(left).xpath("//form/@action")[0])
    assert held(registry) == {NEW_STYLE: Verdict.LIKE}


def test_all_opinions_are_read_by_the_person_oldest_first(house, registry, ada):
    assert registry.ratings.of_everybody() == {}
    house.post(opinion_path(ada, OLD_STYLE), {"verdict": "mute"})
    house.now = later = NOW.replace(hour=9)
    house.post(opinion_path(ada, NEW_STYLE), {"verdict": "like"})
    assert registry.ratings.of_everybody() == {
        ada.id: [Rating(OLD_STYLE, Verdict.MUTE, NOW), Rating(NEW_STYLE, Verdict.LIKE, later)]
    }
