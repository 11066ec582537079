"""The language of topic filters: a text is parsed into a query and a restriction. Pure.

    filter = any ["^" number]
    any    = all {"OR" all}
    all    = one {["AND"] one}
    one    = ["NOT" | "-"] (word | phrase | field | comparison | "(" any ")")

Papers are ranked by the query, which holds plain words; as operands of AND, OR or NOT they also
restrict. Everything else always restricts. docs/topic-filters.md explains it to readers.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from subscribers.errors import TopicError

DEEPEST = 20  # nested parentheses
LEAST_WEIGHT, MOST_WEIGHT = 0.1, 10.0


@dataclass(frozen=True, slots=True)
class Phrase:
    text: str  # words that must stand side by side; one word must stand there


@dataclass(frozen=True, slots=True)
class Field:
    name: str  # author, org, cat, title, keyword or code
    value: str  # as typed; of code, yes or no


@dataclass(frozen=True, slots=True)
class Comparison:
    name: str  # upvotes, comments or stars
    operator: str  # >= > <= < =
    number: int


@dataclass(frozen=True, slots=True)
class Not:
    part: "Restriction"


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple["Restriction", ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple["Restriction", ...]


Restriction = Phrase | Field | Comparison | Not | And | Or


@dataclass(frozen=True, slots=True)
class Filter:
    text: str  # as typed, folded
    query: tuple[str, ...]  # runs of plain words, and phrases, that are not negated
    restriction: Restriction | None  # None: every paper satisfies it
    weight: float


def parse_filter(text: str) -> Filter:
    """Parse a text. Raises TopicError with the column (from 1) in the folded text."""
    text = fold(text)
    body, weight, *_ = [*_WEIGHT.split(text), "1"]
    if not LEAST_WEIGHT <= float(weight) <= MOST_WEIGHT:
        raise _error(len(body) + 1, _A_WEIGHT)
    meaning = _Parser(body).whole()
    return Filter(text, meaning.query, meaning.alone, float(weight))


@lru_cache(maxsize=50_000)
def read_filter(text: str) -> Filter:
    """Parse a stored text. One that no longer parses becomes a query of its words."""
    try:
        return parse_filter(text)
    except TopicError:
        words = [found[1] or "" for found in _PLAIN.finditer(fold(text))]
        query = " ".join(word for word in words if _LETTER.search(word))
        return Filter(fold(text), (query,) if query else (), None, 1.0)


def fold(text: str) -> str:
    """Return a text in NFC, stripped, with each run of white space as one blank."""
    return " ".join(unicodedata.normalize("NFC", text).split())


_QUOTES = '"“”„«»'
_QUOTED = f"[{_QUOTES}][^{_QUOTES}]*[{_QUOTES}]"
_IN_WORD = rf"[^\s(){_QUOTES}]"
_OPERATOR = f"(?:AND|OR|NOT)(?!{_IN_WORD})"
_PLAIN = re.compile(f"(?:NOT |-)(?:{_QUOTED}|{_IN_WORD}+)|{_OPERATOR}|({_IN_WORD}+)")
_LETTER = re.compile(r"[^\W_]")  # or digit
_WEIGHT = re.compile(r"\^([0-9]+(?:\.[0-9]+)?)$")
_A_WEIGHT = f"a number from {LEAST_WEIGHT:g} to {MOST_WEIGHT:g} after ^, at the very end"
_ALIASES = {"category": "cat", "organisation": "org", "organization": "org"}
_TOKEN = re.compile(
    rf"""(?P<sign> [()] | {_OPERATOR} )
    | (?P<minus> - (?=[({_QUOTES}] | (?!-){_IN_WORD}*[^\W_]) )  # not a dash by itself
    | (?P<phrase> {_QUOTED} )
    | (?P<condition>
        (?: (?P<field>(?ai:author|org|cat|title|keyword|code|{"|".join(_ALIASES)})):
          | (?P<count>(?ai:upvotes|comments|stars))[ ]?(?P<operator>[<>]=?|=)
        )[ ]?(?P<value>{_QUOTED}|{_IN_WORD}+)? )
    | (?P<word> {_IN_WORD}+ )""",
    re.VERBOSE,
)


class _Token(NamedTuple):
    kind: str  # "word", "part", "end", or a sign: ( ) - AND OR NOT
    column: int
    text: str = ""  # the word, or, for a sign, "after AND"
    part: Restriction | None = None


def _tokens(text: str) -> Iterator[_Token]:
    """Yield the tokens of a folded text, ignoring punctuation that stands alone."""
    quotes = [at for at, character in enumerate(text) if character in _QUOTES]
    if len(quotes) % 2:
        raise _error(quotes[-1] + 1, "a closing quotation mark")
    for found in _TOKEN.finditer(text):
        column, typed = found.start() + 1, found[0]
        match found.lastgroup:
            case "sign" | "minus":
                yield _Token(typed, column, f"after {typed}")
            case "condition":
                yield _Token("part", column, part=_condition(found))
            case "phrase":
                if not _LETTER.search(typed):
                    raise _error(column, "a word between the quotation marks")
                yield _Token("part", column, part=Phrase(typed[1:-1].strip()))
            case _ if _LETTER.search(typed):
                if typed.startswith("^"):
                    raise _error(column, _A_WEIGHT)
                yield _Token("word", column, typed)
    yield _Token("end", len(text) + 1)


def _condition(found: re.Match[str]) -> Field | Comparison:
    typed = found["value"] or ""
    column = found.end() - len(typed) + 1
    value = typed.strip(f"{_QUOTES} ,;")
    if found["count"]:
        name, operator = found["count"].lower(), found["operator"]
        if not re.fullmatch("[0-9]{1,9}", value):
            raise _error(column, f"a number after {name}{operator}")
        return Comparison(name, operator, int(value))
    name = found["field"].lower()
    if name == "code" and value.lower() not in ("yes", "no"):
        raise _error(column, "yes or no after code:")
    if not _LETTER.search(value):
        raise _error(column, f"a value after {name}:")
    return Field(_ALIASES.get(name, name), value.lower() if name == "code" else value)


def _error(column: int, expected: str) -> TopicError:
    return TopicError(f"column {column}: expected {expected}")


@dataclass(frozen=True, slots=True)
class _Meaning:
    query: tuple[str, ...]
    alone: Restriction | None  # what it requires by itself
    operand: Restriction  # what it requires as an operand


class _Parser:
    """A recursive-descent parser; ``_any``, ``_all`` and ``_one`` parse those rules."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._last, self._next = _Token("", 1), next(self._tokens)
        self._depth = 0

    def whole(self) -> _Meaning:
        meaning = self._any()
        if self._next.kind != "end":
            raise _error(self._next.column, "an opening parenthesis before this closing one")
        return meaning

    def _took(self, *kinds: str) -> bool:
        """Consume the next token if it is of one of these kinds; return whether it was."""
        if self._next.kind not in kinds:
            return False
        self._last, self._next = self._next, next(self._tokens)
        return True

    def _any(self) -> _Meaning:
        parts = [self._all()]
        while self._took("OR"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else _operands(Or, parts)

    def _all(self) -> _Meaning:
        parts = [self._one()]
        is_explicit = False  # AND is only implied between neighbours
        while self._next.kind not in ("OR", ")", "end"):
            is_explicit = self._took("AND") or is_explicit
            parts.append(self._one())
        both = _operands(And, parts)
        alone = [part.alone for part in parts if part.alone]
        return both if is_explicit else replace(both, alone=_joined(And, alone) if alone else None)

    def _one(self) -> _Meaning:
        if self._took("NOT", "-"):
            negation = Not(self._item(most_words=1).operand)
            return _Meaning((), negation, negation)
        return self._item()

    def _item(self, most_words: int | None = None) -> _Meaning:
        """Parse a group, a phrase, a field, a comparison, or a run of plain words."""
        if self._took("("):
            return self._group(self._last.column)
        if (part := self._next.part) and self._took("part"):
            return _Meaning((part.text,) if isinstance(part, Phrase) else (), part, part)
        words: list[str] = []
        while len(words) != most_words and self._took("word"):
            words.append(self._last.text)
        if not words:
            raise _error(self._last.column, f"a word {self._last.text}".strip())
        return _Meaning((" ".join(words),), None, _joined(And, map(Phrase, words)))

    def _group(self, column: int) -> _Meaning:
        self._depth += 1
        if self._depth > DEEPEST:
            raise _error(column, f"at most {DEEPEST} parentheses inside each other")
        meaning = self._any()
        if not self._took(")"):
            raise _error(column, "a closing parenthesis for this opening one")
        self._depth -= 1
        return meaning


def _operands(kind: type[And] | type[Or], parts: list[_Meaning]) -> _Meaning:
    query = tuple(text for part in parts for text in part.query)
    restriction = _joined(kind, (part.operand for part in parts))
    return _Meaning(query, restriction, restriction)


def _joined(kind: type[And] | type[Or], parts: Iterable[Restriction]) -> Restriction:
    """Join restrictions into one; nested ones of the same kind are flattened."""
    flat = [
        operand for part in parts for operand in (part.parts if isinstance(part, kind) else (part,))
    ]
    return flat[0] if len(flat) == 1 else kind(tuple(flat))
