"""Fill templates in two stages: what is known when they are built, and what each email knows.

While Jinja2 renders a template to be built, the extension here lets it do the tags that need
nothing but what is known: includes, blocks, sentences, the brand. Every other tag comes out as a
mark, and becomes a tag again in the built template.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from jinja2 import Environment, nodes
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream

from digest.compose.source_map import Place

# Of ``mail``, what is the same in all emails of one sender in one language.
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
_WITH, _END_WITH = f"{DO}with{DO_END}", f"{DO}endwith{DO_END}"
MARK = re.compile("\ufdd8([0-9]+)\ufdd9")

OPENING = frozenset("autoescape block capture filter for if macro with".split())
_CLOSING = frozenset(
    "endautoescape endblock endfilter endfor endif endmacro endset endwith".split()
)
_ALWAYS = frozenset("block endblock extends include".split())
_REFUSED = frozenset("call from import".split())
_NAMING = {  # statements that give values to names, and how they end
    "capture": "{% endset %}",
    "for": "{% endfor %}",
    "macro": "{% endmacro %}",
    "set": "",
    "with": "{% endwith %}",
}


class CannotBuildError(Exception):
    """A template needs to know of each email, before it is built, what only that email knows."""

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
        is_capture = word == "set" and all(token.type != "assign" for token in self.tokens)
        return "capture" if is_capture else word

    @property
    def source(self) -> str:
        return "".join(map(_written, self.tokens))

    @property
    def expression(self) -> str:
        """Return what an if or an elif asks, or a set assigns, as a tag of its own."""
        tokens = self.tokens[2:-1]
        if self.word == "set":
            tokens = tokens[1 + [token.type for token in tokens].index("assign") :]
        return f"{PRINT} {''.join(map(_written, tokens))}{PRINT_END}"


class Stages(Extension):
    """Writes marks instead of the tags that need an email.

    ``marked`` are these, by the numbers in their marks. ``first`` are marks that come before all
    text: of constants, and of what is set outside of blocks in a template that extends another.
    """

    priority = 50  # before the extension that marks lines

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.marked: list[Tag] = []
        self.first: list[str] = []
        self.gettext: Callable[[str], str] = str  # translates a sentence
        self.whole: set[str | None] = set()  # templates that are no parts of others
        self._constants: dict[str, str] = {}  # names, and the templates that set them

    def mark(self, source: str, word: str, place: Place) -> str:
        """Return a new mark, which stands for a tag."""
        self.marked.append(Tag(source, word, place))
        return f"\ufdd8{len(self.marked) - 1}\ufdd9"

    def check_constants(self) -> None:
        """Refuse a constant of a part that a tag in another template, which lacks it, may use."""
        for name, setter in self._constants.items():
            for tag in self.marked if setter not in self.whole else ():
                if setter != tag.place.template and re.search(rf"\b{name}\b", tag.source):
                    what = f"another {name} than in {setter}: choose another name"
                    raise CannotBuildError(what, tag.place)

    def filter_stream(self, stream: TokenStream) -> Iterable[Token]:
        name = stream.name or ""
        pieces = [self._translated(piece, name) for piece in _pieces(stream)]
        is_part = name not in self.whole
        both = list(zip(pieces, self._done_now(pieces, name), strict=True))
        # What a part or a block sets has a scope, so that nothing behind it sees it.
        sets = any(piece.word in {"capture", "macro", "set"} and not now for piece, now in both)
        if sets and is_part:
            yield self._later(_WITH, "with", Place(name, 1))
        is_child, blocks = any(piece.word == "extends" for piece in pieces), 0
        for piece, now in both:
            word, place = piece.word, Place(name, piece.tokens[0].lineno)
            blocks += {"block": 1, "endblock": -1}.get(word, 0)
            if sets and word == "endblock":
                yield self._later(_END_WITH, "endwith", place)
            if now:
                yield from piece.tokens
            elif blocks or not is_child:
                yield self._later(piece.source, word, place)
            elif word in OPENING:
                raise CannotBuildError(f"{word} outside of all blocks: write it in one", place)
            if sets and word == "block":
                yield self._later(_WITH, "with", place)
            if word == "set" and (now or (is_child and not blocks)):
                self.first.append(self.mark(piece.source, word, place))
        if sets and is_part:
            yield self._later(_END_WITH, "endwith", place)

    def _later(self, source: str, word: str, place: Place) -> Token:
        return Token(place.line, "data", self.mark(source, word, place))

    def _done_now(self, pieces: Sequence[_Piece], name: str) -> list[bool]:
        """Tell which pieces of a template are done while it is built. Raises CannotBuildError."""
        named = [self._named(piece) for piece in pieces]
        now = [piece.is_text or piece.word in _ALWAYS for piece in pieces]
        open_blocks: list[list[int]] = []
        for number, piece in enumerate(pieces):
            word = piece.word
            self._check(piece, named[number], Place(name, piece.tokens[0].lineno))
            if word in OPENING:
                open_blocks.append([number])
            elif word in _CLOSING | {"elif", "else"} and open_blocks:
                open_blocks[-1].append(number)
            if word in _CLOSING and open_blocks:
                numbers = open_blocks.pop()
                asked = [pieces[found] for found in numbers if pieces[found].word in {"if", "elif"}]
                if asked and all(self._is_known(found.expression) for found in asked):
                    now = [done or found in numbers for found, done in enumerate(now)]
            elif word == "trans" or (not word and not piece.is_text):
                now[number] = self._is_known(piece.source)
            elif word == "set" and not open_blocks and self._is_constant(number, pieces, named):
                now[number] = True
                self._constants |= dict.fromkeys(named[number], name)
        return now

    def _is_constant(
        self, number: int, pieces: Sequence[_Piece], named: Sequence[set[str]]
    ) -> bool:
        """Return whether a set gives known values, to names that mean nothing else in the file."""
        others = set().union(*named[:number], *named[number + 1 :])
        before = {token.value for piece in pieces[:number] for token in piece.tokens}
        is_unique = named[number] and named[number].isdisjoint(others | before)
        return bool(is_unique) and self._is_known(pieces[number].expression)

    def _translated(self, piece: _Piece, name: str) -> _Piece:
        """Translate sentences with values, which then are filled by a filter: that is quicker."""
        tokens: list[Token] = []
        for token in piece.tokens:
            tokens.append(token)
            match [(found.type, found.value) for found in tokens[-4:]]:
                case [("name", "_" | "gettext"), ("lparen", _), ("string", said), ("comma", _)]:
                    filters = ("format",) if name.endswith(".txt.j2") else ("safe", "format")
                    tokens[-4:] = [Token(token.lineno, "string", self.gettext(said))]
                    for word in filters:
                        tokens += _tokens(token.lineno, ("pipe", "|"), ("name", word))
                    tokens += _tokens(token.lineno, ("lparen", "("))
        return _Piece(tuple(tokens))

    def _check(self, piece: _Piece, named: set[str], place: Place) -> None:
        """Refuse what names and places of tags do not tell. Raises CannotBuildError."""
        if piece.word in _REFUSED:
            what = f"macros by {{% {piece.word} %}}: include a file instead"
            raise CannotBuildError(what, place)
        others = {name for name, setter in self._constants.items() if setter != place.template}
        if taken := named & (_KNOWN_NAMES | {"mail"} | others):
            raise CannotBuildError(f"another {taken.pop()}: choose another name", place)
        if piece.word == "include" and any(token.value == "without" for token in piece.tokens):
            raise CannotBuildError("an include without context: include it with", place)
        if piece.word == "extends":
            parent = piece.tokens[2]
            if place.template not in self.whole or parent.type != "string":
                what = "extends in an included template, or with an expression"
                raise CannotBuildError(what, place)
            self.whole.add(parent.value)

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
        """Return whether a tag needs nothing but what is known now."""
        tree = self._parsed(source)
        names = [found.name for found in tree.find_all(nodes.Name)]
        of_mail = [
            found.attr
            for found in tree.find_all(nodes.Getattr)
            if isinstance(found.node, nodes.Name) and found.node.name == "mail"
        ]
        return (
            set(names) <= {"mail"} | _KNOWN_NAMES | self._constants.keys()
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


def _tokens(line: int, *kinds: tuple[str, str]) -> list[Token]:
    return [Token(line, *kind) for kind in kinds]


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
