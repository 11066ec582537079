"""The words of a text, as stems. Pure."""

import re
from collections import Counter
from functools import lru_cache

import Stemmer

from digest.model.papers import Facts

TITLE_WEIGHT = 3

_WORD = re.compile(r"[^\W_]+(?:\+\+|[+#](?!\w))?", re.UNICODE)  # C++ and C# are words here
_STOP_WORDS = frozenset(
    "a an and are as at be by can do for from has have how in into is it its of on or our that the "
    "their them these this those to using via was we were what when where which while who why will "
    "with within without your".split()
)
# The plural of an abbreviation without vowels (LLMs): the stemmer takes its s for part of the word.
_PLURAL = re.compile(r"[b-df-hj-np-tv-xz]{2,}[b-df-hj-np-rtv-xz]s")
# Without a cache of its own, which threads would have to share: ours is stem_of's.
_stemmer = Stemmer.Stemmer("english", 0)


def stems(text: str) -> list[str]:
    """Return the stems of a text's words in order, without stop words (Snowball, English)."""
    return [stem for stem, _ in spelt_stems(text)]


def spelt_stems(text: str) -> list[tuple[str, str]]:
    """Return the stem of each word with the word as it is spelt, without stop words."""
    return [(stem, word) for word in _WORD.findall(text) if (stem := stem_of(word))]


@lru_cache(maxsize=200_000)
def stem_of(word: str) -> str:
    """Return the stem of a word as it is spelt; "" for a stop word."""
    folded = word.casefold()
    if folded in _STOP_WORDS:
        return ""
    return folded[:-1] if _PLURAL.fullmatch(folded) else str(_stemmer.stemWord(folded))


def stem_counts(facts: Facts) -> Counter[str]:
    """Return how often each stem stands in a paper; the title counts TITLE_WEIGHT times."""
    counts = Counter(stems(facts.title) * TITLE_WEIGHT)
    for text in (facts.summary, facts.abstract, *facts.keywords):
        counts.update(stems(text))
    return counts


def contains_run(haystack: list[str], needle: list[str]) -> bool:
    """Return whether ``needle`` stands in ``haystack`` side by side, in order."""
    width = len(needle)
    return any(haystack[i : i + width] == needle for i in range(len(haystack) - width + 1))
