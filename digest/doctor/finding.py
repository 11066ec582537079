"""What the doctor has to say of one thing. Pure."""

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
class Finding:
    """``what`` and ``what_to_do`` are sentences; what is good needs nothing done."""

    area: str
    level: Level
    what: str
    what_to_do: str = ""


@dataclass(frozen=True, slots=True)
class Area:
    """A name under which findings are made."""

    name: str

    def good(self, what: str) -> Finding:
        return Finding(self.name, Level.GOOD, what)

    def unknown(self, what: str, what_to_do: str) -> Finding:
        return Finding(self.name, Level.UNKNOWN, what, what_to_do)

    def advice(self, what: str, what_to_do: str) -> Finding:
        return Finding(self.name, Level.ADVICE, what, what_to_do)

    def problem(self, what: str, what_to_do: str) -> Finding:
        return Finding(self.name, Level.PROBLEM, what, what_to_do)


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """The worst last, where one looks first; else as they came."""
    return sorted(findings, key=lambda found: _ORDER.index(found.level))


def has_problem(findings: Iterable[Finding]) -> bool:
    return any(found.level is Level.PROBLEM for found in findings)
