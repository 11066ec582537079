"""Describe an email beside its picture: sizes, findings, lines of its sources."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from digest.checks.finding import Finding, Level
from digest.compose.composer import REFUSE_AT, WARN_AT
from digest.compose.source_map import Rendered
from digest.studio.preview import Preview

AROUND = 5  # lines, above and below one that is shown


@dataclass(frozen=True, slots=True)
class Size:
    """The size of a part of an email, in octets, with its limits."""

    part: str
    octets: int
    warn_at: int = WARN_AT
    refuse_at: int = REFUSE_AT

    @property
    def level(self) -> str:
        """Return its CSS class."""
        if self.octets >= self.refuse_at:
            return "bad"
        return "warn" if self.octets >= self.warn_at else "good"

    @property
    def shown(self) -> str:
        return f"{self.octets / 1000:.1f} KB"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file; ``place`` is the template line that a line of MJML is from."""

    number: int
    text: str
    place: str = ""
    is_marked: bool = False


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A place, and the file and its lines; these are empty if there is no such file."""

    template: str
    line: int
    file: str = ""
    lines: tuple[Line, ...] = ()


def sizes(preview: Preview) -> list[Size]:
    """Return the sizes of the parts that a mail program may cut off."""
    content = preview.content
    parts = {"HTML": content.html.encode(), "Text": content.text.encode()}
    return [Size(part, len(octets)) for part, octets in parts.items()]


def tally(findings: tuple[Finding, ...]) -> str:
    """Return how many findings there are of each level: 0 errors, 2 notes."""
    counts = Counter(found.level for found in findings)
    said = [
        f"{counts[level]} {level.value}{'' if counts[level] == 1 else 's'}"
        for level in Level
        if counts[level] or level is Level.ERROR
    ]
    return ", ".join(said)


def worst(findings: tuple[Finding, ...]) -> str:
    """Return the CSS class of the tally."""
    levels = {found.level for found in findings}
    if Level.ERROR in levels:
        return "bad"
    return "warn" if Level.WARNING in levels else "good"


def head_of(message: bytes) -> str:
    """Return the header of a message, as it is sent."""
    return message.partition(b"\r\n\r\n")[0].decode("utf-8", "replace")


def source_lines(rendered: Rendered) -> Iterator[Line]:
    """Yield the lines of MJML with their places; a place is not repeated in the next line."""
    offset, last = 0, ""
    for number, text in enumerate(rendered.text.split("\n"), 1):
        blanks = len(text) - len(text.lstrip())
        place = rendered.place(offset + blanks)
        said = f"{place.template}:{place.line}"
        yield Line(number, text, "" if said == last else said)
        offset, last = offset + len(text) + 1, said


def excerpt(template: str, line: int, folders: Sequence[Path], around: int = AROUND) -> Excerpt:
    """Return a line of a template and those around it, from the first folder that has it."""
    file = next(filter(Path.is_file, (folder / template for folder in folders)), None)
    if file is None:
        return Excerpt(template, line)
    lines = file.read_text(encoding="utf-8", errors="replace").split("\n")
    first = max(1, line - around)
    shown = lines[first - 1 : line + around] if line else []
    return Excerpt(
        template,
        line,
        str(file),
        tuple(
            Line(number, text, is_marked=number == line) for number, text in enumerate(shown, first)
        ),
    )
