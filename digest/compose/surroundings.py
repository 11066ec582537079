"""What the place of a card in a mail has to do with how the card comes out. Pure."""

import re

from digest.compose.mjml_tags import Kind, tags

_STYLES = re.compile(r"<mj-style\b[^>]*>(.*?)</mj-style>", re.DOTALL)
# Selectors that ask for neighbours, or for a place among them.
_BY_PLACE = re.compile(r"[+~]|:(?:first|last|nth|only|empty|not|has|is|where)\b")
# What stands in these does not share its width with others.
_ROOMY = ("mj-body", "mj-wrapper")


def surroundings(mjml: str, offset: int) -> str:
    """A text that is the same for two places where cards come out the same.

    Empty where that cannot be said: where neighbours share the width, styles go by place, or
    something is included later. Else it is the head, and the tags that are open at ``offset``.
    """
    if "<mj-include" in mjml or any(_BY_PLACE.search(styles) for styles in _STYLES.findall(mjml)):
        return ""
    around: list[tuple[str, str]] = []
    head = ""
    for tag in tags(mjml):
        if tag.offset >= offset:
            break
        if tag.kind is Kind.OPEN:
            around.append((tag.name, mjml[tag.offset : mjml.index(">", tag.offset) + 1]))
            if tag.name == "mj-body":
                head = mjml[: tag.offset]
        elif tag.kind is Kind.CLOSE:
            while around and around.pop()[0] != tag.name:
                pass
    if not around or around[-1][0] not in _ROOMY:
        return ""
    return head + "".join(text for _, text in around)
