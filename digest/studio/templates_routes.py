"""What is asked for of the templates: the page, the pictures on it, news of changes, a test."""

from collections.abc import AsyncIterator
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse

from digest.errors import DigestError
from digest.model.messages import OutcomeKind
from digest.studio.picture import picture, policy
from digest.studio.preview_cache import PreviewCache, StudioContext
from digest.studio.preview_request import PreviewRequest, read_looks, read_preview_request
from digest.studio.render import Pages
from digest.studio.templates_page import TemplatesPage, Told
from digest.studio.watch import Watch
from subscribers.errors import SubscriberError


def template_routes(studio_context: StudioContext, pages: Pages) -> APIRouter:
    """Return the routes of the templates; all but a test send only look."""
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
        """The mail in a frame, as it is or as it was before the templates were changed."""
        preview_request, looks = (
            read_preview_request(request.query_params),
            read_looks(request.query_params),
        )
        try:
            is_before = of == "before"
            preview = (
                preview_cache.before(preview_request)
                if is_before
                else preview_cache.current(preview_request).preview
            )
            if preview is None:
                raise HTTPException(404)
            html = picture(preview.content.html, looks.scheme)
        except (DigestError, SubscriberError) as error:
            html = pages.fill("no-picture.html.j2", {"why": str(error)})
        headers = {"Content-Security-Policy": policy(images=looks.images)}
        return HTMLResponse(html, headers=headers)

    @routes.get("/message.eml")
    def message(request: Request) -> Response:
        """The message as a file, for a mail program to open."""
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
        """Send the mail that is shown, and show the page that it is on with what became of it."""
        shown = dict(parse_qsl(query))
        preview_request = read_preview_request(shown)
        return page.page(
            preview_request,
            read_looks(shown),
            _sent(studio_context, preview_cache, preview_request, address),
        )

    return routes


def _sent(
    studio_context: StudioContext,
    preview_cache: PreviewCache,
    preview_request: PreviewRequest,
    to: str,
) -> Told:
    try:
        outcome = studio_context.send(preview_cache.to_send(preview_request), to)
    except (DigestError, SubscriberError) as error:
        return Told(to, str(error), is_good=False)
    return Told(
        to,
        f"{outcome.kind.value}: {outcome.text}",
        is_good=outcome.kind is OutcomeKind.ACCEPTED,
    )


async def _events(watch: Watch) -> AsyncIterator[str]:
    """Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""
    async for stamp in watch.stamps():
        yield f"data: {stamp}\n\n" if stamp else ": still here\n\n"
