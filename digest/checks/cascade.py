"""Compute how each element of an email looks, in light and in dark, as far as contrast needs it.

This is CSS's cascade over style elements, style attributes, bgcolor and <font color>, with
importance, specificity and order; of media queries only prefers-color-scheme counts. Widths,
hovering, colours that clients invert, the shorthand font and background pictures are ignored.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from operator import itemgetter

from cssselect import HTMLTranslator, SelectorError, parse
from lxml.html import HtmlElement

from digest.checks.page import Declaration, declarations, rules, styles
from digest.checks.wcag import BLACK, WHITE, Colour, colour, colour_in, over

_ROOT_SIZE = 16.0
_SIZES = {
    "xx-small": 9.0,
    "x-small": 10.0,
    "small": 13.0,
    "medium": 16.0,
    "large": 18.0,
    "x-large": 24.0,
    "xx-large": 32.0,
}
_UNITS = {"px": 1.0, "pt": 4 / 3, "pc": 16.0, "rem": _ROOT_SIZE, "in": 96.0, "cm": 96 / 2.54}
_LENGTH = re.compile(r"([0-9]*\.?[0-9]+)([a-z%]+)$")
# The style sheet of browsers (HTML, section 15.3).
_OWN_SIZES = {"h1": "2em", "h2": "1.5em", "h3": "1.17em", "h5": "0.83em", "h6": "0.67em"}
_OWN_BOLD = frozenset({"b", "strong", "th", "h1", "h2", "h3", "h4", "h5", "h6"})
_OWN_LINK = "#0000ee"
_OWN_HIDDEN = frozenset({"head", "style", "script", "title", "template"})


class Mode(Enum):
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Look:
    """The look of an element: colours without transparency, the size in pixels.

    ``colour_of`` is the element that the colour was declared for, None if it never was.
    """

    colour: Colour = BLACK
    colour_of: HtmlElement | None = None
    background: Colour = WHITE
    size: float = _ROOT_SIZE
    is_bold: bool = False
    is_hidden: bool = False


def looks(tree: HtmlElement, mode: Mode) -> dict[HtmlElement, Look]:
    """Return the look of each element of a document."""
    declared = _declared(tree, mode)
    found: dict[HtmlElement, Look] = {}
    for element in tree.iter():
        if isinstance(element.tag, str):
            parent = element.getparent()
            above = found.get(parent, Look()) if parent is not None else Look()
            found[element] = _look(element, declared.get(element, {}), above)
    return found


def has_dark_rules(css: str) -> bool:
    return any(_is_of(Mode.DARK, prelude) for rule in rules(css) for prelude in rule.around)


def is_hidden(element: HtmlElement) -> bool:
    """Return whether an element is hidden by its own attributes, as a preheader is."""
    style = declarations(element.get("style", ""))
    return _hides(element, {declaration.name: declaration.value for declaration in style})


def _look(element: HtmlElement, own: dict[str, str], above: Look) -> Look:
    background = above.background
    if shade := colour_in(own.get("background-color", "")):
        background = over(shade, background)
    tint, tint_of = above.colour, above.colour_of
    if declared := colour(own.get("color", "")):
        tint, tint_of = over(declared, background), element
    return Look(
        tint,
        tint_of,
        background,
        _size(own.get("font-size", ""), above.size),
        _is_bold(own.get("font-weight", ""), above=above.is_bold),
        above.is_hidden or _hides(element, own),
    )


def _size(text: str, above: float) -> float:
    text = text.lower()
    if text in _SIZES:
        return _SIZES[text]
    if text in {"smaller", "larger"}:
        return above * (1.2 if text == "larger" else 1 / 1.2)
    if not (found := _LENGTH.match(text)):
        return 0.0 if text == "0" else above
    number, unit = float(found[1]), found[2]
    if unit in {"em", "%"}:
        return number * above / (100 if unit == "%" else 1)
    return number * _UNITS[unit] if unit in _UNITS else above


def _is_bold(text: str, *, above: bool) -> bool:
    text = text.lower()
    if text.isdigit():
        return int(text) >= 700
    return {"bold": True, "bolder": True, "normal": False, "lighter": False}.get(text, above)


def _hides(element: HtmlElement, own: dict[str, str]) -> bool:
    return (
        element.tag in _OWN_HIDDEN
        or element.get("hidden") is not None
        or own.get("display", "").lower() == "none"
        or own.get("visibility", "").lower() in {"hidden", "collapse"}
        or own.get("opacity", "") == "0"
    )


def _declared(tree: HtmlElement, mode: Mode) -> dict[HtmlElement, dict[str, str]]:
    """Return the winning value of each property, for each element."""
    contenders: dict[HtmlElement, list[tuple[tuple[int, ...], Declaration]]] = {}
    for element in tree.iter():
        if isinstance(element.tag, str):
            given = [((0, -1), declaration) for declaration in _presentational(element)]
            styled = [
                ((int(declaration.is_important), 1), declaration)
                for declaration in declarations(element.get("style", ""))
            ]
            contenders[element] = [*given, *styled]
    for order, rule in enumerate(rules(styles(tree))):
        if rule.is_at_rule or not all(_holds(mode, prelude) for prelude in rule.around):
            continue
        for specificity, path in _selected(rule.prelude):
            for element in tree.xpath(path):
                contenders[element] += [
                    ((int(declaration.is_important), 0, *specificity, order), declaration)
                    for declaration in rule.declarations
                ]
    return {
        element: {
            # The shorthand always sets the colour as well.
            {"background": "background-color"}.get(won.name, won.name): won.value
            for _weight, won in sorted(found, key=itemgetter(0))
        }
        for element, found in contenders.items()
    }


def _presentational(element: HtmlElement) -> Iterator[Declaration]:
    if element.tag in _OWN_SIZES:
        yield Declaration("font-size", _OWN_SIZES[element.tag])
    if element.tag in _OWN_BOLD:
        yield Declaration("font-weight", "bold")
    if element.tag == "a" and element.get("href") is not None:
        yield Declaration("color", _OWN_LINK)
    if value := element.get("bgcolor"):
        yield Declaration("background-color", value)
    if element.tag == "font" and (value := element.get("color")):
        yield Declaration("color", value)


@lru_cache(maxsize=1000)
def _selected(selectors: str) -> tuple[tuple[tuple[int, int, int], str], ...]:
    """Return the specificity and XPath of each selector that can be read."""
    try:
        return tuple(
            (selector.specificity(), HTMLTranslator().selector_to_xpath(selector))
            for selector in parse(selectors)
            if selector.pseudo_element is None
        )
    except SelectorError:
        return ()


def _holds(mode: Mode, prelude: str) -> bool:
    if prelude.lower().startswith("@media"):
        return _is_of(mode, prelude) or prelude[6:].strip().lower() in {"all", "screen"}
    return prelude.lower().startswith("@supports")


def _is_of(mode: Mode, prelude: str) -> bool:
    return bool(re.search(rf"prefers-color-scheme\s*:\s*{mode.value}", prelude, re.IGNORECASE))
