"""A mail to us, and what it reports."""

from dataclasses import dataclass
from enum import Enum

# More of a mail is not read: a report says what it has to say before the message that it returns.
MOST_OCTETS = 1024 * 1024


class Flag(Enum):
    """What the mailbox is to remember of a mail. Without any, it is read again next time."""

    SEEN = "seen"  # as if a person had read it
    REVIEW = "review"  # left unread for a person, and not looked at again


@dataclass(slots=True)
class InboundMessage:
    """A mail's octets, or the first of them. ``flag`` is set by whoever has dealt with it."""

    content: bytes
    flag: Flag | None = None


class Kind(Enum):
    """What sort of mail it is."""

    HARD = "hard"  # a failure report; at least one address is dead
    SOFT = "soft"  # a failure report; no address is known to be dead
    DELAYED = "delayed"  # a server is still trying: nothing has failed
    COMPLAINT = "complaint"  # somebody called one of our mails abuse
    UNSUBSCRIBE = "unsubscribe"
    AUTO_REPLY = "auto-reply"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Recipient:
    """One address that a report is about.

    ``status`` is an enhanced status code (RFC 3463), ``diagnostic`` what the server said, in one
    line of 500 characters at most; either is empty if the report does not tell.
    """

    address: str
    is_hard: bool = False
    status: str = ""
    diagnostic: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What one mail says.

    Only failures and complaints have recipients; a failure report that does not name any that we
    understand has none. ``waiting`` are the addresses that a server is still trying to reach.
    """

    kind: Kind
    recipients: tuple[Recipient, ...] = ()
    waiting: tuple[str, ...] = ()


def failure(recipients: tuple[Recipient, ...], waiting: tuple[str, ...] = ()) -> Report:
    """The report of a failure: hard as soon as one address is dead."""
    kind = Kind.HARD if any(recipient.is_hard for recipient in recipients) else Kind.SOFT
    return Report(kind, recipients, waiting)
