"""People as records, for export and import. Pure.

A record has ``email`` and, all optional, ``topics`` (a list, or text separated by ``;``), any of
the preferences, ``papers`` (a text with arXiv ids and links), and ``consent``: the moment when the
person agreed (ISO 8601), or ``confirmed`` if that is not known. Without it the person is pending
and gets nothing. JSON also has evidence, ratings, own papers as they are stored, and blocks.
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
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
from subscribers.own_papers import (
    LONGEST_ABSTRACT,
    LONGEST_TITLE,
    MOST_OWN_PAPERS,
    GivenPapers,
    OwnPaper,
    ReadPapers,
    joined,
)
from subscribers.preferences import PREFERENCES, Preferences
from subscribers.records import Records, Remark, guarded
from subscribers.sentences import Sentence
from subscribers.topics import TopicFilter, join_topics, parse_topics, split_topics

_STATES = {
    Consent.PENDING: ConsentEvent.ASKED,
    Consent.CONFIRMED: ConsentEvent.VOUCHED,
    Consent.WITHDRAWN: ConsentEvent.WITHDRAWN,
}


@dataclass(frozen=True, slots=True)
class ImportRow:
    """A person in a file. ``suppression`` is a block on the address where it was exported."""

    address: str
    topics: tuple[TopicFilter, ...]
    preferences: Preferences
    consent: Consent
    evidence: tuple[Evidence, ...]
    ratings: tuple[Rating, ...]
    papers: tuple[OwnPaper, ...]
    suppression: Suppression | None


Say = Callable[[Sentence], str]  # says a sentence in a language


@dataclass(frozen=True, slots=True)
class Unread:
    """A line that cannot be read: its number in the file, from 1, and the reason."""

    line: int
    why: SubscriberError

    def said(self, say: Say = str) -> str:
        """Return the reason, by default in English."""
        return sayable(say(self.why))


def sayable(text: str) -> str:
    """Return a text that quotes a file, in which there may be what cannot be encoded."""
    return text.encode(errors="backslashreplace").decode()


def read_people(
    records: Records,
    *,
    source: str,
    now: datetime,
    admit: Callable[[str], str] = normalise_address,
    read_papers: ReadPapers | None = None,
) -> Iterator[ImportRow | Unread | Remark]:
    """Yield the people in records, the lines that cannot be read, and remarks.

    ``source`` and ``now`` are stored as evidence where a record has none. ``admit`` normalises an
    address, or raises AddressError. ``read_papers`` reads the papers in a text, as CSV has them.
    """
    for line, record in records:
        if isinstance(record, Remark):
            yield record
            continue
        try:
            if isinstance(record, SubscriberError):
                raise record
            given = _papers(record.get("papers") or [], now, read_papers)
            yield _import_row(record, source, now, admit, given.papers)
            for why in given.left_out:
                yield Remark(line, "paper", Sentence("papers: %(why)s", why=why))
        except SubscriberError as error:
            yield Unread(line, error)


def to_record(file: PersonFile) -> dict[str, Any]:
    """Return everything that is stored about a person, for ``read_people`` to read."""
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
        "papers": [
            {
                "paper": own.paper,
                "title": own.title,
                "abstract": own.abstract,
                "at": own.at.isoformat(),
            }
            for own in file.papers
        ],
        **({"moving_to": file.moving_to} if file.moving_to else {}),
        "suppressed": blocked and {"reason": blocked.reason.value, "at": blocked.at.isoformat()},
    }


def to_csv_row(file: PersonFile) -> dict[str, str]:
    """Return the cells of a person in CSV, which has no evidence but the last consent."""
    record = to_record(file)
    given = {ConsentEvent.CONFIRMED, ConsentEvent.VOUCHED, ConsentEvent.UNDONE}
    agreed = [item.at.isoformat() for item in file.evidence if item.event in given]
    confirmed = file.subscriber.consent is Consent.CONFIRMED and agreed
    cells = {
        "email": record["email"],
        "topics": join_topics(record["topics"]),
        "consent": agreed[-1] if confirmed else record["consent"],
        **{name: record[name] for name in PREFERENCES},
        "exclusions": join_topics(record["exclusions"]),
        "follows": join_topics(record["follows"]),
    }
    return {name: "" if cell is None else guarded(str(cell)) for name, cell in cells.items()}


def json_line(file: PersonFile) -> str:
    """Return a person as a line of an export in JSON lines."""
    return json.dumps(to_record(file), ensure_ascii=False) + "\n"


class _AsSaid:
    """What a writer of CSV writes to: a line is what its ``writerow`` returns."""

    def write(self, line: str) -> str:
        return line


def csv_lines(files: Iterable[PersonFile]) -> Iterator[str]:
    """Yield the header and the lines of an export in CSV."""
    writer = None
    for file in files:
        row = to_csv_row(file)
        if writer is None:
            writer = csv.DictWriter(_AsSaid(), row, lineterminator="\n")
            yield str(writer.writeheader())
        yield str(writer.writerow(row))
    if writer is None:
        yield "email\n"


def _import_row(
    record: Mapping[str, Any],
    source: str,
    now: datetime,
    admit: Callable[[str], str],
    papers: tuple[OwnPaper, ...],
) -> ImportRow:
    topics = record.get("topics") or []
    if isinstance(topics, str):
        topics = split_topics(topics)
    if not isinstance(topics, list):
        raise PreferenceError("topics: expected a list")
    consent, evidence = _consent(record, source, now)
    return ImportRow(
        address=admit(str(record.get("email") or "")),
        topics=parse_topics(map(str, topics)),
        preferences=Preferences.from_json(record),
        consent=consent,
        evidence=evidence,
        ratings=_ratings(record.get("opinions") or []),
        papers=papers,
        suppression=_suppression(record.get("suppressed")),
    )


def _consent(
    record: Mapping[str, Any], source: str, now: datetime
) -> tuple[Consent, tuple[Evidence, ...]]:
    """Return the consent that a record states, with its evidence."""
    stated = str(record.get("consent") or "").strip() or Consent.PENDING
    if stated in set(Consent):
        consent = Consent(stated)
        if own := record.get("evidence"):
            return consent, tuple(map(_evidence, own if isinstance(own, list) else [own]))
        return consent, (Evidence(_STATES[consent], now, source),)
    return Consent.CONFIRMED, (Evidence(ConsentEvent.CONFIRMED, _moment(stated), source),)


@contextmanager
def _expecting(form: Sentence, record: Any) -> Iterator[None]:
    """Raise PreferenceError with the expected form if a record cannot be read."""
    try:
        yield
    except (KeyError, TypeError, ValueError, PreferenceError):
        raise PreferenceError(
            "%(expected)s, got %(typed)s", expected=form, typed=repr(record)
        ) from None


def _evidence(record: Any) -> Evidence:
    with _expecting(Sentence("evidence: expected event, at and source"), record):
        return Evidence(
            event=ConsentEvent(record["event"]),
            at=_moment(str(record["at"])),
            source=_printable(record["source"])[:64],
            client=_printable(record.get("client", ""))[:45],
        )


def _ratings(records: Any) -> tuple[Rating, ...]:
    with _expecting(Sentence("opinions: expected each with paper, verdict and at"), records):
        ratings = [
            Rating(
                paper=_printable(record["paper"])[:80],
                verdict=Verdict(record["verdict"]),
                at=_moment(str(record["at"])),
            )
            for record in records
        ]
        return tuple({rating.paper: rating for rating in ratings}.values())


def _papers(records: Any, now: datetime, read_papers: ReadPapers | None) -> GivenPapers:
    """Return a person's own papers: as exported, or as a text with ids and links."""
    if isinstance(records, str):
        if read_papers is None:
            raise PreferenceError("papers: a text of papers cannot be read here")
        return read_papers(records, now)
    with _expecting(Sentence("papers: expected each with paper, title, abstract and at"), records):
        papers = [
            OwnPaper(
                paper=_printable(record["paper"])[:80],
                title=_printable(record["title"])[:LONGEST_TITLE],
                abstract=_printable(record["abstract"])[:LONGEST_ABSTRACT],
                at=_moment(str(record["at"])),
            )
            for record in records
        ]
    kept, too_many = joined((), papers)
    if too_many:
        raise PreferenceError(
            "papers: at most %(most)s, but these are %(has)s", most=MOST_OWN_PAPERS, has=len(papers)
        )
    return GivenPapers(tuple(kept))


def _printable(value: Any) -> str:
    """Return a value as text. Raises ValueError for NUL and surrogates: no database takes them."""
    text = str(value)
    if not text.isprintable():
        raise ValueError(text)
    return text


def _suppression(record: Any) -> Suppression | None:
    if not record:
        return None
    with _expecting(Sentence("suppressed: expected reason and at"), record):
        return Suppression(SuppressionReason(record["reason"]), _moment(str(record["at"])))


def _moment(typed: str) -> datetime:
    try:
        moment = datetime.fromisoformat(typed)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # converted to UTC it may be before year 1 or after 9999
        raise PreferenceError(
            "consent: %(typed)s is neither a time like 2026-01-31T08:00:00Z nor one of %(names)s",
            typed=repr(typed),
            names=", ".join(Consent),
        ) from None
