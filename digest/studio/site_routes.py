"""Show the pages that readers see, with sample data, in any language; nothing on them can be sent.

They come from the web application itself, over a database of sample data.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from secrets import randbits

import httpx
from fastapi import APIRouter, HTTPException, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digest.studio.render import Pages
from digest.studio.site_samples import PAGES, Ask, SampleData
from digest.studio.watch import Watch

AT = "/site"  # where their addresses begin
WIDTHS = {"phone": 360, "desk": 1200}
# Nothing runs and nothing is sent, but links lead to other pages.
POLICY = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'self'; sandbox allow-same-origin"
)
HEADERS = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
_HERE = "http://localhost"
_ALL = {name: asks for pages in PAGES.values() for name, asks in pages.items()}


@dataclass(frozen=True, slots=True)
class SampleSite:
    """The pages as they are now: ``web`` is the application, over the ``data``.

    ``languages`` names those that may be chosen, by code; ``usual`` is the installation's.
    """

    web: Callable[[], ASGIApp]
    data: Callable[[], SampleData]
    languages: Callable[[], Mapping[str, str]]
    usual: str


def site_routes(site: SampleSite, watch: Watch, pages: Pages) -> APIRouter:
    """Return ``/pages``, which shows a page on two screens, ``/page`` in their frames, and AT."""
    routes = APIRouter()

    @routes.get("/pages")
    def chosen(page: str = "home", language: str = "") -> Response:
        return pages.html(
            "site.html.j2",
            stamp=watch.stamp(),
            all_pages=PAGES,
            page=page if page in _ALL else "home",
            languages=site.languages(),
            language=_spoken(language),
            widths=WIDTHS,
        )

    @routes.get("/page")
    async def shown(page: str, language: str = "") -> Response:
        """Return a page with sample data, for a frame."""
        if page not in _ALL:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        code = _spoken(language)
        data = await run_in_threadpool(site.data)
        asks = await run_in_threadpool(lambda: _ALL[page](data.guest(code)))
        answer = await _answer(await run_in_threadpool(site.web), f"/{code}", asks)
        kind = answer.headers["Content-Type"]
        return Response(answer.content, media_type=_readable(kind), headers=HEADERS)

    def _spoken(language: str) -> str:
        return language if language in site.languages() else site.usual

    routes.routes.append(Route(AT + "/{path:path}", _ReadOnly(site.web)))
    return routes


async def _answer(web: ASGIApp, language: str, asks: Sequence[Ask]) -> httpx.Response:
    """Return what the last of some requests is answered with."""
    # Each look comes from another network: what limits strangers must not limit the operator.
    client = f"2001:db8:{randbits(16):x}:{randbits(16):x}::1", 0
    transport = httpx.ASGITransport(web, client=client)
    async with httpx.AsyncClient(transport=transport, base_url=_HERE) as browser:
        for ask in asks:
            path = f"{language}{ask.path}"
            if ask.fields is None:
                answer = await browser.get(path)
            else:
                answer = await browser.post(path, data=ask.fields)
    return answer


def _readable(kind: str) -> str:
    """Return a media type that browsers show: of a feed they show the source."""
    return kind if kind.startswith("text/html") else "text/plain; charset=utf-8"


class _ReadOnly:
    """ASGI application that asks for a sample page, and for nothing that would change one.

    The page learns nothing of the operator's browser.
    """

    def __init__(self, web: Callable[[], ASGIApp]) -> None:
        self._web = web

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in {"GET", "HEAD"}:
            refusal = PlainTextResponse(
                "Nothing is sent from a page in the studio.", HTTPStatus.METHOD_NOT_ALLOWED
            )
            await refusal(scope, receive, send)
            return

        async def framed(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        web = await run_in_threadpool(self._web)
        path = scope["path"].removeprefix(AT) or "/"
        inner = {**scope, "path": path, "root_path": "", "headers": [], "state": {}}
        await web(inner, receive, framed)
