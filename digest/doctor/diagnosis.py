"""Describe what the doctor found out about one thing. Pure.

It is not a check's finding: it tells what is good as well, and always what to do.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """A ``PROBLEM`` keeps mail from being sent or taken; with ``ADVICE`` heeded it fares better."""

    GOOD = "good"
    UNKNOWN = "unknown"
    ADVICE = "advice"
    PROBLEM = "problem"


_ORDER = list(Level)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """``what`` and ``what_to_do`` are sentences; what is good needs nothing done."""

    area: str
    level: Level
    what: str
    what_to_do: str = ""


@dataclass(frozen=True, slots=True)
class Area:
    """A name under which diagnoses are made."""

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
    """Return the worst last, where one looks first; else as they came."""
    return sorted(found, key=lambda diagnosis: _ORDER.index(diagnosis.level))


def has_problem(found: Iterable[Diagnosis]) -> bool:
    return any(diagnosis.level is Level.PROBLEM for diagnosis in found)
