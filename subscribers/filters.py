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
LEAST_WEIGHT, MOST_WEIGHT = 0.1, 10


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
        raise _wrong_weight(len(body) + 1)
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


def control_in(text: str) -> str:
    """Return the first character in a text that is none to be read, as U+0000; mostly nothing."""
    bad = (character for character in text if unicodedata.category(character).startswith("C"))
    return next((f"U+{ord(character):04X}" for character in bad), "")


_QUOTES = '"“”„«»'
_QUOTED = f"[{_QUOTES}][^{_QUOTES}]*[{_QUOTES}]"
_IN_WORD = rf"[^\s(){_QUOTES}]"
_OPERATOR = f"(?:AND|OR|NOT)(?!{_IN_WORD})"
_PLAIN = re.compile(f"(?:NOT |-)(?:{_QUOTED}|{_IN_WORD}+)|{_OPERATOR}|({_IN_WORD}+)")
_LETTER = re.compile(r"[^\W_]")  # or digit
_WEIGHT = re.compile(r"\^ ?([0-9]+(?:\.[0-9]+)?)$")
_ALIASES = {"category": "cat", "organisation": "org", "organization": "org"}
# A name of several words needs no quotation marks where each begins with a capital letter.
_CAPITALS = "".join(letter for letter in map(chr, range(0x600)) if letter.isupper())
_CAPITALISED = rf"(?!{_OPERATOR})[{_CAPITALS}][^\s(){_QUOTES},;:<>=]*"
_TOKEN = re.compile(
    rf"""(?P<aside> \([^\w()\s]+\) )  # nothing but punctuation in parentheses
    | (?P<sign> [()] | {_OPERATOR} )
    | (?P<minus> - (?=[({_QUOTES}] | (?!-){_IN_WORD}*[^\W_]) )  # not a dash by itself
    | (?P<phrase> {_QUOTED} )
    | (?P<name> (?P<who>(?ai:author|org|organisation|organization)):[ ]?
        (?P<whole>{_CAPITALISED}(?:[ ]{_CAPITALISED})+) )
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
    text: str = ""  # the word, or the sign
    part: Restriction | None = None


def _tokens(text: str) -> Iterator[_Token]:
    """Yield the tokens of a folded text, ignoring punctuation that stands alone."""
    quotes = [at for at, character in enumerate(text) if character in _QUOTES]
    if len(quotes) % 2:
        raise TopicError(
            "column %(column)s: expected a closing quotation mark", column=quotes[-1] + 1
        )
    for found in _TOKEN.finditer(text):
        column, typed = found.start() + 1, found[0]
        match found.lastgroup:
            case "sign" | "minus":
                yield _Token(typed, column, typed)
            case "name":
                who = found["who"].lower()
                yield _Token("part", column, part=Field(_ALIASES.get(who, who), found["whole"]))
            case "condition":
                yield _Token("part", column, part=_condition(found))
            case "phrase":
                if not _LETTER.search(typed):
                    raise TopicError(
                        "column %(column)s: expected a word between the quotation marks",
                        column=column,
                    )
                yield _Token("part", column, part=Phrase(typed[1:-1].strip()))
            case "word" if typed.startswith("^"):
                raise _wrong_weight(column)
            case "word" if _LETTER.search(typed):
                yield _Token("word", column, typed)
    yield _Token("end", len(text) + 1)


def _condition(found: re.Match[str]) -> Field | Comparison:
    typed = found["value"] or ""
    column = found.end() - len(typed) + 1
    value = typed.strip(f"{_QUOTES} ,;")
    if found["count"]:
        name, operator = found["count"].lower(), found["operator"]
        if not re.fullmatch("[0-9]{1,9}", value):
            raise TopicError(
                "column %(column)s: expected a number after %(before)s",
                column=column,
                before=name + operator,
            )
        return Comparison(name, operator, int(value))
    name = found["field"].lower()
    if name == "code" and value.lower() not in ("yes", "no"):
        raise TopicError("column %(column)s: expected yes or no after code:", column=column)
    if not _LETTER.search(value):
        raise TopicError(
            "column %(column)s: expected a value after %(before)s", column=column, before=name + ":"
        )
    return Field(_ALIASES.get(name, name), value.lower() if name == "code" else value)


def _wrong_weight(column: int) -> TopicError:
    return TopicError(
        "column %(column)s: expected a number from %(least)s to %(most)s after ^, at the very end",
        column=column,
        least=LEAST_WEIGHT,
        most=MOST_WEIGHT,
    )


def _missing_word(after: _Token) -> TopicError:
    if not after.text:
        return TopicError("column %(column)s: expected a word", column=after.column)
    return TopicError(
        "column %(column)s: expected a word after %(before)s",
        column=after.column,
        before=after.text,
    )


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
            raise TopicError(
                "column %(column)s: expected an opening parenthesis before this closing one",
                column=self._next.column,
            )
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
            raise _missing_word(self._last)
        return _Meaning((" ".join(words),), None, _joined(And, map(Phrase, words)))

    def _group(self, column: int) -> _Meaning:
        self._depth += 1
        if self._depth > DEEPEST:
            raise TopicError(
                "column %(column)s: expected at most %(most)s parentheses inside each other",
                column=column,
                most=DEEPEST,
            )
        meaning = self._any()
        if not self._took(")"):
            raise TopicError(
                "column %(column)s: expected a closing parenthesis for this opening one",
                column=column,
            )
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
