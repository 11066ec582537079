"""`digest why` and `digest search`, on the built-in day."""

import json

import pytest

from digest.demo import SAMPLE_EDITION
from digest.ledger.database import open_database
from subscribers.model import Verdict
from subscribers.store.registry import Registry
from tests.support import NOW

DAY = "2025-12-05"


@pytest.fixture
def sent(operator):
    """Ada has got the day's edition, and Grace, who likes nothing of it, has not."""
    operator.digest("subscribers", "add", "ada@example.org", "--topic", "video generation")
    operator.digest("subscribers", "add", "grace@example.org", "--topic", "medieval poetry")
    operator.digest("collect", "--file", str(SAMPLE_EDITION), "--date", DAY)
    operator.digest("run", "--once", "--now", f"{DAY}T18:00:00Z")
    return operator


def registry_of(operator):
    return Registry(open_database(f"sqlite:///{operator.folder}/var/digest.sqlite3"))


def test_each_step_is_told(sent):
    said = sent.digest("why", "ada@example.org")
    assert "ada@example.org: confirmed since" in said
    assert f"edition of {DAY}: 26 papers" in said
    assert "  video generation: " in said
    assert "  1. [for-you] " in said
    assert "[trending]" in said
    assert "delivery: accepted" in said


def test_whoever_got_nothing_is_told_why(sent):
    said = sent.digest("why", "grace@example.org")
    assert "  medieval poetry: 0 fit" in said
    assert "nothing in it for them" in said
    assert "delivery: skipped (nothing-matched)" in said


def test_the_papers_are_those_that_were_sent(sent):
    before = json.loads(sent.digest("why", "ada@example.org", "--json"))
    sent.digest("subscribers", "add", "ada@example.org", "--topic", "medieval poetry")
    after = json.loads(sent.digest("why", "ada@example.org", "--json"))
    assert before["papers"] == after["papers"]
    assert [each["topic"] for each in after["topics"]] == ["medieval poetry"]


def test_likes_and_mutes_are_told(sent):
    registry = registry_of(sent)
    [ada, _] = registry.everybody()
    papers = [each["id"] for each in sent.digest_json("why", "ada@example.org")["papers"]]
    for paper in papers[:3]:
        registry.opinions.hold(ada.id, paper, Verdict.LIKE, NOW)
    registry.opinions.hold(ada.id, papers[4], Verdict.MUTE, NOW)
    said = sent.digest("why", "ada@example.org")
    assert "liked papers: 3, which count as a topic" in said
    assert "muted papers: 1, too few to count yet (3 do)" in said
    assert "  liked papers: " in said


def test_a_day_without_an_edition_is_told(sent):
    assert "there is no edition of 2020-01-01" in sent.digest(
        "why", "ada@example.org", "--date", "2020-01-01"
    )


def test_a_stranger_is_told(sent):
    assert "there is no subscriber" in sent.fails("why", "nobody@example.org")


def test_papers_are_found_by_topic(sent):
    found = json.loads(sent.digest("search", "video generation -motion", "--json"))
    assert found
    assert [each["score"] for each in found] == sorted((e["score"] for e in found), reverse=True)
    assert all("video" in each["title"].lower() + each["why"] for each in found)
    assert len(sent.digest_json("search", "video generation", "--most", "2")) == 2


def test_what_fits_nothing_is_told(sent):
    assert sent.digest("search", "medieval poetry") == "Nothing fits.\n"
    assert "column 1: expected a closing quotation mark" in sent.fails("search", '"open')


def test_nothing_is_found_before_anything_is_collected(operator):
    assert operator.digest("search", "robots") == "Nothing fits.\n"
