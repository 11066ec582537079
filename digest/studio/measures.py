"""What the page says of a mail beside showing it. Pure."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from digest.checks.finding import Finding, Level
from digest.compose.composer import REFUSE_AT, WARN_AT
from digest.compose.source_map import Rendered
from digest.studio.preview import Preview


@dataclass(frozen=True, slots=True)
class Size:
    """How large a part of a mail is, in octets, beside what is too much of it."""

    part: str
    octets: int
    warn_at: int = WARN_AT
    refuse_at: int = REFUSE_AT

    @property
    def level(self) -> str:
        """The class that it is shown in."""
        if self.octets >= self.refuse_at:
            return "bad"
        return "warn" if self.octets >= self.warn_at else "good"

    @property
    def shown(self) -> str:
        return f"{self.octets / 1000:.1f} KB"


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of MJML, and the line of a template that it is from, where that is another one."""

    number: int
    text: str
    place: str


def sizes(preview: Preview) -> list[Size]:
    """The parts that a mail program may cut off."""
    content = preview.content
    parts = {"HTML": content.html.encode(), "Text": content.text.encode()}
    return [Size(part, len(octets)) for part, octets in parts.items()]


def tally(findings: tuple[Finding, ...]) -> str:
    """How many there are of each level: 0 errors, 2 notes."""
    counts = Counter(found.level for found in findings)
    said = [
        f"{counts[level]} {level.value}{'' if counts[level] == 1 else 's'}"
        for level in Level
        if counts[level] or level is Level.ERROR
    ]
    return ", ".join(said)


def worst(findings: tuple[Finding, ...]) -> str:
    """The class that the tally is shown in."""
    levels = {found.level for found in findings}
    if Level.ERROR in levels:
        return "bad"
    return "warn" if Level.WARNING in levels else "good"


def head_of(message: bytes) -> str:
    """The header of a message, as it goes over the wire."""
    return message.partition(b"\r\n\r\n")[0].decode("utf-8", "replace")


def source_lines(rendered: Rendered) -> Iterator[SourceLine]:
    """The lines of MJML with their places; a place that goes on is not said again."""
    offset, last = 0, ""
    for number, text in enumerate(rendered.text.split("\n"), 1):
        blanks = len(text) - len(text.lstrip())
        place = rendered.place(offset + blanks)
        said = f"{place.template}:{place.line}"
        yield SourceLine(number, text, "" if said == last else said)
        offset, last = offset + len(text) + 1, said
