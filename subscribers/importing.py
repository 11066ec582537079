"""People from a file into the registry."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import IO, Any

from subscribers.addresses import AddressPolicy
from subscribers.store.registry import Registry
from subscribers.transfer import ImportRow, Unread, read_people

BATCH = 500  # people in one transaction


@dataclass(frozen=True, slots=True)
class Imported:
    """The balance of an import: people, and lines that could not be read."""

    new: int
    known: int
    unread: tuple[Unread, ...]

    def to_json(self) -> dict[str, Any]:
        rejected = [{"line": unread.line, "why": unread.why} for unread in self.unread]
        return {"new": self.new, "known": self.known, "rejected": rejected}


def import_people(
    registry: Registry,
    address_policy: AddressPolicy,
    file: Path,
    now: datetime,
    progress: Callable[[int, int], None],
) -> Imported:
    """Take in the people of a file; ``progress`` is told the octets read, of how many.

    Whoever is there already stays as they are, so that it can be done again. Raises OSError.
    """
    size = file.stat().st_size
    name = "".join(character if character.isprintable() else "?" for character in file.name)
    with file.open("rb") as octets:

        def tell() -> None:
            if octets.seekable():  # a pipe does not know where it is
                progress(octets.tell(), size)

        return take_in(registry, address_policy, octets, f"import of {name}"[:64], now, tell)


def take_in(
    registry: Registry,
    address_policy: AddressPolicy,
    octets: IO[bytes],
    source: str,
    now: datetime,
    after_batch: Callable[[], None] = lambda: None,
) -> Imported:
    """Take in people as ``import_people`` does, from an open file; it is closed in the end.

    ``source`` is written down as evidence.
    """
    new = known = 0
    unread: list[Unread] = []
    # A line that is no UTF-8 must not lose the others: its odd octets become characters that no
    # address and no topic may hold, and so it is reported like any bad line.
    with TextIOWrapper(octets, encoding="utf-8", errors="surrogateescape", newline="") as lines:
        people = read_people(lines, source=source, now=now, admit=address_policy.admit)
        while batch := list(islice(people, BATCH)):
            rows = [item for item in batch if isinstance(item, ImportRow)]
            unread += [item for item in batch if isinstance(item, Unread)]
            added = registry.admit(rows, now)
            new, known = new + added, known + len(rows) - added
            after_batch()
    return Imported(new, known, tuple(unread))
