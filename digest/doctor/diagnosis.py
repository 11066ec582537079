"""The doctor's diagnoses. Pure.

A diagnosis is not a finding of digest.checks: it also tells what is good, and always what to do.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """A ``PROBLEM`` prevents sending or delivery; ``ADVICE`` makes delivery more likely."""

    GOOD = "good"
    UNKNOWN = "unknown"
    ADVICE = "advice"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A judgement; ``what`` and ``what_to_do`` are sentences, the latter empty if all is good."""

    area: str
    level: Level
    what: str
    what_to_do: str = ""


@dataclass(frozen=True, slots=True)
class Area:
    """A part of the installation, by name; it makes the diagnoses about itself."""

    name: str

    def good(self, what: str) -> Diagnosis:
        return Diagnosis(self.name, Level.GOOD, what)

    def unknown(self, what: str, what_to_do: str) -> Diagnosis:
        return Diagnosis(self.name, Level.UNKNOWN, what, what_to_do)

    def advice(self, what: str, what_to_do: str) -> Diagnosis:
        return Diagnosis(self.name, Level.ADVICE, what, what_to_do)

    def problem(self, what: str, what_to_do: str) -> Diagnosis:
        return Diagnosis(self.name, Level.PROBLEM, what, what_to_do)


def in_order(found: Iterable[Diagnosis]) -> list[Diagnosis]:
    """Return the worst last, where people look first; otherwise keep the order."""
    return sorted(found, key=lambda diagnosis: list(Level).index(diagnosis.level))
