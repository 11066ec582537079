"""People from a file into the registry."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any

from subscribers.addresses import AddressPolicy
from subscribers.model import Consent
from subscribers.own_papers import ReadPapers
from subscribers.records import Remark, decode, read_records
from subscribers.store.registry import Registry
from subscribers.transfer import ImportRow, Unread, read_people

BATCH = 500  # people in one transaction
MOST_FAULTS = 20  # in words
NEW_ARE_PENDING = (
    "who is new among them is pending, and gets no email until they sign up and confirm"
)
ANOTHER_LANGUAGE = "they get email in the language of DIGEST_LANGUAGE"


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of an import: people, lines that could not be read, and the form of the file.

    ``unspoken`` people have a language that is not spoken here; of ``without_consent`` the file
    has no evidence. ``remarks`` cost nobody.
    """

    new: int
    known: int
    unread: tuple[Unread, ...]
    form: str = ""
    unspoken: int = 0
    remarks: tuple[Remark, ...] = ()
    without_consent: int = 0

    def to_json(self) -> dict[str, Any]:
        rejected = [{"line": unread.line, "why": unread.why} for unread in self.unread]
        return {
            "new": self.new,
            "known": self.known,
            "rejected": rejected,
            "form": self.form,
            "warnings": self.warnings(),
        }

    def warnings(self) -> list[str]:
        """Return what was taken and has no effect, and what was not taken of somebody."""
        told = _by_line((remark.line, remark.what) for remark in self.remarks)
        if many := self.unspoken:
            people = "1 person has" if many == 1 else f"{many} people have"
            told.append(f"{people} a locale without a catalogue: {ANOTHER_LANGUAGE}")
        if self.new and (many := self.without_consent):
            people = "1 person" if many == 1 else f"{many} people"
            told.append(f"the file has no consent of {people}: {NEW_ARE_PENDING}")
        return told

    def faults(self) -> list[str]:
        """Return a sentence for each different fault, with its lines; the first twenty of them."""
        return _by_line((unread.line, unread.why) for unread in self.unread)


def _by_line(found: Iterable[tuple[int, str]]) -> list[str]:
    lines: dict[str, list[int]] = {}
    for line, what in found:
        lines.setdefault(what, []).append(line)
    told = [
        f"line {first}{f' and {len(others)} more' if others else ''}: {what}"
        for what, (first, *others) in lines.items()
    ]
    hidden = len(told) - MOST_FAULTS
    return [*told[:MOST_FAULTS], *([f"and {hidden} other faults"] if hidden > 0 else [])]


def import_people(
    registry: Registry,
    address_policy: AddressPolicy,
    file: Path,
    now: datetime,
    progress: Callable[[int, int], None],
    read_papers: ReadPapers | None = None,
    speaks: Callable[[str], bool] = lambda _: True,
) -> Imported:
    """Add the people of a file; ``progress`` is called with the octets read and their total.

    ``speaks`` tells whether email can be in a language, or one near to it.

    Known people stay unchanged, so that an import can be repeated. Raises OSError.
    """
    size = file.stat().st_size
    name = "".join(character if character.isprintable() else "?" for character in file.name)
    with file.open("rb") as octets:

        def report() -> None:
            if octets.seekable():  # a pipe has no position
                progress(octets.tell(), size)

        return take_in(
            registry,
            address_policy,
            octets,
            f"import of {name}"[:64],
            now,
            read_papers,
            speaks,
            report,
        )


def take_in(
    registry: Registry,
    address_policy: AddressPolicy,
    octets: IO[bytes],
    source: str,
    now: datetime,
    read_papers: ReadPapers | None = None,
    speaks: Callable[[str], bool] = lambda _: True,
    after_batch: Callable[[], None] = lambda: None,
) -> Imported:
    """Add people as ``import_people`` does, from an open file; ``source`` is their evidence."""
    new = known = unspoken = without_consent = 0
    unread: list[Unread] = []
    remarks: list[Remark] = []
    encoding, lines = decode(octets)
    form, records = read_records(lines)
    people = read_people(
        records, source=source, now=now, admit=address_policy.admit, read_papers=read_papers
    )
    while batch := list(islice(people, BATCH)):
        rows = [item for item in batch if isinstance(item, ImportRow)]
        unread += [item for item in batch if isinstance(item, Unread)]
        remarks += [item for item in batch if isinstance(item, Remark)]
        locales = (row.preferences.locale for row in rows)
        unspoken += sum(locale is not None and not speaks(locale) for locale in locales)
        without_consent += sum(
            row.consent is Consent.PENDING and row.evidence[-1].source == source for row in rows
        )
        added = registry.admit(rows, now)
        new, known = new + added, known + len(rows) - added
        after_batch()
    return Imported(
        new,
        known,
        tuple(unread),
        f"{form}, {encoding}",
        unspoken,
        tuple(remarks),
        without_consent,
    )
