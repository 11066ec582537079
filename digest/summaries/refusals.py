"""Phrases by which language models refuse, or talk about themselves."""

import tomllib
from functools import cache
from pathlib import Path


@cache
def refusals() -> tuple[str, ...]:
    """Return the phrases of refusals.toml, in small letters."""
    text = Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
    return tuple(phrase for phrases in tomllib.loads(text).values() for phrase in phrases)
