"""Recorded answers and saved pages, told apart by what is in them."""

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.collect import file as file_module
from digest.collect.answer_reader import Reading
from digest.collect.file import files_in, read_content, read_file
from digest.errors import SourceError
from digest.model.papers import Harvest
from tests.support import NOW, TODAY

FIXTURES = Path(__file__).parents[2] / "fixtures"


@pytest.mark.parametrize(
    ("name", "papers", "rejected"),
    [
        ("huggingface/2026-02-20.json", 4, 6),
        ("huggingface/2024-12-11.json", 1, 3),
        ("huggingface/2025-01-10_object.json", 1, 0),
        ("saved_pages/page.html", 2, 0),
        ("saved_pages/dated.txt", 4, 0),
        ("saved_pages/undated.txt", 4, 1),
        ("saved_pages/cut.txt", 1, 3),
        ("arxiv/rss.xml", 5, 2),
        ("arxiv/atom.xml", 4, 0),
        ("arxiv/api.xml", 2, 0),
        ("arxiv/api_empty.xml", 0, 0),
        ("arxiv/recorded.json", 2, 0),
        ("arxiv/recorded_mangled.json", 2, 0),
        ("arxiv/recorded_error.json", 0, 1),
        ("arxiv/bomb.xml", 0, 1),
    ],
)
def test_every_kind_is_told_apart(name, papers, rejected):
    path = FIXTURES / name
    harvest = read_file(path, TODAY, NOW)
    assert (len(harvest.sightings), len(harvest.rejected)) == (papers, rejected)
    for rejection in harvest.rejected:
        assert rejection.file == str(path)
        assert rejection.where
        # The file is named beside it already.
        assert not rejection.why.startswith(str(path))
        assert rejection.why


def test_a_recording_that_took_utf8_for_latin1_is_undone():
    right = read_file(FIXTURES / "arxiv/recorded.json", None, NOW)
    mangled = read_file(FIXTURES / "arxiv/recorded_mangled.json", None, NOW)
    assert right.sightings[0].facts.authors == ("Åsa Ørn", "José Pato")
    assert mangled.sightings == right.sightings


def test_a_recorded_refusal_is_a_rejection():
    (rejection,) = read_file(FIXTURES / "arxiv/recorded_error.json", None, NOW).rejected
    assert rejection.why == "arXiv says: incorrect id format for abc"


PAPERS = json.dumps([{"paper": {"id": "2602.00001", "title": "Ducks"}}])


@pytest.mark.parametrize(
    ("name", "day", "listed_on"),
    [
        ("2026-02-11.json", None, date(2026, 2, 11)),
        ("day-2026-02-11-raw.json", None, date(2026, 2, 11)),
        ("papers.json", TODAY, TODAY),
        ("2026-02-11.json", TODAY, TODAY),
    ],
)
def test_the_listing_day(tmp_path, name, day, listed_on):
    path = tmp_path / name
    path.write_text(PAPERS)
    assert read_file(path, day, NOW).sightings[0].listed_on == listed_on


@pytest.mark.parametrize("name", ["papers.json", "2026-02-31.json"])
def test_papers_without_a_day_are_not_todays(tmp_path, name):
    path = tmp_path / name
    path.write_text(json.dumps([json.loads(PAPERS)[0]] * 3))
    harvest = read_file(path, None, NOW)
    assert harvest.sightings == ()
    (rejection,) = harvest.rejected
    assert rejection.where == "whole file"
    assert "say it with --date" in rejection.why


def test_a_saved_page_without_dates_needs_a_day():
    path = FIXTURES / "saved_pages/undated.txt"
    first = read_file(path, None, NOW).rejected[0]
    assert "say it with --date" in first.why
    assert len(read_file(path, TODAY, NOW).sightings) == 4


def test_what_the_content_states_comes_before_the_name(tmp_path):
    path = tmp_path / "2026-02-11.json"
    paper = {"id": "2602.00001", "title": "Ducks", "submittedOnDailyAt": "2026-02-12T09:00:00.000Z"}
    path.write_text(json.dumps([{"paper": paper}]))
    assert read_file(path, None, NOW).sightings[0].listed_on == date(2026, 2, 12)


def test_a_byte_order_mark_does_not_matter(tmp_path):
    path = tmp_path / "papers.json"
    path.write_text(PAPERS, encoding="utf-8-sig")
    assert len(read_file(path, TODAY, NOW).sightings) == 1


def test_a_file_that_is_not_there_is_a_rejection(tmp_path):
    harvest = read_file(tmp_path / "none.json", None, NOW)
    (rejection,) = harvest.rejected
    assert (rejection.file, rejection.where) == (str(tmp_path / "none.json"), "whole file")
    assert "No such file" in rejection.why


def test_a_folder_is_a_rejection(tmp_path):
    assert len(read_file(tmp_path, None, NOW).rejected) == 1


def test_a_file_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(file_module, "LARGEST_FILE", 10)
    path = tmp_path / "papers.json"
    path.write_text(PAPERS)
    assert [each.why for each in read_file(path, None, NOW).rejected] == ["larger than 10 bytes"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "neither an answer"),
        (b"Ducks on ponds", "neither an answer"),
        (b"\xff\xfe\x00", "neither an answer"),
        (b"<html><body/></html>", "neither RSS nor Atom"),
        (b"[", "not JSON"),
        (b"{\xff}", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"error": "x"}', "none of the fields dailyPapers, data, body"),
        (b'{"dailyPapers": {}}', "expected a list, got dict"),
        (b'{"data": "text"}', "expected a list, got str"),
        (b'{"body": null}', "the recorded body is no text"),
        (b'{"body": "\\ud800"}', "not XML"),
        (b'{"body": "no XML"}', "not XML"),
    ],
)
def test_content_of_no_known_kind_is_an_error_naming_the_file(content, why):
    with pytest.raises(SourceError, match=why) as caught:
        read_content(content, Reading(file="here", seen_at=NOW))
    assert str(caught.value).startswith("here: ")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
fields = st.sampled_from(
    [
        "id",
        "title",
        "authors",
        "upvotes",
        "ai_keywords",
        "organization",
        "publishedAt",
        "githubRepo",
    ]
)
entries = json_values | st.fixed_dictionaries(
    {"paper": st.dictionaries(fields, json_values, max_size=8)}, optional={"title": json_values}
)


@given(st.lists(entries, max_size=5))
def test_whatever_the_json_holds_each_entry_is_somewhere(given_entries):
    body = json.dumps(given_entries).encode()
    harvest = read_content(body, Reading(file="here", seen_at=NOW))
    assert len(harvest.sightings) + len(harvest.rejected) == len(given_entries)


@given(
    st.sampled_from([b"", b"[", b"{", b"<", b"<rss>", b"Get trending papers in your email inbox"]),
    st.binary() | st.text('·•\n 9JanFeb,2026authors<>[]{}"').map(str.encode),
)
def test_whatever_is_in_a_file_it_is_read_or_an_error(head, tail):
    harvest, refused = Harvest(), ""
    try:
        harvest = read_content(head + tail, Reading(file="here", seen_at=NOW))
    except SourceError as error:
        refused = str(error)
    assert not refused or refused.startswith("here: ")
    assert all(sighting.facts.title for sighting in harvest.sightings)
    assert all(each.why for each in harvest.rejected)


def test_a_folder_names_the_files_in_it(tmp_path):
    (tmp_path / "b").touch()
    (tmp_path / "a").touch()
    (tmp_path / "deeper").mkdir()
    nowhere = Path("nowhere")
    assert files_in([tmp_path, nowhere]) == [tmp_path / "a", tmp_path / "b", nowhere]
