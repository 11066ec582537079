"""What the documents name is there."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from digest.cli import cli
from digest.config import Settings, variable

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BY_TESTS_ONLY = {"DIGEST_TEST_POSTGRES_URL", "DIGEST_TEST_SEMANTIC_MODEL"}


def _code_blocks(text: str) -> str:
    return "\n".join(re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_setting_named_exists(document: Path) -> None:
    named = set(re.findall(r"\bDIGEST_[A-Z_]*[A-Z]", document.read_text()))
    known = {variable(name) for name in Settings.__dataclass_fields__}
    assert named - known - BY_TESTS_ONLY == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_and_option_shown_exists(document: Path) -> None:
    shown = re.findall(
        r"^(?:\S*bin/)?digest (.+)$", _code_blocks(document.read_text()), re.MULTILINE
    )
    for line in shown:
        command = get_command(cli)
        words = line.split()
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        assert not hasattr(command, "commands"), f"no such command: digest {line}"
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, line


def test_every_command_is_in_the_readme() -> None:
    shown = _code_blocks((ROOT / "README.md").read_text())
    missing = [name for name in get_command(cli).commands if f"digest {name}" not in shown]
    assert missing == ["config", "db"], "those two are in the text, not in a block"


def test_every_link_to_a_file_leads_somewhere() -> None:
    for document in DOCUMENTS:
        for link in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
            if "://" not in link:
                assert (document.parent / link).exists(), f"{document.name}: {link}"


def test_ci_runs_the_readmes_two_commands() -> None:
    readme = (ROOT / "README.md").read_text()
    ci = (ROOT / ".ci" / "run").read_text()
    first, second = re.findall(r"^python3 -m venv .+$", readme, re.MULTILINE)
    assert first in ci
    assert f"\n{second}\n" in ci
