"""Import people from a file: a page that says what will happen, then a page that has done it."""

import secrets
import shutil
import weakref
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from tempfile import SpooledTemporaryFile
from threading import Lock
from typing import Annotated

import structlog
from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import HTMLResponse

from digest.studio.people_context import PeopleContext
from subscribers.importing import Admitting, Imported, Rehearsal, source_of, take_in

PATH = "/subscribers/import"
LARGEST = 64 * 1024 * 1024  # octets of a file
IN_MEMORY = 1024 * 1024  # octets of one; a larger one uses a temporary file
MOST_FILES = 3  # that wait for the operator's word
KEPT_FOR = timedelta(hours=1)
MOST_LINES = 200  # that are shown of those left out

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file that was read once: its name, and how many it would add, leave, block and refuse."""

    name: str
    content: SpooledTemporaryFile[bytes]
    at: datetime
    counts: tuple[int, ...]


class WaitingFiles:
    """The files of the last hour for which the operator has not given their word. Few are kept."""

    def __init__(self) -> None:
        self._files: dict[str, Waiting] = {}
        self._lock = Lock()
        weakref.finalize(self, _close, self._files)

    def keep(self, waiting: Waiting) -> str:
        """Keep a file; return the key to ``take`` it by."""
        key = secrets.token_hex(16)
        with self._lock:
            self._forget(waiting.at)
            for oldest in list(self._files)[: len(self._files) - MOST_FILES + 1]:
                self._files.pop(oldest).content.close()
            self._files[key] = waiting
        return key

    def take(self, key: str, now: datetime) -> Waiting | None:
        """Return a file, and keep it no longer; None if it is not there."""
        with self._lock:
            self._forget(now)
            return self._files.pop(key, None)

    def _forget(self, now: datetime) -> None:
        for key in [key for key, kept in self._files.items() if kept.at + KEPT_FOR < now]:
            self._files.pop(key).content.close()


def _close(files: dict[str, Waiting]) -> None:
    for waiting in files.values():
        waiting.content.close()


def import_routes(context: PeopleContext) -> APIRouter:
    """Return the routes of the import; only the last one changes anything."""
    routes = APIRouter(default_response_class=HTMLResponse)
    waiting_files = WaitingFiles()

    def form(problem: str = "") -> HTMLResponse:
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
        return context.pages.html("people-import.html.j2", status, problem=problem)

    def preview(waiting: Waiting, was: tuple[int, ...] | None = None) -> HTMLResponse:
        """Keep a file, and say what will happen; ``was`` is what was said before."""
        done, blocked = _rehearse(context, waiting)
        kept = Waiting(waiting.name, waiting.content, context.clock(), _counts(done, blocked))
        return context.pages.html(
            "people-preview.html.j2",
            HTTPStatus.OK if was is None else HTTPStatus.CONFLICT,
            key=waiting_files.keep(kept),
            file=waiting.name,
            done=done,
            blocked=blocked,
            was=was,
            left_out=[(unread.line, unread.said()) for unread in done.unread[:MOST_LINES]],
        )

    @routes.get(PATH)
    def ask() -> HTMLResponse:
        return form()

    @routes.post(PATH)
    def shown(file: UploadFile | None = None) -> HTMLResponse:
        """Say what an import of the file will do; it changes nothing."""
        if file is None or not file.filename:
            return form("Choose a file.")
        content = SpooledTemporaryFile[bytes](IN_MEMORY)
        shutil.copyfileobj(file.file, content)
        name = source_of(file.filename).removeprefix(source_of(""))  # as it can be shown
        return preview(Waiting(name, content, context.clock(), ()))

    @routes.post(f"{PATH}/do")
    def do(request: Request, key: Annotated[str, Form()] = "") -> HTMLResponse:
        """Import the file, unless something else would happen by now than was shown."""
        waiting = waiting_files.take(key, context.clock())
        if waiting is None:
            return form("This file is no longer kept here: choose it again.")
        if _counts(*_rehearse(context, waiting)) != waiting.counts:
            return preview(waiting, waiting.counts)
        with waiting.content:
            done = _read(context, context.registry, waiting)
        log.info(
            "subscribers were imported",
            who=request.state.who,
            new=done.new,
            known=done.known,
            left_out=len(done.unread),
        )
        return context.pages.html("people-imported.html.j2", file=waiting.name, done=done)

    return routes


def _rehearse(context: PeopleContext, waiting: Waiting) -> tuple[Imported, int]:
    """Return what an import would do, and how many new people are blocked."""
    rehearsal = Rehearsal(context.registry)
    return _read(context, rehearsal, waiting), rehearsal.blocked


def _read(context: PeopleContext, into: Admitting, waiting: Waiting) -> Imported:
    waiting.content.seek(0)
    return take_in(
        into,
        context.address_policy,
        waiting.content,
        source_of(waiting.name),
        context.clock(),
        context.read_papers,
        context.speaks,
    )


def _counts(done: Imported, blocked: int) -> tuple[int, ...]:
    return done.new, done.known, len(done.unread), blocked
