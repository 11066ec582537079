"""What is asked for of the templates: the page, the pictures on it, news of changes, a test."""

from collections.abc import AsyncIterator
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse

from digest.errors import DigestError
from digest.model.messages import OutcomeKind
from digest.studio.context import Workbench
from digest.studio.picture import picture, policy
from digest.studio.preview_cache import Darkroom
from digest.studio.preview_request import Choice, read_choice, read_looks
from digest.studio.render import Pages
from digest.studio.templates_page import TemplatesPage, Told
from digest.studio.watch import Watch
from subscribers.errors import SubscriberError


def template_routes(workbench: Workbench, pages: Pages) -> APIRouter:
    """The routes over a workbench. All but a test only look."""
    routes = APIRouter()
    darkroom = Darkroom(workbench)
    page = TemplatesPage(workbench, darkroom, pages)

    @routes.get("/")
    def templates(request: Request) -> Response:
        return page.page(read_choice(request.query_params), read_looks(request.query_params))

    @routes.get("/picture")
    def shown(request: Request, of: str = "now") -> Response:
        """The mail in a frame, as it is or as it was before the templates were changed."""
        choice, looks = read_choice(request.query_params), read_looks(request.query_params)
        try:
            is_before = of == "before"
            proof = darkroom.before(choice) if is_before else darkroom.develop(choice).proof
            if proof is None:
                raise HTTPException(404)
            html = picture(proof.content.html, looks.scheme)
        except (DigestError, SubscriberError) as error:
            html = pages.fill("no-picture.html.j2", {"why": str(error)})
        headers = {"Content-Security-Policy": policy(images=looks.images)}
        return HTMLResponse(html, headers=headers)

    @routes.get("/message.eml")
    def message(request: Request) -> Response:
        """The message as a file, for a mail program to open."""
        proof = darkroom.develop(read_choice(request.query_params)).proof
        if proof is None:
            raise HTTPException(404)
        headers = {"Content-Disposition": f'attachment; filename="{proof.mail}.eml"'}
        return Response(proof.message, media_type="message/rfc822", headers=headers)

    @routes.get("/changes")
    async def changes() -> Response:
        return StreamingResponse(_events(workbench.watch), media_type="text/event-stream")

    @routes.post("/send")
    def send(query: Annotated[str, Form()] = "", address: Annotated[str, Form()] = "") -> Response:
        """Send the mail that is shown, and show the page that it is on with what became of it."""
        shown = dict(parse_qsl(query))
        choice = read_choice(shown)
        return page.page(choice, read_looks(shown), _sent(workbench, darkroom, choice, address))

    return routes


def _sent(workbench: Workbench, darkroom: Darkroom, choice: Choice, to: str) -> Told:
    try:
        outcome = workbench.send(darkroom.to_send(choice), to)
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
