"""A text that is finished but for what is each reader's own, as it stands in a message.

What is the same for everybody is encoded once. Quoted-printable is made line by line, so whole
lines between two holes are ready octets, and only the lines around a hole are encoded for each
reader.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from digest.compose.held import Computed, Marks, Values
from digest.compose.message import quoted_printable

Convert = Callable[[str], str]

_IN_TAG = re.compile(r"<[a-zA-Z][^<>]*\Z")
_IN_COMMENT = re.compile(r"<!--(?:(?!-->).)*\Z", re.DOTALL)
_IN_STYLE = re.compile(r"<(?:style|script)\b(?:(?!</).)*\Z", re.DOTALL)
# What the rules for attributes leave as it is, but for the ampersand.
_PLAIN_IN_ATTRIBUTES = re.compile(r"[A-Za-z0-9:/?&=._~%+,@#()!*;-]*")


class Unusual(Exception):  # noqa: N818  the name says it without "Error"
    """A value that only the whole way through the templates can be trusted with."""


class Hole(NamedTuple):
    """Where a reader's own text stands: how it is read, and how it is written there."""

    read: Callable[[Values], str]
    write: Convert


class Encoded(NamedTuple):
    """A text in quoted-printable, and how many octets it was."""

    octets: bytes
    size: int


# Stands for whole lines that are encoded already, as a line of its own. No text has this control
# character: neither a template, which MJML would refuse, nor what a reader typed.
_READY = "\x01\n"
_READY_ENCODED = b"=01\r\n"


class Piece:
    """A part of a text, filled in for one reader after the other.

    ``lines`` are its whole lines between holes, in quoted-printable, and ``size`` how many octets
    they were, beyond what stands for them.
    """

    def __init__(self, parts: Iterable[str | Hole]) -> None:
        """``parts`` are plain text, and holes between."""
        form, holes, lines = [], [], []
        self.size = 0
        for part in parts:
            if isinstance(part, Hole):
                holes.append(part)
                form.append("%s")
                continue
            first, whole, rest = _whole_lines(part)
            if whole:
                lines.append(quoted_printable(whole))
                self.size += len(whole.encode()) - len(_READY)
                whole = _READY
            form.append(f"{first}{whole}{rest}".replace("%", "%%"))
        self.lines = tuple(lines)
        self._form = "".join(form)
        self._holes = tuple(holes)

    def fill(self, values: Values) -> str:
        """The text, but for ``lines``. Raises Unusual."""
        return self._form % tuple([write(read(values)) for read, write in self._holes])


def encoded(texts: Sequence[str], lines: Sequence[bytes]) -> Encoded:
    """What pieces were filled with, one after the other, and their lines in between.

    The size is without theirs.
    """
    text = "".join(texts)
    octets = [b""] * (2 * len(lines) + 1)
    octets[::2] = quoted_printable(text).split(_READY_ENCODED)
    octets[1::2] = lines
    return Encoded(b"".join(octets), len(text.encode()))


def _whole_lines(text: str) -> tuple[str, str, str]:
    """What stands before a text's whole lines, these, and what stands behind them."""
    first, last = text.find("\n") + 1, text.rfind("\n") + 1
    return text[:first], text[first:last], text[last:]


# ---- from what became of a template ----------------------------------------------------------


def piece_of_text(text: str, marks: Marks) -> Piece:
    """Plain text, marks in it. Raises Computed."""
    return Piece(
        part if isinstance(part, str) else Hole(part, _as_it_is) for part in marks.split(text)
    )


def piece_of_html(html: str, marks: Marks) -> Piece:
    """A part of a document that begins in its text, marks in it. Raises Computed."""
    return Piece(_html_parts(html, marks))


def _html_parts(html: str, marks: Marks) -> Iterator[str | Hole]:
    before = ""
    for part in marks.split(html):
        if isinstance(part, str):
            before += part
            yield part
        else:
            yield Hole(part, _writing_after(before))


def _writing_after(before: str) -> Convert:
    """How a value is written behind that much of a document."""
    if _IN_COMMENT.search(before) or _IN_STYLE.search(before):
        raise Computed("what is each reader's own stands in a comment or a style")
    return _in_attribute if _IN_TAG.search(before) else _in_text


def _as_it_is(value: str) -> str:
    return value


def _in_text(value: str) -> str:
    """As lxml writes it, and ``to_html`` leaves it."""
    if not value.isprintable() or value != value.strip() or '="' in value:
        raise Unusual(value)
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _in_attribute(value: str) -> str:
    if not _PLAIN_IN_ATTRIBUTES.fullmatch(value):
        raise Unusual(value)
    return value.replace("&", "&amp;")
