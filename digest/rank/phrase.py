"""Find the phrase of a paper that says best why it fits a topic. Pure."""

import re
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from digest.model.papers import Facts
from digest.rank.words import WORD, stem_of

_SHORTEST, _LONGEST = 2, 5  # words
_MOST_LETTERS = 50
_STRONGEST = 4  # stems around which phrases are looked for, besides the topic's own
_DULL = 0.15  # of the best stem's utility: the cost of a word that says nothing of the topic
_BETWEEN = re.compile(r" ?[-–] ?|\s|/")  # words of one phrase
_HYPHENS = ("-", "–")
# What papers say of themselves, and what cannot end a phrase.
_FILLERS = frozenset(
    "about achieve achieves across after all also among any are based been better between both "
    "but demonstrate demonstrates different during each either enable enables enabling even "
    "existing first further high however improve improves including introduce introduces just "
    "large low maintain many may more most much must new not novel often one only other over "
    "paper present presents propose proposed proposes provide provides recent remain remains "
    "same second several should show showing shown shows significantly since some such than then "
    "there they through thus towards two under used uses very via well what where whether would "
    "yet".split()
)

# What a verb follows, which begins no phrase.
_BEFORE_VERB = frozenset(
    "we they it which i can cannot could may might must should will would not".split()
)


class _Word(NamedTuple):
    """A word in a text: its place, and its stem; "" for what says nothing."""

    start: int
    end: int
    stem: str
    can_begin: bool
    can_end: bool


class _Run(NamedTuple):
    """Words of a text without a mark between them."""

    text: str
    words: tuple[_Word, ...]
    stems: frozenset[str]


def phrase(facts: Facts, utility: Mapping[str, float], own: Collection[str]) -> str:
    """Return two to five words of a paper around those that speak for it; "" if there are none.

    ``utility`` is what each stem adds to the score, ``own`` are the stems of the topic. A phrase
    says more than the topic, begins and ends with a word that says something, and has no mark in
    it. The title stands beside it, so it is asked only where there is no other text.
    """
    single = {stem: utility[stem] for stem in utility if " " not in stem}
    strong = {*sorted(single, key=lambda stem: (-single[stem], stem))[:_STRONGEST], *own}
    dull = _DULL * max(single.values(), default=0.0)
    best, most = "", 0.0
    for run in _runs(facts):
        for first, last in _spans(run, strong):
            words = run.words[first : last + 1]
            stems = {word.stem for word in words if word.stem}
            said = run.text[words[0].start : words[-1].end]
            if stems <= set(own) or len(said) > _MOST_LETTERS:
                continue
            worth = sum(single.get(stem, 0.0) for stem in stems)
            worth -= dull * sum(word.stem not in single for word in words)
            if worth > most:
                best, most = said, worth
    return best


def _spans(run: _Run, strong: set[str]) -> Iterator[tuple[int, int]]:
    """Yield the first and last word of each phrase that has a strong word."""
    words = run.words
    if strong.isdisjoint(run.stems):
        return
    for first, word in enumerate(words):
        if not word.can_begin:
            continue
        found = word.stem in strong
        for last in range(first + 1, min(first + _LONGEST, len(words))):
            found = found or words[last].stem in strong
            if found and words[last].can_end and last - first + 1 >= _SHORTEST:
                yield first, last


@lru_cache(maxsize=1000)  # many topics ask the same papers
def _runs(facts: Facts) -> tuple[_Run, ...]:
    texts = [text for text in (facts.summary, facts.abstract) if text] or [facts.title]
    return tuple(run for text in texts for run in _runs_of(text))


def _runs_of(text: str) -> Iterator[_Run]:
    words: list[_Word] = []
    is_verb = False
    for found in WORD.finditer(text):
        if words and not _BETWEEN.fullmatch(text[words[-1].end : found.start()]):
            yield _Run(text, tuple(words), frozenset(word.stem for word in words))
            words, is_verb = [], False
        stem = stem_of(found[0])
        word = found[0].casefold()
        before = text[max(0, found.start() - 1) : found.start()] in _HYPHENS
        behind = text[found.end() : found.end() + 1] in _HYPHENS
        says = bool(stem) and not word.isdecimal() and word[-2:] != "ly"
        says = says and (before or behind or word not in _FILLERS)
        words.append(
            _Word(
                found.start(),
                found.end(),
                stem,
                says and not before and not is_verb,
                says and not behind,
            )
        )
        is_verb = word in _BEFORE_VERB
    if words:
        yield _Run(text, tuple(words), frozenset(word.stem for word in words))
