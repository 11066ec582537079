"""The glossary: its table, its page, and the texts of the product that it is held against.

``python -m tests.glossary`` writes docs/glossary.md from docs/glossary.toml.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

from typer.main import get_command

from digest.cli.main import LazyCommand, cli

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "glossary.md"
TABLE = tomllib.loads((ROOT / "docs" / "glossary.toml").read_text("utf-8"))
WHERE = ("help", "pages", "emails", "messages", "docs")

# Attributes that people see or hear, and calls in templates whose strings they do.
_SPOKEN = re.compile(r'\b(?:title|alt|aria-label|placeholder|value|content)="([^"<>]*)"')
_JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'")
_STYLE = re.compile(r"<(style|script|mj-style)\b.*?</\1>", re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")
_CODE = re.compile(r"^```.*?^```|`[^`]*`|\]\([^)]*\)", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Text:
    """A text that reaches people: ``where`` is one of WHERE, ``place`` a file or a command."""

    where: str
    place: str
    text: str


@dataclass(frozen=True, slots=True)
class Fault:
    """A text that uses a word to avoid."""

    place: str
    found: str
    better: str
    around: str


def page() -> str:
    """Return docs/glossary.md."""
    words = sorted(TABLE["word"], key=lambda word: word["say"].lower())
    lines = [
        "# Glossary",
        "",
        "The words that help texts, pages, emails and docs use, and those that they avoid. This page is",
        "made from [glossary.toml](glossary.toml) by `python -m tests.glossary`; a test finds the words to",
        "avoid wherever people read them.",
        "",
        "| we say | it means |",
        "|---|---|",
        *(f"| {word['say']} | {word['means']} |" for word in words),
        "",
        "## Not these",
        "",
        "| not | but |",
        "|---|---|",
        *(f"| {avoid['not']} | {avoid['say']} |" for avoid in TABLE["avoid"]),
        "",
    ]
    return "\n".join(lines)


def faults_in(text: Text) -> Iterator[Fault]:
    """Find the words to avoid in a text."""
    one_line = " ".join(text.text.split())
    for avoid in TABLE["avoid"]:
        if text.where not in avoid.get("where", WHERE):
            continue
        if any(text.place.startswith(place) for place in avoid.get("except_in", ())):
            continue
        for found in re.finditer(avoid["pattern"], one_line, re.IGNORECASE):
            around = one_line[max(0, found.start() - 40) : found.end() + 40]
            yield Fault(text.place, found[0], avoid["say"], around)


def all_texts() -> Iterator[Text]:
    yield from _help(get_command(cli), "digest")
    for folder in ("digest", "subscribers"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in file.parts:
                yield from messages(file.read_text("utf-8"), _name(file))
    for folder in ("templates/pages", "digest/studio/pages"):
        for file in sorted((ROOT / folder).rglob("*.j2")):
            yield from template(file.read_text("utf-8"), "pages", _name(file))
    for file in sorted((ROOT / "templates" / "mail").rglob("*.j2")):
        yield from template(file.read_text("utf-8"), "emails", _name(file))
    for file in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        if file != PAGE:
            yield from document(file.read_text("utf-8"), _name(file))


def _name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def _help(command: Any, name: str) -> Iterator[Text]:
    """Yield what `--help` prints of a command and of those below it."""
    if isinstance(command, LazyCommand):
        command = command.load()
    for text in (command.help, command.epilog, *(getattr(p, "help", "") for p in command.params)):
        yield Text("help", name, text or "")
    for below, its in getattr(command, "commands", {}).items():
        yield from _help(its, f"{name} {below}")


def messages(source: str, place: str) -> Iterator[Text]:
    """Yield the strings in code that have a blank, but for docstrings; values in them are "…"."""
    tree = ast.parse(source)
    passed: set[ast.AST] = set()
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                passed.add(child.value)  # a docstring
            elif isinstance(node, ast.JoinedStr) and isinstance(child, ast.Constant):
                passed.add(child)  # a part of an f-string
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [
                str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values
            ]
            yield Text("messages", f"{place}:{node.lineno}", "".join(parts))
        elif (
            isinstance(node, ast.Constant) and node not in passed and " " in str(node.value).strip()
        ):
            yield Text("messages", f"{place}:{node.lineno}", str(node.value))


def template(source: str, where: str, place: str) -> Iterator[Text]:
    """Yield the text of a template, and each string in its attributes and expressions."""
    for code in _JINJA.findall(source):
        if not code.startswith("{#"):
            for double, single in _QUOTED.findall(code):
                yield Text(where, place, double or single)
    shown = _STYLE.sub(" ", _JINJA.sub("…", source))
    for attribute in _SPOKEN.findall(shown):
        yield Text(where, place, unescape(attribute))
    for passage in re.split(r"\n\s*\n|</(?:p|li|h\d|td|th|dt|dd|mj-text|option|label)>", shown):
        yield Text(where, place, unescape(_TAG.sub(" ", passage)))


def document(source: str, place: str) -> Iterator[Text]:
    """Yield the paragraphs, items and cells of a document, without code and addresses."""
    for passage in re.split(r"\n\s*\n|\n(?=[-*|#]|\d+\.)|\|", _CODE.sub("…", source)):
        yield Text("docs", place, passage)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
