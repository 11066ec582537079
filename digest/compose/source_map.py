"""Map each character of a rendered text to the template and line that it came from."""

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field

from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream

# Noncharacters of Unicode: no template and no paper has them (collect.text drops them).
_BEGIN, _END = "\ufdd0", "\ufdd1"
_MARK = re.compile(f"{_BEGIN}([^{_END}]*):([0-9]+){_END}")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line of a template; ``template`` is its name, as includes say it. Line 0 is unknown."""

    template: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.template}, line {self.line}" if self.line else self.template


@dataclass(frozen=True, slots=True)
class Rendered:
    """A filled template, and the places that its characters came from."""

    text: str
    _starts: list[int] = field(repr=False)
    _places: list[Place] = field(repr=False)

    def place(self, offset: int) -> Place:
        """Return the line that wrote the character at ``offset``, or printed the value it is of."""
        return self._places[max(0, bisect_right(self._starts, offset) - 1)]


class LineMarks(Extension):
    """Writes a mark before each line of plain text in templates, for ``read_marks``.

    It works on what is left of the text once blanks are trimmed, so that a rendering without its
    marks is what it would be without this extension. What is to be translated has none: it would
    not be found in a catalogue.
    """

    def filter_stream(self, stream: TokenStream) -> Iterable[Token]:
        begins_block = is_translated = False
        for token in stream:
            if begins_block and token.test_any("name:trans", "name:endtrans"):
                is_translated = token.value == "trans"
            begins_block = token.type == "block_begin"
            if token.type == "data" and not is_translated:
                marked = _marked(token.value, stream.name or "", token.lineno)
                yield Token(token.lineno, "data", marked)
            else:
                yield token


def _marked(text: str, name: str, first: int) -> str:
    lines = enumerate(text.split("\n"), first)
    return "\n".join(f"{_BEGIN}{name}:{number}{_END}{line}" for number, line in lines)


def read_marks(marked: str, name: str) -> Rendered:
    """Take the marks out of what LineMarks rendered from the template ``name``."""
    starts, places = [0], [Place(name, 1)]
    parts = []
    length = last = 0
    for mark in _MARK.finditer(marked):
        parts.append(marked[last : mark.start()])
        length += mark.start() - last
        last = mark.end()
        starts.append(length)
        places.append(Place(mark[1], int(mark[2])))
    parts.append(marked[last:])
    return Rendered("".join(parts), starts, places)
