"""What mail systems write: each line of the data is a pattern, and stands in its section once."""

import re
import tomllib
from importlib.resources import files

import pytest

from digest.inbound.phrases import phrases

TEXT = files("digest.inbound").joinpath("phrases.toml").read_text("utf-8")
SECTIONS = tomllib.loads(TEXT)
LINES = [(name, line) for name, text in SECTIONS.items() for line in text.splitlines()]


@pytest.mark.parametrize(("name", "line"), LINES)
def test_each_line_is_a_pattern_that_finds_something_and_not_everything(name, line):
    pattern = re.compile(line, re.IGNORECASE)
    assert line.strip() == line != ""
    assert not pattern.search("")
    assert LINES.count((name, line)) == 1
    assert line in phrases(name).pattern


def test_letter_case_is_ignored():
    assert phrases("delay").search("DELAYED MAIL")
