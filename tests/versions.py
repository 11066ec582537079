"""What is asked only with the versions it was made with, because it is others' to change."""

import importlib.metadata
from pathlib import Path

import pytest

CONSTRAINTS = Path(__file__).parents[1] / ".ci" / "constraints.txt"
# What the markup of a mail comes from.
MAKERS_OF_HTML = ("cssselect", "cssutils", "lxml", "mjml-python", "premailer")


def other_versions(*names: str) -> str:
    """Which of some packages are installed in other versions than constraints.txt has."""
    lines = CONSTRAINTS.read_text(encoding="utf-8").split()
    written_down = dict(line.split("==") for line in lines)
    installed = {name: importlib.metadata.version(name) for name in names}
    return ", ".join(
        f"{name} {version} for {written_down[name]}"
        for name, version in installed.items()
        if version != written_down[name]
    )


def made_with(*names: str) -> pytest.MarkDecorator:
    """Skip a test where packages are installed in other versions than it was made with."""
    others = other_versions(*names)
    return pytest.mark.skipif(bool(others), reason=f"not as in {CONSTRAINTS.name}: {others}")
