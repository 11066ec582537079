"""Papers from what people paste and export. The files are written as each program writes them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.collect.bibliography import (
    LONGEST,
    LONGEST_ABSTRACT,
    MOST_FAULTS,
    MOST_PAPERS,
    decode,
    read_bibliography,
)
from digest.compose.language import ENGLISH
from digest.model.identity import paper_key


def told(read):
    return tuple(fault.said(ENGLISH) for fault in read.left_out)


ZOTERO_BIBTEX = r"""
@misc{byron_ducks_2026,
	title = {Ducks that {Dive}: {A} Study of {M}{\"u}ller's Pond},
	shorttitle = {Ducks that {Dive}},
	url = {http://arxiv.org/abs/2602.00001},
	doi = {10.48550/arXiv.2602.00001},
	abstract = {We film ducks \& count 50\% of them.},
	urldate = {2026-03-01},
	publisher = {arXiv},
	author = {Byron, Ada and Doe, Jane},
	month = feb,
	year = {2026},
	note = {arXiv:2602.00001 [cs]},
	keywords = {Computer Science - Ducks},
}

@article{doe_geese_2025,
	title = {Geese over the {Sea}},
	volume = {12},
	url = {https://doi.org/10.1234/geese.5},
	doi = {10.1234/geese.5},
	journal = {Journal of Geese},
	author = {Doe, Jane},
	year = {2025},
	pages = {2501--2510},
}
"""
SCHOLAR_BIBTEX = """@article{byron2026ducks,
  title={Ducks that dive},
  author={Byron, Ada and Doe, Jane},
  journal={arXiv preprint arXiv:2602.00001},
  year={2026}
}
@inproceedings{doe2024swans,
  title={A nest of swans},
  author={Doe, Jane},
  booktitle={Proceedings of Swans},
  pages={1--9},
  year={2024}
}
"""
JABREF_BIBTEX = r"""% Encoding: UTF-8

@Article{Doe2025,
  author       = {Jane Doe},
  title        = "Reeds in " # winter,
  eprint       = {hep-th/9901001v2},
  eprinttype   = {arXiv},
  eprintclass  = {hep-th},
  groups       = {birds},
}

@Comment{jabref-meta: databaseType:bibtex;}
"""
ZOTERO_RIS = """TY  - GEN
TI  - Ducks that Dive
AU  - Byron, Ada
AU  - Doe, Jane
AB  - We film ducks.
They dive.
DA  - 2026/02/02/
PY  - 2026
DO  - 10.48550/arXiv.2602.00001
DP  - arXiv.org
PB  - arXiv
UR  - http://arxiv.org/abs/2602.00001
KW  - Ducks
ER  -\x20

TY  - JOUR
TI  - Geese over the Sea
DO  - 10.1234/geese.5
ER  -\x20
"""
SCHOLAR_RIS = """TY  - JOUR
T1  - A nest of swans
A1  - Doe, Jane
JO  - arXiv preprint arXiv:2402.00002
Y1  - 2024
ER  -


"""
SCHOLAR_ENDNOTE = """%0 Journal Article
%T Ducks that dive
%A Byron, Ada
%J arXiv preprint arXiv:2602.00001
%D 2026

%0 Conference Proceedings
%T A nest of swans
%A Doe, Jane
%D 2024
"""
SCHOLAR_CSV = (
    "\ufeffAuthors,Title,Publication,Volume,Number,Pages,Year,Publisher\n"
    '"Byron, Ada; Doe, Jane; ",Ducks that dive,arXiv preprint arXiv:2602.00001,,,,2026,\n'
    '"Doe, Jane; ","Swans, ""their"" nests",Journal of Swans,1,2,3-4,2024,A Press\n'
)
ZOTERO_CSV = (
    '"Key","Item Type","Publication Year","Author","Title","Publication Title","ISBN","ISSN",'
    '"DOI","Url","Abstract Note","Date","Extra","Archive"\n'
    '"AB12","preprint","2026","Byron, Ada","Ducks that Dive","","","","10.48550/arXiv.2602.00001",'
    '"http://arxiv.org/abs/2602.00001","We film\nducks.","2026-02-02","arXiv:2602.00001 [cs]",""\n'
    '"CD34","journalArticle","2025","Doe, Jane","Geese over the Sea","Geese","","1234-5678",'
    '"10.1234/geese.5","","","2025","",""\n'
)
CSL_JSON = json.dumps([
    {
        "id": "http://zotero.org/users/1/items/AB12",
        "type": "article",
        "title": "Ducks that Dive",
        "abstract": "We film ducks.",
        "DOI": "10.48550/arXiv.2602.00001",
        "URL": "http://arxiv.org/abs/2602.00001",
        "number": "arXiv:2602.00001",
        "author": [{"family": "Byron", "given": "Ada"}],
        "issued": {"date-parts": [["2026", 2, 2]]},
    },
    {"type": "article-journal", "title": "Geese over the Sea", "DOI": "10.1234/geese.5"},
])  # fmt: skip


def read(text):
    return [
        (facts.arxiv_id or facts.doi, facts.title, facts.abstract)
        for facts in read_bibliography(text).papers
    ]


DUCKS, GEESE = "2602.00001", "10.1234/geese.5"


@pytest.mark.parametrize(
    ("text", "form", "papers"),
    [
        (ZOTERO_BIBTEX, "BibTeX", [
            (DUCKS, "Ducks that Dive: A Study of Müller's Pond", "We film ducks & count 50% of them."),
            (GEESE, "Geese over the Sea", ""),
        ]),
        (SCHOLAR_BIBTEX, "BibTeX", [(DUCKS, "Ducks that dive", ""), ("", "A nest of swans", "")]),
        (ZOTERO_RIS, "RIS", [(DUCKS, "Ducks that Dive", "We film ducks. They dive."),
                             (GEESE, "Geese over the Sea", "")]),
        (SCHOLAR_RIS, "RIS", [("2402.00002", "A nest of swans", "")]),
        (SCHOLAR_ENDNOTE, "EndNote", [(DUCKS, "Ducks that dive", ""), ("", "A nest of swans", "")]),
        (SCHOLAR_CSV, "CSV", [(DUCKS, "Ducks that dive", ""), ("", 'Swans, "their" nests', "")]),
        (ZOTERO_CSV, "CSV", [(DUCKS, "Ducks that Dive", "We film ducks."),
                             (GEESE, "Geese over the Sea", "")]),
        (CSL_JSON, "CSL-JSON", [(DUCKS, "Ducks that Dive", "We film ducks."),
                                (GEESE, "Geese over the Sea", "")]),
    ],
    ids=["Zotero BibTeX", "Scholar BibTeX", "Zotero RIS", "Scholar RIS", "Scholar EndNote",
         "Scholar CSV", "Zotero CSV", "Zotero CSL-JSON"],
)  # fmt: skip
def test_an_export_gives_its_papers(text, form, papers):
    for written in (text, text.replace("\n", "\r\n"), f"\ufeff{text}", f"\n\n{text}"):
        assert read(written) == papers
        assert read_bibliography(written).form == form
        assert read_bibliography(written).left_out == ()


def test_jabref_writes_an_eprint_of_the_old_kind():
    [(arxiv, title, _)] = read(JABREF_BIBTEX)
    assert arxiv == "hep-th/9901001"
    assert "Reeds in" in title


@pytest.mark.parametrize(
    "typed",
    [
        "2602.00001",
        "2602.00001v3",
        "arXiv:2602.00001",
        "arxiv: 2602.00001v1",
        "[arXiv:2602.00001] Ducks that dive",
        "https://arxiv.org/abs/2602.00001",
        "http://www.arxiv.org/pdf/2602.00001v2.pdf",
        "https://arxiv.org/pdf/2602.00001?download=1",
        "https://arxiv.org/html/2602.00001v1#S1",
        "https://ar5iv.labs.arxiv.org/html/2602.00001",
        "https://www.alphaxiv.org/abs/2602.00001v1",
        "https://alphaxiv.org/overview/2602.00001",
        "https://huggingface.co/papers/2602.00001",
        "https://hf.co/papers/2602.00001",
        "https://doi.org/10.48550/arXiv.2602.00001",
        "10.48550/arXiv.2602.00001",
        "see (2602.00001).",
        "<https://arxiv.org/abs/2602.00001>,",
        "- 2602.00001;",
    ],
)
def test_an_arxiv_paper_may_be_named_in_many_ways(typed):
    assert read(typed) == [(DUCKS, "", "")]
    assert read_bibliography(typed).left_out == ()


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        ("math/0309136", ["math/0309136"]),
        ("https://arxiv.org/abs/math.GT/0309136v1", ["math/0309136"]),
        ("hep-th/9901001 2602.00001", ["hep-th/9901001", DUCKS]),
        ("2602.00001,2602.00002;2602.00003", [DUCKS, "2602.00002", "2602.00003"]),
        ("2602.00001\n2602.00001v2\narXiv:2602.00001", [DUCKS]),
        ("doi:10.1234/Geese.5.", [GEESE]),
        ("https://doi.org/10.1234/geese.5), 2602.00001", [DUCKS, GEESE]),
    ],
)
def test_several_may_stand_in_one_text_and_each_counts_once(typed, named):
    assert [place for place, *_ in read(typed)] == named


@pytest.mark.parametrize(
    "typed",
    [
        "1234.5678",  # no month
        "12602.00001",
        "2602.000011",
        "2602.00001.5",
        "1.2602.00001",
        "v2602.00001x",
        "9999.00001",
        "2500 ducks at 10.50",
        "10.12/x",
        "https://example.org/2602.00001",
    ],
)
def test_what_is_no_id_is_told_and_left_out(typed):
    found = read_bibliography(typed)
    assert found.papers == ()
    assert told(found) == (f"line 1: no arXiv id, link or DOI in “{typed}”",)


def test_a_broken_entry_costs_itself():
    found = read_bibliography(
        "@article{a, title={First}}\n@misc{b title={no comma}}\n@misc{c, year={2026}}\n"
        "@misc{a, title={The same key}}\n@misc{d, title={Never closed\n@misc{e, title={Last}}\n"
    )
    assert [facts.title for facts in found.papers] == ["First", "The same key", "Last"]
    assert told(found) == (
        "line 2: a bracket, comma or quotation mark is missing",
        "line 3: it has no title, no arXiv id and no DOI",
        "line 5: a bracket, comma or quotation mark is missing",
    )


def test_a_number_of_pages_is_no_arxiv_id():
    [facts] = read_bibliography(
        "@article{a, title={T}, pages={2501.00123}, note={v2501.00123}}"
    ).papers
    assert facts.arxiv_id in {"", "2501.00123"}
    [facts] = read_bibliography("@article{a, title={T}, number={see 2501.00123}}").papers
    assert facts.arxiv_id == ""


def test_only_so_many_papers_are_kept_and_the_rest_is_counted():
    ids = "\n".join(f"2602.{number:05}" for number in range(MOST_PAPERS + 7))
    found = read_bibliography(ids)
    assert len(found.papers) == MOST_PAPERS
    assert told(found) == ("7 more: at most 200 papers are kept",)


def test_of_very_many_faults_the_first_are_told():
    found = read_bibliography("ducks\n" * 50)
    assert len(found.left_out) == MOST_FAULTS + 1
    assert told(found)[-1] == "and 40 others like these"


def test_a_long_text_is_cut_and_that_is_told():
    found = read_bibliography(f"2602.00001\n{' ' * LONGEST}\n2602.00002")
    assert len(found.papers) == 1
    assert told(found) == ("what comes after the first 2,000,000 characters",)


def test_an_abstract_is_kept_up_to_a_length():
    [facts] = read_bibliography(f"@misc{{a, title={{T}}, abstract={{{'duck ' * 9000}}}}}").papers
    assert len(facts.abstract) <= LONGEST_ABSTRACT


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_file_may_be_in_any_encoding_that_programs_write(encoding):
    octets = "@misc{a, title={Müllers Enten – ein Bericht}}".encode(encoding)
    [facts] = read_bibliography(decode(octets)).papers
    assert facts.title == "Müllers Enten – ein Bericht"


PIECES = st.sampled_from(
    ["@article{a,", "@misc(", "title={", "}", "{", '"', ",", "\n", "TY  - ", "TI  - x", "ER  - ",
     "%0 ", "%T ", "[{", '"title": "x"', "}]", "2602.00001", "10.1234/", "\\", "$", "=", "#",
     "Title,DOI\n", "arXiv:", "\0", "\ud800", "\u202e", "é", " "]
)  # fmt: skip


@given(st.text(max_size=200) | st.lists(PIECES, max_size=60).map("".join))
def test_any_text_is_read_in_bounds(text):
    found = read_bibliography(text)
    keys = [paper_key(facts.arxiv_id, facts.doi, facts.title) for facts in found.papers]
    assert len(keys) == len(set(keys))
    for facts in found.papers:
        assert facts.title.isprintable()
        assert facts.abstract.isprintable()
    for fault in told(found):
        assert len(fault) < 300


@given(st.binary(max_size=200))
def test_any_octets_are_decoded(octets):
    read_bibliography(decode(octets))


@pytest.mark.parametrize(
    "hostile",
    ["@" * 300_000, "@article{x," + "title={" * 50_000, "@a{x,a=" + "{" * 300_000, "@a{x" + "," * 300_000,
     "[" * 300_000, '{"a":' * 100_000, "TY  - \n" * 50_000, "%0 \n" * 50_000, "a," * 150_000 + "title",
     "arxiv.org/abs/" * 20_000, "10.1234/" * 40_000, "a/1234567" * 30_000, 'Title,"' + "x" * 300_000,
     "2602.00001" * 30_000, "\n" * 300_000, '@article{x, title={\\"' + "{" * 10_000 + "}}"],
    ids=lambda text: text[:12].strip(),
)  # fmt: skip
def test_a_hostile_text_ends_soon(hostile):
    """Each takes far less than a second; in a time that grows faster than its length, it hangs."""
    read_bibliography(hostile)
