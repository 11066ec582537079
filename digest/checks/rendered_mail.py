"""A rendered email as the checks see it."""

import re
from dataclasses import dataclass
from functools import cached_property

from lxml.html import HtmlElement
from markupsafe import escape

from digest.checks.cascade import Look, Mode, looks
from digest.checks.finding import Finding, Level
from digest.checks.page import page, styles
from digest.compose.built import NotBuilt
from digest.compose.source_map import Place, Rendered


# No slots: cached properties need a dictionary.
@dataclass(frozen=True)
class RenderedMail:
    """An email, rendered from a sample.

    ``titles`` are those of its papers as they are shown, ``urls`` their addresses. ``unsubscribe``
    is the link that it must have; it and ``postal_address`` are empty if none is required.
    ``own_hosts`` are the hosts of links that no template decides, ``base_url`` begins our
    own. ``is_largest`` marks the sample of the longest possible email. ``not_built`` says why
    its HTML cannot be made from a template that is built once.
    """

    mail: str
    sample: str
    mjml: Rendered
    html: str
    text: str
    subject: str
    titles: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    unsubscribe: str = ""
    postal_address: str = ""
    is_largest: bool = False
    own_hosts: frozenset[str] = frozenset()
    base_url: str = ""
    not_built: NotBuilt | None = None

    @cached_property
    def tree(self) -> HtmlElement:
        return page(self.html)

    @cached_property
    def styles(self) -> str:
        return styles(self.tree)

    @cached_property
    def light(self) -> dict[HtmlElement, Look]:
        return looks(self.tree, Mode.LIGHT)

    @cached_property
    def dark(self) -> dict[HtmlElement, Look]:
        return looks(self.tree, Mode.DARK)

    def elements(self, *names: str) -> list[HtmlElement]:
        """Return the elements with these names, or all, without comments."""
        return [element for element in self.tree.iter(*names) if isinstance(element.tag, str)]

    def where(self, *patterns: str) -> Place:
        """Find the place of the first pattern (or its group) that occurs in the MJML.

        If none does, it is that of the email's body.
        """
        for pattern in patterns:
            if found := re.search(pattern, self.mjml.text):
                return self.mjml.place(found.start(found.lastindex or 0))
        return Place(f"mail/{self.mail}/body.mjml.j2")

    def where_text(self, *texts: str) -> Place:
        """Find the place of the first text, plain or escaped, with any white space in it."""
        return self.where(*map(_pattern, filter(str.strip, texts)))

    def of_text(self) -> Place:
        return Place(f"mail/{self.mail}/body.txt.j2")

    def of_subject(self) -> Place:
        return Place(f"mail/{self.mail}/subject.txt.j2")


def found(check: str, level: Level, what: str, place: Place) -> Finding:
    return Finding(check, level, what, place.template, place.line)


def _pattern(text: str) -> str:
    ways = {
        r"\s+".join(re.escape(word) for word in written.split())
        for written in (text, str(escape(text)))
    }
    # Whole words: a text of one letter is not a letter of another.
    return rf"(?<!\w)(?:{'|'.join(sorted(ways))})(?!\w)"
