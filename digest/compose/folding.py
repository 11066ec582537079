"""Fold plain text into lines, by the columns that its letters take. Pure."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from wcwidth import wrap


@lru_cache(maxsize=5000)  # what cards say is folded for one reader after the other
def fold(text: str, width: int) -> str:
    """Wrap plain text in lines of at most ``width`` columns, words and links kept whole.

    A wide letter (Unicode Standard Annex 11) takes two columns, and a line may end after it.
    """
    if _is_simple(text):
        words = text.split(" ")
        if max(map(len, words)) <= width:
            return "\n".join(_lines(words, width))
    has_link = "://" in text
    return "\n".join(wrap(text, width, break_long_words=not has_link, break_on_hyphens=False))


def _is_simple(text: str) -> bool:
    """Return whether each letter takes one column, and one blank stands between words."""
    return text.isascii() and text.isprintable() and "  " not in text and text == text.strip()


def _lines(words: Sequence[str], width: int) -> Iterator[str]:
    """Yield lines of as many words as fit. wcwidth takes ten times as long for the same."""
    line = words[0]
    for word in words[1:]:
        if len(line) + 1 + len(word) <= width:
            line = f"{line} {word}"
        else:
            yield line
            line = word
    if line:
        yield line
