"""Citations, read again by others' parsers: whatever a title holds, nothing of it is lost."""

import json
import re
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digest.model.papers import Facts
from digest.web.citations import Name, bibtex, citation_key, csl_json, read_name, ris

pybtex = pytest.importorskip("pybtex.database")
rispy = pytest.importorskip("rispy")

# As what comes from sources is: one line, without control and format characters (model/text.py).
LINES = st.text(
    st.characters(exclude_categories=("C", "Z"), include_characters=" \\{}$&%#_~^\"'@,=-"),
    max_size=40,
).map(lambda text: " ".join(text.split()))
NAMES = LINES.filter(lambda name: name.strip(" ,"))
PAPERS = st.builds(
    Facts,
    title=LINES.filter(bool),
    arxiv_id=st.sampled_from(["", "2602.00001", "math/0309136"]),
    doi=st.sampled_from(["", "10.1234/a_b(c){d}<e>%20#&~"]),
    abstract=LINES,
    authors=st.lists(NAMES, max_size=4).map(tuple),
    published_on=st.none() | st.dates(date(1000, 1, 1)),
    venue=LINES,
    keywords=st.lists(LINES, max_size=2).map(tuple),
    categories=st.just(("cs.AI",)) | st.just(()),
    page_url=st.sampled_from(["", "https://example.org/?a={b}&c=\\d"]),
)
_NAMED = {
    "textbackslash": "\\",
    "textbraceleft": "{",
    "textbraceright": "}",
    "textasciitilde": "~",
    "textasciicircum": "^",
}
WEN = Facts(
    "DynamicVerse: 100% of {4D} & more_or_less $5 #1 ~ ^ \\end",
    arxiv_id="2512.03000",
    authors=("Kairun Wen", "Ludwig van der Berg", "Doe, Jane", "SIMA team", "Plato"),
    author_count=19,
    published_on=date(2025, 12, 2),
    categories=("cs.CV",),
    doi="10.1234/a_b",
)


def as_text(latex):
    """What LaTeX shows of it."""
    for name, character in _NAMED.items():
        latex = latex.replace(f"\\{name}{{}}", f"\\char{ord(character)};")
    assert not re.search(r"(?<!\\)[{}$&%#_~^]|\\(?!char|[$&%#_])", latex), latex
    unescaped = re.sub(r"\\([$&%#_])", r"\1", latex)
    return re.sub(r"\\char(\d+);", lambda found: chr(int(found[1])), unescaped)


def test_bibtex_as_one_would_write_it():
    assert (
        bibtex([WEN])
        == r"""@misc{wen2025dynamicverse,
  title = {{DynamicVerse: 100\% of \textbraceleft{}4D\textbraceright{} \& more\_or\_less \$5 \#1 \textasciitilde{} \textasciicircum{} \textbackslash{}end}},
  author = {Wen, Kairun and van der Berg, Ludwig and Doe, Jane and {SIMA team} and {Plato} and others},
  year = {2025},
  month = dec,
  eprint = {2512.03000},
  archiveprefix = {arXiv},
  primaryclass = {cs.CV},
  doi = {10.1234/a\_b},
  url = {https://arxiv.org/abs/2512.03000}
}
"""
    )


def test_ris_as_reference_managers_have_it():
    lines = ris([WEN]).split("\r\n")
    assert lines[0] == "TY  - UNPB"
    assert lines[2:5] == ["AU  - Wen, Kairun", "AU  - van der Berg, Ludwig", "AU  - Doe, Jane"]
    assert lines[-2:] == ["ER  - ", ""]


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("Kairun Wen", Name("Wen", "Kairun")),
        ("Kai-Po Chang", Name("Chang", "Kai-Po")),
        ("Ludwig van der Berg", Name("van der Berg", "Ludwig")),
        ("Doe, Jane Q.", Name("Doe", "Jane Q.")),
        ("Doe,", Name("Doe")),
        ("Plato", Name("Plato")),
        ("Nex-AGI Team", Name("Nex-AGI Team")),
        ("김민수", Name("김민수")),
        ("de la Cruz", Name("de la Cruz")),
        ("", Name("")),
    ],
)  # fmt: skip
def test_a_name_has_two_parts(name, read):
    assert read_name(name) == read


def test_a_name_with_more_commas_or_an_and_is_one_name():
    facts = Facts("X", authors=("Doe, Jane, Jr", "Salt and Pepper Ltd"))
    people = pybtex.parse_string(bibtex([facts]), "bibtex").entries["doex"].persons["author"]
    assert [person.first_names for person in people] == [["{Jane, Jr}"], ["{Salt and Pepper}"]]


def test_keys_are_plain_and_differ():
    facts = Facts("The Ünï of 模型", authors=("Zoë Ångström",), published_on=date(2026, 1, 1))
    assert citation_key(facts) == "angstrom2026uni"
    assert citation_key(Facts("模型")) == "paper"
    assert {item["id"] for item in json.loads(csl_json([facts] * 3))} == {
        "angstrom2026uni", "angstrom2026uni-2", "angstrom2026uni-3",
    }  # fmt: skip
    assert len(pybtex.parse_string(bibtex([facts] * 3), "bibtex").entries) == 3


@given(st.lists(PAPERS, max_size=3))
@example([WEN, WEN])
def test_bibtex_comes_back_whole(papers):
    entries = pybtex.parse_string(bibtex(papers), "bibtex").entries
    assert len(entries) == len(papers)
    for facts, entry in zip(papers, entries.values(), strict=True):
        title = entry.fields["title"]
        assert (title[0], title[-1]) == ("{", "}")
        assert as_text(title[1:-1]) == facts.title
        assert as_text(entry.fields.get("howpublished", "")) == facts.venue
        assert as_text(entry.fields.get("doi", "")) == facts.doi
        assert entry.fields.get("eprint", "") == facts.arxiv_id
        has_others = bool(facts.author_count and facts.authors)
        assert len(entry.persons.get("author", ())) == len(facts.authors) + has_others


@given(st.lists(PAPERS, max_size=3))
def test_ris_comes_back_whole(papers):
    found = rispy.loads(ris(papers))
    assert len(found) == len(papers)
    for facts, entry in zip(papers, found, strict=True):
        assert entry["title"] == facts.title
        assert len(entry.get("authors", ())) == len(facts.authors)
        assert entry.get("doi", "") == facts.doi
        assert entry.get("abstract", "") == facts.abstract


@given(st.lists(PAPERS, max_size=3))
def test_csl_json_comes_back_whole(papers):
    items = json.loads(csl_json(papers))
    assert [item["title"] for item in items] == [facts.title for facts in papers]
    for facts, item in zip(papers, items, strict=True):
        assert item.get("DOI", "") == facts.doi
        for name, author in zip(facts.authors, item.get("author", ()), strict=True):
            assert author.get("literal") or (author["family"] and author["given"]), name


@pytest.mark.parametrize("title", ["x\r\nER  - \r\nTY  - JOUR", "a\nb", "}\n@misc{x,"])
def test_no_line_of_a_title_is_a_line_of_the_file(title):
    facts = Facts(title, page_url="https://example.org/")
    assert len(rispy.loads(ris([facts]))) == 1
    assert len(pybtex.parse_string(bibtex([facts]), "bibtex").entries) == 1
