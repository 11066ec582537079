"""The help of every command: sections, and examples that can be typed."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from digest.cli.main import SECTIONS, cli


def commands() -> Iterator[tuple[str, Any]]:
    """Yield the words and the command of each command, and of each in a group."""
    for name, lazy in get_command(cli).commands.items():
        command = lazy.load()
        for below, part in getattr(command, "commands", {"": command}).items():
            yield f"{name} {below}".strip(), part


COMMANDS = dict(commands())
EACH = pytest.mark.parametrize("words", COMMANDS)


def examples(words: str) -> list[str]:
    return re.findall(r"^\$ digest (.+?)(?: > .*)?$", COMMANDS[words].help, re.MULTILINE)


@EACH
def test_each_command_has_examples_that_can_be_typed(words: str) -> None:
    assert examples(words)
    for example in examples(words):
        assert example.startswith(words)
        COMMANDS[words].make_context(words, shlex.split(example.removeprefix(words)))


@EACH
def test_each_example_is_a_line_of_the_help(words: str) -> None:
    said = CliRunner().invoke(cli, [*words.split(), "--help"]).output
    assert [line for line in said.splitlines() if line.startswith("  $ digest ")] == [
        f"  {line}" for line in re.findall(r"^\$ digest .+$", COMMANDS[words].help, re.MULTILINE)
    ]


@EACH
def test_each_result_can_be_had_as_json(words: str) -> None:
    """But where nothing is printed but lines while it runs, or what is printed is a form itself."""
    options = {option for parameter in COMMANDS[words].params for option in parameter.opts}
    others = {"up", "schedule", "serve", "worker", "studio", "subscribers export", "embed"}
    assert ("--json" in options) == (words not in others)


GROUPS = [words.split()[0] for words in COMMANDS if " " in words]


@pytest.mark.parametrize("name", sorted(set(GROUPS)))
def test_each_line_in_the_list_of_a_group_is_a_whole_sentence(name: str) -> None:
    said = CliRunner().invoke(cli, [name, "--help"]).output.partition("Commands:\n")[2]
    listed = [line for line in said.splitlines() if line]
    assert len(listed) == GROUPS.count(name)
    assert [line for line in listed if not re.search(r"\w\.$", line) or len(line) > 80] == []


def test_commands_are_listed_by_section() -> None:
    said = CliRunner().invoke(cli, ["--help"]).output
    titles = re.findall(r"^(\w+):$", said, re.MULTILINE)
    assert titles == ["Options", *SECTIONS]
    names = re.findall(r"^  (\w+)  +\w", said, re.MULTILINE)
    assert names == [name for section in SECTIONS.values() for name in section]
    assert all(len(line) <= 80 for line in said.splitlines())
    assert all(line.endswith(".") for section in SECTIONS.values() for _, line in section.values())
