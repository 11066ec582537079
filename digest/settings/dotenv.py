"""Change a `.env` file: its other lines stay as they are. Pure."""

import re
from collections.abc import Mapping
from io import StringIO

from dotenv.parser import parse_stream

_PLAIN = re.compile(r"[\w@%+=:,./-]+", re.ASCII)


def with_values(text: str, values: Mapping[str, str]) -> str:
    """Return the text of a `.env` file with these variables set, each in one place.

    A variable that the file has keeps its place; new ones stand at the end. A value is one line.
    """
    lines: list[str] = []
    missing = dict(values)
    for binding in parse_stream(StringIO(text)):
        original = binding.original.string
        if binding.key not in values:
            lines.append(original)
        elif binding.key in missing:
            above = original[: len(original) - len(original.lstrip())]
            lines.append(above + _line(binding.key, missing.pop(binding.key)))
    kept = "".join(lines)
    between = "" if not kept or kept.endswith("\n") else "\n"
    return kept + between + "".join(_line(name, value) for name, value in missing.items())


def _line(name: str, value: str) -> str:
    if not _PLAIN.fullmatch(value):
        value = "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return f"{name}={value}\n"
