"""People from and to files: CSV with a header, and JSON lines. Reading is pure.

CSV columns: ``email``, and, each optional, ``topics`` (separated by ``;``), ``consent``,
``timezone``, ``hour``, ``cadence``, ``locale``, ``max_papers``. JSON lines have the same names,
with ``topics`` as a list or as in CSV; what `digest subscribers export` writes can be read again.

``consent`` is the evidence that somebody agreed: the moment when they did (ISO 8601), or
``confirmed`` where that is not known. Without it the person starts pending, and gets nothing.
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from subscribers.addresses import normalise_address
from subscribers.errors import PreferenceError, SubscriberError
from subscribers.lifecycle import ConsentEvent
from subscribers.model import (
    Consent,
    Evidence,
    PersonFile,
    Rating,
    Suppression,
    SuppressionReason,
    Verdict,
)
from subscribers.preferences import Preferences
from subscribers.topics import TopicFilter, parse_topics

# The columns that are named otherwise than the preference they set.
_PREFERENCE_OF = {"hour": "at"}
_COLUMNS = frozenset(
    "email topics consent timezone hour cadence locale max_papers "
    "at trending note_when_nothing exclusions paused_until".split()
)
_STATES = {
    Consent.PENDING: ConsentEvent.ASKED,
    Consent.CONFIRMED: ConsentEvent.VOUCHED,
    Consent.WITHDRAWN: ConsentEvent.WITHDRAWN,
}


@dataclass(frozen=True, slots=True)
class ImportRow:
    """A person as a file gives them; ``evidence`` is what they said, oldest first.

    ``suppression`` is a block that their address has where the file comes from.
    """

    address: str
    topics: tuple[TopicFilter, ...]
    preferences: Preferences
    consent: Consent
    evidence: tuple[Evidence, ...]
    ratings: tuple[Rating, ...]
    suppression: Suppression | None


@dataclass(frozen=True, slots=True)
class Unread:
    """A line that cannot be read: its number in the file, from 1, and why."""

    line: int
    why: str


def read_people(
    lines: Iterable[str],
    *,
    source: str,
    now: datetime,
    admit: Callable[[str], str] = normalise_address,
) -> Iterator[ImportRow | Unread]:
    """Read the people in a file of either kind, told apart by its first character.

    A line that cannot be read is given as such, and the rest goes on. ``source`` and ``now`` are
    written down as evidence where the file has none of its own. ``admit`` gives an address its
    normal form, or raises AddressError.
    """
    iterator = iter(lines)
    first = next(iterator, "").removeprefix("\ufeff")
    records = _json_lines if first.lstrip().startswith("{") else _csv_lines
    for line, record in records(chain([first], iterator)):
        if isinstance(record, str):
            yield _unread(line, record)
            continue
        try:
            yield _import_row(record, source, now, admit)
        except SubscriberError as error:
            yield _unread(line, str(error))


def to_record(file: PersonFile) -> dict[str, Any]:
    """Return everything that is stored about a person, as ``read_people`` can read it."""
    person, blocked = file.subscriber, file.suppression
    return {
        "email": person.address,
        "topics": [topic.text for topic in person.topics],
        **person.preferences.to_json(),
        "consent": person.consent.value,
        "since": person.since.isoformat(),
        "evidence": [
            {
                "event": item.event,
                "at": item.at.isoformat(),
                "source": item.source,
                **({"client": item.client} if item.client else {}),
            }
            for item in file.evidence
        ],
        "opinions": [
            {"paper": rating.paper, "verdict": rating.verdict.value, "at": rating.at.isoformat()}
            for rating in file.ratings
        ],
        **({"moving_to": file.moving_to} if file.moving_to else {}),
        "suppressed": blocked and {"reason": blocked.reason.value, "at": blocked.at.isoformat()},
    }


def to_csv_row(file: PersonFile) -> dict[str, Any]:
    """Return the columns that a CSV file can hold: of the evidence only the last consent."""
    record = to_record(file)
    given = {ConsentEvent.CONFIRMED, ConsentEvent.VOUCHED, ConsentEvent.UNDONE}
    agreed = [item.at.isoformat() for item in file.evidence if item.event in given]
    confirmed = file.subscriber.consent is Consent.CONFIRMED and agreed
    return {
        "email": record["email"],
        "topics": ";".join(record["topics"]),
        "consent": agreed[-1] if confirmed else record["consent"],
        "timezone": record["timezone"],
        "hour": record["at"],
        "cadence": record["cadence"],
        "locale": record["locale"],
        "max_papers": record["max_papers"] or "",
    }


def _unread(line: int, why: str) -> Unread:
    # What is quoted of the line may hold characters that cannot be printed.
    return Unread(line, why.encode(errors="backslashreplace").decode())


def _csv_lines(lines: Iterator[str]) -> Iterator[tuple[int, dict[str, Any] | str]]:
    rows = csv.reader(lines, strict=True)
    try:
        header = [name.strip().casefold() for name in next(rows, [])]
    except csv.Error as error:
        yield 1, f"the header is no CSV: {error}"
        return
    if "email" not in header:
        yield 1, f"the header has no column email, but: {', '.join(header) or 'nothing'}"
        return
    if unknown := [name for name in header if name not in _COLUMNS]:
        yield 1, f"unknown columns are passed over: {', '.join(unknown)}"
    while True:
        start = rows.line_num + 1  # a row with a quoted line break goes on for several lines
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield start, f"no CSV: {error}"
            continue
        if not any(cell.strip() for cell in row):
            continue
        if len(row) > len(header):
            yield start, f"{len(row)} values for {len(header)} columns"
        else:
            yield start, dict(zip(header, row, strict=False))


def _json_lines(lines: Iterator[str]) -> Iterator[tuple[int, dict[str, Any] | str]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield number, f"no JSON: {error}"
            continue
        yield number, record if isinstance(record, dict) else "no JSON object"


def _import_row(
    record: Mapping[str, Any], source: str, now: datetime, admit: Callable[[str], str]
) -> ImportRow:
    preferences = {_PREFERENCE_OF.get(name, name): value for name, value in record.items()}
    topics = record.get("topics") or []
    if isinstance(topics, str):
        topics = [topic for topic in topics.split(";") if topic.strip()]
    if not isinstance(topics, list):
        raise PreferenceError("topics: expected a list")
    consent, evidence = _consent(record, source, now)
    return ImportRow(
        address=admit(str(record.get("email") or "")),
        topics=parse_topics(map(str, topics)),
        preferences=Preferences.from_json(preferences),
        consent=consent,
        evidence=evidence,
        ratings=_ratings(record.get("opinions") or []),
        suppression=_suppression(record.get("suppressed")),
    )


def _consent(
    record: Mapping[str, Any], source: str, now: datetime
) -> tuple[Consent, tuple[Evidence, ...]]:
    """Read what a record says of consent, with the evidence for it."""
    stated = str(record.get("consent") or "").strip() or Consent.PENDING
    if stated in set(Consent):
        consent = Consent(stated)
        if own := record.get("evidence"):
            return consent, tuple(map(_evidence, own if isinstance(own, list) else [own]))
        return consent, (Evidence(_STATES[consent], now, source),)
    return Consent.CONFIRMED, (Evidence(ConsentEvent.CONFIRMED, _moment(stated), source),)


@contextmanager
def _expecting(form: str, record: Any) -> Iterator[None]:
    """Say which form was expected of a record that cannot be read."""
    try:
        yield
    except (KeyError, TypeError, ValueError, PreferenceError):
        raise PreferenceError(f"{form}, got {record!r}") from None


def _evidence(record: Any) -> Evidence:
    with _expecting("evidence: expected event, at and source", record):
        return Evidence(
            event=ConsentEvent(record["event"]),
            at=_moment(str(record["at"])),
            source=_printable(record["source"])[:64],
            client=_printable(record.get("client", ""))[:45],
        )


def _ratings(records: Any) -> tuple[Rating, ...]:
    with _expecting("opinions: expected each with paper, verdict and at", records):
        ratings = [
            Rating(
                paper=_printable(record["paper"])[:80],
                verdict=Verdict(record["verdict"]),
                at=_moment(str(record["at"])),
            )
            for record in records
        ]
        return tuple({rating.paper: rating for rating in ratings}.values())


def _printable(value: Any) -> str:
    """Return a value as text. Raises ValueError for what a database refuses: NUL, surrogates."""
    text = str(value)
    if not text.isprintable():
        raise ValueError(text)
    return text


def _suppression(record: Any) -> Suppression | None:
    if not record:
        return None
    with _expecting("suppressed: expected reason and at", record):
        return Suppression(SuppressionReason(record["reason"]), _moment(str(record["at"])))


def _moment(typed: str) -> datetime:
    try:
        moment = datetime.fromisoformat(typed)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # in UTC it may be before year 1, or after 9999
        raise PreferenceError(
            f"consent: {typed!r} is neither a time like 2026-01-31T08:00:00Z nor one of "
            f"{', '.join(Consent)}"
        ) from None
