"""Samples: which are found, what becomes of their values, and how a malformed one is told."""

import json

import pytest

from digest.compose.composer import Composer
from digest.compose.environment import Templates, built_in_templates
from digest.compose.from_identity import from_identity
from digest.compose.language import ENGLISH, language
from digest.errors import TemplateError
from digest.model.digests import Section
from digest.studio.samples import Sample, digest_of, samples, view_of
from subscribers.tokens import Purpose
from tests.support import TODAY, make_settings

SENDER = from_identity(make_settings())
BUILT_IN = samples([built_in_templates()])

PICK = {"section": "trending", "title": "A study"}
DIGEST = {"day": "2026-02-20", "pool_size": 1, "picks": [PICK]}


def composer(identity=SENDER, said_in=ENGLISH):
    return Composer(Templates(None, said_in), identity)


@pytest.fixture
def write(tmp_path):
    """Writes a sample into a folder of templates, and gives the folder."""

    def write(name="mine", folder="own", **changes):
        text = changes.pop("text", None)
        said = {"mail": "digest", "about": "Mine.", "values": DIGEST, **changes}
        place = tmp_path / folder / "samples"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{name}.json").write_text(text or json.dumps(said), encoding="utf-8")
        return tmp_path / folder

    return write


# ---- which are found -----------------------------------------------------------------------------


def test_the_built_in_ones_show_all_that_can_be():
    assert list(BUILT_IN) == sorted(BUILT_IN)
    rich = digest_of(BUILT_IN["rich"])
    assert {pick.section for pick in rich.picks} == set(Section)
    assert len(digest_of(BUILT_IN["full"]).picks) == 10
    assert digest_of(BUILT_IN["no-topics"]).topics == ()
    defaults = make_settings()
    largest = digest_of(BUILT_IN["largest"])
    assert len(largest.picks) == defaults.max_for_you + defaults.max_trending
    for sample in BUILT_IN.values():
        assert sample.about.endswith(".")
        view_of(sample, composer())


def test_an_earlier_folder_hides_a_later_one(write):
    first = write("a", "first", about="Of the first.")
    second = write("a", "second", about="Of the second.")
    write("b", "second")
    found = samples([first, second])
    assert {name: sample.about for name, sample in found.items()} == {
        "a": "Of the first.",
        "b": "Mine.",
    }


def test_a_hidden_sample_is_not_even_read(write):
    first, second = write("a", "first"), write("a", "second", text="{")
    assert list(samples([first, second])) == ["a"]


def test_a_folder_without_samples_has_none(tmp_path):
    assert samples([tmp_path, tmp_path / "nowhere"]) == {}


# ---- what becomes of the values ------------------------------------------------------------------


def test_a_digest_goes_the_way_of_a_real_one(write):
    pick = {
        "section": "for-you",
        "title": "A study",
        "arxiv_id": "2602.00007",
        "authors": ["Ada Lovelace"],
        "author_count": 3,
        "upvotes": 12,
        "risen": 7,
        "stars": 1500,
        "reason": {"topic": "ants", "words": ["study"]},
    }
    folder = write(values={**DIGEST, "topics": ["ants", "bees"], "picks": [pick, PICK]})
    shown = view_of(samples([folder])["mine"], composer(), "a" * 32)
    assert (shown.topics, shown.headline) == ("ants and bees", "1 paper on your topics")
    assert shown.links.unsubscribe == SENDER.link(Purpose.UNSUBSCRIBE, "a" * 32)
    assert shown.links.browser.endswith("/2026-02-20")
    first = shown.sections[0].cards[0]
    assert first.url == "https://huggingface.co/papers/2602.00007"
    assert first.opinion_url.endswith("/arxiv:2602.00007")
    assert (first.authors, first.stars) == ("Ada Lovelace +\N{NO-BREAK SPACE}2", "1.5K")
    assert first.votes_in_words == "12 upvotes, +7 in a day"
    assert (first.topic, first.why) == ("ants", "“study”")
    assert shown.sections[1].cards[0].opinion_url.endswith("/title:2")
    assert digest_of(samples([folder])["mine"]).day == TODAY


def test_a_note_goes_the_way_of_a_real_one(write):
    values = {"day": "2026-02-20", "pool_size": 3, "topics": ["ants"], "missing": ["arxiv"]}
    folder = write(mail="nothing", values={**values, "why_nothing": "nothing-matched"})
    shown = view_of(samples([folder])["mine"], composer(), "a" * 32)
    assert (shown.why, shown.topics) == ("Too few of the new papers fit your topics.", "ants")
    assert shown.pool == "Today's edition has 3 papers."
    assert "The list of arXiv was not fully" in shown.missing
    assert shown.links.edition == "https://digest.example.org/2026-02-20"


@pytest.mark.parametrize(
    "values", [{}, {"why_nothing": "bored"}, {"why_nothing": "no-papers", "picks": [PICK]}]
)
def test_a_note_must_say_why_and_has_no_papers(write, values):
    folder = write(mail="nothing", values={"day": "2026-02-20", "pool_size": 0, **values})
    with pytest.raises(TemplateError, match=r"samples/mine\.json: (why_nothing|picks): "):
        samples([folder])


def test_a_letter_is_said_in_the_language(write):
    values = {"topics": ["a", "b"], "cadence": "weekdays", "link": "https://x/", "hours": 3}
    sample = samples([write(mail="confirm", values=values)])["mine"]
    german = language("de")
    shown = view_of(sample, composer(SENDER, german))
    assert shown.topics == german.listed(["a", "b"])
    assert shown.how_often == f"von {german.weekday(0)} bis {german.weekday(4)}"
    assert (shown.language, shown.link, shown.hours) == ("de", "https://x/", 3)
    assert (shown.brand, shown.contact) == ("Paper Digest", "digest@example.org")


def test_the_picture_at_the_top_is_the_senders():
    settings = make_settings(header_image="https://x.example/a.png", header_image_size="1200x240")
    shown = view_of(BUILT_IN["rich"], composer(from_identity(settings)))
    assert (shown.header.url, shown.header.width, shown.header.height) == (
        "https://x.example/a.png",
        600,
        120,
    )
    assert shown.header.alt == "Paper Digest"
    assert view_of(BUILT_IN["confirm"], composer(from_identity(settings))).header == shown.header


# ---- malformed ones ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{\n  "mail": \n}', ", line 3: not JSON: "),
        ("[]", ": the file: "),
        ('{"mail": "digest", "about": "x"}', ": values: "),
        ('{"mail": "", "about": "x", "values": {}}', ": mail: "),
        ('{"mail": "digest", "about": "x", "values": {}, "more": 1}', ": more: "),
        ("[" * 100_000, ": "),
    ],
)
def test_a_malformed_file_is_told(write, text, told):
    with pytest.raises(TemplateError, match=rf"^samples/mine\.json{told}"):
        samples([write(text=text)])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"day": "yesterday"}, "day: "),
        ({"pool_size": -1}, "pool_size: "),
        ({"picks": []}, "picks: "),
        ({"topics": "ants"}, "topics: "),
        ({"picks": [{**PICK, "section": "sports"}]}, r"picks\.0\.section: "),
        ({"picks": [PICK, {**PICK, "title": ""}]}, r"picks\.1\.title: "),
        ({"picks": [{**PICK, "upvote": 1}]}, r"picks\.0\.upvote: "),
        ({"picks": [{**PICK, "reason": "ants"}]}, r"picks\.0\.reason: "),
    ],
)
def test_a_digest_that_cannot_be_is_told(write, changes, told):
    with pytest.raises(TemplateError, match=rf"^samples/mine\.json: {told}"):
        samples([write(values={**DIGEST, **changes})])


@pytest.mark.parametrize(
    "values", [{"links": "x"}, {"hours": "many"}, {"cadence": "hourly"}, {"since": "now"}]
)
def test_a_letter_that_cannot_be_is_told(write, values):
    with pytest.raises(TemplateError, match=r"^samples/mine\.json: "):
        samples([write(mail="confirm", values=values)])


def test_a_file_that_is_no_utf8_is_told(write):
    folder = write()
    (folder / "samples" / "mine.json").write_bytes(b'{"mail": "\xff"}')
    with pytest.raises(TemplateError, match=r"^samples/mine\.json: "):
        samples([folder])


def test_values_that_were_changed_after_reading_are_told():
    with pytest.raises(TemplateError, match=r"^samples/x\.json: day: "):
        view_of(Sample("x", "digest", "X.", {}), composer())


def test_templates_are_not_needed_to_read_samples(tmp_path):
    assert Templates(tmp_path).language is ENGLISH
