"""One mail to us, and what was made of it."""

from dataclasses import dataclass
from enum import Enum

# More of a mail is not read: a report says what it has to say before the message that it returns.
MOST_OCTETS = 1024 * 1024


class Mark(Enum):
    """What the mailbox is to remember of a mail. Without any, it is read again next time."""

    DONE = "done"  # as if a person had read it
    ASIDE = "aside"  # left unread for a person, and not looked at again


@dataclass(slots=True)
class Letter:
    """A mail's octets, or the first of them. ``mark`` is set by whoever has dealt with it."""

    content: bytes
    mark: Mark | None = None
