"""Which features of CSS and HTML a mail uses, by the names that caniemail.com has for them. Pure.

What is looked at is what clients see that take no conditional comments; Outlook on Windows also
reads what MSO's comments hold, and that is made for it. Most names say what they are: css-X is the
property X, html-X the element X. The tables are the exceptions.
"""

import re
from collections import Counter
from collections.abc import Iterator

from lxml.html import HtmlElement

from digest.checks.page import Declaration, Rule, declarations, page, rules, styles

_SIDES = ("top", "right", "bottom", "left")
_START_END = ("start", "end")


def _logical(name: str, part: str = "") -> tuple[str, ...]:
    return tuple(f"{name}-{axis}{part}" for axis in ("inline", "block"))


# Slugs of several properties, or of others than their name says.
_PROPERTIES = {
    "css-animation": (
        "animation animation-name animation-duration animation-delay animation-direction "
        "animation-fill-mode animation-iteration-count animation-play-state "
        "animation-timing-function"
    ).split(),
    "css-block-inline-size": ("block-size", "inline-size"),
    "css-border": (
        "border",
        *(f"border-{part}" for part in ("width", "style", "color")),
        *(f"border-{side}" for side in _SIDES),
        *(f"border-{side}-{part}" for side in _SIDES for part in ("width", "style", "color")),
    ),
    "css-border-image": [f"border-image{part}" for part in ("", "-source", "-slice", "-width")],
    "css-border-inline-block": _logical("border"),
    "css-border-inline-block-individual": [
        name
        for part in ("-color", "-style", "-width", "-start", "-end")
        for name in _logical("border", part)
    ],
    "css-border-inline-block-longhand": [
        name
        for end in _START_END
        for part in ("color", "style", "width")
        for name in _logical("border", f"-{end}-{part}")
    ],
    "css-border-radius": (
        "border-radius",
        *(f"border-{y}-{x}-radius" for y in ("top", "bottom") for x in ("left", "right")),
    ),
    "css-border-radius-logical": [
        f"border-{block}-{inline}-radius" for block in _START_END for inline in _START_END
    ],
    "css-column-layout-properties": (
        "columns column-fill column-rule column-rule-color column-rule-style column-rule-width "
        "column-span column-width"
    ).split(),
    "css-gap": ("gap", "column-gap", "row-gap"),
    "css-grid-template": [f"grid-template{part}" for part in ("", "-areas", "-columns", "-rows")],
    "css-left-right-top-bottom": _SIDES,
    "css-margin": ("margin", *(f"margin-{side}" for side in _SIDES)),
    "css-margin-block-start-end": ("margin-block-start", "margin-block-end"),
    "css-margin-inline-block": _logical("margin"),
    "css-margin-inline-start-end": ("margin-inline-start", "margin-inline-end"),
    "css-mask-image": ("mask", "mask-image"),
    "css-overflow": ("overflow", "overflow-x", "overflow-y", "overflow-block", "overflow-inline"),
    "css-padding": ("padding", *(f"padding-{side}" for side in _SIDES)),
    "css-padding-block-start-end": ("padding-block-start", "padding-block-end"),
    "css-padding-inline-block": _logical("padding"),
    "css-padding-inline-start-end": ("padding-inline-start", "padding-inline-end"),
    "css-scroll-snap": ("scroll-snap-type", "scroll-snap-align", "scroll-snap-stop"),
    "css-text-emphasis": ("text-emphasis", "text-emphasis-color", "text-emphasis-style"),
    "css-transition": [
        f"transition{part}" for part in ("", "-property", "-duration", "-delay", "-timing-function")
    ],
    # Not of the property with that name.
    **dict.fromkeys(("css-display-none", "css-display-flex", "css-display-grid"), ()),
    **dict.fromkeys(("css-flex-direction", "css-flex-wrap"), ()),
    **dict.fromkeys(("css-comments", "css-important", "css-nesting", "css-variables"), ()),
}
# A property's value, or any property's, that a slug is about.
_VALUES = {
    "css-display-none": r"^display:none$",
    "css-display-flex": r"^display:(inline-)?flex$",
    "css-display-grid": r"^display:(inline-)?grid$",
    "css-flex-direction": r"^flex(-direction|-flow):.*\bcolumn",
    "css-flex-wrap": r"^flex(-wrap|-flow):.*\bwrap\b",
    "css-sytem-ui": r"^font(-family)?:.*\b(system-ui|ui-(serif|sans-serif|rounded|monospace))\b",
    "css-intrinsic-size": r":.*\b(fit|min|max)-content\b",
    "css-modern-color": r":.*\b(ok)?(lch|lab)\(",
    "css-rgb": r":.*\brgb\(",
    "css-rgba": r":.*\brgba\(",
    "css-linear-gradient": r":.*\blinear-gradient\(",
    "css-radial-gradient": r":.*\bradial-gradient\(",
    "css-conic-gradient": r":.*\bconic-gradient\(",
    "css-variables": r"^--|:.*\bvar\(",
    "css-unit-calc": r":.*\bcalc\(",
    "css-unit-initial": r":.*\binitial\b",
    "css-unit-percent": r":.*[0-9]%",
}
_SELECTORS = {
    "css-selector-adjacent-sibling": r"\+",
    "css-selector-attribute": r"\[",
    "css-selector-chaining": r"[.#\]][\w-]+[.#\[]|\.[\w-]+\.",
    "css-selector-child": r">",
    "css-selector-class": r"\.[a-zA-Z_-]",
    "css-selector-descendant": r"[\w\]*)]\s+[\w.#\[*:]",
    "css-selector-general-sibling": r"~",
    "css-selector-grouping": r",",
    "css-selector-id": r"#[a-zA-Z_-]",
    "css-selector-type": r"(^|[\s,>+~(])[a-zA-Z]",
    "css-selector-universal": r"\*",
}
_AT_RULES = {"css-at-media-device-pixel-ratio": r"^@media\b.*device-pixel-ratio"}
_ELEMENTS = {
    "html-h1-h6": ("h1", "h2", "h3", "h4", "h5", "h6"),
    "html-image-maps": ("map", "area"),
    "html-lists": ("ul", "ol", "li", "dl", "dt", "dd"),
    "html-semantics": (
        "article aside details figcaption figure footer header main mark nav section summary time"
    ).split(),
    "html-comments": (),
    "html-anchor-links": (),
    "html-mailto-links": (),
    "html-doctype": (),
    "html-meta-color-scheme": (),
}
_ATTRIBUTES = {
    **{
        f"html-{name}": (name,)
        for name in (
            "align background cellpadding cellspacing dir height hidden lang popover required role "
            "target valign width aria-describedby aria-hidden aria-label aria-labelledby aria-live"
        ).split()
    },
    "html-loading-attribute": ("loading",),
    "html-srcset": ("srcset", "sizes"),
    "css-inert-attribute": ("inert",),
}
_IMAGES = {
    **{
        f"image-{name}": rf"\.{name}$"
        for name in "apng avif bmp gif hdr ico mp4 png svg webp".split()
    },
    "image-base64": r"^data:",
    "image-heif": r"\.hei[cf]$",
    "image-jpg": r"\.jpe?g$",
    "image-tiff": r"\.tiff?$",
}


def features_used(html: str, known: frozenset[str]) -> dict[str, int]:
    """How often each of the ``known`` slugs is used."""
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
        yield from _matching(_AT_RULES, prelude)
    else:
        if any(not prelude.startswith("@") for prelude in rule.around):
            yield "css-nesting"
        plain = re.sub(r"\[[^\]]*\]", "[]", rule.prelude)
        yield from _matching(_SELECTORS, plain)
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
    yield from _matching(_VALUES, f"{declaration.name}:{value}")
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
        yield from _matching(_IMAGES, element.get("src", "").lower().partition("?")[0])


def _matching(patterns: dict[str, str], text: str) -> Iterator[str]:
    return (slug for slug, pattern in patterns.items() if re.search(pattern, text))
