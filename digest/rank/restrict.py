"""Decide whether a paper satisfies the restriction of a topic filter. Pure."""

import operator
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from digest.model.digests import Candidate
from digest.rank.abbreviations import OtherForms
from digest.rank.words import contains_run, stems
from subscribers.filters import And, Comparison, Field, Not, Or, Phrase, Restriction

_WORD = re.compile(r"[^\W_]+")
_COMPARE: dict[str, Callable[[int, int], bool]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
    "=": operator.eq,
}


@dataclass(frozen=True, eq=False)
class Run:
    """One text of a paper; a phrase stands in one of them as a whole."""

    text: str

    @cached_property
    def stems(self) -> list[str]:
        return stems(self.text)

    @cached_property
    def words(self) -> list[str]:
        return _words(self.text)


@dataclass(frozen=True, eq=False)
class Text:
    """A candidate's words, read once for all filters."""

    candidate: Candidate
    others: OtherForms  # an abbreviation's long form counts as the abbreviation, and back

    @cached_property
    def title(self) -> Run:
        return Run(self.candidate.facts.title)

    @cached_property
    def keywords(self) -> list[Run]:
        return [Run(keyword) for keyword in self.candidate.facts.keywords]

    @cached_property
    def runs(self) -> list[Run]:
        facts = self.candidate.facts
        return [self.title, *self.keywords, Run(facts.summary), Run(facts.abstract)]

    def satisfies(self, restriction: Restriction | None) -> bool:
        """Return whether a restriction holds; no restriction always does."""
        match restriction:
            case None:
                holds = True
            case Phrase(text):
                holds = self._has(text, self.runs)
            case Field():
                holds = self._has_field(restriction)
            case Comparison(name, sign, number):
                count = getattr(self.candidate.signals, name)
                holds = count is not None and _COMPARE[sign](count, number)
            case Not(part):
                holds = not self.satisfies(part)
            case And(parts):
                holds = all(map(self.satisfies, parts))
            case Or(parts):
                holds = any(map(self.satisfies, parts))
        return holds

    def has_words(self, words: str) -> bool:
        """Return whether each of some words stands somewhere in the paper."""
        wanted = set(stems(words))
        if not wanted:
            return self._has(words, self.runs)
        return wanted <= {stem for run in self.runs for stem in run.stems}

    def _has(self, phrase: str, runs: list[Run]) -> bool:
        wanted = stems(phrase)
        if not wanted:  # nothing but stop words: to the letter
            return any(contains_run(run.words, _words(phrase)) for run in runs)
        other = list(self.others.get(tuple(wanted), ()))
        forms = [wanted, other] if other else [wanted]
        return any(contains_run(run.stems, form) for run in runs for form in forms)

    def _has_field(self, field: Field) -> bool:
        facts = self.candidate.facts
        match field.name:
            case "author":
                return any(_names(field.value, author) for author in facts.authors)
            case "org":
                return _names(field.value, facts.organisation)
            case "cat":
                wanted = field.value.casefold()
                folded = [category.casefold() for category in facts.categories]
                return any(tag == wanted or tag.startswith(f"{wanted}.") for tag in folded)
            case "title":
                return self._has(field.value, [self.title])
            case "keyword":
                return self._has(field.value, self.keywords)
            case _:  # code
                return bool(facts.code_url) == (field.value == "yes")


def _words(text: str) -> list[str]:
    return _WORD.findall(_folded(text))


def _names(wanted: str, name: str) -> bool:
    """Return whether all words of a typed name are in another ("Doe" in "Jane Doe")."""
    return bool(wanted.split()) and set(_folded(wanted).split()) <= set(_folded(name).split())


def _folded(text: str) -> str:
    """Return a text without case, accents and the punctuation of names."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(
        " " if character in ".,-" else character
        for character in decomposed
        if not unicodedata.combining(character)
    )
