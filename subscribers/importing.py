"""People from a file into the registry."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any, Protocol

from subscribers.addresses import AddressPolicy, address_key
from subscribers.model import Consent
from subscribers.own_papers import ReadPapers
from subscribers.records import Remark, decode, read_records
from subscribers.sentences import Sentence
from subscribers.store.registry import Registry
from subscribers.transfer import ImportRow, Say, Unread, read_people, sayable

BATCH = 500  # people in one transaction
MOST_FAULTS = 20  # in words


@dataclass(frozen=True, slots=True)
class Told:
    """What is to be told of some lines: the first, and how many there are more; 0 is the file."""

    code: str
    what: Sentence
    line: int = 0
    more: int = 0

    def said(self, say: Say = str) -> str:
        """Return it as text that can be encoded, whatever it quotes of a file."""
        values = {"line": self.line, "more": self.more, "what": self.what}
        if self.more:
            return sayable(say(Sentence("line %(line)s and %(more)s more: %(what)s", **values)))
        at = Sentence("line %(line)s: %(what)s", **values) if self.line else self.what
        return sayable(say(at))


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

    def to_json(self, say: Say = str) -> dict[str, Any]:
        """Return the balance with its sentences as ``say`` says them, by default in English."""
        return {
            "new": self.new,
            "known": self.known,
            "rejected": [
                {
                    "line": unread.line,
                    "code": unread.why.code,
                    "why": unread.said(say),
                }
                for unread in self.unread
            ],
            "form": self.form,
            "warnings": [{"code": told.code, "what": told.said(say)} for told in self.warnings()],
        }

    def warnings(self) -> list[Told]:
        """Return what was taken and has no effect, and what was not taken of somebody."""
        told = _by_line((remark.line, remark.code, remark.what) for remark in self.remarks)
        if many := self.unspoken:
            unspoken = Sentence(
                "people with a locale without a catalogue: %(count)s; they get email in the "
                "language of DIGEST_LANGUAGE",
                count=many,
            )
            told.append(Told("locale", unspoken))
        if self.new and (many := self.without_consent):
            pending = Sentence(
                "people of whom the file has no consent: %(count)s; who is new among them is "
                "pending, and gets no email until they sign up and confirm",
                count=many,
            )
            told.append(Told("no-consent", pending))
        return told

    def faults(self) -> list[Told]:
        """Return each different fault, with its lines; the first twenty of them."""
        return _by_line((unread.line, unread.why.code, unread.why) for unread in self.unread)


def _by_line(found: Iterable[tuple[int, str, Sentence]]) -> list[Told]:
    lines: dict[str, list[tuple[int, str, Sentence]]] = {}
    for one in found:
        lines.setdefault(str(one[2]), []).append(one)
    told = [Told(code, what, line, len(others)) for (line, code, what), *others in lines.values()]
    hidden = len(told) - MOST_FAULTS
    rest = [Told("more", Sentence("and %(count)s other faults", count=hidden))]
    return [*told[:MOST_FAULTS], *(rest if hidden > 0 else [])]


class Admitting(Protocol):
    """Takes in people: a Registry, or a Rehearsal."""

    def admit(self, people: Sequence[ImportRow], now: datetime, /) -> int: ...


class Rehearsal:
    """Takes in people as a registry would, and stores nothing: to tell what an import will do.

    ``blocked`` counts the new people whose address is blocked, or will be by the file.
    """

    def __init__(self, registry: Registry) -> None:
        self._directory = registry.directory
        self._met: set[str] = set()
        self.blocked = 0

    def admit(self, people: Sequence[ImportRow], _now: datetime) -> int:
        """Return how many of these people would be new."""
        rows: dict[str, ImportRow] = {}
        for person in people:
            rows.setdefault(address_key(person.address), person)
        new = rows.keys() - self._met - self._directory.known_keys(rows.keys())
        self._met |= rows.keys()
        blocked = self._directory.blocked_keys(new)
        self.blocked += sum(key in blocked or rows[key].suppression is not None for key in new)
        return len(new)


def source_of(name: str) -> str:
    """Return the evidence that people came from a file of this name."""
    return f"import of {''.join(c if c.isprintable() else '?' for c in name)}"[:64]


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
    with file.open("rb") as octets:

        def report() -> None:
            if octets.seekable():  # a pipe has no position
                progress(octets.tell(), size)

        return take_in(
            registry,
            address_policy,
            octets,
            source_of(file.name),
            now,
            read_papers,
            speaks,
            report,
        )


def take_in(
    registry: Admitting,
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
