"""Which work a text means."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digest.model.identity import arxiv_id, doi, paper_key, title_key


@pytest.mark.parametrize(
    ("text", "known_as"),
    [
        ("2602.00001", "2602.00001"),
        ("2602.00001v3", "2602.00001"),
        ("0704.0001", "0704.0001"),
        (" 2602.00001\n", "2602.00001"),
        ("arXiv:2602.00001v1", "2602.00001"),
        ("ARXIV:2602.00001", "2602.00001"),
        ("oai:arXiv.org:2602.00001v2", "2602.00001"),
        ("http://arxiv.org/abs/2602.00001v1", "2602.00001"),
        ("https://www.arxiv.org/pdf/2602.00001v2.pdf", "2602.00001"),
        ("https://export.arxiv.org/abs/hep-th/9901001v2", "hep-th/9901001"),
        ("quant-ph/0201082v1", "quant-ph/0201082"),
        ("math.GT/0309136", "math/0309136"),
        ("MATH.gt/0309136", "math/0309136"),
    ],
)
def test_every_spelling_of_an_id_is_one_id(text, known_as):
    assert arxiv_id(text) == known_as


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "2602.1",
        "2602.000001",
        "22602.00001",
        "2602.00001x",
        "see 2602.00001",
        "https://example.org/abs/2602.00001",
        "https://huggingface.co/papers/2602.00001",
        "hep-th/99010",
        "٢٦٠٢.٠٠٠٠١",
        "２６０２.００００１",
    ],
)
def test_what_is_no_id_gives_none(text):
    assert arxiv_id(text) == ""


@given(st.from_regex(r"[0-9]{4}\.[0-9]{4,5}", fullmatch=True), st.integers(1, 99))
def test_the_version_does_not_matter(identifier, version):
    assert arxiv_id(f"{identifier}v{version}") == arxiv_id(identifier) == identifier


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ducks: A Survey", "DUCKS – a   survey!"),
        ("Café naïve", "Cafe\u0301 naive"),
        ("ﬁne ½", "fine 1⁄2"),
        ("Straße", "STRASSE"),
    ],
)
def test_spellings_of_one_title_are_one(one, other):
    assert title_key(one) == title_key(other) != ""
    assert paper_key("", "", one) == paper_key("", "", other)


@pytest.mark.parametrize(
    ("one", "other"), [("Ducks 1", "Ducks 2"), ("鸭子", "鸭"), ("Ducks", "Dücks and geese")]
)
def test_other_titles_are_others(one, other):
    assert paper_key("", "", one) != paper_key("", "", other)


def test_the_id_is_the_key_whatever_the_title():
    assert (
        paper_key("2602.00001", "", "One") == paper_key("2602.00001", "", "") == "arxiv:2602.00001"
    )
    assert paper_key("", "", "One").startswith("title:")


def test_without_an_arxiv_id_the_doi_is_the_key():
    assert paper_key("", "10.1101/2026.02.20.1", "One") == "doi:10.1101/2026.02.20.1"
    assert paper_key("2602.00001", "10.1101/2026.02.20.1", "") == "arxiv:2602.00001"


def test_a_long_doi_fits_the_column_and_is_its_own():
    keys = {paper_key("", f"10.1101/{'a' * 100}{number}", "") for number in (1, 2)}
    assert len(keys) == 2
    assert max(map(len, keys)) <= 80


@pytest.mark.parametrize(
    "text",
    [
        "10.1038/S41586-026-00001-1",
        "doi:10.1038/s41586-026-00001-1",
        "DOI: 10.1038/s41586-026-00001-1",
        " https://doi.org/10.1038/s41586-026-00001-1 ",
        "http://dx.doi.org/10.1038/s41586-026-00001-1",
    ],
)
def test_spellings_of_one_doi_are_one(text):
    assert doi(text) == "10.1038/s41586-026-00001-1"


@pytest.mark.parametrize(
    "text", ["", "10.1038", "pmid:4", "10.1038/a b", "10.1038/ä", f"10.1038/{'a' * 150}", "11.1/a"]
)
def test_what_is_no_doi(text):
    assert doi(text) == ""


def test_the_doi_of_an_arxiv_paper_is_its_arxiv_id():
    assert arxiv_id("10.48550/arXiv.2602.00001") == "2602.00001"


@pytest.mark.parametrize("title", ["", "???", " – … ", "🦆"])
def test_neither_id_nor_title_is_no_paper(title):
    with pytest.raises(ValueError, match="neither an arXiv id nor a DOI nor a title"):
        paper_key("", "", title)


@given(st.text())
@example("ß" * 300)
def test_a_title_key_is_short_and_finds_other_spellings(title):
    key = title_key(title)
    assert len(key) <= 200
    assert key == "" or key.isalnum()
    assert title_key(f"  {title} !") == key
