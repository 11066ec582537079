"""Read mail to us from a Maildir, an mbox file, a folder on a server, or standard input."""

import mailbox
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import BinaryIO

from digest.errors import InboxError
from digest.inbound.imap import count_flagged, messages_on_server
from digest.inbound.report import MOST_OCTETS, Flag, InboundMessage
from digest.settings.imap_folder import ImapFolder

# Seen, or flagged for attention: in the names of a Maildir's files
# (https://cr.yp.to/proto/maildir.html), and in the headers Status and X-Status of an mbox.
_IN_MAILDIR = {Flag.SEEN: "S", Flag.REVIEW: "F"}
_IN_MBOX = {Flag.SEEN: "R", Flag.REVIEW: "F"}


def messages_in(place: Path | ImapFolder, ca_file: Path | None = None) -> Iterator[InboundMessage]:
    """Yield the mails in a mailbox that are neither marked as read nor flagged.

    Each gets the flag that its reader has set before the next one comes, or in an mbox file at the
    end; and each stays. Whoever stops in the middle finds the others again. Raises InboxError.
    """
    if isinstance(place, ImapFolder):
        yield from messages_on_server(place, ca_file)
        return
    if not place.exists():
        raise InboxError(f"{place}: there is no such file or folder")
    try:
        if place.is_dir():
            yield from _messages_in_maildir(place)
        else:
            yield from _messages_in_mbox(place)
    except (OSError, mailbox.Error) as error:
        raise InboxError(f"{place}: {error}") from error


def messages_on(stream: BinaryIO, review: Path) -> Iterator[InboundMessage]:
    """Yield the one mail on a stream, as a mail server's alias hands it over.

    What is not dealt with is stored in the Maildir ``review``, so that it can be taken as
    delivered. Raises InboxError.
    """
    content = stream.read()
    message = InboundMessage(content[:MOST_OCTETS])
    yield message
    if message.flag is not Flag.SEEN:
        try:
            review.parent.mkdir(parents=True, exist_ok=True)
            with closing(mailbox.Maildir(review, create=True)) as box:
                box.add(content)
        except (OSError, mailbox.Error) as error:
            raise InboxError(f"{review}: {error}") from error


def count_for_review(place: Path | ImapFolder, ca_file: Path | None = None) -> int:
    """Count the emails in a mailbox that are flagged and that nobody has read since.

    Raises InboxError.
    """
    if isinstance(place, ImapFolder):
        return count_flagged(place, ca_file)
    try:
        if place.is_dir():
            names = (file.name for file in (place / "cur").iterdir())
            flags = (name.partition(":2,")[2] for name in names)
            return sum("F" in own and "S" not in own for own in flags)
        with closing(mailbox.mbox(place, create=False)) as box:
            return sum("F" in (own := found.get_flags()) and "R" not in own for found in box)
    except (OSError, mailbox.Error) as error:
        raise InboxError(f"{place}: {error}") from error


def count_aside(place: Path) -> int:
    """Count the emails from standard input that were stored and that nobody has read since."""
    files = (file for name in ("new", "cur") for file in (place / name).glob("*"))
    return sum("S" not in file.name.partition(":2,")[2] for file in files)


def _messages_in_maildir(place: Path) -> Iterator[InboundMessage]:
    if not (place / "new").is_dir():
        raise InboxError(f"{place}: neither an mbox file nor a Maildir (it has no folder new)")
    for file in sorted(path for name in ("new", "cur") for path in (place / name).iterdir()):
        unique, _, info = file.name.partition(":2,")
        if file.name.startswith(".") or not set(_IN_MAILDIR.values()).isdisjoint(info):
            continue
        with suppress(FileNotFoundError):  # a mail program has moved it: the next reading finds it
            with file.open("rb") as opened:
                message = InboundMessage(opened.read(MOST_OCTETS))
            yield message
            if message.flag:
                flags = "".join(sorted({*info, _IN_MAILDIR[message.flag]}))
                file.rename(place / "cur" / f"{unique}:2,{flags}")


def _messages_in_mbox(place: Path) -> Iterator[InboundMessage]:
    with closing(mailbox.mbox(place, create=False)) as box:
        box.lock()
        for key in box.iterkeys():
            found = box[key]
            if not set(_IN_MBOX.values()).isdisjoint(found.get_flags()):
                continue
            message = InboundMessage(box.get_bytes(key)[:MOST_OCTETS])
            yield message
            if message.flag:
                found.add_flag(_IN_MBOX[message.flag])
                box[key] = found
        box.flush()
