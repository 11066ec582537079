"""Read the text of an announcement: paragraphs, lists and links, and nothing else. Pure.

A blank line ends a paragraph. Lines that begin with "- " are a list. A link is an address that
begins with https://, or words with one: [our blog](https://example.org). All else is text as it
stands: no markup of the text's own comes through.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

_ITEM = re.compile(r"[-*•] +")
_ADDRESS = r"https://\w[^\s<>\"]*"
_LINK = re.compile(rf"\[([^\[\]\n]+)\]\(({_ADDRESS}?)\)|({_ADDRESS})")
_AFTER = ".,;:!?'’”»"  # what ends a sentence behind an address, and is none of it


@dataclass(frozen=True, slots=True)
class Run:
    """Some text of a line; it leads to ``url``, if there is one."""

    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph, or an item of a list: in pieces, and as plain text."""

    runs: tuple[Run, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, or a list of some lines."""

    lines: tuple[Line, ...]
    is_list: bool = False


def blocks_of(text: str) -> tuple[Block, ...]:
    """Return the paragraphs and lists of a text, in order."""
    return tuple(_blocks(text))


def direction_of(text: str) -> str:
    """Return the direction of a text, ltr or rtl: that of its first letter (UAX 9, rule P2)."""
    strong = (unicodedata.bidirectional(letter) for letter in text)
    first = next((kind for kind in strong if kind in {"L", "R", "AL"}), "L")
    return "ltr" if first == "L" else "rtl"


def _blocks(text: str) -> Iterator[Block]:
    for part in re.split(r"\n[ \t]*\n", text):
        paragraph: list[str] = []
        items: list[list[str]] = []
        for line in filter(None, map(str.strip, part.split("\n"))):
            if item := _ITEM.match(line):
                items.append([line[item.end() :]])
            elif items:
                items[-1].append(line)
            else:
                paragraph.append(line)
        if paragraph:
            yield Block((_line(paragraph),))
        if items:
            yield Block(tuple(map(_line, items)), is_list=True)


def _line(lines: list[str]) -> Line:
    runs = tuple(_runs(" ".join(" ".join(lines).split())))
    return Line(runs, "".join(_plain(run) for run in runs))


def _runs(text: str) -> Iterator[Run]:
    at = 0
    for found in _LINK.finditer(text):
        words, named, bare = found.groups()
        url = named or _without_end(bare)
        if found.start() > at:
            yield Run(text[at : found.start()])
        yield Run(words or url, url)
        at = found.end() if named else found.start() + len(url)
    if at < len(text):
        yield Run(text[at:])


def _without_end(address: str) -> str:
    """Return an address without the punctuation of the sentence that it stands in."""
    while address[-1] in _AFTER or (address[-1] == ")" and address.count(")") > address.count("(")):
        address = address[:-1]
    return address


def _plain(run: Run) -> str:
    return f"{run.text} ({run.url})" if run.url and run.url != run.text else run.text
