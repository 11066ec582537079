"""Late risers: papers of earlier editions that gained votes since they were listed. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

RISING_DAYS = 14  # for which a paper may rise after it was listed
MOST_RISERS = 20  # of an edition
LEAST_GAIN = 5  # votes; fewer are no rise


@dataclass(frozen=True, slots=True)
class Growth:
    """The votes of a paper when the edition of ``day`` listed it, and now."""

    paper_id: int
    day: date
    before: int
    now: int

    @property
    def gain(self) -> int:
        return self.now - self.before


def late_risers(growths: Iterable[Growth]) -> set[int]:
    """Return the ids of the papers that gained most since they were listed."""
    risen = [growth for growth in growths if growth.gain >= LEAST_GAIN]
    risen.sort(key=lambda growth: (-growth.gain, growth.paper_id))
    return {growth.paper_id for growth in risen[:MOST_RISERS]}
