"""Load the phrases from phrases.toml by which messages are recognised."""

import re
import tomllib
from importlib.resources import files

_SECTIONS: dict[str, str] = tomllib.loads(
    files("digest.inbound").joinpath("phrases.toml").read_text("utf-8")
)


def phrases(name: str) -> re.Pattern[str]:
    """Return the pattern that is found wherever a line of a section is, in any letter case."""
    return re.compile("|".join(_SECTIONS[name].splitlines()), re.IGNORECASE)
