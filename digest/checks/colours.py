"""Check that text can be read, in light and in dark."""

import math
import re
from collections.abc import Iterator
from functools import partial

from lxml.html import HtmlElement

from digest.checks.cascade import Look, Mode, has_dark_rules
from digest.checks.finding import Finding, Level
from digest.checks.rendered_mail import RenderedMail, found
from digest.checks.wcag import contrast, luminance, needed
from digest.compose.source_map import Place

# Invisible blanks, which preheaders are padded with.
_UNSEEN = re.compile(r"[\s\u00ad\u034f\u200b-\u200f\u2060-\u206f\ufeff]+")
# Between mid-grey and white: what glares beside a dark page.
_GLARING = 0.4


def poor_contrast(rendered: RenderedMail) -> Iterator[Finding]:
    """Find text that is hard to read on its background (WCAG 1.4.3, level AA)."""
    for mode, seen in ((Mode.LIGHT, rendered.light), (Mode.DARK, rendered.dark)):
        for element in _with_text(rendered, seen):
            look = seen[element]
            ratio = contrast(look.colour, look.background)
            least = needed(look.size, is_bold=look.is_bold)
            if ratio < least:
                # Not rounded up: 4.499 is not enough.
                shown = math.floor(ratio * 100) / 100
                says = (
                    f"contrast {shown:.2f}:1 of {look.colour} on {look.background} "
                    f"(needs {least}:1), in {mode.value}, {_named(element, look)}"
                )
                if mode is Mode.DARK and look.colour == rendered.light[element].colour:
                    says += ", which has no colour of its own for dark"
                place = _place(rendered, element, look, mode)
                yield found("contrast", Level.ERROR, says, place)


def forgotten_in_dark(rendered: RenderedMail) -> Iterator[Finding]:
    """Find text that keeps its colour in dark on a new background, and what stays bright."""
    if not has_dark_rules(rendered.styles):
        says = "there are no rules for dark (@media (prefers-color-scheme: dark))"
        yield found("dark", Level.WARNING, says, rendered.where("<mj-style", "<mj-head"))
        return
    for element in _with_text(rendered, rendered.dark):
        before, after = rendered.light[element], rendered.dark[element]
        if before.colour != after.colour:
            continue
        place = partial(_place, rendered, element, after, Mode.LIGHT)
        if before.background != after.background:
            if contrast(after.colour, after.background) >= needed(
                after.size, is_bold=after.is_bold
            ):
                says = f"{_named(element, after)} stays {after.colour} in dark: no rule changes it"
                yield found("dark", Level.WARNING, says, place())
        elif luminance(after.background) > _GLARING:
            says = (
                f"{_named(element, after)} stays on {after.background} in dark: "
                "no rule changes that background"
            )
            yield found("dark", Level.WARNING, says, place())


def _with_text(rendered: RenderedMail, seen: dict[HtmlElement, Look]) -> Iterator[HtmlElement]:
    for element in rendered.elements():
        look = seen[element]
        if not look.is_hidden and look.size > 0 and _own_text(element):
            yield element


def _own_text(element: HtmlElement) -> str:
    """Return the text of an element itself, without that of its children."""
    parts = [element.text or "", *(child.tail or "" for child in element)]
    return _UNSEEN.sub(" ", " ".join(parts)).strip()


def _named(element: HtmlElement, look: Look) -> str:
    """Name an element by the class that gives it its colour, else by its own class or its tag."""
    if name := _class(look) or next(iter(element.get("class", "").split()), ""):
        return f"class `{name}`"
    return f"a <{element.tag}> without a class"


def _class(look: Look) -> str:
    names: list[str] = look.colour_of.get("class", "").split() if look.colour_of is not None else []
    return names[0] if names else ""


def _place(rendered: RenderedMail, element: HtmlElement, look: Look, mode: Mode) -> Place:
    """Find the rule for the class (in dark the one for dark, if any), else the text."""
    patterns = []
    if name := re.escape(_class(look)):
        selector = rf"\.{name}(?![\w-])[^{{}}<>]*\{{"
        if mode is Mode.DARK:
            inside = r"[^{}]*\{(?:[^{}]*\{[^{}]*\})*?[^{}]*?"
            patterns.append(rf"prefers-color-scheme:\s*dark{inside}({selector})")
        patterns += [selector, rf"class=[\"'][^\"']*(?<![\w-]){name}(?![\w-])"]
    place = rendered.where(*patterns)
    words = _own_text(element)
    return place if place.line else rendered.where_text(words, words[:30], words.split()[0])
