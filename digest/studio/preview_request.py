"""Read and write the address of the templates page: what it shows, and how. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlencode

EDITION = "@edition"  # instead of a sample's name; no file has this name


Way = TypeVar("Way", bound=StrEnum)


class View(StrEnum):
    """The screens to show."""

    PHONE = "phone"
    DESKTOP = "desktop"
    BOTH = "both"  # side by side, in one scheme
    ALL = "all"  # both, light and dark


class Scheme(StrEnum):
    """The colours that a reader's device prefers."""

    LIGHT = "light"
    DARK = "dark"


class Tab(StrEnum):
    """The part of the email to show."""

    MAIL = "mail"
    HTML = "html"
    TEXT = "text"
    HEADERS = "headers"
    MJML = "mjml"
    CHECKS = "checks"
    CHANGES = "changes"


@dataclass(frozen=True, slots=True)
class PreviewRequest:
    """A choice of what the templates are filled with (a sample, or an edition), and the language.

    For an edition it is the digest of a ``day`` (None is the latest) for the subscriber with the
    address ``reader``, or for somebody with the ``topics``, separated by semicolons. ``language``
    is a code; without one it is the reader's, or the installation's.
    """

    sample: str = ""
    day: date | None = None
    reader: str = ""
    topics: str = ""
    language: str = ""

    @property
    def is_edition(self) -> bool:
        return self.sample == EDITION

    @property
    def typed_topics(self) -> list[str]:
        return [typed for typed in map(str.strip, self.topics.split(";")) if typed]

    @property
    def fields(self) -> dict[str, str]:
        """Return the fields of the address."""
        language = {"language": self.language} if self.language else {}
        if not self.is_edition:
            return {"sample": self.sample, **language}
        day = self.day.isoformat() if self.day else ""
        of_edition = {"day": day, "reader": self.reader, "topics": self.topics}
        return {"sample": EDITION, **of_edition, **language}


@dataclass(frozen=True, slots=True)
class Looks:
    """The choice of how an email is shown."""

    view: View = View.BOTH
    scheme: Scheme = Scheme.LIGHT
    images: bool = True
    tab: Tab = Tab.MAIL

    @property
    def fields(self) -> dict[str, str]:
        """Return the fields of the address."""
        images = "on" if self.images else "off"
        return {"view": self.view, "scheme": self.scheme, "images": images, "tab": self.tab}


def read_preview_request(query: Mapping[str, str]) -> PreviewRequest:
    """Read what to show; fields that cannot be read are ignored."""
    try:
        day = date.fromisoformat(query.get("day", ""))
    except ValueError:
        day = None
    reader, topics = query.get("reader", "").strip(), query.get("topics", "").strip()
    return PreviewRequest(query.get("sample", ""), day, reader, topics, query.get("language", ""))


def read_looks(query: Mapping[str, str]) -> Looks:
    """Read how to show it; fields that cannot be read are ignored."""
    usual = Looks()
    return Looks(
        view=_one_of(View, query.get("view", ""), usual.view),
        scheme=_one_of(Scheme, query.get("scheme", ""), usual.scheme),
        images=query.get("images") != "off",
        tab=_one_of(Tab, query.get("tab", ""), usual.tab),
    )


def _one_of(kind: type[Way], value: str, usual: Way) -> Way:
    try:
        return kind(value)
    except ValueError:
        return usual


def address(path: str, preview_request: PreviewRequest, **more: str) -> str:
    """Return the address of a page for a request."""
    return f"{path}?{urlencode({**preview_request.fields, **more})}"
