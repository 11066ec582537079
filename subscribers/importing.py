"""People from a file into the registry."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any

from subscribers.addresses import AddressPolicy
from subscribers.records import decode, read_records
from subscribers.store.registry import Registry
from subscribers.transfer import ImportRow, Unread, read_people

BATCH = 500  # people in one transaction
MOST_FAULTS = 20  # in words


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of an import: people, lines that could not be read, and the form of the file."""

    new: int
    known: int
    unread: tuple[Unread, ...]
    form: str = ""

    def to_json(self) -> dict[str, Any]:
        rejected = [{"line": unread.line, "why": unread.why} for unread in self.unread]
        return {"new": self.new, "known": self.known, "rejected": rejected, "form": self.form}

    def faults(self) -> list[str]:
        """Return a sentence for each different fault, with its lines; the first twenty of them."""
        lines: dict[str, list[int]] = {}
        for unread in self.unread:
            lines.setdefault(unread.why, []).append(unread.line)
        told = [
            f"line {first}{f' and {len(others)} more' if others else ''}: {why}"
            for why, (first, *others) in lines.items()
        ]
        hidden = len(told) - MOST_FAULTS
        return [*told[:MOST_FAULTS], *([f"and {hidden} other faults"] if hidden > 0 else [])]


def import_people(
    registry: Registry,
    address_policy: AddressPolicy,
    file: Path,
    now: datetime,
    progress: Callable[[int, int], None],
) -> Imported:
    """Add the people of a file; ``progress`` is called with the octets read and their total.

    Known people stay unchanged, so that an import can be repeated. Raises OSError.
    """
    size = file.stat().st_size
    name = "".join(character if character.isprintable() else "?" for character in file.name)
    with file.open("rb") as octets:

        def report() -> None:
            if octets.seekable():  # a pipe has no position
                progress(octets.tell(), size)

        return take_in(registry, address_policy, octets, f"import of {name}"[:64], now, report)


def take_in(
    registry: Registry,
    address_policy: AddressPolicy,
    octets: IO[bytes],
    source: str,
    now: datetime,
    after_batch: Callable[[], None] = lambda: None,
) -> Imported:
    """Add people as ``import_people`` does, from an open file; ``source`` is their evidence."""
    new = known = 0
    unread: list[Unread] = []
    encoding, lines = decode(octets)
    form, records = read_records(lines)
    people = read_people(records, source=source, now=now, admit=address_policy.admit)
    while batch := list(islice(people, BATCH)):
        rows = [item for item in batch if isinstance(item, ImportRow)]
        unread += [item for item in batch if isinstance(item, Unread)]
        added = registry.admit(rows, now)
        new, known = new + added, known + len(rows) - added
        after_batch()
    return Imported(new, known, tuple(unread), f"{form}, {encoding}")
