"""What a check has to say of a mail."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Level(Enum):
    """An ``ERROR`` keeps a template from being used, a ``WARNING`` wants to be looked at."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


_ORDER = list(Level)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing, said once. ``template`` is empty and ``line`` 0 where that is not known."""

    check: str
    level: Level
    what: str
    template: str = ""
    line: int = 0


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Each finding once: errors first, then by place; the same for the same findings."""
    return sorted(
        set(findings),
        key=lambda found: (
            _ORDER.index(found.level),
            found.template,
            found.line,
            found.check,
            found.what,
        ),
    )
