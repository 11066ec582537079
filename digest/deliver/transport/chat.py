"""Deliver into a chat room or a folder: the text of a message, which is Markdown there.

Apprise knows the services, by URLs such as slack://…, discord://…, matrix://… and a hundred others.
"""

import email
import email.policy
import logging
import re
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

from digest.errors import SettingError, TransportError
from digest.model.messages import Message, Outcome, OutcomeKind

# Apprise logs the status by which a service has refused: then it has not taken the message.
_REFUSED = re.compile(r"error=(\d{3})")
_REQUEST_TIME_OUT = 30  # seconds


class ChatTransport:
    """Posts each message to one room, or writes it to one folder, whoever it is for.

    ``url`` is one of Apprise, or ``file:///FOLDER``. Raises SettingError for any other.
    """

    takes_smtputf8 = True  # a name in it is text

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._post = _writer(Path(unquote(parts.path))) if parts.scheme == "file" else _poster(url)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def send(self, message: Message) -> Outcome:
        parsed = email.message_from_bytes(message.content, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        text = parsed.get_body(("plain",))
        assert text is not None
        return self._post(str(parsed["Subject"]), text.get_content().strip(), parsed)


Post = Callable[[str, str, EmailMessage], Outcome]


def _writer(folder: Path) -> Post:
    def write(title: str, text: str, message: EmailMessage) -> Outcome:
        """Write a file that is named by the Message-ID, so that the same message replaces it."""
        path = folder / f"{str(message['Message-ID']).strip('<>').partition('@')[0]}.md"
        part = path.with_suffix(".part")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            part.write_text(f"# {title}\n\n{text}\n", encoding="utf-8")
            part.replace(path)
        except OSError as error:
            raise TransportError(f"{folder}: {error.strerror}") from error
        return Outcome(OutcomeKind.ACCEPTED, str(path), 250)

    return write


def _poster(url: str) -> Post:
    try:
        import apprise  # noqa: PLC0415  an extra
    except ImportError:
        raise SettingError(
            "chat rooms need the extra \"chat\": pip install 'paper-digest[chat]'"
        ) from None
    room = apprise.Apprise()
    # A text that is longer than the service takes comes in several posts.
    if not room.add(f"{url}{'&' if '?' in url else '?'}overflow=split&rto={_REQUEST_TIME_OUT}"):
        raise SettingError(f"Apprise cannot read the URL of the chat room ({urlsplit(url).scheme})")

    def post(title: str, text: str, _message: EmailMessage) -> Outcome:
        """Post it. A refusal is tried again later; no answer may mean that it was taken."""
        with apprise.LogCapture(level=logging.WARNING) as said:  # type: ignore[no-untyped-call]
            taken = room.notify(text, title=title, body_format=apprise.NotifyFormat.MARKDOWN)
            why = said.getvalue().strip()
        if taken:
            return Outcome(OutcomeKind.ACCEPTED, "taken by the chat room", 250)
        refused = _REFUSED.search(why)
        kind = OutcomeKind.DEFERRED if refused else OutcomeKind.UNCERTAIN
        line = why.splitlines()[-1].partition(" - WARNING - ")[2] if why else "no answer"
        return Outcome(kind, f"the chat room: {line}", int(refused[1]) if refused else 0)

    return post
