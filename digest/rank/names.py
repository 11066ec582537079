"""Compare names of people and organisations leniently. Pure.

A source may write "Doe, J. Q.", where another has "Jane Q. Doe": accents, the order of the parts,
initials and middle names say nothing against two names being one.
"""

import re
import tomllib
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

_WORD = re.compile(r"[^\W_]+")
_LONGEST = 12  # parts of a name that are looked at
_INITIALS = 3  # capital letters that may stand for as many names: "JQR Doe"
_TELLING = 6  # letters of an organisation's name that may be a part of a longer word
_ALIKE = 2  # parts that a name must share with a longer one that is looked for
# Letters that no accent is taken off of, and the vowels that Germans write in two ways.
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ħ": "h"}
    | dict.fromkeys("'’ʼ`´‘", "")
)
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
_OTHER_NAMES = tomllib.loads(
    files("digest.rank").joinpath("organisations.toml").read_text("utf-8")
)["same"]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a person's name: how it may be spelt, and the initials that it may stand for."""

    spellings: frozenset[str]
    initials: str = ""

    @property
    def is_word(self) -> bool:
        return len(self.initials) != 1


@dataclass(frozen=True, slots=True)
class Person:
    """A person's name, in parts; what stands after a comma comes first."""

    parts: tuple[Part, ...]

    @property
    def words(self) -> frozenset[str]:
        """Return the words of a name, of which another one needs one to be the same."""
        return frozenset(word for part in self.parts if part.is_word for word in part.spellings)

    def may_be(self, name: "Person") -> bool:
        """Return whether a paper's author ``name`` may be this person, whom somebody looks for.

        They share a word. What one of them has besides, the other has as an initial, or lacks: the
        author may have more names, the person may have more middle names and initials.
        """
        wanted, given = list(self.parts), list(name.parts)
        matched = _take(wanted, given, _is_same)
        if not matched:
            return False
        wanted, given = _initials_apart(wanted), _initials_apart(given)
        matched += _take(wanted, given, _is_initial)
        if not wanted or _joined(wanted) == _joined(given):  # Xiao-Ming, Xiaoming
            return True
        ends = (self.parts[0], self.parts[-1])
        are_extra = all(not part.is_word or part not in ends for part in wanted)
        return not given and matched >= _ALIKE and are_extra


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation's name: its words, and all its names, each written as one word."""

    words: frozenset[str]
    joined: str
    names: frozenset[str]

    def is_in(self, name: "Organisation") -> bool:
        """Return whether a paper's organisation ``name`` is this one, or a part of it."""
        if not self.words or not name.words:
            return False
        if self.words <= name.words:
            return True
        return any(
            other == name.joined or (len(other) >= _TELLING and other in name.joined)
            for other in self.names
        )


@lru_cache(maxsize=100_000)
def person(name: str) -> Person:
    """Read the name of a person, in any order: "Jane Doe", "Doe, Jane", "JQ Doe", "Doe JQ"."""
    last, comma, first = name.partition(",")
    typed = _WORD.findall(_separated(f"{first} {last}" if comma else last))
    return Person(tuple(_part(part) for part in typed[:_LONGEST]))


@lru_cache(maxsize=100_000)
def organisation(name: str) -> Organisation:
    """Read the name of an organisation."""
    words = frozenset(_WORD.findall(folded(name)))
    joined = _joined_name(name)
    return Organisation(words, joined, _ALIASES.get(joined, frozenset({joined})))


def folded(text: str) -> str:
    """Return a text without case, accents and the punctuation of names."""
    decomposed = unicodedata.normalize("NFKD", text).casefold().translate(_LETTERS)
    return "".join(
        " " if character in ".,-" else character
        for character in decomposed
        if not unicodedata.combining(character)
    )


def _separated(name: str) -> str:
    """Return a name in NFC, with blanks for its punctuation, but none for apostrophes."""
    composed = unicodedata.normalize("NFKC", name)
    return re.sub(r"['’ʼ`´‘]", "", composed)


def _part(typed: str) -> Part:
    plain = "".join(_WORD.findall(folded(typed)))
    spelt = "".join(_WORD.findall(folded(typed.casefold().translate(_UMLAUTS))))
    has_case = typed.upper() != typed.lower()
    is_short = has_case and (len(typed) == 1 or (typed.isupper() and len(typed) <= _INITIALS))
    return Part(frozenset({plain, spelt}), plain if is_short else "")


def _initials_apart(parts: list[Part]) -> list[Part]:
    """Return parts with a part of its own for each initial."""
    return [
        single
        for part in parts
        for single in ([Part(frozenset({i}), i) for i in part.initials] or [part])
    ]


def _take(wanted: list[Part], given: list[Part], is_match: Callable[[Part, Part], bool]) -> int:
    """Take away what matches of two names, part by part; return how many parts did."""
    taken = 0
    for part in list(wanted):
        other = next((p for p in given if is_match(part, p)), None)
        if other is not None:
            wanted.remove(part)
            given.remove(other)
            taken += 1
    return taken


def _is_same(part: Part, other: Part) -> bool:
    return part.is_word and not part.spellings.isdisjoint(other.spellings)


def _is_initial(part: Part, other: Part) -> bool:
    """Return whether one of two parts is an initial that the other one begins with."""
    return any(
        spelling.startswith(letter)
        for short, long in ((part, other), (other, part))
        for letter in ([] if short.is_word else short.spellings)
        for spelling in long.spellings
    )


def _joined(parts: list[Part]) -> str:
    return "".join(min(part.spellings) for part in parts)


def _joined_name(name: str) -> str:
    return "".join(_WORD.findall(folded(name)))


_ALIASES = {
    joined: names
    for row in _OTHER_NAMES
    for names in (frozenset(map(_joined_name, row)),)
    for joined in names
}
