"""Find the features of CSS and HTML that an email uses, by caniemail.com's names for them. Pure.

Conditional comments are ignored: only Outlook on Windows reads them, and they are written for it.
Most names follow a rule: css-X is the property X, html-X the element X. features.toml has the
exceptions.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files

from lxml.html import HtmlElement

from digest.checks.page import Declaration, Rule, declarations, page, rules, styles

_TABLES: dict[str, dict[str, str]] = tomllib.loads(
    files("digest.checks").joinpath("features.toml").read_text("utf-8")
)
_PROPERTIES, _ELEMENTS, _ATTRIBUTES = (
    {slug: names.split() for slug, names in _TABLES[table].items()}
    for table in ("properties", "elements", "attributes")
)
PROPERTIES_OF_FEATURES = frozenset(name for names in _PROPERTIES.values() for name in names)


def features_used(html: str, known: frozenset[str]) -> dict[str, int]:
    """Return how often each of the ``known`` slugs is used."""
    tree = page(html)
    css = styles(tree)
    used = Counter(_of_document(html, css, tree))
    for rule in rules(css):
        used.update(_of_rule(rule))
    for element in tree.iter():
        if isinstance(element.tag, str):
            used.update(_of_element(element))
            used.update(
                slug
                for declaration in declarations(element.get("style", ""))
                for slug in _of_declaration(declaration)
            )
    return {slug: used[slug] for slug in sorted(used) if slug in known}


def _of_document(html: str, css: str, tree: HtmlElement) -> Iterator[str]:
    if html.lstrip().lower().startswith("<!doctype html>"):
        yield "html-doctype"
    if "<!--" in html:
        yield "html-comments"
    if "/*" in css:
        yield "css-comments"
    if tree.xpath("//meta[@name='color-scheme']"):
        yield "html-meta-color-scheme"


def _of_rule(rule: Rule) -> Iterator[str]:
    if rule.is_at_rule:
        prelude = rule.prelude.lower()
        for name in re.findall(r"^@(?:-webkit-)?([a-z-]+)", prelude):
            yield f"css-at-{name}"
        for feature in re.findall(r"\(\s*(?:any-)?([a-z-]+)", prelude):
            yield f"css-at-media-{feature}"
        yield from _matching("at_rules", prelude)
    else:
        if any(not prelude.startswith("@") for prelude in rule.around):
            yield "css-nesting"
        plain = re.sub(r"\[[^\]]*\]", "[]", rule.prelude)
        yield from _matching("selectors", plain)
        for name in re.findall(r":([a-z-]+)", plain):
            yield f"css-pseudo-class-{name}"
            yield f"css-pseudo-element-{name}"
    for declaration in rule.declarations:
        yield from _of_declaration(declaration)


def _of_declaration(declaration: Declaration) -> Iterator[str]:
    slug = f"css-{declaration.name}"
    if slug not in _PROPERTIES:
        yield slug
    yield from (slug for slug, names in _PROPERTIES.items() if declaration.name in names)
    if declaration.is_important:
        yield "css-important"
    value = re.sub(r"\"[^\"]*\"|'[^']*'|url\([^)]*\)|#[0-9a-f]+", " ", declaration.value.lower())
    yield from _matching("values", f"{declaration.name}:{value}")
    for unit in re.findall(r"(?<![\w-])[+-]?[0-9.]+([a-z]+)", value):
        yield f"css-unit-{unit}"
    for function in re.findall(r"([a-z-]+)\(", value):
        yield f"css-function-{function}"


def _of_element(element: HtmlElement) -> Iterator[str]:
    tag = element.tag
    if tag in {"input", "button"}:
        default = "text" if tag == "input" else "submit"
        yield f"html-{tag}-{element.get('type', default).lower()}"
    slug = f"html-{tag}"
    if slug not in _ELEMENTS and slug not in _ATTRIBUTES:
        yield slug
    yield from (slug for slug, tags in _ELEMENTS.items() if tag in tags)
    yield from (
        slug
        for slug, names in _ATTRIBUTES.items()
        if any(element.get(name) is not None for name in names)
    )
    link = element.get("href", "")
    if link.startswith("#"):
        yield "html-anchor-links"
    elif link.lower().startswith("mailto:"):
        yield "html-mailto-links"
    if tag == "img":
        yield from _matching("images", element.get("src", "").lower().partition("?")[0])


def _matching(table: str, text: str) -> Iterator[str]:
    return (slug for slug, pattern in _TABLES[table].items() if re.search(pattern, text))
