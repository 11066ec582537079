"""Makes docs/commands.md from the commands themselves: python -m tests.commands_page."""

from pathlib import Path

import click
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


def _entries(words: str, command: click.Command) -> list[str]:
    """Return an entry for a command, or one for each command of a group."""
    if isinstance(command, click.Group):
        return [
            entry
            for name, below in command.commands.items()
            for entry in _entries(f"{words} {name}", below)
        ]
    context = click.Context(command, info_name=words)
    usage = " ".join(command.collect_usage_pieces(context))
    lines = [f"### {words}\n", f"{_as_paragraphs(command.help)}\n", f"    {words} {usage}\n"]
    rows = [
        record
        for parameter in command.get_params(context)
        if parameter.name != "help" and (record := parameter.get_help_record(context))
    ]
    if rows:
        lines.append("| option | meaning |\n|---|---|")
        lines += [f"| `{name}` | {_in_cell(meaning)} |" for name, meaning in rows]
        lines.append("")
    if command.epilog:
        lines.append(f"{_as_paragraphs(command.epilog)}\n")
    return lines


def _as_paragraphs(text: str | None) -> str:
    return (text or "").replace("\b\n", "").strip()


def _in_cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(commands_page(), encoding="utf-8")
