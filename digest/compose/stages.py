"""Templates in two stages: what is known when a mail is built, and what only one mail knows.

While Jinja2 renders a template to be built, the extension here lets it do the tags that need
nothing but what is known: includes, blocks, sentences, the brand. Every other tag comes out as a
mark, and becomes a tag again in the built template.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Flag, auto
from itertools import pairwise

from jinja2 import Environment, nodes
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream

from digest.compose.source_map import Place

# Of ``mail``, what is the same in all mails of one sender in one language.
KNOWN = ("brand", "direction", "header", "language", "postal_address")
_KNOWN_NAMES = frozenset("_ gettext ngettext pgettext npgettext dict range self super".split())

# Brackets of tags in built templates: noncharacters of Unicode, as in source_map.py.
PRINT, PRINT_END, DO, DO_END, NOTE, NOTE_END = map(chr, range(0xFDD2, 0xFDD8))
_BRACKETS = {
    "variable_begin": PRINT,
    "variable_end": PRINT_END,
    "block_begin": DO,
    "block_end": DO_END,
}
_AS_WRITTEN = str.maketrans({PRINT: "{{", PRINT_END: "}}", DO: "{%", DO_END: "%}"})
MARK = re.compile("\ufdd8([0-9]+)\ufdd9")

_PLACEHOLDER = re.compile(r"%\((\w+)\)s")

_ALWAYS = frozenset("block endblock extends include".split())
_OPENING = frozenset("autoescape capture filter for if macro with".split())
_CLOSING = frozenset("endautoescape endset endfilter endfor endif endmacro endwith".split())
_SHARING = frozenset("block extends include".split())  # variables with other templates
_NAMING = {  # statements that give values to names, and how they end
    "capture": "{% endset %}",
    "for": "{% endfor %}",
    "macro": "{% endmacro %}",
    "set": "",
    "with": "{% endwith %}",
}
_REFUSED = frozenset("call from import".split())


class CannotBuildError(Exception):
    """A template needs to know of each mail, before it is built, what only that mail knows."""

    def __init__(self, what: str, place: Place) -> None:
        super().__init__(what)
        self.place = place


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag of the built template. ``word`` is what a statement begins with."""

    source: str
    word: str
    place: Place

    def __str__(self) -> str:
        return self.source.translate(_AS_WRITTEN)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A text, or a tag with its brackets; ``word`` is empty for a text and a value."""

    tokens: tuple[Token, ...]

    @property
    def is_text(self) -> bool:
        return self.tokens[0].type == "data"

    @property
    def word(self) -> str:
        if self.tokens[0].type != "block_begin":
            return ""
        word = self.tokens[1].value
        return "capture" if word == "set" and not self._has("assign") else word

    def _has(self, kind: str) -> bool:
        return any(token.type == kind for token in self.tokens)

    @property
    def source(self) -> str:
        return "".join(map(_written, self.tokens))

    @property
    def expression(self) -> str:
        """What an if or an elif asks, or a set assigns, as a tag of its own."""
        tokens = self.tokens[2:-1]
        if self.word == "set":
            tokens = tokens[1 + [token.type for token in tokens].index("assign") :]
        return f"{PRINT} {''.join(map(_written, tokens))}{PRINT_END}"


class When(Flag):
    """When a tag is done: while a template is built, while it is filled, or both."""

    NOW = auto()
    LATER = auto()


class Stages(Extension):
    """Writes marks instead of the tags that need a mail.

    ``marked`` are these, by the numbers in their marks. ``first`` are the marks of those that stand
    outside of all blocks in a template that extends another: they come before all text.
    """

    priority = 50  # before the extension that marks lines

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.marked: list[Tag] = []
        self.first: list[str] = []
        self.gettext: Callable[[str], str] = str  # translates a sentence
        self.whole: set[str | None] = set()  # templates that are no parts of others
        self._constants: set[str] = set()

    def mark(self, source: str, word: str, place: Place) -> str:
        """Return a new mark, which stands for a tag."""
        self.marked.append(Tag(source, word, place))
        return f"\ufdd8{len(self.marked) - 1}\ufdd9"

    def filter_stream(self, stream: TokenStream) -> Iterable[Token]:
        name = stream.name or ""
        pieces = [said for piece in _pieces(stream) for said in self._translated(piece)]
        is_part = name not in self.whole
        whens = self._whens(pieces, name)
        is_child, blocks = False, 0
        for piece, when in _in_scopes(pieces, whens, is_part=is_part):
            word, place = piece.word, Place(name, piece.tokens[0].lineno)
            is_child = is_child or word == "extends"
            blocks += {"block": 1, "endblock": -1}.get(word, 0)
            if When.NOW in when:
                yield from piece.tokens
            if When.LATER not in when:
                continue
            mark = self.mark(piece.source, word, place)
            if not is_child or blocks:
                yield Token(place.line, "data", mark)
            elif word == "macro":
                raise CannotBuildError("a macro outside of all blocks: write it in one", place)
            else:
                self.first.append(mark)

    def _whens(self, pieces: list[_Piece], name: str) -> list[When]:
        """Return when each piece of a template is done. Raises CannotBuildError."""
        asked = _conditions(pieces)
        open_now: list[bool] = []  # for each block that is open: whether Jinja2 does it now
        whens = []
        for number, piece in enumerate(pieces):
            self._check(piece, Place(name, piece.tokens[0].lineno))
            whens.append(self._when(piece, asked.get(number, []), open_now))
        later = {
            token.value
            for piece, when in zip(pieces, whens, strict=True)
            if when is When.LATER
            for token in piece.tokens
        }
        is_alone = name not in self.whole and not any(piece.word in _SHARING for piece in pieces)
        return [
            # In a part, what nothing uses later is not set later: it could stand in the head.
            When.NOW if is_alone and When.NOW in when and not self._named(piece) & later else when
            for piece, when in zip(pieces, whens, strict=True)
        ]

    def _when(self, piece: _Piece, asked: list[str], open_now: list[bool]) -> When:
        """Return when a tag is done; bring ``open_now`` up to date."""
        word = piece.word
        if piece.is_text or word in _ALWAYS:
            return When.NOW
        is_constant = word == "set" and all(open_now) and self._is_known(piece.expression)
        if is_constant:
            self._constants |= self._named(piece)
            return When.NOW | When.LATER
        self._constants -= self._named(piece)
        if word in _OPENING:
            open_now.append(word == "if" and all(map(self._is_known, asked)))
        if word in _OPENING or word in {"elif", "else"}:
            is_now = bool(open_now) and open_now[-1]
        elif word in _CLOSING:
            is_now = bool(open_now) and open_now.pop()
        else:
            is_now = word in {"", "trans"} and self._is_known(piece.source)
        return When.NOW if is_now else When.LATER

    def _translated(self, piece: _Piece) -> list[_Piece]:
        """Make of a tag that prints one sentence its text, translated, and tags of its values."""
        if piece.tokens[0].type != "variable_begin":
            return [piece]
        begin, *called, end = piece.tokens
        match called:
            case [Token(value="_" | "gettext"), Token(type="lparen"), message, *given] if (
                message.type == "string"
            ):
                values = _arguments(given)
            case _:
                return [piece]
        texts = _PLACEHOLDER.split(self.gettext(message.value))
        plain = [text.replace("%%", "") for text in texts[::2]]
        if values is None or "%" in "".join(plain) or not values.keys() >= set(texts[1::2]):
            return [piece]
        pieces = []
        for number, text in enumerate(texts):
            if number % 2:
                pieces.append(_Piece((begin, *values[text], end)))
            elif text:
                pieces.append(_Piece((Token(begin.lineno, "data", text.replace("%%", "%")),)))
        return pieces

    def _check(self, piece: _Piece, place: Place) -> None:
        """Refuse what names and places of tags do not tell. Raises CannotBuildError."""
        if piece.is_text:
            return
        if piece.word in _REFUSED:
            what = f"macros by {{% {piece.word} %}}: include a file instead"
            raise CannotBuildError(what, place)
        if taken := self._named(piece) & (_KNOWN_NAMES | {"mail"}):
            raise CannotBuildError(f"another {taken.pop()}: choose another name", place)
        match piece.word, piece.tokens[2].type:
            case "include", _ if any(token.value == "without" for token in piece.tokens):
                raise CannotBuildError("an include without context: include it with", place)
            case "extends", _ if place.template not in self.whole:
                raise CannotBuildError("an included template that extends another", place)
            case "extends", "string":
                self.whole.add(piece.tokens[2].value)
            case "extends", _:
                raise CannotBuildError("extends with an expression: write the name", place)

    def _named(self, piece: _Piece) -> set[str]:
        """Return the names that a statement gives values to."""
        if piece.word not in _NAMING:
            return set()
        tree = self._parsed(f"{piece.source}{_NAMING[piece.word]}")
        return {found.name for found in tree.find_all(nodes.Name) if found.ctx != "load"}

    def _parsed(self, source: str) -> nodes.Template:
        assert self.environment.linked_to  # which is without this extension
        return self.environment.linked_to.parse(source.translate(_AS_WRITTEN))

    def _is_known(self, source: str) -> bool:
        """Tell whether a tag needs nothing but what is known now."""
        tree = self._parsed(source)
        names = [found.name for found in tree.find_all(nodes.Name)]
        of_mail = [
            found.attr
            for found in tree.find_all(nodes.Getattr)
            if isinstance(found.node, nodes.Name) and found.node.name == "mail"
        ]
        return (
            set(names) <= {"mail"} | _KNOWN_NAMES | self._constants
            and names.count("mail") == len(of_mail)
            and set(of_mail) <= set(KNOWN)
            and all(found.name != "random" for found in tree.find_all(nodes.Filter))
        )


def put_back(text: str, stages: Stages, marks: re.Pattern[str] = MARK) -> str:
    """Turn marks into tags. Each begins a line, so that a fault's line tells which tag it is."""

    def tag(found: re.Match[str]) -> str:
        number = found[found.lastindex or 0]
        return f"{NOTE}{number}\n{NOTE_END}{stages.marked[int(number)].source}"

    return marks.sub(tag, text)


def _pieces(stream: Iterable[Token]) -> Iterator[_Piece]:
    """Split a template into texts and tags; a sentence to be translated is one, with all in it."""
    found: list[Token] = []
    is_translated = False
    for token in stream:
        found.append(token)
        if [before.type for before in found[-2:]] == ["block_begin", "name"]:
            is_translated = token.value == "trans" or (is_translated and token.value != "endtrans")
        is_text = len(found) == 1 and token.type == "data"
        if is_text or (token.type in {"variable_end", "block_end"} and not is_translated):
            yield _Piece(tuple(found))
            found = []
    if found:  # a tag that is not finished, which Jinja2 will say
        yield _Piece(tuple(found))


def _arguments(tokens: list[Token]) -> dict[str, list[Token]] | None:
    """Return the values of a call, given by names; None where it is not just that."""
    values: dict[str, list[Token]] = {}
    depth, name = 1, ""
    for token, after in pairwise([*tokens, Token(0, "end", "")]):
        depth += {"lparen": 1, "lbracket": 1, "lbrace": 1}.get(token.type, 0)
        depth -= {"rparen": 1, "rbracket": 1, "rbrace": 1}.get(token.type, 0)
        if depth == 0:
            return values if after.type == "end" else None
        if depth > 1 or token.type not in {"comma", "assign"}:
            if depth == 1 and token.type == "name" and after.type == "assign":
                name = token.value
                values[name] = []
            elif name:
                values[name].append(token)
            else:
                return None
    return None


def _in_scopes(
    pieces: list[_Piece], whens: list[When], *, is_part: bool
) -> Iterator[tuple[_Piece, When]]:
    """Put what a part or a block sets into a scope, so that nothing behind it sees it."""
    sets = any(
        piece.word in {"set", "capture", "macro"} and When.LATER in when
        for piece, when in zip(pieces, whens, strict=True)
    )
    if sets and is_part:
        yield _scope(pieces[0], "with"), When.LATER
    for piece, when in zip(pieces, whens, strict=True):
        if sets and piece.word == "endblock":
            yield _scope(piece, "endwith"), When.LATER
        yield piece, when
        if sets and piece.word == "block":
            yield _scope(piece, "with"), When.LATER
    if sets and is_part:
        yield _scope(pieces[-1], "endwith"), When.LATER


def _scope(beside: _Piece, word: str) -> _Piece:
    kinds = (("block_begin", "{%"), ("name", word), ("block_end", "%}"))
    return _Piece(tuple(Token(beside.tokens[0].lineno, *kind) for kind in kinds))


def _conditions(pieces: list[_Piece]) -> dict[int, list[str]]:
    """Return the conditions of each if and its elifs, by the number of its piece."""
    conditions: dict[int, list[str]] = {}
    open_blocks: list[int] = []
    for number, piece in enumerate(pieces):
        if piece.word in _OPENING:
            open_blocks.append(number)
        if piece.word in {"if", "elif"} and open_blocks:
            conditions.setdefault(open_blocks[-1], []).append(piece.expression)
        if piece.word in _CLOSING and open_blocks:
            open_blocks.pop()
    return conditions


def _written(token: Token) -> str:
    """Return a token as the source of a built template has it."""
    match token.type:
        case "data":
            return token.value
        case "string":
            return f"{token.value!r} "
        case "variable_end" | "block_end":
            return _BRACKETS[token.type]
        case kind:  # blanks keep a minus from being read as part of a bracket
            return f"{_BRACKETS.get(kind, token.value)} "
