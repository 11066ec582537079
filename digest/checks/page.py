"""Parse an email's HTML into a tree, and its CSS into rules and declarations. Pure.

tinycss2 follows CSS Syntax Level 3. cssutils, which premailer uses, drops what it does not know;
that is exactly what the checks look for. What cannot be parsed is ignored.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lxml.etree import ParserError
from lxml.html import HtmlElement, document_fromstring
from tinycss2 import (  # type: ignore[import-untyped]
    ast,
    parse_blocks_contents,
    parse_stylesheet,
    serialize,
)


@dataclass(frozen=True, slots=True)
class Declaration:
    """A declaration; ``name`` is in lower case unless it is a custom property."""

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


def page(html: str) -> HtmlElement:
    """Return the document as clients see it that ignore conditional comments."""
    try:
        return document_fromstring(html)
    except ParserError:  # the document has no element
        return document_fromstring("<html></html>")


def styles(tree: HtmlElement) -> str:
    """Return the text of the style elements of a document, in order."""
    return "\n".join(style.text or "" for style in tree.iter("style"))


@lru_cache(maxsize=100)
def rules(css: str) -> tuple[Rule, ...]:
    """Return the rules of a style sheet, in the order of their ends."""
    return tuple(_rules(parse_stylesheet(css, skip_comments=True, skip_whitespace=True), ()))


@lru_cache(maxsize=1000)
def declarations(style: str) -> tuple[Declaration, ...]:
    """Return the declarations of a style attribute."""
    return _declarations(parse_blocks_contents(style, skip_comments=True, skip_whitespace=True))


def _rules(nodes: Iterable[Any], around: tuple[str, ...]) -> Iterator[Rule]:
    for node in nodes:
        if isinstance(node, ast.QualifiedRule | ast.AtRule):
            name = f"@{node.at_keyword}" if isinstance(node, ast.AtRule) else ""
            prelude = f"{name}{serialize(node.prelude)}".strip()
            inside = parse_blocks_contents(
                node.content or (), skip_comments=True, skip_whitespace=True
            )
            yield from _rules(inside, (*around, prelude))
            yield Rule(prelude, _declarations(inside), around)


def _declarations(nodes: Iterable[Any]) -> tuple[Declaration, ...]:
    read = (
        (node, serialize(part for part in node.value if part.type != "comment").strip())
        for node in nodes
        if isinstance(node, ast.Declaration)
    )
    return tuple(
        Declaration(
            node.name if node.name.startswith("--") else node.lower_name, value, node.important
        )
        for node, value in read
        if value
    )
