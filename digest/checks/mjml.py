"""Check the MJML: tags, attributes, descriptions of images, and what no email may contain."""

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import cache
from html import unescape

import cssutils  # type: ignore[import-untyped]

from digest.checks.caniemail import table
from digest.checks.components import COMPONENTS, DEFAULTS
from digest.checks.features import PROPERTIES_OF_FEATURES
from digest.checks.finding import Finding, Level
from digest.checks.page import declarations, rules
from digest.checks.rendered_mail import RenderedMail, found
from digest.compose.mjml_tags import Kind, Tag, first_fault, tags

_DESCRIBED = frozenset({"img", "mj-image", "mj-social-element", "mj-carousel-image"})
_STYLES = re.compile(r"<(?:mj-)?style\b[^>]*>(.*?)</(?:mj-)?style>", re.DOTALL)
_STYLE_ATTRIBUTES = re.compile(r"\bstyle=\"([^\"]*)\"")
_FORBIDDEN = ("script", "form", "iframe", "frame", "object", "embed", "applet", "base")


def unclosed(rendered: RenderedMail) -> Iterator[Finding]:
    """Find tags that do not match; mrml accepts crossed ones, and changes their order."""
    if fault := first_fault(rendered.mjml.text):
        yield found("unclosed", Level.ERROR, fault.what, rendered.mjml.place(fault.offset))


def unknown(rendered: RenderedMail) -> Iterator[Finding]:
    """Find tags that MJML does not have, or not there, and attributes that do nothing."""
    around: list[str] = []
    for tag in tags(rendered.mjml.text):
        if tag.kind is Kind.CLOSE:
            if tag.name in around:
                del around[len(around) - 1 - around[::-1].index(tag.name) :]
            continue
        parent = around[-1] if around else ""
        if says := _against_tag(tag.name, parent, around):
            yield found("unknown", Level.ERROR, says, rendered.mjml.place(tag.offset))
        else:
            yield from _against_attributes(rendered, tag, parent)
        if tag.kind is Kind.OPEN:
            around.append(tag.name)


def _against_tag(name: str, parent: str, around: list[str]) -> str:
    """Return what is wrong with a tag of that name in ``parent``; empty if nothing is."""
    if parent == "mj-attributes":
        return (
            "" if name in DEFAULTS else f"<{name}> in <mj-attributes> sets no component's defaults"
        )
    holder = next((tag for tag in reversed(around) if tag in COMPONENTS), "")
    in_html = bool(holder) and COMPONENTS[holder].holds_html
    if not name.startswith("mj-") and name != "mjml":
        return "" if in_html or not parent else f"HTML in <{parent}>: <{name}> goes into <mj-text>"
    component = COMPONENTS.get(name)
    if component is None:
        return f"there is no <{name}> in MJML{_meant(name, COMPONENTS)}"
    # An unknown parent was reported already.
    if parent in COMPONENTS and parent not in component.parents:
        allowed = " or ".join(f"<{parent}>" for parent in component.parents) or "nothing"
        return f"<{name}> is in <{parent}>, but belongs in {allowed}"
    return ""


def _against_attributes(rendered: RenderedMail, tag: Tag, parent: str) -> Iterator[Finding]:
    if parent == "mj-attributes":
        known = DEFAULTS[tag.name]
    elif tag.name in COMPONENTS:
        known = COMPONENTS[tag.name].attributes
    else:
        return
    for attribute in tag.attributes:
        if attribute.name not in known:
            says = f"<{tag.name}> has no attribute {attribute.name}{_meant(attribute.name, known)}"
            yield found("unknown", Level.ERROR, says, rendered.mjml.place(attribute.offset))


def _meant(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, sorted(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""


def undescribed(rendered: RenderedMail) -> Iterator[Finding]:
    """Find images that screen readers cannot describe (WCAG 1.1.1); ornaments have an empty alt."""
    setting_defaults = False
    for tag in tags(rendered.mjml.text):
        if tag.name == "mj-attributes":
            setting_defaults = tag.kind is Kind.OPEN
        if tag.name not in _DESCRIBED or tag.kind is Kind.CLOSE or setting_defaults:
            continue
        values = {attribute.name: attribute.value for attribute in tag.attributes}
        if "alt" not in values:
            says = f"<{tag.name}> has no alt"
        elif "href" in values and not values["alt"].strip():
            says = f"<{tag.name}> is a link, but its alt is empty"
        else:
            continue
        yield found("alt", Level.ERROR, says, rendered.mjml.place(tag.offset))


def unmeasured(rendered: RenderedMail) -> Iterator[Finding]:
    """Find images without a size: text jumps while they load, and Outlook guesses."""
    for image in rendered.elements("img"):
        missing = [name for name in ("width", "height") if not image.get(name, "").isdigit()]
        if missing:
            source = image.get("src", "")
            says = f"the image {source} has no {' and no '.join(missing)} in pixels"
            yield found("image-size", Level.WARNING, says, rendered.where_text(source))


def invisible(rendered: RenderedMail) -> Iterator[Finding]:
    """Find images of one pixel: they only track readers, and spam filters know them."""
    for image in rendered.elements("img"):
        sizes = [
            int(size) for size in (image.get("width"), image.get("height")) if _is_number(size)
        ]
        if sizes and max(sizes) <= 1:
            source = image.get("src", "")
            says = f"the image {source} has one pixel: it can only track readers"
            yield found("tracking", Level.WARNING, says, rendered.where_text(source))


def _is_number(size: str | None) -> bool:
    return size is not None and size.isascii() and size.isdigit()


def unknown_properties(rendered: RenderedMail) -> Iterator[Finding]:
    """Find properties that CSS does not have, in the styles as written: inlining drops them."""
    written = rendered.mjml.text
    css = "\n".join(_STYLES.findall(written))
    used = [declaration for rule in rules(css) for declaration in rule.declarations]
    for style in _STYLE_ATTRIBUTES.findall(written):
        used += declarations(unescape(style))
    for name in dict.fromkeys(declaration.name for declaration in used):
        if not name.startswith(("-", "mso-")) and name not in known_properties():
            says = f"there is no CSS property {name}{_meant(name, known_properties())}"
            place = rendered.where(rf"(?<![\w-]){re.escape(name)}\s*:")
            yield found("css", Level.WARNING, says, place)


@cache
def known_properties() -> frozenset[str]:
    """Return the properties that cssutils or caniemail.com know."""
    in_table = (slug.removeprefix("css-") for slug in table() if slug.startswith("css-"))
    return frozenset([*cssutils.profile.knownNames, *in_table, *PROPERTIES_OF_FEATURES])


def forbidden(rendered: RenderedMail) -> Iterator[Finding]:
    """Find what clients remove, or distrust."""
    for element in rendered.elements(*_FORBIDDEN):
        says = f"<{element.tag}> is not allowed in email"
        yield found("forbidden", Level.ERROR, says, rendered.where(rf"<{element.tag}\b"))
    for link in rendered.elements("link"):
        if "stylesheet" in link.get("rel", "").lower():
            says = f"the style sheet {link.get('href')} is loaded from elsewhere"
            place = rendered.where_text(link.get("href", ""))
            yield found("forbidden", Level.ERROR, says, place)
    if "@import" in rendered.styles.lower():
        says = "@import loads a style sheet from elsewhere"
        yield found("forbidden", Level.ERROR, says, rendered.where("@import"))
    for element in rendered.elements():
        for name in element.attrib:
            if name.startswith("on"):
                says = f"{name} on <{element.tag}> is a script"
                place = rendered.where(rf"\b{name}\s*=")
                yield found("forbidden", Level.ERROR, says, place)
