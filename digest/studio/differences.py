"""Compare two folders of templates, line by line."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_CONTEXT = 3


@dataclass(frozen=True, slots=True)
class Row:
    """A line with its numbers before and now, each 0 if it is not in that version.

    ``kind`` is same, gone, added, or gap (equal lines, left out).
    """

    kind: str
    text: str = ""
    before: int = 0
    now: int = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """A file that differs; ``what`` is changed, new or removed."""

    name: str
    what: str
    rows: tuple[Row, ...]

    def count(self, kind: str) -> int:
        """Return how many of its rows are of a kind."""
        return sum(row.kind == kind for row in self.rows)


def differences(before: Path, now: Path, *, all_of_before: bool) -> list[Difference]:
    """Return the files that differ, by name.

    Without ``all_of_before``, ``now`` may hold only the files that an operator changed, and a file
    that it lacks is no difference.
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
    """Return the names of the files below a folder, without hidden ones."""
    names = (file.relative_to(folder) for file in folder.rglob("*") if file.is_file())
    return {
        name.as_posix() for name in names if not any(part.startswith(".") for part in name.parts)
    }


def _lines(file: Path) -> list[str] | None:
    """Return the lines of a file, None if it does not exist; malformed UTF-8 is replaced."""
    if not file.is_file():
        return None
    return file.read_text(encoding="utf-8", errors="replace").split("\n")


def _rows(old: list[str], new: list[str]) -> Iterator[Row]:
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for number, group in enumerate(matcher.get_grouped_opcodes(_CONTEXT)):
        if number:
            yield Row("gap")
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                for i, j in zip(range(i1, i2), range(j1, j2), strict=True):
                    yield Row("same", old[i], i + 1, j + 1)
                continue
            for i in range(i1, i2):
                yield Row("gone", old[i], before=i + 1)
            for j in range(j1, j2):
                yield Row("added", new[j], now=j + 1)
