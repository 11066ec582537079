"""Take the entries out of files of references: BibTeX, RIS, EndNote, CSL-JSON, CSV. Pure.

An entry is what the file says under each name, whatever form it has; what of it is a paper,
``bibliography`` reads. Nothing here raises for what is in a file, and all of it takes time in
proportion to its length.
"""

import csv
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from subscribers.sentences import Sentence

# Of Zotero, Mendeley, JabRef and Google Scholar, written without case, blanks and signs.
_TITLE = frozenset("title ti t1 %t documenttitle papertitle".split())
_ABSTRACT = frozenset("abstract abstractnote ab n2 %x".split())
_DOI = frozenset("doi do %r".split())
_MOST_COLUMNS = 300

_RIS = re.compile(r"([A-Z][A-Z0-9])  ?-(?: |$)(.*)")
_ENDNOTE = re.compile(r"(%[A-Z0-9@!?$&(*+>^#=~]) (.*)")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a file: the place of it, its texts as they stand there, or why there are none.

    ``others`` are all other texts, in which an arXiv id may stand.
    """

    where: Sentence
    title: str = ""
    abstract: str = ""
    doi: str = ""
    others: tuple[str, ...] = ()
    fault: Sentence | None = None


def entries_of(text: str) -> tuple[str, Iterator[Entry]] | None:
    """Return the form of a file, in words, and its entries; None if it is of no form known here."""
    head = text.lstrip()
    if head[:1] in ("[", "{") and (records := _json_list(head)) is not None:
        return "CSL-JSON", _of_records(records)
    if re.search(r"^[ \t]*@[A-Za-z]+[ \t]*[{(]", text, re.MULTILINE):
        return "BibTeX", _bibtex(text)
    if re.search(r"^TY  ?-", text, re.MULTILINE):
        return "RIS", _tagged(text, _RIS, first="TY", last="ER")
    if re.search(r"^%0 ", text, re.MULTILINE):
        return "EndNote", _tagged(text, _ENDNOTE, first="%0", last="")
    for delimiter in (",", ";", "\t"):
        names = _row(head.partition("\n")[0], delimiter)
        if len(names) > 1 and any(_name(name) in _TITLE for name in names):
            return "CSV", _csv(head, delimiter)
    return None


def _entry(where: Sentence, fields: list[tuple[str, str]]) -> Entry:
    def first(names: frozenset[str]) -> str:
        return next((text for name, text in fields if name in names and text.strip()), "")

    known = _TITLE | _ABSTRACT | _DOI
    others = tuple(text for name, text in fields if name not in known)
    return Entry(where, first(_TITLE), first(_ABSTRACT), first(_DOI), others)


def _line(number: int) -> Sentence:
    return Sentence("line %(number)s", number=number)


def _name(written: str) -> str:
    return re.sub(r"[^a-z0-9%]", "", written.casefold())


# ---- the forms -------------------------------------------------------------------------------


def _bibtex(text: str) -> Iterator[Entry]:
    # Loaded when it is needed, which is seldom, because it takes a tenth of a second.
    from bibtexparser import model, splitter  # noqa: PLC0415

    # It tells of each fault in the file, in the file's own words.
    logging.getLogger("bibtexparser.splitter").setLevel(logging.CRITICAL)
    for block in splitter.Splitter(text).split().blocks:
        where = _line((block.start_line or 0) + 1)
        found: Any = block
        if isinstance(block, model.DuplicateBlockKeyBlock | model.DuplicateFieldKeyBlock):
            found = block.ignore_error_block  # the same key, or the same field, twice
        if isinstance(found, model.Entry):
            fields = [(_name(field.key), _unquoted(str(field.value))) for field in found.fields]
            yield _entry(where, fields)
        elif isinstance(block, model.ParsingFailedBlock):
            yield Entry(where, fault=Sentence("a bracket, comma or quotation mark is missing"))


def _unquoted(value: str) -> str:
    value = value.strip()
    return value[1:-1] if value[:1] + value[-1:] in ("{}", '""') else value


def _tagged(text: str, tag: re.Pattern[str], first: str, last: str) -> Iterator[Entry]:
    """Yield entries of lines that begin with a tag; other lines continue the one before."""
    fields: list[tuple[str, list[str]]] = []
    begun = 1

    def whole() -> Entry:
        told = [(_name(name), "\n".join(lines)) for name, lines in fields]
        return _entry(_line(begun), told)

    for number, line in enumerate(text.splitlines(), 1):
        found = tag.match(line)
        if found is None:
            if fields and line.strip():
                fields[-1][1].append(line)
            continue
        if found[1] in (first, last) and fields:
            yield whole()
            fields = []
        if found[1] == first:
            begun = number
        if found[1] != last and (fields or found[1] == first):
            fields.append((found[1], [found[2]]))
    if fields:
        yield whole()


def _json_list(text: str) -> list[Any] | None:
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(read, dict):
        read = read.get("items", [read])
    return read if isinstance(read, list) else None


def _of_records(records: list[Any]) -> Iterator[Entry]:
    for number, record in enumerate(records, 1):
        where = Sentence("entry %(number)s", number=number)
        if isinstance(record, dict):
            said = [(_name(str(name)), text) for name, text in record.items()]
            yield _entry(where, [(n, t) for n, t in said if isinstance(t, str)])
        else:
            yield Entry(where, fault=Sentence("it is no object"))


def _csv(text: str, delimiter: str) -> Iterator[Entry]:
    lines = csv.reader(text.splitlines(keepends=True), delimiter=delimiter)
    names = list(map(_name, next(lines)[:_MOST_COLUMNS]))
    while True:
        number = lines.line_num + 1
        try:
            row = next(lines)
        except StopIteration:
            return
        except csv.Error:
            yield Entry(_line(number), fault=Sentence("it is not CSV"))
            continue
        if any(map(str.strip, row)):
            yield _entry(_line(number), list(zip(names, row, strict=False)))


def _row(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []
