"""Check links, and the addresses that every email must have."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from digest.checks.finding import Finding, Level
from digest.checks.rendered_mail import RenderedMail, found
from digest.checks.rules import Rules
from digest.compose.source_map import Place

_ATTRIBUTES = ("href", "src", "background", "action", "cite", "poster")
_IN_STYLES = re.compile(r"url\(\s*['\"]?([^'\")]+)['\"]?\s*\)", re.IGNORECASE)
_EMPTY = r"(?:href|src|background)\s*=\s*([\"'])\s*\1"
_IN_TEXT = re.compile(r"\bhttps?://[^\s<>\"]+", re.IGNORECASE)


def bad_links(rendered: RenderedMail, rules: Rules) -> Iterator[Finding]:
    """Find addresses in the HTML that are not https or mailto, or have a host not allowed."""
    for address in dict.fromkeys(addresses(rendered)):
        if complaint := _against(address, rendered, rules):
            level, says = complaint
            place = rendered.where_text(address) if address else rendered.where(_EMPTY)
            yield found("links", level, says, place)


def bad_links_in_text(rendered: RenderedMail, rules: Rules) -> Iterator[Finding]:
    """Find the same in the text part, as warnings: an abstract may name such an address."""
    in_html = set(addresses(rendered))
    for address in dict.fromkeys(text_addresses(rendered.text)):
        complaint = _against(address, rendered, rules)
        if complaint and address not in in_html:
            yield found("links", Level.WARNING, f"in the text, {complaint[1]}", rendered.of_text())


def without_text(rendered: RenderedMail) -> Iterator[Finding]:
    """Find links without text (WCAG 2.4.4); images in links have a check of their own."""
    for link in rendered.elements("a"):
        address = link.get("href", "")
        if address and not link.text_content().strip() and link.find(".//img") is None:
            says = f"the link {address} has no text"
            yield found("links", Level.ERROR, says, rendered.where_text(address))


def insecure_base_url(rendered: RenderedMail) -> Iterator[Finding]:
    """Note once that our own links are not https; each of them would be an error otherwise."""
    if _is_insecure(rendered):
        says = f"our links lead to {rendered.base_url}: set an https address before you send"
        yield found("links", Level.NOTE, says, Place("DIGEST_BASE_URL"))


def _is_insecure(rendered: RenderedMail) -> bool:
    return rendered.base_url.startswith("http://")


def addresses(rendered: RenderedMail) -> Iterator[str]:
    """Yield the addresses in the HTML: links, pictures, backgrounds."""
    for element in rendered.elements():
        for name in _ATTRIBUTES:
            value = element.get(name)
            if value is not None:
                yield value.strip()
        yield from _IN_STYLES.findall(element.get("style", ""))
    yield from _IN_STYLES.findall(rendered.styles)


def text_addresses(text: str) -> Iterator[str]:
    """Yield the addresses in plain text, without a full stop or bracket after them."""
    for address in _IN_TEXT.findall(text):
        yield address.rstrip(".,;:!?)]}'")


def _against(address: str, rendered: RenderedMail, rules: Rules) -> tuple[Level, str] | None:
    if not address:
        return Level.ERROR, "a link leads nowhere: its address is empty"
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return Level.ERROR, f"{address} is not an address"
    scheme = parts.scheme
    is_ours = _is_insecure(rendered) and address.startswith(rendered.base_url)
    if is_ours or scheme == "mailto" or (address.startswith("#") and len(address) > 1):
        return None
    if scheme != "https" or not host:
        return Level.ERROR, f"{address} is not https"
    allowed = rules.allowed_hosts
    if allowed is not None and not _is_allowed(host, allowed | rendered.own_hosts):
        return Level.WARNING, f"{address} has a host that is not allowed"
    return None


def _is_allowed(host: str, allowed: frozenset[str]) -> bool:
    return any(host == known_host or host.endswith(f".{known_host}") for known_host in allowed)


def no_way_out(rendered: RenderedMail) -> Iterator[Finding]:
    """Find a part without the unsubscribe link or the sender's postal address."""
    body = Place(rendered.where("<mj-body").template)
    address = " ".join(rendered.postal_address.split())
    for name, place, links, text in (
        ("HTML", body, addresses(rendered), rendered.tree.text_content()),
        ("text", rendered.of_text(), text_addresses(rendered.text), rendered.text),
    ):
        if rendered.unsubscribe and rendered.unsubscribe not in links:
            says = f"the unsubscribe link is missing in the {name}"
            yield found("unsubscribe", Level.ERROR, says, place)
        if address not in " ".join(text.split()):
            says = f"the postal address is missing in the {name}"
            yield found("postal-address", Level.ERROR, says, place)
