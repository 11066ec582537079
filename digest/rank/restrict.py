"""Decide whether a paper satisfies the restriction of a topic filter. Pure."""

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from digest.model.digests import Candidate
from digest.model.papers import Facts
from digest.rank.abbreviations import OtherForms
from digest.rank.names import folded, organisation, person
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

    @property
    def title(self) -> Run:
        return self.runs[0]

    @property
    def keywords(self) -> Sequence[Run]:
        return self.runs[3:]

    @cached_property
    def runs(self) -> Sequence[Run]:
        return _runs(self.candidate.facts)

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

    def _has(self, phrase: str, runs: Sequence[Run]) -> bool:
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
                wanted = person(field.value)
                return any(wanted.may_be(person(author)) for author in facts.authors)
            case "org":
                return organisation(field.value).is_in(organisation(facts.organisation))
            case "cat":
                category = field.value.casefold()
                tags = [tag.casefold() for tag in facts.categories]
                return any(tag == category or tag.startswith(f"{category}.") for tag in tags)
            case "title":
                return self._has(field.value, [self.title])
            case "keyword":
                return self._has(field.value, self.keywords)
            case _:  # code
                return bool(facts.code_url) == (field.value == "yes")


@lru_cache(maxsize=4000)  # searches often look into the same papers
def _runs(facts: Facts) -> Sequence[Run]:
    """Return the texts of a paper: title, summary, abstract, and each keyword."""
    return [Run(text) for text in (facts.title, facts.summary, facts.abstract, *facts.keywords)]


def _words(text: str) -> list[str]:
    return _WORD.findall(folded(text))
