"""Fields in blocks: what reports for programs are written in (RFC 3464 section 2.1). Pure."""

import re

_BETWEEN = re.compile(r"\n[ \t]*\n")
_FOLD = re.compile(r"\n[ \t]+")
_FIELD = re.compile(r"^\s*([A-Za-z][A-Za-z0-9-]{0,60})[ \t]*:[ \t]*(.*)$")

# The values of each field in a block, by its name in lower case.
Block = dict[str, list[str]]


def blocks_in(text: str) -> list[Block]:
    """Each block of fields; lines that are none are left out."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    blocks = [_block(_FOLD.sub(" ", each)) for each in _BETWEEN.split(lines)]
    return [each for each in blocks if each]


def first(block: Block, name: str) -> str:
    return next(iter(block.get(name, ())), "").strip()


def _block(text: str) -> Block:
    block: Block = {}
    for line in text.split("\n"):
        if match := _FIELD.match(line):
            block.setdefault(match[1].lower(), []).append(match[2])
    return block
