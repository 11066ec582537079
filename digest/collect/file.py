"""Read a file: any recorded answer or saved page, told apart by its content."""

import codecs
import re
from collections.abc import Callable, Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any

from digest.collect import saved_page
from digest.collect.answer_reader import Reading, json_in
from digest.collect.arxiv_reader import read_feed
from digest.collect.huggingface import read_entries
from digest.errors import SourceError
from digest.model.papers import Harvest

LARGEST_FILE = 50 * 1024 * 1024


def read_file(path: Path, day: date | None, now: datetime) -> Harvest:
    """Return the sightings in a file. What cannot be read, even the whole file, is a rejection.

    The listing day is ``day``, else what the content states, else a date in the file's name
    (recorded API answers of the early years state it nowhere else). Without any of them a paper is
    rejected: it may be years old, and must not be mailed as today's.
    """
    reading = Reading(file=str(path), seen_at=now, day=day, fallback_day=_day_in_name(path))
    try:
        with path.open("rb") as opened:  # not by its size: a device has none
            content = opened.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise SourceError(f"larger than {LARGEST_FILE} bytes")
        harvest = read_content(content, reading)
    except (OSError, SourceError) as error:
        why = getattr(error, "strerror", None) or str(error).removeprefix(f"{path}: ")
        return Harvest(rejected=(reading.reject("whole file", why),))
    reasons = {rejection.why for rejection in harvest.rejected}
    if not harvest.sightings and len(harvest.rejected) > 1 and len(reasons) == 1:
        return Harvest(rejected=(reading.reject("whole file", *reasons),))
    return harvest


def files_in(paths: Iterable[Path]) -> list[Path]:
    """Return the files that are named, and those in the folders that are named."""
    return [
        file
        for path in paths
        for file in (sorted(filter(Path.is_file, path.iterdir())) if path.is_dir() else [path])
    ]


def read_content(body: bytes, reading: Reading) -> Harvest:
    """Read a recorded answer of any kind. Raises SourceError for a content of no known kind."""
    head = body.removeprefix(codecs.BOM_UTF8).lstrip()[:1]
    if head in (b"[", b"{"):
        return _read_json(body, reading)
    text = body.decode("utf-8", errors="replace")
    if saved_page.is_html_page(text):
        return saved_page.read_html_page(text, reading)
    if saved_page.is_text_page(text):
        return saved_page.read_text_page(text, reading)
    if head == b"<":
        return read_feed(body, reading)
    raise SourceError(
        f"{reading.file}: neither an answer of Hugging Face or arXiv nor a saved Daily Papers page"
    )


def _read_json(body: bytes, reading: Reading) -> Harvest:
    content = json_in(body, reading.file)
    if isinstance(content, list):
        return read_entries(content, reading)
    for field, read in _IN_OBJECT.items():
        if field in content:
            return read(content[field], reading)
    known = ", ".join(_IN_OBJECT)
    raise SourceError(f"{reading.file}: a JSON object with none of the fields {known}")


def _read_recorded_body(body: Any, reading: Reading) -> Harvest:
    """Read an HTTP exchange kept as JSON, its body as text.

    Some recorders took UTF-8 for Latin-1 (the old default of HTTP), which is undone. A text that
    was decoded rightly and is not all ASCII does not survive the way back, and is left as it is.
    """
    if not isinstance(body, str):
        raise SourceError(f"{reading.file}: the recorded body is no text")
    try:
        content = body.encode("latin-1").decode("utf-8").encode()
    except UnicodeError:
        content = body.encode(errors="replace")  # JSON can name half a surrogate pair
    return read_feed(content, reading)


# Objects around the list of entries, and around a recorded exchange.
_IN_OBJECT: dict[str, Callable[[Any, Reading], Harvest]] = {
    "dailyPapers": read_entries,
    "data": read_entries,
    "body": _read_recorded_body,
}


def _day_in_name(path: Path) -> date | None:
    found = re.search(r"\d{4}-\d{2}-\d{2}", path.name)
    try:
        return date.fromisoformat(found[0]) if found else None
    except ValueError:
        return None
