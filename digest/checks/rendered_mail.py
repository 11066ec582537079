"""A rendered mail as the checks see it."""

import re
from dataclasses import dataclass
from functools import cached_property

from lxml.html import HtmlElement
from markupsafe import escape

from digest.checks.cascade import Look, Mode, looks
from digest.checks.finding import Finding, Level
from digest.checks.page import page, styles
from digest.compose.source_map import Place, Rendered


# No slots: what is computed once is kept beside the fields.
@dataclass(frozen=True)
class RenderedMail:
    """A mail, made of a sample.

    ``titles`` are those of its papers as they are shown, ``urls`` their addresses. ``unsubscribe``
    is the link that must be there; it and ``postal_address`` are empty where nothing must be.
    ``own_hosts`` are those that a mail leads to whatever its template says.
    ``is_largest`` is for the sample that stands for the longest mail there can be.
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
        """The elements of these names, or all; comments are none."""
        return [element for element in self.tree.iter(*names) if isinstance(element.tag, str)]

    def where(self, *patterns: str) -> Place:
        """The line of the first of these patterns that occurs in the MJML; no place if none.

        Of a pattern with a group it is the line of the group.
        """
        for pattern in patterns:
            if found := re.search(pattern, self.mjml.text):
                return self.mjml.place(found.start(found.lastindex or 0))
        return Place("")

    def where_text(self, *texts: str) -> Place:
        """As ``where``, for texts as they are or with their entities, their blanks any blanks."""
        return self.where(*map(_pattern, filter(str.strip, texts)))

    def of_text(self) -> Place:
        return Place(f"mail/{self.mail}/body.txt.j2")

    def of_subject(self) -> Place:
        return Place(f"mail/{self.mail}/subject.txt.j2")


def found(check: str, level: Level, what: str, place: Place | None = None) -> Finding:
    """A finding at a place."""
    where = place or Place("")
    return Finding(check, level, what, where.template, where.line)


def _pattern(text: str) -> str:
    ways = {
        r"\s+".join(re.escape(word) for word in written.split())
        for written in (text, str(escape(text)))
    }
    # Whole words: a text of one letter is not the letter of another.
    return rf"(?<!\w)(?:{'|'.join(sorted(ways))})(?!\w)"
