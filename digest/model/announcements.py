"""Announcements: emails that the operator writes, to all readers or some. Pure."""

import json
import re
import unicodedata
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from digest.errors import AnnouncementError
from digest.model.digests import Edition
from digest.model.wording import truncate
from subscribers.addresses import address_key
from subscribers.model import Subscriber

# Numbers of editions from here on are announcements. All that is sent goes out in the order of
# these numbers, so that a digest never waits behind an announcement.
FIRST_NUMBER = 2**30
LONGEST_SUBJECT = 200
LONGEST_TEXT = 20_000
LONGEST_LIST = 100_000  # addresses of one audience
_NEVER = datetime.min.replace(tzinfo=UTC)
_IN_A_LINE = 60  # characters of a subject in a name


@dataclass(frozen=True, slots=True)
class Audience:
    """The readers that an announcement is for: all confirmed ones to whom everything given applies.

    ``topic`` is a word or more in one of their topics, ``language`` the code of the language of
    their emails; ``addresses`` are those of some.
    """

    topic: str = ""
    language: str = ""
    addresses: tuple[str, ...] = ()

    @property
    def is_everybody(self) -> bool:
        return self == Audience()

    def includes(self, person: Subscriber, language: str) -> bool:
        """Return whether it includes a person whose emails are in a language."""
        wanted = self.topic.casefold()
        return (
            (not wanted or any(wanted in topic.text.casefold() for topic in person.topics))
            and (not self.language or language == self.language)
            and (not self.addresses or address_key(person.address) in self.addresses)
        )

    def __str__(self) -> str:
        parts = [
            f"with {self.topic!r} in a topic" if self.topic else "",
            f"with emails in {self.language}" if self.language else "",
            f"among {len(self.addresses)} addresses" if self.addresses else "",
        ]
        named = " and ".join(filter(None, parts))
        return f"confirmed readers {named}" if named else "all confirmed readers"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Audience":
        return cls(**{**stored, "addresses": tuple(stored["addresses"])})


@dataclass(frozen=True, slots=True)
class Draft:
    """The subject and text of an announcement as they were typed, and whom it is for."""

    subject: str
    text: str
    audience: Audience = field(default_factory=Audience)

    @property
    def key(self) -> str:
        """Return what is the same for the same draft only: it goes out once."""
        said = json.dumps([self.subject, self.text, self.audience.to_json()])
        return sha256(said.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Announcement:
    """An announcement that goes out, or has gone out. ``id`` is its row among the editions.

    Once it is stopped, what still waited is skipped.
    """

    id: int
    draft: Draft
    at: datetime
    stopped_at: datetime | None = None

    @property
    def number(self) -> int:
        """Return the number that people know it by: 1, 2, 3."""
        return self.id - FIRST_NUMBER + 1

    @property
    def name(self) -> str:
        return name_of(self.draft.subject)


@dataclass(frozen=True, slots=True)
class Announced:
    """An announcement as one reader gets it: what stands around the text is in their language."""

    announcement: Announcement
    locale: str | None = None

    @property
    def what(self) -> str:
        """Return what is sent, as a name for programs."""
        return f"announcement-{self.announcement.number}"


def previewed(draft: Draft, locale: str | None = None) -> Announced:
    """Return a draft as a reader would get it, before it is an announcement."""
    return Announced(Announcement(FIRST_NUMBER, draft, _NEVER), locale)


# What deliveries are of: both are rows among the editions.
Mailing = Edition | Announcement


def name_of(subject: str) -> str:
    """Return the name of an announcement in a line of text."""
    return f"the announcement {truncate(subject, _IN_A_LINE)!r}"


def draft_of(subject: str, text: str, audience: Audience) -> Draft:
    """Make a draft of what somebody typed. Raises AnnouncementError naming what is wrong."""
    subject = " ".join(subject.split())
    text = text.replace("\r\n", "\n").replace("\r", "\n").expandtabs(4).strip()
    for name, given, longest in (
        ("the subject", subject, LONGEST_SUBJECT),
        ("the text", text, LONGEST_TEXT),
    ):
        if not given:
            raise AnnouncementError(f"{name} is empty")
        if len(given) > longest:
            raise AnnouncementError(
                f"{name} has {len(given)} characters, and may have {longest} at most"
            )
        for number, line in enumerate(given.split("\n"), 1):
            if found := next(filter(_is_control, line), None):
                where = f"line {number} of {name}"
                raise AnnouncementError(f"{where} has a control character (U+{ord(found):04X})")
    return Draft(subject, text, audience)


def audience_of(topic: str = "", language: str = "", addresses: str = "") -> Audience:
    """Make an audience of what somebody typed; addresses stand in lines, or between commas.

    Raises AnnouncementError.
    """
    typed = [part for part in re.split(r"[\s,;]+", addresses) if part]
    if len(typed) > LONGEST_LIST:
        raise AnnouncementError(f"{len(typed)} addresses are given, {LONGEST_LIST} are the most")
    if wrong := next((part for part in typed if "@" not in part), None):
        raise AnnouncementError(f"{truncate(wrong, _IN_A_LINE)!r} is not an address")
    keys = tuple(sorted({address_key(part) for part in typed}))
    return Audience(" ".join(topic.split()), language.strip(), keys)


def _is_control(letter: str) -> bool:
    return unicodedata.category(letter) in {"Cc", "Cs"}
