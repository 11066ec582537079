"""What every reader of raw answers is told, and how it reports what it cannot read."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from digest.errors import SourceError
from digest.model.identity import paper_key
from digest.model.papers import Harvest, Rejection, Sighting

Raw = TypeVar("Raw")


@dataclass(frozen=True, slots=True)
class Reading:
    """One raw answer being read.

    ``file`` names it in reports (a path or an address). ``day`` is the listing day where somebody
    knows better than the answer; ``fallback_day`` serves where the answer does not say either.
    """

    file: str
    seen_at: datetime
    day: date | None = None
    fallback_day: date | None = None

    def listing_day(self, stated: date | None) -> date:
        """The day an entry was listed, given what the answer states."""
        return self.day or stated or self.fallback_day or self.seen_at.date()

    def reject(self, where: str, why: str) -> Rejection:
        return Rejection(self.file, where, why)


def read_each(
    reading: Reading, entries: Iterable[Raw], read_one: Callable[[Raw, Reading], Sighting]
) -> Harvest:
    """Read entries one by one: one that raises ValueError is listed as rejected, the rest kept."""
    sightings = []
    rejected = []
    for number, entry in enumerate(entries, 1):
        try:
            sighting = read_one(entry, reading)
            paper_key(sighting.facts.arxiv_id, sighting.facts.title)  # a title may be all signs
            sightings.append(sighting)
        except ValueError as error:
            rejected.append(reading.reject(f"entry {number}", str(error)))
    return Harvest(tuple(sightings), tuple(rejected))


def json_in(body: bytes, file: str) -> Any:
    """Return what is in an answer of JSON. Raises SourceError."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{file}: not JSON: {error}") from None


def iso_date(value: Any) -> date | None:
    """Return the date of a text by ISO 8601; None for anything else."""
    try:
        return datetime.fromisoformat(value).date()
    except (ValueError, TypeError):
        return None
