"""The emails that were written to a folder, where no relay is set: as on a trial."""

import email
import email.policy
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from http import HTTPStatus
from pathlib import Path

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse, PlainTextResponse, Response

from digest.studio.history_text import words
from digest.studio.render import Pages

MOST = 100  # emails on the page
LARGEST = 1024 * 1024  # octets of one
# Nothing runs and nothing is sent, but links can be followed, as in a mail program.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src http: https: data:; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
_NAME = re.compile(r"[A-Za-z0-9._@-]{1,200}\.eml")


@dataclass(frozen=True, slots=True)
class Written:
    """An email in the folder: the name of its file, and what its head says."""

    name: str
    at: datetime
    to: str
    subject: str


def outbox_routes(folder: Path, pages: Pages) -> APIRouter:
    """Return the routes ``/outbox``…, which show the emails in ``folder``."""
    routes = APIRouter(default_response_class=HTMLResponse)

    @routes.get("/outbox")
    def outbox() -> HTMLResponse:
        """List the newest emails."""
        return pages.html(
            "outbox.html.j2", HTTPStatus.OK, **words(UTC), folder=folder, emails=newest(folder)
        )

    @routes.get("/outbox/{name}/{part}")
    def written(name: str, part: str) -> Response:
        """Show an email's HTML or text, or the message as it was handed over."""
        content = _content(folder, name)
        match part:
            case "html" | "text":
                return _shown(_parsed(content), part)
            case "message":
                return PlainTextResponse(content)
        raise HTTPException(HTTPStatus.NOT_FOUND)

    return routes


def newest(folder: Path) -> list[Written]:
    """Return the newest emails in a folder, newest first."""
    return [
        Written(
            file.name,
            datetime.fromtimestamp(seconds, UTC),
            str(message["To"]),
            str(message["Subject"]),
        )
        for seconds, file in sorted(_files(folder), reverse=True)[:MOST]
        if (message := _parsed(_content(folder, file.name)))
    ]


def _files(folder: Path) -> Iterator[tuple[float, Path]]:
    for file in folder.glob("*.eml"):
        with suppress(FileNotFoundError):  # it was just replaced
            if _NAME.fullmatch(file.name) and file.is_file() and not file.is_symlink():
                yield file.stat().st_mtime, file


def _content(folder: Path, name: str) -> bytes:
    """Return a message. Raises HTTPException if there is none of this name."""
    file = folder / name
    with suppress(OSError):
        if _NAME.fullmatch(name) and not file.is_symlink():
            return file.read_bytes()[:LARGEST]
    raise HTTPException(HTTPStatus.NOT_FOUND)


def _parsed(content: bytes) -> EmailMessage:
    return email.message_from_bytes(content, policy=email.policy.default)


def _shown(message: EmailMessage, part: str) -> Response:
    found = message.get_body(("html",) if part == "html" else ("plain",))
    if found is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    if part == "text":
        return PlainTextResponse(found.get_content())
    return HTMLResponse(found.get_content(), headers={"Content-Security-Policy": POLICY})
