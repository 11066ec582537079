"""What is different between two folders of templates, line by line."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

_CONTEXT = 3


class Kind(StrEnum):
    SAME = "same"
    GONE = "gone"
    ADDED = "added"
    GAP = "gap"  # lines that are the same, left out


@dataclass(frozen=True, slots=True)
class Row:
    """A line with its numbers before and now; 0 where it is not there."""

    kind: Kind
    text: str = ""
    before: int = 0
    now: int = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """A file that is not what it was. ``what`` says it in a word: changed, new, removed."""

    name: str
    what: str
    rows: tuple[Row, ...]

    def count(self, kind: str) -> int:
        """How many of its lines are of a kind."""
        return sum(row.kind == kind for row in self.rows)


def differences(before: Path, now: Path, *, all_of_before: bool) -> list[Difference]:
    """The files that differ, by name.

    Without ``all_of_before``, ``now`` is a folder that needs to hold only what an operator changed,
    and a file that it lacks is no difference.
    """
    names = _names(now) | (_names(before) if all_of_before else set())
    found = []
    for name in sorted(names):
        old, new = _lines(before / name), _lines(now / name)
        if old != new:
            what = "new" if old is None else "removed" if new is None else "changed"
            found.append(Difference(name, what, tuple(_rows(old or [], new or []))))
    return found


def _names(folder: Path) -> set[str]:
    """The files below a folder, but for the hidden ones."""
    names = (file.relative_to(folder) for file in folder.rglob("*") if file.is_file())
    return {
        name.as_posix() for name in names if not any(part.startswith(".") for part in name.parts)
    }


def _lines(file: Path) -> list[str] | None:
    """None for a file that is not there. What is no text shows as good as it can."""
    if not file.is_file():
        return None
    return file.read_text(encoding="utf-8", errors="replace").split("\n")


def _rows(old: list[str], new: list[str]) -> Iterator[Row]:
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for number, group in enumerate(matcher.get_grouped_opcodes(_CONTEXT)):
        if number:
            yield Row(Kind.GAP)
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                for i, j in zip(range(i1, i2), range(j1, j2), strict=True):
                    yield Row(Kind.SAME, old[i], i + 1, j + 1)
                continue
            for i in range(i1, i2):
                yield Row(Kind.GONE, old[i], before=i + 1)
            for j in range(j1, j2):
                yield Row(Kind.ADDED, new[j], now=j + 1)
