"""Log in to the studio: a name and the password, then a session in a cookie."""

import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from time import monotonic
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from itsdangerous import BadData, URLSafeTimedSerializer

from digest.studio.render import Pages

COOKIE = "studio"
LASTS = 12 * 3600  # seconds of a session
LONGEST_NAME = 60
WINDOW = 900.0  # seconds in which wrong passwords count
MOST_WRONG = 10  # of one client
MOST_WRONG_OF_ALL = 200


class Sessions:
    """The sessions of one process: to restart the studio ends them all."""

    def __init__(self, password: str) -> None:
        self._password = password.encode()
        self._serializer = URLSafeTimedSerializer(secrets.token_bytes(32), salt="studio")
        self._ended = set[str]()

    def is_password(self, typed: str) -> bool:
        """Compare in a time that does not tell how much was right."""
        return secrets.compare_digest(typed.encode(errors="replace"), self._password)

    def begin(self, who: str) -> str:
        """Return the cookie of a new session."""
        return str(self._serializer.dumps([who, secrets.token_hex(16)]))

    def end(self, cookie: str) -> None:
        """End a session, also for whoever has a copy of its cookie."""
        _, session = self._read(cookie)
        self._ended.add(session)

    def who(self, cookie: str) -> str | None:
        """Return who has a session, by its cookie; None if it is none or has ended."""
        who, session = self._read(cookie)
        return None if session in self._ended else who

    def _read(self, cookie: str) -> tuple[str | None, str]:
        """Return whose session a cookie is of, and which; None if it is of none."""
        try:
            who, session = self._serializer.loads(cookie, max_age=LASTS)
        except BadData:
            return None, ""
        return who, session


@dataclass
class Attempts:
    """The wrong passwords of the last minutes, so that nobody can try many."""

    clock: Callable[[], float] = monotonic
    _wrong: deque[tuple[float, str]] = field(default_factory=deque)

    def may_try(self, client: str) -> bool:
        """Return whether a client may try a password now."""
        while self._wrong and self._wrong[0][0] < self.clock() - WINDOW:
            self._wrong.popleft()
        own = sum(client == other for _, other in self._wrong)
        return own < MOST_WRONG and len(self._wrong) < MOST_WRONG_OF_ALL

    def note(self, client: str) -> None:
        """Count a wrong password."""
        self._wrong.append((self.clock(), client))


def login_routes(
    sessions: Sessions, pages: Pages, root: str, attempts: Attempts | None = None
) -> APIRouter:
    """Return the routes ``/login`` and ``/logout``."""
    routes = APIRouter(default_response_class=HTMLResponse)
    tried = attempts or Attempts()

    def form(status: HTTPStatus, to: str, name: str = "", why: str = "") -> HTMLResponse:
        return pages.html("login.html.j2", status, to=_local(to), who=name, why=why)

    @routes.get("/login")
    def ask(to: str = "/") -> HTMLResponse:
        return form(HTTPStatus.OK, to)

    @routes.post("/login")
    def log_in(
        request: Request,
        name: Annotated[str, Form()] = "",
        password: Annotated[str, Form()] = "",
        to: Annotated[str, Form()] = "/",
    ) -> Response:
        """Begin a session, and go on to the page that was asked for."""
        client = request.client.host if request.client else ""
        who = "".join(filter(str.isprintable, name)).strip()[:LONGEST_NAME]
        if not tried.may_try(client):
            why = "Too many wrong passwords: try again in a quarter of an hour."
            return form(HTTPStatus.TOO_MANY_REQUESTS, to, who, why)
        if not who or not sessions.is_password(password):
            tried.note(client)
            why = "This is not the password." if who else "Type a name: it is noted what you do."
            return form(HTTPStatus.FORBIDDEN, to, who, why)
        answer = RedirectResponse(f"{root}{_local(to)}", HTTPStatus.SEE_OTHER)
        answer.set_cookie(
            COOKIE,
            sessions.begin(who),
            max_age=LASTS,
            path=root or "/",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        return answer

    @routes.post("/logout")
    def log_out(request: Request) -> Response:
        sessions.end(request.cookies.get(COOKIE, ""))
        answer = RedirectResponse(f"{root}/login", HTTPStatus.SEE_OTHER)
        answer.delete_cookie(COOKIE, path=root or "/")
        return answer

    return routes


def _local(to: str) -> str:
    """Return a path of the studio; "/" for what would lead elsewhere."""
    is_path = to.startswith("/") and not to.startswith(("//", "/\\")) and to.isprintable()
    return to if is_path else "/"
