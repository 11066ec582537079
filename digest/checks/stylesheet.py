"""CSS taken apart into rules and declarations. Pure.

cssutils, which premailer brings, drops what it does not know; here just that is looked for. What
cannot be read is passed over.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
# Texts and brackets may hold what would end a declaration elsewhere: url(data:image/png;base64,…).
_PIECE = re.compile(
    r"""(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\((?:"[^"]*"|'[^']*'|[^()]|\([^()]*\))*\)|[^{};])""",
    re.DOTALL,
)
_CHUNK = re.compile(rf"({_PIECE.pattern}*)([{{}};]|\Z)", re.DOTALL)
_IMPORTANT = re.compile(r"\s*!\s*important\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Declaration:
    """``name`` is in small letters (but those of custom properties), ``value`` as written."""

    name: str
    value: str
    is_important: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, and the preludes of the blocks around it, the outermost first.

    A statement (``@import …``) and a grouping block (``@media …``) are rules without declarations.
    """

    prelude: str
    declarations: tuple[Declaration, ...]
    around: tuple[str, ...] = ()

    @property
    def is_at_rule(self) -> bool:
        return self.prelude.startswith("@")


@lru_cache(maxsize=100)
def rules(css: str) -> tuple[Rule, ...]:
    """The rules of a style sheet, in the order of their ends."""
    return tuple(_read(_COMMENT.sub(" ", css)))


@lru_cache(maxsize=1000)
def declarations(style: str) -> tuple[Declaration, ...]:
    """Those of a style attribute."""
    found = (_declaration(chunk[1]) for chunk in _CHUNK.finditer(_COMMENT.sub(" ", style)))
    return tuple(each for each in found if each)


def has_comments(css: str) -> bool:
    return bool(_COMMENT.search(css))


def _read(css: str) -> Iterator[Rule]:
    open_blocks: list[tuple[str, list[Declaration]]] = []
    for chunk in _CHUNK.finditer(css):
        content, end = chunk[1].strip(), chunk[2]
        if end == "{":
            open_blocks.append((content, []))
            continue
        if content.startswith("@"):
            yield Rule(content, (), _preludes(open_blocks))
        elif open_blocks and (declaration := _declaration(content)):
            open_blocks[-1][1].append(declaration)
        if end == "}" and open_blocks:
            prelude, declared = open_blocks.pop()
            yield Rule(prelude, tuple(declared), _preludes(open_blocks))


def _preludes(blocks: list[tuple[str, list[Declaration]]]) -> tuple[str, ...]:
    return tuple(prelude for prelude, _declared in blocks)


def _declaration(text: str) -> Declaration | None:
    name, colon, value = text.partition(":")
    name = name.strip()
    if not (name and colon and value.strip()):
        return None
    plain = _IMPORTANT.sub("", value).strip()
    shown = name if name.startswith("--") else name.lower()
    return Declaration(shown, plain, bool(_IMPORTANT.search(value)))
