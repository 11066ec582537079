"""The records of people in a file: JSON lines, or CSV as Excel, Mailchimp or Google Forms write it.

Nothing else is known here about what the values mean. Pure, but for reading the file.
"""

import codecs
import csv
import json
import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from io import IncrementalNewlineDecoder
from itertools import chain
from typing import IO, Any

from subscribers.errors import HeaderError, LineError, SubscriberError
from subscribers.preferences import PREFERENCES
from subscribers.sentences import Sentence


@dataclass(frozen=True, slots=True)
class Remark:
    """What is to be told of a file and costs nobody: a line, from 1, and what it is.

    ``code`` tells programs what it is about, in any language.
    """

    line: int
    code: str
    what: Sentence


# A record with the number of its first line, from 1, or the reason why it cannot be read.
Records = Iterator[tuple[int, dict[str, Any] | SubscriberError | Remark]]

CHUNK = 1024 * 1024  # octets
MOST_LINES = 20  # of one row
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_ADDRESS_COLUMNS = (
    "email emailaddress mail mailaddress email1value emailadresse mailadresse adresseemail".split()
)
_KEYS = {key.replace("_", ""): key for key in ("topics", "consent", "papers", *PREFERENCES)}
_KEYS |= dict.fromkeys(_ADDRESS_COLUMNS, "email") | {"hour": "at"}
_STATED = re.compile(r'"?sep=([!#-/:-@\[-`{-~\t])"?', re.IGNORECASE)  # a sign of ASCII
_GUARDED = re.compile(r"'+[=+\-@\t\r]")  # a spreadsheet would run the rest as a formula


def decode(octets: IO[bytes]) -> tuple[str, Iterator[str]]:
    """Return the encoding of a file, and its lines without their ends."""
    head = octets.read(CHUNK)
    name, encoding, errors = "UTF-8", "utf-8-sig", "surrogateescape"
    if head[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
        name, encoding, errors = "UTF-16", "utf-16", "backslashreplace"

    def lines() -> Iterator[str]:
        # Octets that are not UTF-8 become characters that no address and no topic may have, so
        # that only their own line is lost.
        decoder = IncrementalNewlineDecoder(
            codecs.getincrementaldecoder(encoding)(errors), translate=True
        )
        rest = ""
        for chunk in chain([head], iter(partial(octets.read, CHUNK), b"")):
            *whole, rest = (rest + decoder.decode(chunk)).split("\n")
            yield from whole
        yield rest + decoder.decode(b"", final=True)

    return name, lines()


def read_records(lines: Iterator[str]) -> tuple[str, Records]:
    """Return the form of a file, in words, and its records."""
    numbered = enumerate(lines, 1)
    number, first = next(((n, line) for n, line in numbered if line.strip()), (1, ""))
    if first.lstrip().startswith("{"):
        return "JSON lines", _json_records(chain([(number, first)], numbered))
    stated = _STATED.fullmatch(first.strip("\r\n "))
    if stated:  # Excel's own note of the delimiter
        number, first = next(numbered, (number + 1, ""))
    headers = {mark: _header(first, mark) for mark in ([stated[1]] if stated else _DELIMITERS)}
    delimiter = max(headers, key=lambda mark: ("email" in headers[mark], len(headers[mark])))
    form = f"CSV separated by {_DELIMITERS.get(delimiter, delimiter)}"
    return form, _csv_records(headers[delimiter], number, numbered, delimiter)


def guarded(cell: str) -> str:
    """Return a cell of CSV that no spreadsheet takes for a formula; reading it removes the mark."""
    return f"'{cell}" if _GUARDED.match(f"'{cell}") else cell


def _header(line: str, delimiter: str) -> list[str]:
    """Return the columns of a header; known ones by the names of an export."""
    row = _row(line, delimiter)
    names = line.split(delimiter) if isinstance(row, LineError) else row
    return [_KEYS.get(re.sub(r"[\W_]", "", name).casefold(), name.strip()) for name in names]


def _csv_records(
    header: list[str], number: int, lines: Iterator[tuple[int, str]], delimiter: str
) -> Records:
    if "email" not in header:
        has = HeaderError("the header has no column email, but: %(names)s", names=", ".join(header))
        empty = HeaderError("the file is empty: expected a header with the column email")
        yield number, has if any(header) else empty
        return
    known = Counter(name for name in header if name in _KEYS.values())
    if repeated := [name for name, count in known.items() if count > 1]:
        yield (
            number,
            HeaderError(
                "the header has several columns for %(names)s: keep one of each",
                names=", ".join(repeated),
            ),
        )
        return
    if unknown := [name for name in header if name and name not in known]:
        ignored = Sentence("unknown columns are ignored: %(names)s", names=", ".join(unknown))
        yield number, Remark(number, "unknown-columns", ignored)
    for line, row in _rows(lines, delimiter):
        if isinstance(row, LineError):
            yield line, row
        elif len(row) > len(header) and any(cell.strip() for cell in row[len(header) :]):
            yield (
                line,
                LineError(
                    "there are %(values)s values for %(columns)s columns",
                    values=len(row),
                    columns=len(header),
                ),
            )
        elif any(cell.strip() for cell in row):
            cells = [cell[1:] if _GUARDED.match(cell) else cell for cell in row]
            yield line, dict(zip(header, cells, strict=False))


def _rows(
    lines: Iterator[tuple[int, str]], delimiter: str
) -> Iterator[tuple[int, list[str] | LineError]]:
    """Yield the rows of CSV, each with the number of its first line, or why it cannot be read.

    A quoted value may span lines. But a row has one address: if lines with two belong together,
    the quotation mark is a stray one, and only its own line is lost.
    """
    waiting: deque[tuple[int, str]] = deque()
    while start := waiting.popleft() if waiting else next(lines, None):
        number, text = start
        row = _row(text, delimiter)
        why, taken = row, list[tuple[int, str]]()
        while isinstance(row, LineError) and text.count("@") < 2 and len(taken) < MOST_LINES:
            following = waiting.popleft() if waiting else next(lines, None)
            if following is None:
                break
            taken.append(following)
            text = f"{text}\n{following[1]}"
            row = _row(text, delimiter)
        if taken and (isinstance(row, LineError) or text.count("@") > 1):
            waiting.extendleft(reversed(taken))
            row = why
        yield number, row


def _row(text: str, delimiter: str) -> list[str] | LineError:
    """Return the cells of a row, or why they cannot be read."""
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        if text.count('"') % 2:
            return LineError("not CSV: a quotation mark is not closed")
        return LineError("not CSV: %(why)s", why=str(error))


def _json_records(lines: Iterator[tuple[int, str]]) -> Records:
    for number, line in lines:
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield number, LineError("not JSON: %(why)s", why=str(error))
            continue
        if not isinstance(record, dict):
            yield number, LineError("not a JSON object")
            continue
        if "hour" in record:
            record["at"] = record.pop("hour")
        yield number, record
