"""Deliver into a folder: one .eml file for each message."""

import hashlib
import re
from contextlib import suppress
from pathlib import Path
from typing import Self

from digest.errors import TransportError
from digest.model.messages import Message, Outcome, OutcomeKind


class FolderTransport:
    """Writes each message to ``<recipient>-<digest of the Message-ID>.eml``, whole or not at all.

    The name depends on the message alone, so that one that is sent again replaces its file.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> Self:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TransportError(f"{self._folder}: {error.strerror}") from error
        return self

    def __exit__(self, *error: object) -> None:
        pass

    takes_smtputf8 = True  # a file takes all octets

    def send(self, message: Message) -> Outcome:
        path = self.path_of(message)
        part = path.with_suffix(".part")
        try:
            part.write_bytes(message.content)
            part.replace(path)
        except OSError as error:
            with suppress(OSError):
                part.unlink()
            # The text names the folder, because the file has an address in its name.
            raise TransportError(f"{self._folder}: {error.strerror}") from error
        return Outcome(OutcomeKind.ACCEPTED, str(path), 250)

    def path_of(self, message: Message) -> Path:
        readable = re.sub(r"[^A-Za-z0-9.@-]", "_", message.envelope.rcpt_to)[:80]
        unique = hashlib.sha256(message.message_id.encode()).hexdigest()[:8]
        return self._folder / f"{readable}-{unique}.eml"
