"""HTTP caching (RFC 9111) of the pages that are the same for everybody.

A page is as new as what it is made of. So somebody who asks again, such as a feed reader, is told
that nothing has changed (304) before anything is ranked or rendered.
"""

import hashlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from digest.web.limiter import Limiter, limited_route
from digest.web.visit import visit_of

MAX_AGE = 300  # seconds that a copy may be shown without asking again


@dataclass(frozen=True, slots=True)
class Version:
    """A stamp of what the public pages are made of, and since when this process has known it."""

    stamp: str
    since: datetime


class Versions:
    """The version of the public pages now.

    ``stamp`` returns a text that changes whenever one of them may change.
    """

    def __init__(self, stamp: Callable[[], str], clock: Callable[[], datetime]) -> None:
        self._stamp = stamp
        self._clock = clock
        self._started = clock()  # another program, or other settings, make other pages
        self._limiter = Limiter(at_once=1, waiting=10_000)  # all connections may ask
        self._last = Version("", self._started)

    async def current(self) -> Version:
        """Return the version now. Raises what ``stamp`` raises."""
        return await self._limiter.run(self._look)

    def _look(self) -> Version:
        stamp = f"{self._started} {self._stamp()}"
        if stamp != self._last.stamp:
            self._last = Version(stamp, self._clock())
        return self._last


def public_route(
    versions: Versions, limiter: Limiter, *, has_language: bool = True
) -> type[APIRoute]:
    """Return the class of routes that are made under a limit, and that anybody may keep.

    ``has_language``: they answer in the language of the visit. Where the address does not name it,
    a copy is only for those whose browser accepts the same.
    """

    class PublicRoute(limited_route(limiter)):  # type: ignore[misc]  # a class that a function made
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            answer = super().get_route_handler()

            async def handle(request: Request) -> Response:
                # Before the answer: of what changes meanwhile, the answer is asked for again.
                version = await versions.current()
                visit, url = visit_of(request), f"{request.scope['path']}?{request.url.query}"
                code = visit.language.code if has_language else ""
                headers = _validators(version, f"{code} {visit.prefix} {url}")
                if has_language:
                    headers["Content-Language"] = code
                    headers |= {} if visit.prefix else {"Vary": "Accept-Language"}
                unchanged = Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
                known = request.headers.get("If-None-Match", "")
                if headers["ETag"].removeprefix("W/") in known:  # no other page ever sent this one
                    return unchanged
                response: Response = await answer(request)
                if response.status_code != HTTPStatus.OK or "Cache-Control" in response.headers:
                    return response
                since = request.headers.get("If-Modified-Since", "")
                if known == "*" or (not known and _is_unmodified(version, since)):
                    return unchanged
                response.headers.update(headers)
                return response

            return handle

    return PublicRoute


def _validators(version: Version, url: str) -> dict[str, str]:
    """Return the headers by which a copy of a page is kept, and checked."""
    tag = hashlib.sha256(f"{version.stamp} {url}".encode()).hexdigest()[:32]
    return {
        "Cache-Control": f"public, max-age={MAX_AGE}",
        "ETag": f'W/"{tag}"',  # weak: the pages are compared by what they are made of
        "Last-Modified": format_datetime(version.since.astimezone(UTC), usegmt=True),
    }


def _is_unmodified(version: Version, since: str) -> bool:
    try:
        return version.since.replace(microsecond=0) <= parsedate_to_datetime(since)
    except (ValueError, TypeError):  # RFC 9110 section 13.1.3: ignore what is no date
        return False
