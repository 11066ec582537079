"""What mail systems say: each line of the data is a pattern, and stands in its section once."""

import re
import tomllib
from importlib.resources import files

import pytest

from digest.inbound.phrases import phrases

TEXT = files("digest.inbound").joinpath("phrases.toml").read_text("utf-8")
SECTIONS = tomllib.loads(TEXT)
LINES = [
    (name, line)
    for name, text in SECTIONS.items()
    for line in text.splitlines()
    if not line.startswith("#")
]


@pytest.mark.parametrize(("name", "line"), LINES)
def test_each_line_is_a_pattern_that_finds_something_and_not_everything(name, line):
    pattern = re.compile(line.replace("{nobody}", "user"), re.IGNORECASE)
    assert line.strip() == line != ""
    assert not pattern.search("")
    assert LINES.count((name, line)) == 1
    assert line.replace("{nobody}", "") in phrases(name).pattern.replace(
        f"(?:{phrases('nobody').pattern})", ""
    )


def test_letter_case_is_ignored_and_a_comment_is_none_of_the_lines():
    assert phrases("delay").search("DELAYED MAIL")
    assert "Microsoft" not in phrases("dead_address").pattern


def test_somebody_stands_for_any_of_the_words():
    for word in ("user", "mailbox", "mail box", "subscriber"):
        assert phrases("dead_address").search(f"no such {word}")
