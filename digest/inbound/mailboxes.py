"""Read the mail to us from a Maildir, an mbox file, an IMAP folder, or standard input."""

import mailbox
import os
import stat
from collections.abc import Iterator
from contextlib import closing, suppress
from email.parser import BytesHeaderParser
from functools import cache
from pathlib import Path
from typing import BinaryIO

import structlog

from digest.errors import InboxError
from digest.inbound.imap import count_flagged, messages_on_server
from digest.inbound.report import MOST_OCTETS, Flag, InboundMessage
from digest.settings.imap_folder import ImapFolder

# Seen, or flagged for attention: in the names of a Maildir's files
# (https://cr.yp.to/proto/maildir.html), and in the headers Status and X-Status of an mbox.
_IN_MAILDIR = {Flag.SEEN: "S", Flag.REVIEW: "F"}
_IN_MBOX = {Flag.SEEN: "R", Flag.REVIEW: "F"}
# To flag an email in an mbox file takes several times its size in memory.
LARGEST_IN_MBOX = 64 * 1024 * 1024

log = structlog.get_logger()


def messages_in(place: Path | ImapFolder, ca_file: Path | None = None) -> Iterator[InboundMessage]:
    """Yield the messages in a mailbox that are neither marked as read nor flagged.

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
        elif place.is_file():
            yield from _messages_in_mbox(place)
        else:  # a FIFO or a device: it has no end, or never begins
            raise InboxError(f"{place}: neither an mbox file nor a Maildir")
    except (OSError, mailbox.Error) as error:
        raise InboxError(f"{place}: {error}") from error


def messages_on(stream: BinaryIO, review: Path) -> Iterator[InboundMessage]:
    """Yield the one message on a stream, as a mail server's alias hands it over.

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
            return sum(_waits_for_review(box, key) for key in box.iterkeys())
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
        if (content := _beginning_of(file)) is None:
            continue
        message = InboundMessage(content)
        yield message
        if message.flag:
            flags = "".join(sorted({*info, _IN_MAILDIR[message.flag]}))
            with suppress(FileNotFoundError):  # moved meanwhile: the next reading finds it
                file.rename(place / "cur" / f"{unique}:2,{flags}")


def _beginning_of(file: Path) -> bytes | None:
    """Return the first octets of a file; None if it is gone, or is none that can be read."""
    try:
        # Links are not followed, because they may lead out of the mailbox; a FIFO would never end.
        if not stat.S_ISREG(file.lstat().st_mode):
            _tell_left_out(file, "it is not a regular file")
            return None
        with file.open("rb") as opened:
            return opened.read(MOST_OCTETS)
    except FileNotFoundError:  # a mail program has moved it: the next reading finds it
        return None
    except OSError as error:
        _tell_left_out(file, error.strerror)
        return None


def _messages_in_mbox(place: Path) -> Iterator[InboundMessage]:
    with closing(mailbox.mbox(place, create=False)) as box:
        box.lock()
        for key in box.iterkeys():
            with closing(box.get_file(key)) as opened:
                content = opened.read(MOST_OCTETS)
                opened.seek(0, os.SEEK_END)
                size = opened.tell()
            if not set(_IN_MBOX.values()).isdisjoint(_flags_in(content)):
                continue
            if not content:  # a line "From " right after another one: Python cannot read that
                _tell_left_out(place, f"number {key} is empty")
                continue
            if size > LARGEST_IN_MBOX:
                _tell_left_out(place, f"number {key} has more than {LARGEST_IN_MBOX} bytes")
                continue
            message = InboundMessage(content)
            yield message
            if message.flag:
                box[key] = _with_flag(box.get_bytes(key, from_=True), _IN_MBOX[message.flag])
        box.flush()


def _waits_for_review(box: mailbox.mbox, key: str) -> bool:
    with closing(box.get_file(key)) as opened:
        flags = _flags_in(opened.read(MOST_OCTETS))
    return "F" in flags and "R" not in flags


def _flags_in(content: bytes) -> str:
    """Return the flags that the header of an email in an mbox has."""
    return mailbox.mboxMessage(BytesHeaderParser().parsebytes(content)).get_flags()


def _with_flag(octets: bytes, flag: str) -> bytes:
    """Return an email in an mbox with one flag more; nothing else of it changes.

    Not by ``mboxMessage``, which writes an email anew, and cannot write a damaged one. The header's
    first Status and X-Status count.
    """
    begin, _, rest = octets.partition(b"\n")
    flags = {*_flags_in(rest), flag}
    read, others = ("".join(known for known in kind if known in flags) for kind in ("RO", "DFA"))
    return begin + f"\nStatus: {read}\nX-Status: {others}\n".encode() + rest


@cache  # a mailbox is read every minute, and one line about each file is enough
def _tell_left_out(file: Path, why: str | None) -> None:
    log.warning("not read as an email", file=str(file), why=why)
