"""Where mail to us lies: a Maildir, an mbox file, or one mail on standard input."""

import mailbox
from collections.abc import Iterator
from contextlib import closing
from email.message import Message
from pathlib import Path
from typing import BinaryIO

from digest.errors import InboxError

# Read, and done with: the flags of https://cr.yp.to/proto/maildir.html and of mbox's Status line.
_DONE_IN_MAILDIR = "S"
_DONE_IN_MBOX = "R"


class Letter:
    """One mail that nobody has dealt with; ``done`` says that we have."""

    def __init__(self, mail: Message) -> None:
        self.mail = mail
        self.is_done = False

    def done(self) -> None:
        self.is_done = True


def letters_in(place: Path) -> Iterator[Letter]:
    """The mails in a Maildir or an mbox file that are not marked as read.

    One that is said to be done is marked so, and stays; the others stay as they are, for a person
    to read. Raises InboxError.
    """
    if not place.exists():
        raise InboxError(f"{place}: there is no such file or folder")
    try:
        if place.is_dir():
            yield from _letters_in_maildir(place)
        else:
            yield from _letters_in_mbox(place)
    except (OSError, mailbox.Error) as error:
        raise InboxError(f"{place}: {error}") from error


def letter_from(stream: BinaryIO) -> Letter:
    """The one mail on a stream, as a mail server's alias hands it over."""
    return Letter(mailbox.mboxMessage(stream.read()))


def _letters_in_maildir(place: Path) -> Iterator[Letter]:
    if not (place / "new").is_dir():
        raise InboxError(f"{place}: neither an mbox file nor a Maildir (it has no folder new)")
    with closing(mailbox.Maildir(place, create=False)) as box:
        for key in sorted(box.iterkeys()):
            try:
                found = box[key]
            except KeyError:  # somebody else has just moved it
                continue
            if _DONE_IN_MAILDIR in found.get_flags():
                continue
            letter = Letter(found)
            yield letter
            if letter.is_done:
                found.set_subdir("cur")
                found.add_flag(_DONE_IN_MAILDIR)
                box[key] = found


def _letters_in_mbox(place: Path) -> Iterator[Letter]:
    with closing(mailbox.mbox(place, create=False)) as box:
        box.lock()
        for key in box.iterkeys():
            found = box[key]
            if _DONE_IN_MBOX in found.get_flags():
                continue
            letter = Letter(found)
            yield letter
            if letter.is_done:
                found.add_flag(_DONE_IN_MBOX)
                box[key] = found
        box.flush()
