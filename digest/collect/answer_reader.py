"""Read raw answers entry by entry, and report what cannot be read."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from digest.collect.merge import key_of
from digest.errors import SourceError
from digest.model.papers import Harvest, Rejection, Sighting

MOST_DIGITS = 20  # of a number; none that is read here has more

Raw = TypeVar("Raw")


@dataclass(frozen=True, slots=True)
class Reading:
    """One raw answer being read.

    ``file`` names it in reports (a path or an address). ``day`` is the listing day if it is known
    better than the answer states it, ``fallback_day`` the one if the answer states none.
    """

    file: str
    seen_at: datetime
    day: date | None = None
    fallback_day: date | None = None

    def listing_day(self, stated: date | None) -> date:
        """Return the day an entry was listed, given what the answer states. Raises ValueError."""
        day = self.day or stated or self.fallback_day
        if day is None:
            raise ValueError("it states no day on which it was listed; say it with --date")
        return day

    def reject(self, where: str, why: str) -> Rejection:
        return Rejection(self.file, where, why)


def read_each(
    reading: Reading, entries: Iterable[Raw], read_one: Callable[[Raw, Reading], Sighting]
) -> Harvest:
    """Read entries one by one: one that cannot be read is listed as rejected, the rest kept.

    It raises ValueError with the reason, or what Python raises if something is missing in it.
    """
    sightings = []
    rejected = []
    for number, entry in enumerate(entries, 1):
        try:
            sighting = read_one(entry, reading)
            key_of(sighting.facts)  # a title may be all signs
            sightings.append(sighting)
        except ValueError as error:
            rejected.append(reading.reject(f"entry {number}", str(error)))
        except (LookupError, TypeError, AttributeError) as error:
            rejected.append(reading.reject(f"entry {number}", repr(error)))
    return Harvest(tuple(sightings), tuple(rejected))


def json_in(body: bytes, file: str) -> Any:
    """Return the JSON of an answer. Raises SourceError.

    A bad octet, a control character or an endless number spoils only the value it stands in.
    """
    try:
        text = body.decode(json.detect_encoding(body), "replace")
        return json.loads(text, strict=False, parse_int=_whole_number)
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{file}: not JSON: {error}") from None


def _whole_number(digits: str) -> int | None:
    return int(digits) if len(digits) <= MOST_DIGITS else None


def iso_date(value: Any) -> date | None:
    """Return the date of a text by ISO 8601; None for anything else."""
    try:
        return datetime.fromisoformat(value).date()
    except (ValueError, TypeError):
        return None


def count(value: Any) -> int | None:
    """Return a count; None for what is not one. True is an int to Python, but not to us."""
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31
    return value if is_count else None
