"""Serve the templates page, its pictures, the news of changes, and test sends."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse

from digest.errors import DigestError
from digest.model.messages import OutcomeKind
from digest.studio.picture import picture, policy
from digest.studio.preview import Preview
from digest.studio.preview_cache import PreviewCache, StudioContext
from digest.studio.preview_request import PreviewRequest, read_looks, read_preview_request
from digest.studio.render import Pages
from digest.studio.templates_page import SendResult, TemplatesPage
from digest.studio.watch import Watch
from subscribers.errors import SubscriberError


def template_routes(studio_context: StudioContext, pages: Pages) -> APIRouter:
    """Return the routes of the templates page; only a test send changes anything."""
    routes = APIRouter()
    preview_cache = PreviewCache(studio_context)
    page = TemplatesPage(studio_context, preview_cache, pages)

    @routes.get("/")
    def templates(request: Request) -> Response:
        return page.page(
            read_preview_request(request.query_params), read_looks(request.query_params)
        )

    @routes.get("/picture")
    def shown(request: Request, of: str = "now") -> Response:
        """Return the email for a frame, as it is now or before the templates were changed."""
        preview_request = read_preview_request(request.query_params)
        looks = read_looks(request.query_params)
        try:
            if of == "before":
                preview = preview_cache.before(preview_request)
            else:
                preview = preview_cache.current(preview_request).preview
            if preview is None:
                raise HTTPException(404)
            html = picture(preview.content.html, looks.scheme)
        except (DigestError, SubscriberError) as error:
            html = pages.fill("no-picture.html.j2", {"why": str(error)})
        headers = {"Content-Security-Policy": policy(images=looks.images)}
        return HTMLResponse(html, headers=headers)

    @routes.get("/message.eml")
    def message(request: Request) -> Response:
        """Return the message as a file that a mail program can open."""
        preview = preview_cache.current(read_preview_request(request.query_params)).preview
        if preview is None:
            raise HTTPException(404)
        headers = {"Content-Disposition": f'attachment; filename="{preview.mail}.eml"'}
        return Response(preview.message, media_type="message/rfc822", headers=headers)

    @routes.get("/changes")
    async def changes() -> Response:
        return StreamingResponse(_events(studio_context.watch), media_type="text/event-stream")

    @routes.post("/send")
    def send(query: Annotated[str, Form()] = "", address: Annotated[str, Form()] = "") -> Response:
        """Send the email that is shown, and return its page with the result."""
        shown = dict(parse_qsl(query))
        preview_request = read_preview_request(shown)
        result = _send(studio_context, preview_cache.to_send, preview_request, address)
        return page.page(preview_request, read_looks(shown), result)

    return routes


def _send(
    studio_context: StudioContext,
    preview_of: Callable[[PreviewRequest], Preview],
    preview_request: PreviewRequest,
    to: str,
) -> SendResult:
    try:
        outcome = studio_context.send(preview_of(preview_request), to)
    except (DigestError, SubscriberError) as error:
        return SendResult(to, str(error), is_good=False)
    is_good = outcome.kind is OutcomeKind.ACCEPTED
    return SendResult(to, f"{outcome.kind}: {outcome.text}", is_good=is_good)


async def _events(watch: Watch) -> AsyncIterator[str]:
    """Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""
    async for stamp in watch.stamps():
        yield f"data: {stamp}\n\n" if stamp else ": still here\n\n"
