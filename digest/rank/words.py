"""Words of a text, as stems. Pure."""

import re
from functools import lru_cache

import snowballstemmer

_WORD = re.compile(r"[^\W_]+(?:\+\+|[+#](?!\w))?", re.UNICODE)  # C++ and C# are words here
_STOP_WORDS = frozenset(
    "a an and are as at be by can do for from has have how in into is it its of on or our that the "
    "their them these this those to using via was we were what when where which while who why will "
    "with within without your".split()
)
_stemmer = snowballstemmer.stemmer("english")


def stems(text: str) -> list[str]:
    """The stems of a text's words in order, without stop words (Snowball's English stemmer)."""
    words = _WORD.findall(text.casefold())
    return [_stem(word) for word in words if word not in _STOP_WORDS]


def contains_run(haystack: list[str], needle: list[str]) -> bool:
    """Whether the stems of ``needle`` stand in ``haystack`` side by side, in order."""
    width = len(needle)
    return any(haystack[i : i + width] == needle for i in range(len(haystack) - width + 1))


@lru_cache(maxsize=100_000)
def _stem(word: str) -> str:
    return str(_stemmer.stemWord(word))
