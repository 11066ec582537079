"""Skip tests of what libraries write if the libraries have other versions."""

import importlib.metadata
from pathlib import Path

import pytest

CONSTRAINTS = Path(__file__).parents[1] / ".ci" / "constraints.txt"
# What the markup of a mail comes from.
MAKERS_OF_HTML = ("cssselect", "cssutils", "lxml", "mjml-python", "premailer")


def other_versions(*names: str) -> str:
    """Return which of some packages have other versions than constraints.txt."""
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
