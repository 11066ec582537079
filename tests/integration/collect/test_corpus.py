"""Every recorded answer of real services loads; see README.md of the corpus.

The numbers here were counted without this program: entries of the JSON, dots of the text pages,
``<item>`` and ``<entry>`` of the XML.
"""

import re
import unicodedata
from datetime import date
from pathlib import Path

import pytest

from digest.collect.file import read_file
from digest.model.papers import Harvest, Sighting
from tests.support import NOW

# fmt: off
PAPERS_OF_DAY = {
    "2024-05-27": 13, "2024-06-12": 16, "2024-06-28": 17, "2024-07-16": 14, "2024-08-01": 11,
    "2024-08-19": 7, "2024-09-04": 18, "2024-09-20": 15, "2024-10-08": 21, "2024-10-24": 10,
    "2024-11-11": 8, "2024-11-27": 18, "2024-12-11": 26, "2024-12-12": 18, "2024-12-13": 23,
    "2024-12-31": 13, "2025-01-10": 9, "2025-01-20": 9, "2025-02-05": 6, "2025-02-21": 13,
    "2025-03-11": 26, "2025-03-27": 19, "2025-04-14": 11, "2025-04-30": 9, "2025-05-16": 20,
    "2025-05-26": 28, "2025-05-27": 35, "2025-05-28": 39, "2025-05-29": 36, "2025-05-30": 42,
    "2025-06-02": 20, "2025-06-03": 29, "2025-06-04": 28, "2025-06-05": 30, "2025-06-06": 28,
    "2025-06-09": 8, "2025-06-10": 28, "2025-06-11": 13, "2025-06-12": 10, "2025-06-13": 26,
    "2025-06-16": 9, "2025-06-17": 24, "2025-06-18": 23, "2025-06-19": 8, "2025-06-20": 2,
    "2025-07-07": 1, "2025-07-23": 13, "2025-08-08": 18, "2025-08-26": 13, "2025-09-11": 8,
    "2025-09-29": 30, "2025-09-30": 50, "2025-10-15": 26, "2025-10-31": 19, "2025-11-19": 12,
    "2025-12-05": 26, "2025-12-23": 17,
}
# fmt: on
PAGES = {
    "000_4c35cf6bf607152b.txt": (52, date(2026, 4, 21)),
    "001_d99846d3c90bceb2.txt": (62, date(2026, 6, 10)),
    "002_45a36d4651fbbb18.txt": (48, date(2026, 6, 1)),
    "003_a82956b3906715a7.txt": (43, date(2025, 12, 8)),
    # Without dates and blank lines: a title and an abstract to each paper.
    "004_24ceffa5579b3f58.txt": (86, NOW.date()),
}
ANSWERS = {
    "id_0000.0000_s0_m100_8b51d9633a68.json": 0,
    "id_0808.05394_1707.08567_s0_m100_42e5aa0ec3af.json": 1,
    "id_0808.05394_s0_m100_7b0c7d0a7cdd.json": 0,
    "id_1605.08386_s0_m100_199195aa31ad.json": 1,
    "id_1707.08567_s0_m100_6a1afebfc6a3.json": 1,
    "id_2104.12255v1_s0_m100_6ae69987ffe1.json": 1,
    "id_astro-ph_0601001_s0_m100_3150dca9dc76.json": 1,
    "id_quant-ph_0201082v1_s0_m100_86989fe779ef.json": 1,
    "q_testing_s0_m100_cfe7536492ca.json": 100,
    "q_testing_s0_m10_bc5a6c384fe9.json": 10,
    "q_testing_s0_m15_80c242b59d59.json": 15,
    "q_testing_s10_m10_34e56e15aaac.json": 10,
    "q_testing_s20_m10_348a237fecab.json": 10,
    "q_testing_s30_m10_f2e39f0143dc.json": 10,
    "q_testing_s40_m10_96dd32eb854c.json": 10,
    "q_testing_s50_m10_7f488ab8598c.json": 10,
    "q_testing_s5_m10_c0e94a259d4a.json": 10,
    "q_testing_s5_m15_bbcf6b23085b.json": 15,
    "q_testing_s9_m15_0b78d4b4d476.json": 15,
}
REFUSAL = "id_abc_s0_m100_b79c8dcf6bc3.json"
FEEDS = {
    "arxiv_cs_ai.xml": ["2604.21935", "2604.21936", "2604.21937"],
    "arxiv_cs_cl.xml": ["2604.22002", "2604.22027", "2604.22038"],
    "arxiv_cs_lg.xml": ["2604.21952", "2604.21953", "2604.21956"],
}


def load(path: Path, day: date | None = None) -> Harvest:
    harvest = read_file(path, day, NOW)
    for rejection in harvest.rejected:
        assert rejection.file == str(path)
        assert rejection.where
        assert rejection.why
    for sighting in harvest.sightings:
        for text in texts_of(sighting):
            assert is_clean(text), text
        # A title may talk of TeX, but none here does.
        assert not re.search(r"\\[A-Za-z]|\$\\|\{\\", sighting.facts.title), sighting.facts.title
    return harvest


def texts_of(sighting: Sighting) -> list[str]:
    facts = sighting.facts
    return [
        facts.title, facts.abstract, facts.summary, facts.organisation, *facts.authors, *facts.keywords
    ]  # fmt: skip


def is_clean(text: str) -> bool:
    unseen = {c for c in text if unicodedata.category(c).startswith("C")} - {"\u200c", "\u200d"}
    return not unseen and text == " ".join(text.split())


def test_nothing_of_the_corpus_is_left_out(corpus):
    names = {path.stem for path in (corpus / "hf_daily").iterdir()}
    assert names == set(PAPERS_OF_DAY)
    assert sum(PAPERS_OF_DAY.values()) == 1069
    assert len(PAPERS_OF_DAY) == 57
    assert {path.name for path in (corpus / "saved_pages").iterdir()} == set(PAGES)
    assert {path.name for path in (corpus / "arxiv/atom").iterdir()} == {*ANSWERS, REFUSAL}
    assert {path.name for path in (corpus / "arxiv/rss").iterdir()} == set(FEEDS)


@pytest.mark.parametrize("day", PAPERS_OF_DAY)
def test_a_day_of_hugging_face(corpus, day):
    harvest = load(corpus / "hf_daily" / f"{day}.json")
    assert len(harvest.sightings) == PAPERS_OF_DAY[day]
    assert harvest.rejected == ()
    assert {sighting.listed_on for sighting in harvest.sightings} == {date.fromisoformat(day)}
    assert {sighting.source for sighting in harvest.sightings} == {"huggingface"}
    for sighting in harvest.sightings:
        assert sighting.facts.arxiv_id
        assert sighting.facts.abstract
        assert sighting.facts.author_count >= len(sighting.facts.authors)
        assert sighting.facts.authors
        assert sighting.signals.upvotes is not None


@pytest.mark.parametrize("name", PAGES)
def test_a_saved_page(corpus, name):
    papers, day = PAGES[name]
    harvest = load(corpus / "saved_pages" / name, NOW.date() if name.startswith("004") else None)
    assert len(harvest.sightings) == papers
    assert harvest.rejected == ()
    assert {sighting.listed_on for sighting in harvest.sightings} == {day}
    for sighting in harvest.sightings:
        assert not sighting.facts.title.startswith("Subscribe")
        assert len(sighting.facts.abstract) > len(sighting.facts.title)
        if not name.startswith("004"):
            assert sighting.facts.published_on <= day
            assert sighting.facts.author_count or sighting.facts.organisation


def test_the_page_with_a_button_glued_to_its_first_title(corpus):
    first = load(corpus / "saved_pages/004_24ceffa5579b3f58.txt", NOW.date()).sightings[0]
    assert first.facts.title.startswith("CoIn: Counting the Invisible Reasoning Tokens")


def test_the_html_page(corpus):
    harvest = load(corpus / "hf_pages/2026-02-20.html")
    assert len(harvest.sightings) == 23
    assert harvest.rejected == ()
    assert {sighting.listed_on for sighting in harvest.sightings} == {date(2026, 2, 20)}
    assert all(sighting.facts.arxiv_id and sighting.facts.authors for sighting in harvest.sightings)


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_of_arxiv(corpus, name):
    harvest = load(corpus / "arxiv/atom" / name)
    assert len(harvest.sightings) == ANSWERS[name]
    assert harvest.rejected == ()
    # A look-up makes nothing eligible.
    assert {sighting.listed_on for sighting in harvest.sightings} <= {None}
    for sighting in harvest.sightings:
        assert sighting.facts.arxiv_id
        assert sighting.facts.published_on
        assert sighting.facts.authors
        assert sighting.facts.categories


def test_the_refusal_is_one_rejection(corpus):
    harvest = load(corpus / "arxiv/atom" / REFUSAL)
    assert harvest.sightings == ()
    assert [(each.where, each.why) for each in harvest.rejected] == [
        ("entry 1", "arXiv says: incorrect id format for abc")
    ]


@pytest.mark.parametrize(
    ("name", "arxiv", "day"),
    [
        ("id_astro-ph_0601001_s0_m100_3150dca9dc76.json", "astro-ph/0601001", date(2006, 1, 2)),
        ("id_quant-ph_0201082v1_s0_m100_86989fe779ef.json", "quant-ph/0201082", date(2002, 1, 18)),
        ("id_2104.12255v1_s0_m100_6ae69987ffe1.json", "2104.12255", date(2021, 4, 20)),
    ],
)
def test_old_ids_and_versions(corpus, name, arxiv, day):
    (sighting,) = load(corpus / "arxiv/atom" / name).sightings
    assert sighting.facts.arxiv_id == arxiv
    assert sighting.facts.published_on == day


def test_names_in_a_mangled_recording_come_out_right(corpus):
    harvest = load(corpus / "arxiv/atom/q_testing_s0_m100_cfe7536492ca.json")
    names = {name for sighting in harvest.sightings for name in sighting.facts.authors}
    assert {"Aurora Ramírez", "José Raúl Romero"} <= names
    # What is left where UTF-8 was taken for Latin-1: "Ã" and a continuation byte.
    assert not [name for name in names if re.search("[ÃÂÅ][\u0080-\u00bf]", name)]


@pytest.mark.parametrize("name", FEEDS)
def test_a_feed_of_arxiv(corpus, name):
    harvest = load(corpus / "arxiv/rss" / name)
    assert [sighting.facts.arxiv_id for sighting in harvest.sightings] == FEEDS[name]
    assert harvest.rejected == ()
    for sighting in harvest.sightings:
        assert sighting.listed_on == date(2026, 4, 27)
        assert sighting.facts.authors
        assert "Announce Type" not in sighting.facts.abstract
        assert not sighting.facts.abstract.startswith("arXiv:")
