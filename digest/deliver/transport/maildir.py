"""Deliver into a Maildir, from which other programs take the messages.

The format: https://cr.yp.to/proto/maildir.html. Programs expect the machine's own line ends there.
"""

import os
import secrets
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

from digest.errors import TransportError
from digest.model.messages import Message, Outcome, OutcomeKind


class MaildirTransport:
    """Writes each message as a file of its own, which is on the disk before it can be seen.

    A message that is sent again is a second file, because another program may have the first.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> Self:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in ("tmp", "new", "cur"):
                (self._folder / name).mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise TransportError(f"{self._folder}: {error.strerror}") from error
        return self

    def __exit__(self, *error: object) -> None:
        pass

    takes_smtputf8 = True  # a file takes all octets

    def send(self, message: Message) -> Outcome:
        name = _unique_name()
        part, whole = self._folder / "tmp" / name, self._folder / "new" / name
        try:
            _write(part, _as_delivered(message))
            part.rename(whole)
        except OSError as error:
            with suppress(OSError):
                part.unlink()
            raise TransportError(f"{whole}: {error.strerror}") from error
        try:
            _sync_folder(whole.parent)
        except OSError as error:
            # It can be seen already, and may have been read; after a power cut it may be gone.
            return Outcome(OutcomeKind.UNCERTAIN, f"{whole}: {error.strerror}")
        return Outcome(OutcomeKind.ACCEPTED, str(whole), 250)


def _unique_name() -> str:
    """Make a name as the format asks: the time in seconds, a random part, the host."""
    host = socket.gethostname().replace("/", r"\057").replace(":", r"\072")
    return f"{int(time.time())}.R{secrets.token_hex(8)}.{host}"


def _as_delivered(message: Message) -> bytes:
    """Add the envelope sender, as the last delivery does (RFC 5321 section 4.4)."""
    return_path = f"Return-Path: <{message.envelope.mail_from}>\n".encode()
    return return_path + message.content.replace(b"\r\n", b"\n")


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Write the folder itself to the disk; otherwise a new name may be lost (fsync(2))."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
