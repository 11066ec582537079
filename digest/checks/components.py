"""Load the components of MJML 4 (their parents and attributes) from components.toml.

mrml silently accepts unknown tags and attributes, which then do nothing.
"""

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Component:
    """A component; ``parents`` are the tags that it may be in, none for the root."""

    parents: tuple[str, ...]
    attributes: frozenset[str]
    holds_html: bool


_READ = tomllib.loads(files("digest.checks").joinpath("components.toml").read_text("utf-8"))


def _component(read: dict[str, Any], more: str = "") -> Component:
    attributes = f"{read['attributes']} {more}".format(**_READ["shared"])
    return Component(
        tuple(read["parents"].split()),
        frozenset(attributes.split()),
        read.get("holds_html", False),
    )


_HEAD = {name: _component(read) for name, read in _READ["head"].items()}
_BODY = {name: _component(read, "{everywhere}") for name, read in _READ["body"].items()}
COMPONENTS = _HEAD | _BODY
# mj-attributes sets defaults of one component, of all, or of those with an mj-class.
ANY_ATTRIBUTE = frozenset[str]().union(*(known.attributes for known in _BODY.values()))
ANY_ATTRIBUTE -= {"mj-class"}
DEFAULTS = {"mj-all": ANY_ATTRIBUTE, "mj-class": ANY_ATTRIBUTE | {"name"}} | {
    name: known.attributes for name, known in _BODY.items()
}
