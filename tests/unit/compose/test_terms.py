"""The words of docs/translating.md are those of the catalogues."""

import re
from pathlib import Path

import pytest

from digest.compose.catalogues import read
from digest.compose.language import SHIPPED, codes, forms

PAGE = Path(__file__).parents[3] / "docs" / "translating.md"
# What is for programs: gaps, markup, and the names of fields that are told what they must hold.
_FIXED = re.compile(r"%\(\w+\)s|<[^<>]*>|^\w+: expected.*|neither author nor organisation")


def table():
    """The list of the page: a language's words, in their forms, by the English one."""
    section = PAGE.read_text("utf-8").partition("## The words")[2].partition("\n## ")[0]
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line[:1] == "|"]
    heading, _, *rows = lines
    assert {len(row) for row in rows} == {len(heading)}
    return {
        code: {row[0]: row[place].split(", ") for row in rows} for place, code in enumerate(heading)
    }


def without(catalogue, term, its_forms):
    """The sentences that have the English word, and those of them without its translation."""
    word = re.compile(rf"(?<![\w-]){term}(s|es|d|ed|ing)?(?![\w:-])", re.IGNORECASE)
    said = [
        (forms(message.id)[0], " ".join(forms(message.string)))
        for message in catalogue
        if message.id and word.search(_FIXED.sub("", forms(message.id)[0]))
    ]
    stems = [form.rstrip("…").casefold() for form in its_forms]
    return said, [
        (english, text) for english, text in said if not any(s in text.casefold() for s in stems)
    ]


def drifted(catalogue, words):
    """The words that a tenth of their sentences, and more than one, do not have."""
    found = {}
    for term, its_forms in words.items():
        said, others = without(catalogue, term, its_forms)
        assert said, f"nothing says {term}"
        if len(others) > max(1, len(said) // 10):
            found[term] = others
    return found


def test_all_languages_are_in_the_list():
    assert set(table()) == {"en", *codes()}


@pytest.mark.parametrize("code", sorted(set(codes()) - {"en"}))
def test_the_catalogue_says_the_words_of_the_list(code):
    assert drifted(read(SHIPPED / f"{code}.po"), table()[code]) == {}


def test_another_word_is_found():
    german = read(SHIPPED / "de.po")
    assert list(drifted(german, {"topic": ["Gegenstand"], "feed": ["Feed"]})) == ["topic"]
