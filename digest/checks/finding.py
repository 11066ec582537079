"""The findings of checks in an email."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Level(Enum):
    """An ``ERROR`` must be fixed before the template is used, a ``WARNING`` should be looked at."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault, at a place; ``line`` is 0 if it is not known."""

    check: str
    level: Level
    what: str
    template: str = ""
    line: int = 0


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Return each finding once, errors first, then by place."""
    return sorted(
        set(findings),
        key=lambda found: (
            list(Level).index(found.level),
            found.template,
            found.line,
            found.check,
            found.what,
        ),
    )
