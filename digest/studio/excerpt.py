"""A place in a template, with the lines around it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

AROUND = 5


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    text: str
    is_marked: bool


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Where something is. ``file`` and ``lines`` are empty where there is nothing to show."""

    template: str
    line: int
    file: str = ""
    lines: tuple[Line, ...] = ()


def excerpt(template: str, line: int, folders: Sequence[Path], around: int = AROUND) -> Excerpt:
    """A line of a template; the first of ``folders`` that has the template is where it is from."""
    file = next((each / template for each in folders if (each / template).is_file()), None)
    if file is None:
        return Excerpt(template, line)
    lines = file.read_text(encoding="utf-8", errors="replace").split("\n")
    first = max(1, line - around)
    shown = lines[first - 1 : line + around] if line else []
    return Excerpt(
        template,
        line,
        str(file),
        tuple(Line(number, text, number == line) for number, text in enumerate(shown, first)),
    )
