"""docs/security.md: the bounds that it states are those of the code."""

import re
from importlib import import_module
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "security.md"
UNITS = {"MiB": 1024**2, "KiB": 1024, "seconds": 1, "megabytes": 1, "": 1}
ROW = re.compile(r"\| (?P<input>[^|]+) \| (?P<bound>\d+) ?(?P<unit>\w*) \| `(?P<name>[\w.]+)` \|")
BOUNDS = [
    row.groupdict() for row in map(ROW.fullmatch, PAGE.read_text("utf-8").splitlines()) if row
]


@pytest.mark.parametrize("row", BOUNDS, ids=lambda row: row["name"])
def test_a_bound_is_that_of_the_code(row):
    module, _, name = row["name"].rpartition(".")
    assert int(row["bound"]) * UNITS[row["unit"]] == getattr(import_module(module), name)


def test_every_row_with_a_name_of_the_code_is_compared():
    named = re.findall(
        r"\| `(?:digest|subscribers)\.[\w.]+` \|$", PAGE.read_text("utf-8"), re.MULTILINE
    )
    assert len(named) == len(BOUNDS) > 20
