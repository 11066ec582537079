"""Make docs/commands.md from the commands themselves: python -m tests.commands_page."""

import re
from pathlib import Path
from typing import Any

import typer
from typer.main import get_command

from digest.cli.main import SECTIONS, LazyCommand, cli

PAGE = Path(__file__).parents[1] / "docs" / "commands.md"
HEAD = """\
# Commands

Made from the commands by `python -m tests.commands_page`. Each command says the same with `--help`.
"""


def commands_page() -> str:
    """Return the whole page, in Markdown."""
    commands = get_command(cli).commands  # type: ignore[attr-defined]
    parts = [HEAD]
    for title, section in SECTIONS.items():
        parts.append(f"## {title}\n")
        for name in section:
            command = commands[name]
            assert isinstance(command, LazyCommand)
            parts += _entries(f"digest {name}", command.load())
    return "\n".join(parts)


def _entries(words: str, command: Any) -> list[str]:
    """Return an entry for a command, or one for each command of a group."""
    if hasattr(command, "commands"):
        return [
            entry
            for name, below in command.commands.items()
            for entry in _entries(f"{words} {name}", below)
        ]
    context = typer.Context(command, info_name=words)
    usage = " ".join(command.collect_usage_pieces(context))
    about, _, examples = (command.help or "").partition("\n\n\b\n$ ")
    commands = examples.replace("\n$ ", "\n")
    lines = [f"### {words}\n", f"{about}\n", f"```sh\n{commands}\n```\n", f"    {words} {usage}\n"]
    rows = [
        record
        for parameter in command.get_params(context)
        if parameter.name != "help" and (record := parameter.get_help_record(context))
    ]
    if rows:
        lines.append("| option | meaning |\n|---|---|")
        lines += [f"| `{_without_type(name)}` | {_in_cell(meaning)} |" for name, meaning in rows]
        lines.append("")
    return lines


def _without_type(name: str) -> str:
    return re.sub(r" <.+>$", "", name)


def _in_cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


if __name__ == "__main__":
    PAGE.write_text(commands_page(), encoding="utf-8")
