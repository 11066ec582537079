"""What mail systems say, by what they mean by it: the lines of phrases.toml."""

import re
import tomllib
from importlib.resources import files

_SECTIONS: dict[str, str] = tomllib.loads(
    files("digest.inbound").joinpath("phrases.toml").read_text("utf-8")
)


def phrases(name: str) -> re.Pattern[str]:
    """Return the pattern that is found wherever a line of a section is, in any letter case."""
    somebody = "|".join(_lines("nobody"))
    pattern = "|".join(_lines(name)).replace("{nobody}", f"(?:{somebody})")
    return re.compile(pattern, re.IGNORECASE)


def _lines(name: str) -> list[str]:
    return [line for line in _SECTIONS[name].splitlines() if line and not line.startswith("#")]
