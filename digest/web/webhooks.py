"""POST /webhooks/bounces/SERVICE: what mail services report of bounces and complaints."""

from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import PlainTextResponse

from digest.inbound.webhooks import WebhookAnswer
from digest.web.site import Site

LARGEST_BODY = 1024 * 1024
PREFIX = "/webhooks/"
_STATUS = {
    WebhookAnswer.DONE: HTTPStatus.OK,
    WebhookAnswer.UNKNOWN: HTTPStatus.NOT_FOUND,
    WebhookAnswer.UNSIGNED: HTTPStatus.FORBIDDEN,
    WebhookAnswer.MALFORMED: HTTPStatus.BAD_REQUEST,
}


def webhook_routes(site: Site) -> APIRouter:
    """Return the route that mail services post to; it is closed where no secret is set."""
    routes = APIRouter(default_response_class=PlainTextResponse, include_in_schema=False)

    @routes.post(f"{PREFIX}bounces/{{service}}")
    async def bounces(service: str, request: Request) -> PlainTextResponse:
        body = await request.body()
        headers = {name.lower(): value for name, value in request.headers.items()}
        answer = await run_in_threadpool(site.webhook, service, headers, body)
        return PlainTextResponse(answer.value, _STATUS[answer])

    return routes
