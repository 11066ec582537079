"""The words of a text, as stems. Pure."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

import Stemmer

from digest.model.papers import Facts
from digest.rank import apart
from digest.rank.spelling import american

TITLE_WEIGHT = 3
_OPENING = 20  # words of an abstract: what a paper is about, it mostly says there

WORD = re.compile(r"[^\W_]+(?:\+\+|[+#](?!\w))?", re.UNICODE)  # C++ and C# are words here
_STOP_WORDS = frozenset(
    "a an and are as at be by can do for from has have how in into is it its of on or our that the "
    "their them these this those to using via was we were what when where which while who why will "
    "with within without your".split()
)
# The plural of an abbreviation without vowels (LLMs): the stemmer takes its s for part of the word.
_PLURAL = re.compile(r"[b-df-hj-np-tv-xz]{2,}[b-df-hj-np-rtv-xz]s")
# The stemmer makes one stem of "visual" and "visualization", of "general" and "generalization".
_IN_IZE = re.compile(r"(.{3,}?iz)(?:e|es|ed|ing|ation|ations|ational|able|ability)")
_IN_IZER = re.compile(r"(.{3,}?izer)s?")
_LONGEST_WORD = 50  # letters; what is longer is no word, and would take long to be looked at
_PRAISE = re.compile(r"\bstate[- ]of[- ]the[- ]art\b", re.IGNORECASE)  # no state, and no art
_TO = re.compile(r"([^\W\d_]{2,})2([^\W\d_]{3,})")  # text2video is text-to-video
# Without a cache of its own, which threads would have to share: ours is stem_of's.
_stemmer = Stemmer.Stemmer("english", 0)


def stems(text: str) -> list[str]:
    """Return the stems of a text's words in order, without stop words (Snowball, English)."""
    return [stem for stem, _ in spelt_stems(text)]


def spelt_stems(text: str) -> list[tuple[str, str]]:
    """Return the stem of each word with the word as it is spelt, without stop words."""
    return [(stem, word) for word in _words(text) if (stem := stem_of(word))]


def _words(text: str) -> Iterator[str]:
    for word in WORD.findall(_PRAISE.sub(" ", text)):
        parts = _TO.fullmatch(word) if "2" in word else None
        yield from parts.groups() if parts else (word,)


@lru_cache(maxsize=200_000)
def stem_of(word: str) -> str:
    """Return the stem of a word as it is spelt; "" for a stop word."""
    folded = word.casefold()
    if folded in _STOP_WORDS:
        return ""
    if len(folded) > _LONGEST_WORD:
        return folded
    if _PLURAL.fullmatch(folded):
        return folded[:-1]
    spelt = american(folded)
    if spelt in apart.STEMS:
        return apart.STEMS[spelt]
    kept = _IN_IZE.fullmatch(spelt) or _IN_IZER.fullmatch(spelt)
    return kept[1] if kept else str(_stemmer.stemWord(spelt))


def pairs_of(words: Sequence[str]) -> list[str]:
    """Return each two stems that stand side by side as one term, with a blank between them."""
    return [f"{first} {second}" for first, second in pairwise(words)]


def stem_counts(facts: Facts) -> Counter[str]:
    """Return how often each stem, and each pair of them, stands in a paper.

    The title counts TITLE_WEIGHT times, and stems in the opening of a longer abstract twice.
    Keywords repeat what a paper is about and what it mentions in passing, so that they only add
    what is not in its texts.
    """
    title, abstract = stems(facts.title), stems(facts.abstract)
    counts = Counter([*title, *pairs_of(title)] * TITLE_WEIGHT)
    if len(abstract) > _OPENING:
        counts.update(abstract[:_OPENING])
    for words in (stems(facts.summary), abstract):
        counts.update(words)
        counts.update(pairs_of(words))
    for words in map(stems, facts.keywords):
        for term in (*words, *pairs_of(words)):
            counts.setdefault(term, 1)
    return counts


def contains_run(haystack: list[str], needle: list[str]) -> bool:
    """Return whether ``needle`` stands in ``haystack`` side by side, in order."""
    width = len(needle)
    return any(haystack[i : i + width] == needle for i in range(len(haystack) - width + 1))
