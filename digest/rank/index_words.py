"""The words under which a paper stands in the full-text index: what the ranking reads in it. Pure.

Besides its stems there are marks. A stem that stands there twice, four or eight times (the title
counts for more, as in the ranking) has one more word for each. Names have a sign before them; with
each word of a person's name stands the first letter of each other one, as far as initials tell.
"""

from collections.abc import Iterator

from digest.model.papers import Facts
from digest.rank.names import organisation, person
from digest.rank.words import stem_counts

# To be raised whenever papers are read otherwise, here or in words.py: then all are read again, and
# a reference corpus that was built before is not used.
VERSION = 3
LEVELS = (1, 2, 4, 8)  # times that a stem stands in a paper, each with a mark of its own


def index_words(facts: Facts) -> Iterator[str]:
    """Yield the words of a paper; some may come twice."""
    for term, count in stem_counts(facts).items():
        if " " not in term:
            yield from (marked(term, level) for level in LEVELS if count >= level)
    for author in facts.authors:
        yield from single_names(author)
        yield from paired_names(author)
    if facts.organisation:
        yield organisation_word(facts.organisation)


def marked(stem: str, times: int) -> str:
    """Return the word of papers in which a stem stands at least so many times."""
    return stem if times == 1 else f"{stem}${times}"


def single_names(name: str) -> Iterator[str]:
    """Yield a word for each part of a person's name that is written out."""
    return (f"@{word}" for word in person(name).words if word)


def paired_names(name: str) -> Iterator[str]:
    """Yield a word for each such part with the first letter of another part."""
    parts = person(name).parts
    for part in parts:
        for other in parts:
            if part.is_word and other is not part:
                letters = {spelling[0] for spelling in other.spellings if spelling}
                yield from (f"@{word}.{letter}" for word in part.spellings for letter in letters)


def organisation_word(name: str) -> str:
    """Return the word of the papers of an organisation, however it is written."""
    return f"#{organisation(name).joined}"
